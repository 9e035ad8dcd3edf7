// natlet: a NATS client with the interface of nats.js.  What differs is in README.md.

export type Payload = Uint8Array | string;
export type ReviverFn = (key: string, value: any) => any;

// ---- errors

export class InvalidSubjectError extends Error {
    constructor(subject: string, options?: ErrorOptions);
}
export class InvalidArgumentError extends Error {
    constructor(message: string, options?: ErrorOptions);
    static format(
        property: string | string[],
        message: string,
        options?: ErrorOptions,
    ): InvalidArgumentError;
}
export class InvalidOperationError extends Error {
    constructor(message: string, options?: ErrorOptions);
}
export class UserAuthenticationExpiredError extends Error {
    constructor(message: string, options?: ErrorOptions);
    static parse(text: string): UserAuthenticationExpiredError | null;
}
export class AuthorizationError extends Error {
    constructor(message: string, options?: ErrorOptions);
    static parse(text: string): AuthorizationError | null;
}
export class ClosedConnectionError extends Error {
    constructor();
}
export class DrainingConnectionError extends Error {
    constructor();
}
export class ConnectionError extends Error {
    constructor(message: string, options?: ErrorOptions);
}
export class ProtocolError extends Error {
    constructor(message: string, options?: ErrorOptions);
}
export class RequestError extends Error {
    constructor(message?: string, options?: ErrorOptions);
    isNoResponders(): boolean;
}
export class TimeoutError extends Error {
    constructor(options?: ErrorOptions);
}
export class NoRespondersError extends Error {
    subject: string;
    constructor(subject: string, options?: ErrorOptions);
}
export class PermissionViolationError extends Error {
    operation: 'publish' | 'subscription';
    subject: string;
    queue?: string;
    constructor(
        message: string,
        operation: 'publish' | 'subscription',
        subject: string,
        queue?: string,
        options?: ErrorOptions,
    );
    static parse(text: string): PermissionViolationError | null;
}
export const errors: {
    AuthorizationError: typeof AuthorizationError;
    ClosedConnectionError: typeof ClosedConnectionError;
    ConnectionError: typeof ConnectionError;
    DrainingConnectionError: typeof DrainingConnectionError;
    InvalidArgumentError: typeof InvalidArgumentError;
    InvalidOperationError: typeof InvalidOperationError;
    InvalidSubjectError: typeof InvalidSubjectError;
    NoRespondersError: typeof NoRespondersError;
    PermissionViolationError: typeof PermissionViolationError;
    ProtocolError: typeof ProtocolError;
    RequestError: typeof RequestError;
    TimeoutError: typeof TimeoutError;
    UserAuthenticationExpiredError: typeof UserAuthenticationExpiredError;
};

/** A failure of the module by its status; `code` is its name: "E_FULL". */
export class NatletError extends Error {
    readonly code: string;
    readonly status: number;
    constructor(status: number, detail?: string, options?: ErrorOptions);
}
export const StatusCode: Readonly<Record<string, number>>;

// ---- headers

export const Match: {
    readonly Exact: 'exact';
    readonly CanonicalMIME: 'canonical';
    readonly IgnoreCase: 'insensitive';
};
export type Match = (typeof Match)[keyof typeof Match];

export interface MsgHdrs extends Iterable<[string, string[]]> {
    hasError: boolean;
    status: string;
    code: number;
    description: string;
    get(name: string, match?: Match): string;
    set(name: string, value: string, match?: Match): void;
    append(name: string, value: string, match?: Match): void;
    has(name: string, match?: Match): boolean;
    keys(): string[];
    values(name: string, match?: Match): string[];
    delete(name: string, match?: Match): void;
    last(name: string, match?: Match): string;
}
export class MsgHdrsImpl implements MsgHdrs {
    constructor(code?: number, description?: string);
    static decode(block: Uint8Array): MsgHdrsImpl;
    static fromRecord(record: Record<string, string[]>): MsgHdrs;
    static validHeaderValue(value: string): string;
    readonly hasError: boolean;
    readonly status: string;
    readonly code: number;
    readonly description: string;
    [Symbol.iterator](): IterableIterator<[string, string[]]>;
    size(): number;
    equals(other: MsgHdrsImpl): boolean;
    keys(): string[];
    findKeys(name: string, match?: Match): string[];
    get(name: string, match?: Match): string;
    last(name: string, match?: Match): string;
    has(name: string, match?: Match): boolean;
    set(name: string, value: string, match?: Match): void;
    append(name: string, value: string, match?: Match): void;
    values(name: string, match?: Match): string[];
    delete(name: string, match?: Match): void;
    toRecord(): Record<string, string[]>;
    toString(): string;
    encode(): Uint8Array;
}
export function headers(code?: number, description?: string): MsgHdrs;
export function canonicalMIMEHeaderKey(name: string): string;

