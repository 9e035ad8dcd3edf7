// SLATE's hooks.  All but SlateProvider need one above them; callbacks may be written inline.
import {
    createContext,
    createElement,
    useCallback,
    useContext,
    useEffect,
    useMemo,
    useRef,
    useState,
    type ReactNode,
} from 'react';
import type { Msg, NatsConnection } from 'natlet';
import { NatsProvider, useNats, useNatsStatus, useSubject, type ConnectionStatus } from 'natlet/react';
import type {
    AssetEvent,
    BuildEvent,
    CollaborationEvent,
    Draft,
    EditorEvent,
    EventOf,
    FileEvent,
    LogLevel,
    Position,
    ProjectEvent,
    RuntimeEvent,
} from './events.js';
import { Messaging, type MessagingOptions, type MessagingStats } from './messaging.js';
import { BuildSequence, type Completeness } from './sequence.js';
import { buildHistory, fill, isToken, watches, type Category, type WatchName } from './subjects.js';

const PRESENCE_MS = 5000;
const PEER_GONE = 3; // intervals without a sign of life
const PEERS_MAX = 256;
const LINES_MAX = 500;
const ASK_PATIENCE_MS = 3000;
const EVERY_HISTORY = buildHistory.replace('{projectId}', '*');

const Context = createContext<Messaging | null>(null);

/** Gives the hooks below it a connection, made by connect(), and counts what is dropped. */
export function SlateProvider(
    props: MessagingOptions & { connect: () => Promise<NatsConnection>; children?: ReactNode },
): ReactNode {
    const newest = useNewest(props);
    const [messaging] = useState(
        () => new Messaging({ ...props, onInvalid: (invalid) => newest.current.onInvalid?.(invalid) }),
    );
    return createElement(
        NatsProvider,
        { connect: props.connect },
        createElement(Context.Provider, { value: messaging }, createElement(Attached), props.children),
    );
}

function Attached(): null {
    const messaging = useShared();
    const nats = useNats();
    useEffect(() => {
        messaging.attach(nats);
        return () => messaging.attach(undefined);
    }, [messaging, nats]);
    useSubject(EVERY_HISTORY, (message) => messaging.answer(message));
    return null;
}

function useShared(): Messaging {
    const messaging = useContext(Context);
    if (!messaging) {
        throw new Error('a hook of SLATE needs a <SlateProvider> above it');
    }
    return messaging;
}

/** The value of the last render. */
function useNewest<T>(value: T): { current: T } {
    const newest = useRef(value);
    useEffect(() => {
        newest.current = value;
    });
    return newest;
}

/** A function that calls `flush` in the next frame, however often it is called until then. */
function useFrame(flush: () => void): () => void {
    const newest = useNewest(flush);
    const frame = useRef(0);
    useEffect(() => () => cancelAnimationFrame(frame.current), []);
    return useCallback(() => {
        frame.current ||= requestAnimationFrame(() => {
            frame.current = 0;
            newest.current();
        });
    }, [newest]);
}

// ---- events

/** callback(event) for each valid event of that watch whose key is `key`, and no other. */
function useWatch<C extends Category>(
    name: WatchName,
    key: string | null,
    callback: (event: EventOf[C]) => void,
): void {
    const messaging = useShared();
    const { category, by, patterns } = watches[name];
    const isGood = key === null || isToken(key);
    const deliver = (message: Msg) => {
        const event = messaging.read(category as C, message);
        if (event && (event as unknown as Record<string, unknown>)[by] === key) {
            callback(event);
        }
    };
    for (const pattern of patterns) { // as many at each render: a watch's list never changes
        const keys = { [by]: key } as Record<string, unknown>;
        useSubject(key === null || !isGood ? null : fill<string>(pattern, keys as never), deliver);
    }
    useEffect(() => {
        if (!isGood) {
            messaging.drop(String(key), `field ${by}`);
        }
    }, [messaging, isGood, key, by]);
}

