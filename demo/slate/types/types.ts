// What the declarations promise: compiled, never run.
import { useBuildEvents, useMessaging, useProjectEvents, useRuntimeEvents, type SlateEvent } from '../src/index.js';
import { fill, subjects } from '../src/subjects.js';

export function promises(): void {
    const { publishBuildEvent, publish, publishCollaborationEvent } = useMessaging();
    const build = { projectId: 'p', buildId: 'b', sequence: 1 };
    const isTaken: boolean = publishBuildEvent({ type: 'progress', ...build, data: { percent: 1 } });
    publishCollaborationEvent({ type: 'presence', projectId: 'p', userId: String(isTaken), timestamp: 1 });
    // @ts-expect-error: progress has a percentage
    publishBuildEvent({ type: 'progress', ...build });
    // @ts-expect-error: there is no such type of event
    publishBuildEvent({ type: 'created', ...build });
    // @ts-expect-error: nor such a category
    publish('builds', { type: 'started', ...build });

    useBuildEvents('p', (event) => {
        if (event.type === 'progress') {
            const percent: number = event.data.percent;
            return void percent;
        }
        // @ts-expect-error: the others have none
        return void event.data.percent;
    });
    useRuntimeEvents('s', (event) => void (event.type === 'log' && event.data.message.length));
    useProjectEvents({ projectId: 'p' }, (event) => void event.userId.length);
    // @ts-expect-error: an event of a project is not one of a file
    useProjectEvents('u', (event) => void event.fileId);

    fill(subjects.editor.cursor, { userId: 'u', fileId: 'f' });
    // @ts-expect-error: a key is missing
    fill(subjects.editor.cursor, { userId: 'u' });
}

export const typeOf = (event: SlateEvent): string => event.type;