// ---- messages and subscriptions

/** `data` is a view of the array in which it arrived, and stays as it is for as long as it is
 *  held; slice() it to keep little of much. */
export interface Msg {
    subject: string;
    sid: number;
    reply?: string;
    data: Uint8Array;
    headers?: MsgHdrs;
    respond(payload?: Payload, options?: PublishOptions): boolean;
    json<T>(reviver?: ReviverFn): T;
    string(): string;
}
export type MsgCallback<T> = (err: Error | null, msg: T) => void | Promise<never>;

export interface SubOpts<T> {
    queue?: string;
    max?: number;
    /** Milliseconds for the first message. */
    timeout?: number;
    callback?: MsgCallback<T>;
    /** A slowConsumer event is told when more messages than this wait for the iterator. */
    slow?: number;
}
export type SubscriptionOptions = SubOpts<Msg>;

export interface Subscription extends AsyncIterable<Msg> {
    closed: Promise<void | Error>;
    callback: MsgCallback<Msg>;
    unsubscribe(max?: number): void;
    drain(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    isDraining(): boolean;
    isClosed(): boolean;
    getSubject(): string;
    getReceived(): number;
    getProcessed(): number;
    getPending(): number;
    getID(): number;
    getMax(): number | undefined;
}

export interface QueuedIterator<T> {
    [Symbol.asyncIterator](): AsyncIterator<T>;
    stop(err?: Error): void;
    getProcessed(): number;
    getPending(): number;
    getReceived(): number;
}

// ---- publish and request

export interface TraceOptions {
    traceDestination?: string;
    traceOnly?: boolean;
}
export interface PublishOptions extends TraceOptions {
    reply?: string;
    headers?: MsgHdrs;
}
export interface RequestOptions extends TraceOptions {
    /** Milliseconds. */
    timeout: number;
    headers?: MsgHdrs;
    noMux?: boolean;
    reply?: string;
}
export type RequestStrategy = 'timer' | 'count' | 'stall' | 'sentinel';
export interface RequestManyOptions extends TraceOptions {
    strategy: RequestStrategy;
    /** Milliseconds. */
    maxWait: number;
    headers?: MsgHdrs;
    maxMessages?: number;
    noMux?: boolean;
    /** Milliseconds. */
    stall?: number;
}

// ---- authenticators

export type NoAuth = void;
export interface TokenAuth {
    auth_token: string;
}
export interface UserPass {
    user: string;
    pass?: string;
}
export interface NKeyAuth {
    nkey: string;
    sig: string;
}
export interface JwtAuth {
    jwt: string;
    nkey?: string;
    sig?: string;
}
export type Auth = NoAuth | TokenAuth | UserPass | NKeyAuth | JwtAuth;
/** Asked at every connect; unlike nats.js's it may answer later. */
export interface Authenticator {
    (nonce?: string): Auth | Promise<Auth>;
}
type OrAsked<T> = T | (() => T | Promise<T>);
export function tokenAuthenticator(token: OrAsked<string>): Authenticator;
export function usernamePasswordAuthenticator(
    user: OrAsked<string>,
    password?: OrAsked<string>,
): Authenticator;
export function nkeyAuthenticator(seed: OrAsked<Uint8Array | string>): Authenticator;
export function jwtAuthenticator(
    jwt: OrAsked<string>,
    seed?: OrAsked<Uint8Array | string>,
): Authenticator;
export function credsAuthenticator(creds: OrAsked<Uint8Array | string>): Authenticator;

// ---- the connection

export interface ServerInfo {
    auth_required?: boolean;
    client_id: number;
    client_ip?: string;
    cluster?: string;
    connect_urls?: string[];
    git_commit?: string;
    go: string;
    headers?: boolean;
    host: string;
    jetstream?: boolean;
    ldm?: boolean;
    max_payload: number;
    nonce?: string;
    port: number;
    proto: number;
    server_id: string;
    server_name: string;
    tls_available?: boolean;
    tls_required?: boolean;
    tls_verify?: boolean;
    version: string;
    api_lvl?: number;
}
export interface Server {
    readonly hostname: string;
    readonly port: number;
    readonly listen: string;
    readonly src: string;
    readonly tlsName: string;
    readonly reconnects: number;
    readonly lastConnect: number;
    readonly gossiped: boolean;
    readonly didConnect: boolean;
}
export interface Stats {
    inBytes: number;
    outBytes: number;
    inMsgs: number;
    outMsgs: number;
}
export type Status =
    | { type: 'disconnect'; server: string }
    | { type: 'reconnect'; server: string }
    | { type: 'reconnecting' }
    | { type: 'update'; added?: string[]; deleted?: string[] }
    | { type: 'ldm'; server: string }
    | { type: 'error'; error: Error }
    | { type: 'ping'; pendingPings: number }
    | { type: 'staleConnection' }
    | { type: 'forceReconnect' }
    | { type: 'slowConsumer'; sub: Subscription; pending: number }
    | { type: 'close' };

export interface NatsConnection {
    info?: ServerInfo;
    closed(): Promise<void | Error>;
    close(): Promise<void>;
    publish(subject: string, payload?: Payload, options?: PublishOptions): void;
    publishMessage(msg: Msg): void;
    respondMessage(msg: Msg): boolean;
    subscribe(subject: string, options?: SubscriptionOptions): Subscription;
    request(subject: string, payload?: Payload, options?: RequestOptions): Promise<Msg>;
    requestMany(
        subject: string,
        payload?: Payload,
        options?: Partial<RequestManyOptions>,
    ): Promise<AsyncIterable<Msg>>;
    flush(): Promise<void>;
    drain(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    isClosed(): boolean;
    isDraining(): boolean;
    getServer(): string;
    status(): AsyncIterable<Status>;
    stats(): Stats;
    rtt(): Promise<number>;
    reconnect(): Promise<void>;
    setServers(servers: string[]): void;
    getServers(): ReadonlyArray<Server>;
}

export interface TlsOptions {
    handshakeFirst?: boolean;
    certFile?: string;
    cert?: string;
    caFile?: string;
    ca?: string;
    keyFile?: string;
    key?: string;
}
export interface ConnectionOptions {
    authenticator?: Authenticator | Authenticator[];
    ignoreAuthErrorAbort?: boolean;
    ignoreClusterUpdates?: boolean;
    inboxPrefix?: string;
    maxPingOut?: number;
    maxReconnectAttempts?: number;
    name?: string;
    noEcho?: boolean;
    noRandomize?: boolean;
    pass?: string;
    pedantic?: boolean;
    pingInterval?: number;
    port?: number;
    reconnect?: boolean;
    reconnectDelayHandler?: () => number;
    reconnectTimeWait?: number;
    servers?: string[] | string;
    timeout?: number;
    tls?: TlsOptions | null;
    token?: string;
    user?: string;
    verbose?: boolean;
    waitOnFirstConnect?: boolean;
    /** The module in place of the package's own. */
    module?: WebAssembly.Module | BufferSource | URL | string;
    /** Publishes that wait for a server take so many bytes at most; 0: none waits. */
    offlineBytes?: number;
    /** Operations that were not taken by the module yet take so many bytes at most. */
    maxPendingBytes?: number;
    log?(level: number, text: string): void;
}
export function connect(options?: ConnectionOptions): Promise<NatsConnection>;
export function wsconnect(options?: ConnectionOptions): Promise<NatsConnection>;

// ---- helpers

export const Empty: Uint8Array;
export interface Deferred<T> extends Promise<T> {
    resolve(value?: T | PromiseLike<T>): void;
    reject(reason?: any): void;
}
export interface Delay extends Promise<void> {
    cancel(): void;
}
export interface SyncIterator<T> {
    next(): Promise<T | null>;
}
export interface Backoff {
    backoff(attempt: number): number;
}
export type Nanos = number;
export class Nuid {
    next(): string;
}
export const nuid: Nuid;
export function createInbox(prefix?: string): string;
export function deferred<T>(): Deferred<T>;
export function delay(ms?: number): Delay;
export function deadline<T>(promise: Promise<T>, ms?: number): Promise<T>;
export function backoff(policy?: number[]): Backoff;
export function collect<T>(iterable: AsyncIterable<T>): Promise<T[]>;
export function syncIterator<T>(source: AsyncIterable<T>): SyncIterator<T>;
export function nanos(ms: number): Nanos;
export function millis(nanos: Nanos): number;
