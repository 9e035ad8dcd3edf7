// A connection with nats.js's interface, over the module's embedding areas.
import { mergeAuthenticators } from '../authenticators.js';
import * as N from '../constants.js';
import { Embedding } from '../embedding.js';
import { NatletError, Status } from '../status.js';
import { errors } from './errors.js';
import { headers as makeHeaders } from './headers.js';
import { MsgImpl } from './message.js';
import { readOptions, readServers } from './options.js';
import { QueuedIterator } from './queue.js';
import { SubscriptionImpl } from './subscription.js';
import { createInbox, deferred, Empty } from './util.js';

/** What natlet/compat adds: features(version). */
export const compat = {};

const STALL_MS = 300;
const WHITESPACE = /[\s]/;

/** The error of nats.js for a status of ours. */
export function errorOf(status, text, subject = '') {
    const cause = new NatletError(status, text);
    switch (status) {
        case Status.E_TIMEOUT:
            return new errors.TimeoutError({ cause });
        case Status.E_CLOSED:
            return new errors.ClosedConnectionError();
        case Status.E_DRAINING:
            return new errors.DrainingConnectionError();
        case Status.E_NO_RESPONDERS:
            return new errors.NoRespondersError(subject, { cause });
        case Status.E_SUBJECT:
            return new errors.InvalidSubjectError(subject, { cause });
        case Status.E_AUTH:
            return (
                errors.UserAuthenticationExpiredError.parse(text) ??
                new errors.AuthorizationError(text || cause.message, { cause })
            );
        case Status.E_PERMISSION:
            return (
                errors.PermissionViolationError.parse(text) ??
                new errors.PermissionViolationError(cause.message, 'publish', subject)
            );
        case Status.E_PROTOCOL:
        case Status.E_SERVER:
            return new errors.ProtocolError(text || cause.message, { cause });
        case Status.E_TOO_LARGE:
            return errors.InvalidArgumentError.format('payload', 'max_payload size exceeded', {
                cause,
            });
        default:
            return new errors.ConnectionError(cause.message, { cause });
    }
}

function withTrace(options) {
    const { traceOnly, traceDestination, headers } = options;
    if (typeof traceOnly !== 'boolean' && typeof traceDestination !== 'string') {
        return headers;
    }
    const all = headers ?? makeHeaders();
    if (typeof traceOnly === 'boolean') {
        all.set('Nats-Trace-Only', 'true');
    }
    if (typeof traceDestination === 'string') {
        all.set('Nats-Trace-Dest', traceDestination);
    }
    return all;
}


export class NatsConnectionImpl {
    info = undefined;
    options;
    embedding;
    draining = false;

    #isWeb;
    #closed = deferred();
    #isClosed = false;
    #listeners = [];
    #subscriptions = new Set();
    #stats = { inBytes: 0, outBytes: 0, inMsgs: 0, outMsgs: 0 };
    #hasServed = false;
    #lastError; // of the server, before it closed the connection
    #denied = []; // permission errors that a subscription's end will ask for
    #servers;

    /** what: { host, module, isWeb }. */
    static async connect(given, { host, module, isWeb }) {
        const connection = new NatsConnectionImpl();
        const { options, config } = readOptions(given, isWeb);
        connection.options = options;
        connection.#isWeb = isWeb;
        connection.#servers = new Map(config.servers.map((url) => [url, { gossiped: false }]));
        await connection.#open({ host, config, module: await module });
        return connection;
    }

