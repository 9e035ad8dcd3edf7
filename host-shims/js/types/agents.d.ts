// natlet/agents: agents in JavaScript and in modules, under supervisors, on one connection.
import type { Authenticator, MsgHdrs } from './index.js';

export { headers, NatletError, type MsgHdrs } from './index.js';
export const Status: Readonly<Record<string, number>>;

export type ExitKind =
    | 'normal'
    | 'shutdown'
    | 'error'
    | 'trap'
    | 'killed'
    | 'overflow'
    | 'poison'
    | 'noproc'
    | 'noconn'
    | 'mem'
    | 'fuel';
export interface ExitReason {
    kind: ExitKind;
    code: number;
    /** What was thrown, or why a guest was ended. */
    text?: string;
}

/** The five fields of an agent message, and the bytes as they came. */
export interface AgentMessage<T = unknown> {
    /** "nats_" and the wall time in nanoseconds, never the same twice in a cell. */
    readonly id: string;
    /** "nats", or "local" for what came from this cell. */
    readonly from: string;
    /** The concrete subject, or the agent's id. */
    readonly to: string;
    /** The JSON value, or the bytes in base64. */
    readonly payload: T | { raw: string };
    /** Seconds. */
    readonly timestamp: number;
    /** A view of what arrived: slice() it to keep little of much. */
    readonly bytes: Uint8Array;
    readonly headers?: MsgHdrs;
    readonly reply?: string;
    /** 1: first delivery. */
    readonly attempt: number;
    string(): string;
    json<J = T>(): J;
    /** Answers who asked, also after the handler has returned. */
    respond(data?: unknown): void;
    toJSON(): { id: string; from: string; to: string; payload: T | { raw: string }; timestamp: number };
}

export type Overflow = 'reject' | 'drop-new' | 'drop-old' | 'coalesce' | 'pause' | 'fail';
export interface MailboxOptions {
    /** Messages of normal priority: 16. */
    cap?: number;
    /** Messages of high and of low priority: 0, which makes them normal ones. */
    high?: number;
    low?: number;
    /** All messages in it together: 65 536. */
    bytes?: number;
    overflow?: Overflow;
    /** coalesce: the header whose value is the key; left out: the subject is. */
    key?: string;
    /** Messages that 'stash' can put aside: 16. */
    stash?: number;
}
/** Delays of restarts: base, 2 base, 4 base ... cap, less up to `jitter` percent. */
export interface BackoffOptions {
    baseMs: number;
    capMs?: number;
    /** Having run so long it begins with baseMs again. */
    stableMs?: number;
    /** Restarts in a row before it gives up; 0: it never does. */
    tries?: number;
    jitter?: number;
    /** exit: its supervisor ends; park: the child stays down. */
    giveUp?: 'exit' | 'park';
}
/** For the answer 'retry'. */
export interface RetryOptions {
    baseMs: number;
    capMs?: number;
    tries: number;
    /** Messages that wait together: 256. */
    parked?: number;
    jitter?: number;
}

interface ChildOptions {
    /** Unique in the cell. */
    id: string;
    restart?: 'permanent' | 'transient' | 'temporary';
    /** How long it may keep a message when it is stopped: 5 000; 0: not at all; Infinity. */
    shutdownMs?: number;
    /** For autoShutdown; not for a permanent child. */
    significant?: boolean;
    mailbox?: MailboxOptions;
    /** false: what is queued does not survive a restart. */
    keepMail?: boolean;
    backoff?: BackoffOptions;
    retry?: RetryOptions;
    /** So many crashes on one message make it a dead letter; left out: the first does. */
    poisonAfter?: number;
    subject?: string | string[];
    queue?: string;
}
export interface AgentSelf {
    readonly id: string;
    /** What was put aside comes again. */
    unstash(): void;
}
export type Answer = void | 'stash' | 'retry' | 'reject' | 'stop';
/** A child that is functions in this thread. */
export interface AgentSpec<S = any, A = any> extends ChildOptions {
    isolation?: 'shared';
    /** For init. */
    arg?: A;
    /** Beyond it the agent is crashed, fuel; what it is doing goes on unheard. */
    maxTurnMs?: number;
    init?(arg: A): S | Promise<S>;
    /** The agent is busy until the answer is there; a rejection is a crash. */
    onMessage(message: AgentMessage<any>, state: S, self: AgentSelf): Answer | Promise<Answer>;
    terminate?(reason: ExitReason, state: S): void;
}
/** A child that is a module which imports natlet_mailbox1. */
export interface GuestSpec extends ChildOptions {
    isolation: 'instance' | 'worker';
    module: WebAssembly.Module | BufferSource;
    /** 256 of 64 KiB. */
    memoryPages?: number;
    /** worker: 5 000. */
    maxTurnMs?: number;
}
export type ChildSpec<S = any> = AgentSpec<S> | GuestSpec;