/** All events of the projects of a user, or of one project. */
export function useProjectEvents(
    of: string | { userId: string } | { projectId: string } | null,
    callback: (event: ProjectEvent) => void,
): void {
    const isProject = of !== null && typeof of === 'object' && 'projectId' in of;
    const key = of === null || typeof of === 'string' ? of : 'projectId' in of ? of.projectId : of.userId;
    useWatch<'project'>(isProject ? 'project' : 'projectsOfUser', key, callback);
}

/** All events of the files of a project, though some of their subjects do not name it. */
export function useFileEvents(projectId: string | null, callback: (event: FileEvent) => void): void {
    useWatch<'file'>('files', projectId, callback);
}

/** All events of the assets of a project and their components. */
export function useAssetEvents(projectId: string | null, callback: (event: AssetEvent) => void): void {
    useWatch<'asset'>('assets', projectId, callback);
}

export function useRuntimeEvents(sessionId: string | null, callback: (event: RuntimeEvent) => void): void {
    useWatch<'runtime'>('runtime', sessionId, callback);
}

export function useEditorEvents(fileId: string | null, callback: (event: EditorEvent) => void): void {
    useWatch<'editor'>('editor', fileId, callback);
}

export function useCollaborationEvents(
    projectId: string | null,
    callback: (event: CollaborationEvent) => void,
): void {
    useWatch<'collab'>('collab', projectId, callback);
}

/** The events of the builds of a project, of each build in its order and each event once; what
 *  a broken connection swallowed is asked for.  Returns how many came that way, and how many
 *  nobody had any more, as of this render. */
export function useBuildEvents(
    projectId: string | null,
    callback: (event: BuildEvent) => void,
): Completeness {
    const messaging = useShared();
    const newest = useNewest(callback);
    const status = useNatsStatus();
    const sequence = useMemo(
        () =>
            new BuildSequence(
                (buildId, from) => messaging.ask(projectId ?? '', buildId, from, ASK_PATIENCE_MS),
                (event) => newest.current(event),
            ),
        [messaging, newest, projectId],
    );
    useWatch<'build'>('build', projectId, (event) => sequence.accept(event));
    useEffect(() => {
        if (status === 'open') {
            sequence.recheck();
        }
    }, [status, sequence]);
    return { ...sequence.counts };
}

// ---- publishing

type Publish<C extends Category> = (event: Draft<EventOf[C]>) => boolean;

export interface UseMessaging {
    status: ConnectionStatus;
    /** Never throws and never waits; returns whether the event was taken. */
    publish: <C extends Category>(category: C, event: Draft<EventOf[C]>) => boolean;
    publishProjectEvent: Publish<'project'>;
    publishFileEvent: Publish<'file'>;
    publishAssetEvent: Publish<'asset'>;
    publishRuntimeEvent: Publish<'runtime'>;
    publishBuildEvent: Publish<'build'>;
    publishEditorEvent: Publish<'editor'>;
    publishCollaborationEvent: Publish<'collab'>;
    /** Counters that live: read them when you show them. */
    stats: Readonly<MessagingStats>;
}

export function useMessaging(): UseMessaging {
    const messaging = useShared();
    const status = useNatsStatus();
    const publishers = useMemo(() => {
        const publisherOf =
            <C extends Category>(category: C): Publish<C> =>
            (event) =>
                messaging.publish(category, event);
        return {
            publish: messaging.publish.bind(messaging) as UseMessaging['publish'],
            publishProjectEvent: publisherOf('project'),
            publishFileEvent: publisherOf('file'),
            publishAssetEvent: publisherOf('asset'),
            publishRuntimeEvent: publisherOf('runtime'),
            publishBuildEvent: publisherOf('build'),
            publishEditorEvent: publisherOf('editor'),
            publishCollaborationEvent: publisherOf('collab'),
            stats: messaging.stats,
        };
    }, [messaging]);
    return { status, ...publishers };
}