    async #open({ host, config, module }) {
        const { authenticator, maxPendingBytes, log } = this.options;
        this.embedding = await Embedding.start(module, {
            host,
            config,
            log,
            maxPendingBytes,
            authenticator: authenticator && mergeAuthenticators([authenticator].flat()),
            onState: (state, reason) => this.#onState(state, reason),
            onError: (error) => this.#onError(error),
            onInfo: (info) => this.#onInfo(info),
            onEvent: (kind, text) => this.#onEvent(kind, text),
            onPublished: (count, status) => this.#onPublished(count, status),
            onPoisoned: (error) => this.#onClosed(error),
        });
        try {
            await this.embedding.connected;
        } catch (error) {
            throw this.#whyRefused(error);
        }
    }

    // ---- what the module tells

    #onState(state, reason) {
        if (state === N.CLIENT_CONNECTED) {
            const server = this.getServer();
            if (this.#hasServed) {
                this.tell({ type: 'reconnect', server });
            }
            this.#hasServed = true;
            this.#lastError = undefined;
        } else if (state === N.CLIENT_RECONNECTING && this.#hasServed) {
            this.tell({ type: 'disconnect', server: this.getServer() });
            this.tell({ type: 'reconnecting' });
        } else if (state === N.CLIENT_CLOSED) {
            this.#onClosed(this.#hasAsked ? undefined : this.#whyRefused({ message: reason }));
        }
    }

    #hasAsked = false; // to be closed

    #whyRefused(error) {
        return this.#lastError ?? errors.AuthorizationError.parse(error.message) ??
            new errors.ConnectionError(error.message, { cause: error });
    }

    #onError(error) {
        if (!(error instanceof NatletError)) {
            this.tell({ type: 'error', error });
            return;
        }
        const text = error.message.slice(error.message.indexOf(': ') + 2);
        const mine = errorOf(error.status, text);
        if (error.status === Status.E_AUTH) {
            this.#lastError = mine;
        }
        if (error.status === Status.E_STALE) {
            this.tell({ type: 'staleConnection' });
            return;
        }
        if (error.status === Status.E_PERMISSION) {
            this.#denied.push(mine);
            this.#denied.splice(0, this.#denied.length - 64);
        }
        this.tell({ type: 'error', error: mine });
    }

    #onInfo(info) {
        const known = new Set(this.#servers.keys());
        this.info = info;
        for (const name of info.connect_urls ?? []) {
            const [url] = readServers(name, { isWeb: this.#isWeb });
            if (!known.has(url) && !this.options.ignoreClusterUpdates) {
                this.#servers.set(url, { gossiped: true });
            }
        }
    }

    #onEvent(kind, text) {
        if (kind === N.CLIENT_EV_LAME_DUCK) {
            this.tell({ type: 'ldm', server: this.getServer() });
        } else if (kind === N.CLIENT_EV_SERVERS) {
            this.tell({ type: 'update', added: text === '' ? undefined : text.split(',') });
        } else if (kind === N.CLIENT_EV_MIGRATED) {
            this.tell({ type: 'reconnect', server: this.getServer() });
        }
    }

    /** Publishes that were refused, or of which nobody knows: told, as they are not sent again. */
    #onPublished(count, status) {
        if (status < 0 && !this.#isClosed) {
            const cause = new NatletError(status);
            const error = new errors.ConnectionError(`${count} publishes: ${cause.message}`, {
                cause,
            });
            this.tell({ type: 'error', error });
        }
    }

    #onClosed(error) {
        if (this.#isClosed) {
            return;
        }
        this.#isClosed = true;
        this.draining = false;
        for (const subscription of [...this.#subscriptions]) {
            subscription.close();
        }
        this.tell({ type: 'close' });
        this.#listeners.forEach((listener) => listener.push(() => listener.stop()));
        this.#closed.resolve(error);
        this.#closeListeners.forEach((listener) => listener.connectionClosedCallback(error));
    }

    /** Hands an event to all who read status(). */
    tell(status) {
        this.#listeners = this.#listeners.filter((listener) => !listener.done);
        this.#listeners.forEach((listener) => listener.push(status));
    }

    /** Why the module has ended a subscription. */
    whyEnded(subscription, status) {
        if (status !== Status.E_PERMISSION) {
            return undefined;
        }
        const at = this.#denied.findIndex(({ subject }) => subject === subscription.subject);
        return at >= 0
            ? this.#denied.splice(at, 1)[0]
            : errorOf(status, '', subscription.subject);
    }

    /** Subscriptions that are not over. */
    get subscriptionCount() {
        return this.#subscriptions.size;
    }

    forget(subscription) {
        this.#subscriptions.delete(subscription);
    }

    // ---- publish and subscribe

    #check(subject) {
        if (this.#isClosed) {
            throw new errors.ClosedConnectionError();
        }
        if (typeof subject !== 'string' || subject === '' || WHITESPACE.test(subject)) {
            throw new errors.InvalidSubjectError(subject);
        }
    }

    publish(subject, payload, options) {
        this.#check(subject);
        if (!options) {
            this.#count(payload);
            this.embedding.publish(subject, payload);
            return;
        }
        if (options.reply) {
            this.#check(options.reply);
        }
        const headers = withTrace(options)?.encode();
        this.#count(payload, headers);
        this.embedding.publish(subject, payload, { reply: options.reply, headers });
    }

    /** Refuses what the server would end the connection for. */
    #count(payload = Empty, headers = Empty) {
        const bytes = payload.length + headers.length; // of a string at least so many
        if (bytes > this.info.max_payload) {
            throw errorOf(Status.E_TOO_LARGE);
        }
        this.#stats.outMsgs++;
        this.#stats.outBytes += payload.length;
    }

    publishMessage(msg) {
        this.publish(msg.subject, msg.data, { reply: msg.reply, headers: msg.headers });
    }

    respondMessage(msg) {
        if (!msg.reply) {
            return false;
        }
        this.publish(msg.reply, msg.data, { reply: msg.reply, headers: msg.headers });
        return true;
    }

    subscribe(subject, options) {
        this.#check(subject);
        if (this.draining) {
            throw new errors.DrainingConnectionError();
        }
        const subscription = new SubscriptionImpl(this, subject, options);
        this.#subscriptions.add(subscription);
        return subscription;
    }

    /** For libraries on top. */
    _resub(subscription, subject, max) {
        this.#check(subject);
        subscription.resubscribe(subject, max);
    }

    noteReceived(record) {
        this.#stats.inMsgs++;
        this.#stats.inBytes += record.data.length;
    }

    // ---- requests

    async request(subject, payload = Empty, options = {}) {
        const { timeout: timeoutMs = 1000, noMux = false, reply } = options;
        this.#check(subject);
        if (timeoutMs < 1) {
            throw errors.InvalidArgumentError.format('timeout', 'must be greater than 0');
        }
        if (reply && !noMux) {
            throw errors.InvalidArgumentError.format(
                ['reply', 'noMux'],
                'are mutually exclusive',
            );
        }
        if (noMux) {
            return this.#requestOwn(subject, payload, { ...options, timeoutMs });
        }
        const headers = withTrace(options)?.encode();
        this.#count(payload, headers);
        try {
            const record = await this.embedding.request(subject, payload, { timeoutMs, headers });
            this.noteReceived(record);
            return new MsgImpl(this, 0, record);
        } catch (error) {
            throw this.#requestError(error, subject);
        }
    }

    /** With a subscription of its own, for whoever wants to know the reply subject. */
    #requestOwn(subject, payload, { timeoutMs, reply, headers, ...trace }) {
        const inbox = reply ?? createInbox(this.options.inboxPrefix);
        const answer = deferred();
        const subscription = this.subscribe(inbox, {
            max: 1,
            timeout: timeoutMs,
            callback: (err, msg) => {
                const isNobody = !err && msg.data.length === 0 && msg.headers?.code === 503;
                const why = isNobody ? new errors.NoRespondersError(subject) : err;
                if (!why) {
                    answer.resolve(msg);
                    return;
                }
                subscription.unsubscribe();
                answer.reject(
                    why instanceof errors.TimeoutError
                        ? why
                        : new errors.RequestError(why.message, { cause: why }),
                );
            },
        });
        this.publish(subject, payload, { reply: inbox, headers, ...trace });
        return answer;
    }

    #requestError(error, subject) {
        if (!(error instanceof NatletError)) {
            return error;
        }
        const why = errorOf(error.status, '', subject);
        return why instanceof errors.TimeoutError
            ? why
            : new errors.RequestError(why.message, { cause: why });
    }

    async requestMany(subject, payload = Empty, options = {}) {
        const { strategy = 'timer', maxWait = 1000, maxMessages = 0, stall = STALL_MS } = options;
        this.#check(subject);
        if (maxWait < 1) {
            throw errors.InvalidArgumentError.format('timeout', 'must be greater than 0');
        }
        const answers = new QueuedIterator();
        const receive = (record) => {
            this.noteReceived(record);
            answers.push(new MsgImpl(this, 0, record));
        };
        this.embedding
            .requestMany(subject, payload, receive, {
                timeoutMs: maxWait,
                headers: withTrace(options)?.encode(),
                max: strategy === 'count' && maxMessages > 0 ? maxMessages : 0,
                stallMs: strategy === 'stall' ? stall : 0,
                untilEmpty: strategy === 'sentinel',
                ownInbox: options.noMux ?? false,
            })
            .then(
                () => answers.push(() => answers.stop()),
                (error) => answers.push(() => answers.stop(this.#manyError(error, subject))),
            );
        return answers;
    }

    /** No answer in time is an end like another. */
    #manyError(error, subject) {
        return error.status === Status.E_TIMEOUT ? undefined : errorOf(error.status, '', subject);
    }

    // ---- life

    async flush() {
        this.#check('flush');
        try {
            await this.embedding.flush();
        } catch (error) {
            throw errorOf(error.status, '');
        }
    }

    /** The round trip in milliseconds. */
    async rtt() {
        this.#check('rtt');
        if (this.embedding.state !== N.CLIENT_CONNECTED) {
            throw new errors.RequestError('disconnected');
        }
        return (await this.embedding.flush()) / 1000;
    }

    async drain() {
        this.#check('drain');
        if (this.draining) {
            throw new errors.DrainingConnectionError();
        }
        this.draining = true;
        this.#hasAsked = true;
        try {
            await this.embedding.drain();
        } catch {
            await this.embedding.close(); // without a connection there is nothing to wait for
        }
        this.#onClosed(undefined);
    }

    async close() {
        this.#hasAsked = true;
        await this.embedding.close();
        this.#onClosed(undefined);
    }

    closed() {
        return this.#closed;
    }

    async [Symbol.asyncDispose]() {
        if (this.draining) {
            await this.closed();
        } else if (!this.#isClosed) {
            await this.drain();
        }
    }

    isClosed() {
        return this.#isClosed;
    }

    isDraining() {
        return this.draining;
    }

    async reconnect() {
        this.#check('reconnect');
        if (this.draining) {
            throw new errors.DrainingConnectionError();
        }
        this.tell({ type: 'forceReconnect' });
        this.embedding.reconnect();
    }

    // ---- what is known

    /** host:port of the server in use. */
    getServer() {
        const url = this.embedding.serverUrl;
        const { host } = url ? new URL(url.replace(/^[a-z]+:/, 'http:')) : { host: '' };
        return host;
    }

    getServers() {
        const current = this.embedding.serverUrl;
        return [...this.#servers].map(([url, { gossiped }]) => {
            const { hostname, host, port } = new URL(url.replace(/^[a-z]+:/, 'http:'));
            return Object.freeze({
                hostname,
                port: Number(port),
                listen: host,
                src: url,
                tlsName: '',
                reconnects: 0,
                lastConnect: 0,
                gossiped,
                didConnect: url === current,
            });
        });
    }

    setServers(servers) {
        const urls = readServers(servers, {
            isWeb: this.#isWeb,
            isTls: Boolean(this.options.tls),
        });
        if (urls.length === 0) {
            throw errors.InvalidArgumentError.format('servers', 'must not be empty');
        }
        this.embedding.setServers(urls);
        this.#servers = new Map(urls.map((url) => [url, { gossiped: false }]));
    }

    status() {
        const listener = new QueuedIterator();
        this.#listeners.push(listener);
        return listener;
    }

    stats() {
        return { ...this.#stats };
    }

    // ---- for libraries on top

    #closeListeners = [];

    /** { major, minor, micro } of the server, before the first connect undefined. */
    getServerVersion() {
        const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(this.info?.version ?? '');
        if (!parts) {
            return undefined;
        }
        const [major, minor, micro] = parts.slice(1).map(Number);
        return { major, minor, micro };
    }

    /** What the server's version can do: natlet/compat knows, from nats-core. */
    get features() {
        return compat.features?.(this.getServerVersion());
    }

    addCloseListener(listener) {
        this.#closeListeners.push(listener);
    }

    removeCloseListener(listener) {
        this.#closeListeners = this.#closeListeners.filter((other) => other !== listener);
    }
}