export interface SupervisorOptions {
    strategy?: 'one_for_one' | 'one_for_all' | 'rest_for_one' | 'dynamic';
    /** Restarts in periodMs before it ends: 3; 0: none. */
    intensity?: number;
    /** 5 000. */
    periodMs?: number;
    autoShutdown?: 'never' | 'any' | 'all';
    /** dynamic: children at most. */
    childrenMax?: number;
}
/** The pattern of a dynamic supervisor has no id. */
export type Pattern<S = any> = Omit<AgentSpec<S>, 'id'> | Omit<GuestSpec, 'id'>;

export interface Supervisor {
    readonly strategy: string;
    readonly ended: Promise<{ kind: ExitKind; code: number }>;
    /** Of a dynamic one: { id, arg }. */
    add(child: ChildSpec | { id: string; arg?: unknown }): Promise<unknown>;
    /** Stops a child; a temporary or dynamic one is forgotten. */
    terminate(id: string): Promise<void>;
    restart(id: string): Promise<void>;
    /** Forgets a child that is down. */
    remove(id: string): Promise<void>;
    stop(): Promise<{ kind: ExitKind; code: number }>;
}

export interface AgentInfo {
    id: string;
    state: string;
    restarts: number;
    isolation: 'shared' | 'instance' | 'worker';
}
export interface AgentRecord extends AgentInfo {
    queued: number;
    handled: number;
    lastExit?: ExitReason;
    counts: Record<string, number>;
}
export interface SupervisorRecord {
    kind: 'supervisor';
    strategy: string;
    children: AgentRecord[];
}
export interface DeadLetter {
    /** Empty: for nobody. */
    agent: string;
    reason: string;
    exit: ExitKind;
    /** So many of them in a row. */
    count: number;
}
export interface Watched<T> {
    get(): T;
    subscribe(listener: (value: T) => void): () => void;
}
export type CellStatus = 'connecting' | 'open' | 'reconnecting' | 'closed';
export interface CallOptions {
    /** 1 000. */
    timeoutMs?: number;
    signal?: AbortSignal;
}
export interface CellStats {
    sent: number;
    /** Not taken, and the sender was told. */
    refused: number;
    dead: number;
    restarts: number;
    /** Hubs that were poisoned and replaced, and mail that was lost with them. */
    replacements: number;
    lostMail: number;
}

export class Cell {
    private constructor();
    /** Resolves at the first connect. */
    readonly connected: Promise<void>;
    readonly state: 'open' | 'replacing' | 'failed' | 'closed';
    readonly status: Watched<CellStatus>;
    readonly stats: CellStats;
    readonly deadLetters: {
        readonly count: number;
        /** Up to 64, the newest at the end. */
        last(): DeadLetter[];
        subscribe(listener: (letter: DeadLetter) => void): () => void;
    };
    supervise<S = any>(options: SupervisorOptions & { strategy: 'dynamic' }, pattern: [Pattern<S>]): Promise<Supervisor>;
    supervise(options: SupervisorOptions, children: ChildSpec[]): Promise<Supervisor>;
    /** Answers what ends it, at once. */
    subscribe<T = unknown>(
        subject: string,
        callback: (message: AgentMessage<T>) => void,
        options?: { queue?: string; coalesce?: boolean },
    ): () => void;
    publish(subject: string, data?: unknown, options?: { reply?: string; headers?: MsgHdrs }): void;
    request<T = unknown>(subject: string, data?: unknown, options?: CallOptions & { headers?: MsgHdrs }): Promise<T>;
    send(
        id: string,
        data?: unknown,
        options?: { priority?: 'high' | 'normal' | 'low'; reply?: string; headers?: MsgHdrs },
    ): Promise<void>;
    call<T = unknown>(id: string, data?: unknown, options?: CallOptions): Promise<T>;
    flush(timeoutMs?: number): Promise<number>;
    tree(): Promise<SupervisorRecord[]>;
    agent(id: string): Watched<{ info?: AgentInfo; down?: ExitReason }>;
    monitor(id: string, callback: (reason: ExitReason) => void): () => void;
    close(deadlineMs?: number): Promise<void>;
}

export interface CellOptions {
    /** Left out: agents without a network. */
    servers?: string | string[];
    name?: string;
    user?: string;
    pass?: string;
    token?: string;
    authenticator?: Authenticator;
    inboxPrefix?: string;
    reconnectTimeWait?: number;
    /** Publishes that wait for a server: 64 MiB; 0: none. */
    offlineBytes?: number;
    /** For agents and their mail: 262 144. */
    cellBytes?: number;
    /** 256. */
    agentsMax?: number;
    /** natlet.wasm, in place of the package's own. */
    module?: WebAssembly.Module | BufferSource | URL | string;
    /** true: lines for people on the console; or where they go. */
    debug?: boolean | ((line: string) => void);
    hub?: { intensity?: number; periodMs?: number };
    onError?(error: Error): void;
    onDeadLetter?(letter: DeadLetter): void;
    onHubReplaced?(event: { error: Error; lostMail?: number; replacements: number }): void;
    onFailed?(error: Error): void;
    onLog?(level: number, agent: string, text: string): void;
}
export function createCell(options?: CellOptions): Promise<Cell>;