// ---- people

/** Who else is in a project, by a sign of life every interval: user ids, sorted.  Who is silent
 *  for three intervals is gone. */
export function useCollaborators(projectId: string, userId: string, intervalMs = PRESENCE_MS): string[] {
    const messaging = useShared();
    const seen = useRef(new Map<string, number>());
    const [peers, setPeers] = useState<string[]>([]);
    const show = useCallback(() => {
        const next = [...seen.current.keys()].sort();
        setPeers((now) => (now.join(' ') === next.join(' ') ? now : next));
    }, []);
    useCollaborationEvents(projectId, (event) => {
        const isRoom = seen.current.has(event.userId) || seen.current.size < PEERS_MAX;
        if (event.type === 'left') {
            seen.current.delete(event.userId);
        } else if (event.userId !== userId && isRoom) {
            seen.current.set(event.userId, Date.now());
        }
        show();
    });
    useEffect(() => {
        const say = (type: CollaborationEvent['type']) => messaging.publish('collab', { type, projectId, userId });
        const beat = setInterval(() => {
            say('presence');
            for (const [peer, at] of seen.current) {
                if (at < Date.now() - PEER_GONE * intervalMs) {
                    seen.current.delete(peer);
                }
            }
            show();
        }, intervalMs);
        say('joined');
        return () => {
            clearInterval(beat);
            say('left');
        };
    }, [messaging, projectId, userId, intervalMs, show]);
    return peers;
}

/** move(position): publishes the newest position once in a frame, at most. */
export function useCursor(fileId: string, userId: string): (position: Position) => void {
    const messaging = useShared();
    const wanted = useRef<Position>({ line: 0, column: 0 });
    const publish = useFrame(() => {
        messaging.publish('editor', { type: 'cursor', fileId, userId, data: wanted.current });
    });
    return useCallback(
        (position) => {
            wanted.current = position;
            publish();
        },
        [publish],
    );
}

/** Where the others are in a file.  Each of them keeps the newest position, and however many
 *  move, there is one render in a frame. */
export function useCursors(fileId: string, ownId: string): ReadonlyMap<string, Position> {
    const newest = useRef(new Map<string, Position>());
    const [cursors, setCursors] = useState<ReadonlyMap<string, Position>>(() => new Map());
    const show = useFrame(() => setCursors(new Map(newest.current)));
    useEditorEvents(fileId, (event) => {
        const { current } = newest;
        if (event.type === 'closed') {
            current.delete(event.userId);
        } else if (event.type === 'cursor' && event.userId !== ownId) {
            if (!current.has(event.userId) && current.size >= PEERS_MAX) {
                return;
            }
            current.set(event.userId, event.data);
        }
        show();
    });
    return cursors;
}

// ---- logs

export interface LogLine {
    number: number;
    level: LogLevel;
    message: string;
}

/** The last lines of a session's log, and how many there were: one render in a frame. */
export function useLog(sessionId: string, linesMax = LINES_MAX): { lines: readonly LogLine[]; total: number } {
    const kept = useRef<LogLine[]>([]);
    const total = useRef(0);
    const [log, setLog] = useState<{ lines: readonly LogLine[]; total: number }>({ lines: [], total: 0 });
    const show = useFrame(() => {
        kept.current = kept.current.slice(-linesMax);
        setLog({ lines: [...kept.current], total: total.current });
    });
    useRuntimeEvents(sessionId, (event) => {
        if (event.type !== 'log' && event.type !== 'error') {
            return;
        }
        const level = event.type === 'log' ? event.data.level : 'error';
        kept.current.push({ number: ++total.current, level, message: event.data.message });
        if (kept.current.length >= 4 * linesMax) { // no frame comes in a hidden page
            kept.current = kept.current.slice(-linesMax);
        }
        show();
    });
    return log;
}
