// The subjects of SLATE, and what each hook subscribes to.  The test hands both to `natlet
// subjects check`: every subject of a hook's category must be covered by one of its patterns.

/** By category and event type.  {name} is a token, and a field of the event with that name. */
export const subjects = {
    project: {
        created: 'slate.project.created.{userId}',
        updated: 'slate.project.updated.{projectId}',
        deleted: 'slate.project.deleted.{projectId}',
    },
    file: {
        created: 'slate.file.created.{projectId}',
        updated: 'slate.file.updated.{fileId}',
        deleted: 'slate.file.deleted.{fileId}',
    },
    asset: {
        created: 'slate.asset.created.{projectId}',
        updated: 'slate.asset.updated.{assetId}',
        deleted: 'slate.asset.deleted.{assetId}',
        'component.added': 'slate.asset.component.added.{assetId}',
        'component.removed': 'slate.asset.component.removed.{assetId}',
    },
    runtime: {
        started: 'slate.runtime.started.{sessionId}',
        stopped: 'slate.runtime.stopped.{sessionId}',
        status: 'slate.runtime.status.{sessionId}',
        log: 'slate.runtime.log.{sessionId}',
        error: 'slate.runtime.error.{sessionId}',
    },
    build: {
        started: 'slate.build.started.{projectId}',
        progress: 'slate.build.progress.{projectId}',
        completed: 'slate.build.completed.{projectId}',
        failed: 'slate.build.failed.{projectId}',
    },
    editor: {
        opened: 'slate.editor.opened.{userId}.{fileId}',
        closed: 'slate.editor.closed.{userId}.{fileId}',
        cursor: 'slate.editor.cursor.{userId}.{fileId}',
        selection: 'slate.editor.selection.{userId}.{fileId}',
    },
    collab: {
        joined: 'slate.collab.joined.{projectId}',
        left: 'slate.collab.left.{projectId}',
        presence: 'slate.collab.presence.{projectId}',
    },
} as const;

export type Category = keyof typeof subjects;

/** Asked by who missed events of a build; the answer is a list of them. */
export const buildHistory = 'slate.history.build.{projectId}';

/** What the hooks subscribe to.  Subjects of one category end in different keys: where `by` is
 *  not the last token there is a wildcard, and the events of others are left out by their field
 *  of that name.  `slate.file.*.{projectId}` would never see an update: those end in a fileId. */
export const watches = {
    projectsOfUser: {
        category: 'project',
        by: 'userId',
        patterns: ['slate.project.created.{userId}', 'slate.project.updated.*', 'slate.project.deleted.*'],
    },
    project: {
        category: 'project',
        by: 'projectId',
        patterns: ['slate.project.created.*', 'slate.project.updated.{projectId}', 'slate.project.deleted.{projectId}'],
    },
    files: {
        category: 'file',
        by: 'projectId',
        patterns: ['slate.file.created.{projectId}', 'slate.file.updated.*', 'slate.file.deleted.*'],
    },
    assets: {
        category: 'asset',
        by: 'projectId',
        patterns: [
            'slate.asset.created.{projectId}',
            'slate.asset.updated.*',
            'slate.asset.deleted.*',
            'slate.asset.component.*.*',
        ],
    },
    runtime: { category: 'runtime', by: 'sessionId', patterns: ['slate.runtime.*.{sessionId}'] },
    build: { category: 'build', by: 'projectId', patterns: ['slate.build.*.{projectId}'] },
    editor: { category: 'editor', by: 'fileId', patterns: ['slate.editor.*.*.{fileId}'] },
    collab: { category: 'collab', by: 'projectId', patterns: ['slate.collab.*.{projectId}'] },
} as const;

export type WatchName = keyof typeof watches;

/** The names of a template's placeholders. */
export type KeysOf<T extends string> = T extends `${string}{${infer Key}}${infer Rest}`
    ? Key | KeysOf<Rest>
    : never;

const PLACEHOLDER = /\{(\w+)\}/g;
const TOKEN_MAX = 128;

/** Whether `value` may stand between two dots of a subject. */
export function isToken(value: unknown): value is string {
    return typeof value === 'string' && value.length <= TOKEN_MAX && /^[^\s.*>\p{Cc}]+$/u.test(value);
}

/** The template with its keys filled in; undefined if one of them is no token. */
export function fill<T extends string>(
    template: T,
    keys: { readonly [K in KeysOf<T>]: unknown },
): string | undefined {
    const given: Record<string, unknown> = keys;
    let isGood = true;
    const subject = template.replace(PLACEHOLDER, (_, name: string) => {
        const value = given[name];
        isGood &&= isToken(value);
        return String(value);
    });
    return isGood ? subject : undefined;
}
