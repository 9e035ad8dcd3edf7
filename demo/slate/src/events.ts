// The events of SLATE: what they look like, and whether what arrived is one.
//
// Anybody who may publish below slate.> may send anything.  What parse() lets through has every
// field of its type, and its subject is the one that its fields stand for.
import { fill, isToken, subjects, type Category } from './subjects.js';

interface Common<T extends string> {
    type: T;
    /** Milliseconds since 1970. */
    timestamp: number;
}
interface OfProject {
    projectId: string;
    userId: string;
    name?: string;
}
interface OfFile {
    fileId: string;
    projectId: string;
    path?: string;
}
interface OfAsset {
    assetId: string;
    projectId: string;
}
interface OfBuild {
    projectId: string;
    buildId: string;
    /** Counts the events of this build from 1: a receiver sees what it missed. */
    sequence: number;
}
interface OfSession {
    sessionId: string;
}
interface OfEditor {
    userId: string;
    fileId: string;
}
export interface Position {
    line: number;
    column: number;
}
interface OfRoom {
    projectId: string;
    userId: string;
}

export type ProjectEvent = Common<'created' | 'updated' | 'deleted'> & OfProject;
export type FileEvent = Common<'created' | 'updated' | 'deleted'> & OfFile;
export type AssetEvent =
    | (Common<'created' | 'updated' | 'deleted'> & OfAsset)
    | (Common<'component.added' | 'component.removed'> & OfAsset & { data: { component: string } });
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type RuntimeEvent =
    | (Common<'started' | 'stopped'> & OfSession)
    | (Common<'status'> & OfSession & { data: { status: string } })
    | (Common<'log'> & OfSession & { data: { level: LogLevel; message: string } })
    | (Common<'error'> & OfSession & { data: { message: string } });
export type BuildEvent =
    | (Common<'started' | 'completed'> & OfBuild)
    | (Common<'progress'> & OfBuild & { data: { percent: number } })
    | (Common<'failed'> & OfBuild & { data: { message: string } });
export type EditorEvent =
    | (Common<'opened' | 'closed'> & OfEditor)
    | (Common<'cursor'> & OfEditor & { data: Position })
    | (Common<'selection'> & OfEditor & { data: { from: Position; to: Position } });
export type CollaborationEvent = Common<'joined' | 'left' | 'presence'> & OfRoom;

export interface EventOf {
    project: ProjectEvent;
    file: FileEvent;
    asset: AssetEvent;
    runtime: RuntimeEvent;
    build: BuildEvent;
    editor: EditorEvent;
    collab: CollaborationEvent;
}
export type SlateEvent = EventOf[Category];

/** An event as it is handed to publish(). */
export type Draft<E> = E extends SlateEvent ? Omit<E, 'timestamp'> & { timestamp?: number } : never;

/** Why something is no event. */
export type Reason = 'too large' | 'not JSON' | 'not an object' | 'unknown type' | 'subject' | `field ${string}`;

export type Parsed<E> = { event: E; reason?: undefined } | { event?: undefined; reason: Reason };

// ---- checks

type Check = (value: unknown) => boolean;
/** A field whose name ends in ? may be left out. */
type Fields = { readonly [name: string]: Check };

const EVENT_BYTES_MAX = 64 * 1024;
const TEXT_MAX = 8192;
const LEVELS: readonly unknown[] = ['debug', 'info', 'warn', 'error'];

const isText: Check = (value) => typeof value === 'string' && value.length <= TEXT_MAX;
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isPercent: Check = (value) => typeof value === 'number' && value >= 0 && value <= 100;
const isLevel: Check = (value) => LEVELS.includes(value);

const position: Fields = { line: isCount, column: isCount };
const message: Fields = { message: isText };
const component: Fields = { component: isText };

const fieldsOf: { readonly [C in Category]: Fields } = {
    project: { projectId: isToken, userId: isToken, 'name?': isText },
    file: { fileId: isToken, projectId: isToken, 'path?': isText },
    asset: { assetId: isToken, projectId: isToken },
    runtime: { sessionId: isToken },
    build: { projectId: isToken, buildId: isToken, sequence: isCount },
    editor: { userId: isToken, fileId: isToken },
    collab: { projectId: isToken, userId: isToken },
};

/** What is in `data`, for the types that have some. */
const dataOf: { readonly [C in Category]?: { readonly [T in EventOf[C]['type']]?: Fields } } = {
    asset: { 'component.added': component, 'component.removed': component },
    runtime: { status: { status: isText }, log: { level: isLevel, ...message }, error: message },
    build: { progress: { percent: isPercent }, failed: message },
    editor: { cursor: position, selection: { from: isPosition, to: isPosition } },
};

function isPosition(value: unknown): boolean {
    return isObject(value) && wrongField(value, position) === undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
    return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function own(object: Record<string, unknown>, name: string): unknown {
    return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** The first field that is not as it must be. */
function wrongField(object: Record<string, unknown>, fields: Fields): string | undefined {
    return Object.keys(fields).find((key) => {
        const value = own(object, key.replace('?', ''));
        const isLeftOut = value === undefined && key.endsWith('?');
        return !isLeftOut && !fields[key]!(value);
    });
}

/** The subject on which an event of that category is published; undefined if it has none. */
export function subjectOf<C extends Category>(category: C, event: EventOf[C]): string | undefined {
    const templates: Record<string, string> = subjects[category];
    const template = Object.hasOwn(templates, event.type) ? templates[event.type] : undefined;
    return template && fill(template, event as object);
}

/** Says what is wrong with `value` as an event of that category; undefined: nothing. */
export function problemOf(category: Category, value: unknown): Reason | undefined {
    if (!isObject(value)) {
        return 'not an object';
    }
    const type = own(value, 'type');
    if (typeof type !== 'string' || !Object.hasOwn(subjects[category], type)) {
        return 'unknown type';
    }
    const common = wrongField(value, { timestamp: isCount, ...fieldsOf[category] });
    if (common) {
        return `field ${common}`;
    }
    const fields = (dataOf[category] as Record<string, Fields> | undefined)?.[type];
    if (!fields) {
        return undefined;
    }
    const data = own(value, 'data');
    const wrong = isObject(data) ? wrongField(data, fields) : '';
    return wrong === undefined ? undefined : `field data${wrong && `.${wrong}`}`;
}

/** The event in a message.  Never throws, whatever the bytes are. */
export function parse<C extends Category>(
    category: C,
    subject: string,
    bytes: Uint8Array,
): Parsed<EventOf[C]> {
    if (bytes.length > EVENT_BYTES_MAX) {
        return { reason: 'too large' };
    }
    let value: unknown;
    try {
        value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch {
        return { reason: 'not JSON' };
    }
    const reason = problemOf(category, value);
    if (reason) {
        return { reason };
    }
    const event = value as EventOf[C];
    return subjectOf(category, event) === subject ? { event } : { reason: 'subject' };
}
