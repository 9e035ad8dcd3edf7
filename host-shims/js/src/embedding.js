// The module as a library: a thin, honest layer over the embedding areas.
//
// Every call appends an operation and returns; what comes of it arrives as a record after a
// later turn.  Handlers run one after the other, outside of the module.
import { Areas } from './areas.js';
import * as N from './constants.js';
import { instantiate } from './reactor.js';
import { NatletError, Status } from './status.js';

const REQUEST_MS = 1000;
const FLUSH_MS = 10000;
const DRAIN_MS = 30000;

// The module keeps a table by subscription id, so those are small and used again; the others
// only have to differ from them and from each other.
const OTHER_IDS = 1 << 20;

const SLOT_CELL = 0xffffffff; // NATLET_SLOT_CELL

/** Operations whose DONE is the answer to who asked. */
const ANSWERED = new Set([
    N.OP_FLUSH,
    N.OP_DRAIN,
    N.OP_SUPERVISE,
    N.OP_SPAWN,
    N.OP_SEND,
    N.OP_ORDER,
    N.OP_SHUTDOWN,
]);

/** Operations that mean nothing more to one that has ended. */
const AT_ONE = new Set([N.OP_EXIT, N.OP_READY, N.OP_UNSTASH]);

const SETTLE = { reject: N.SETTLE_REJECT, stop: N.SETTLE_STOP };

/** A subscription: ended(status) is called last, once. */
class Subscription {
    /** Nothing is delivered any more; from ended() on the id may be another's. */
    isOver = false;

    #drained;

    constructor(embedding, id, subject, handler, ended) {
        Object.assign(this, { embedding, id, subject, handler, ended });
    }

    /** Ends it at once, or after `max` messages counted from its start. */
    unsubscribe(max = 0) {
        if (!this.isOver) {
            this.embedding.submit(N.OP_UNSUB, { id: this.id, arg: max });
            this.isOver = max === 0;
        }
    }

    /** Ends it after what the server had sent was delivered.  Who asks again waits for the
     *  same end; after a failure it is tried anew. */
    drain(timeoutMs = DRAIN_MS) {
        this.#drained ??= this.#drain(timeoutMs);
        return this.#drained;
    }

    async #drain(timeoutMs) {
        if (this.isOver) {
            return;
        }
        try {
            await this.embedding.ask(N.OP_DRAIN, { id: this.id, arg: timeoutMs });
        } catch (error) {
            this.#drained = undefined;
            throw error;
        }
    }
}

export class Embedding {
    /** A CLIENT_* of constants.js. */
    state = N.CLIENT_IDLE;
    /** When it was poisoned: mail that was queued or in hands, if that could be counted. */
    lost;
    /** Resolves at the first connect; rejects when the client closed before. */
    connected;

    #reactor;
    #areas;
    #on;
    #waiting = new Map(); // promises by id
    #subscriptions = new Map();
    #freeIds = [];
    #lastId = 0;
    #lastOther = OTHER_IDS;
    #agents = new Map(); // handlers by name, or who adopted it
    #slots = new Map(); // the same by slot
    #supervisors = new Map(); // by slot
    #children = []; // what a LIST has told so far
    #unsent = []; // SETTLE and EXIT operations that found no room
    #offers = []; // ids of SEND operations: one that is not refused is not answered
    #settleConnected;
    #closed; // what close() resolves with
    #failure; // why nothing works any more

    /** Starts the module `source` (bytes or WebAssembly.Module), which begins to connect.
     *
     *  options: those of instantiate() (with an authenticator, host_auth is set in the
     *  config); maxPendingBytes; and the handlers onState(state, reason, closeCode),
     *  onError(error), onInfo(info), onEvent(kind, text), onAgent(name, status),
     *  onDeadLetter({ name, reason, exit, count }), and onPublished(count, status) for the next
     *  `count` publishes, where the configuration has report_publishes 1. */
    static async start(source, options) {
        const embedding = new Embedding();
        await embedding.#start(source, options);
        return embedding;
    }

    async #start(source, options) {
        const { onPoisoned, maxPendingBytes, ...others } = options;
        const { onState, onError, onInfo, onEvent, ...more } = others;
        const { onAgent, onDeadLetter, onPublished, ...rest } = more;
        this.#on = { onState, onError, onInfo, onEvent, onAgent, onDeadLetter, onPublished };
        if (rest.authenticator) {
            rest.config = { ...rest.config, host_auth: true };
        }
        this.connected = new Promise((resolve, reject) => {
            this.#settleConnected = { resolve, reject };
        });
        this.connected.catch(() => {}); // nobody has to look
        this.#reactor = await instantiate(source, {
            ...rest,
            onPoisoned: (error) => {
                this.#fail(error);
                (onPoisoned ?? raise)(error);
            },
        });
        this.#areas = new Areas(this.#reactor, maxPendingBytes);
        this.#reactor.onTurn = () => this.#deliver();
        this.#reactor.onLost = () => (this.lost = this.#areas.lost);
    }

    /** What the module holds of its heap, its whole memory, and records it has room for. */
    get memory() {
        const { byteLength } = this.#reactor.memory.buffer;
        const [heapBytes, recordsMax] = this.#failure
            ? [0, 0]
            : [this.#areas.memoryBytes, this.#areas.recordsMax];
        return { heapBytes, linearBytes: byteLength, recordsMax };
    }

    /** URL that was dialled last: of the server in use, while there is one. */
    get serverUrl() {
        return this.#reactor.door.lastUrl;
    }

    /** `data` is a string or a Uint8Array, `headers` a whole "NATS/1.0..." block of bytes.
     *  A refusal by the module is reported to onError. */
    publish(subject, data, { reply, headers } = {}) {
        this.submit(N.OP_PUB, { subject, payload: data, reply, headers });
    }

    /** handler(message) gets { subject, reply, headers, data }; data and headers may be views
     *  of a larger array that lives as long as they do. */
    subscribe(subject, handler, { queue, max = 0, ended = () => {} } = {}) {
        const id = this.#freeIds.pop() ?? ++this.#lastId;
        this.submit(N.OP_SUB, { id, subject, reply: queue, arg: max });
        const subscription = new Subscription(this, id, subject, handler, ended);
        this.#subscriptions.set(id, subscription);
        return subscription;
    }

    request(subject, data, { timeoutMs = REQUEST_MS, headers } = {}) {
        const op = { subject, payload: data, headers, arg: timeoutMs };
        return this.ask(N.OP_REQUEST, op);
    }

    /** A request with several answers: each is given to handler(message).  Resolves when it is
     *  over: after `max` answers, `stallMs` without a further one, an empty message if
     *  `untilEmpty`, or when the time is up; rejects when there was no answer. */
    async requestMany(subject, data, handler, options = {}) {
        const { timeoutMs = REQUEST_MS, headers, max = 0, stallMs = 0 } = options;
        const { untilEmpty = false, ownInbox = false } = options;
        const flags =
            N.OP_FLAG_MANY |
            (untilEmpty ? N.OP_FLAG_UNTIL_EMPTY : 0) |
            (ownInbox ? N.OP_FLAG_OWN_INBOX : 0);
        const reply = new Uint8Array(new Uint32Array([max, stallMs]).buffer);
        const op = { subject, payload: data, headers, reply, arg: timeoutMs, flags };
        await this.ask(N.OP_REQUEST, op, handler);
    }

    /** Resolves to the round trip in microseconds when the server has read all that was
     *  published before. */
    async flush(timeoutMs = FLUSH_MS) {
        return (await this.ask(N.OP_FLUSH, { arg: timeoutMs })).elapsedUs;
    }

    /** Unsubscribes, delivers what is on the way, flushes, and closes. */
    async drain(timeoutMs = DRAIN_MS) {
        await this.ask(N.OP_DRAIN, { arg: timeoutMs, flags: N.OP_FLAG_ALL });
        await this.close();
    }

    reconnect() {
        this.submit(N.OP_RECONNECT, {});
    }

    /** Replaces the pool of servers; the connection stays. */
    setServers(urls) {
        this.submit(N.OP_SET_SERVERS, { subject: [urls].flat().join() });
    }

    /** Ends at once; the module is not used again. */
    close() {
        if (this.#failure) {
            return Promise.resolve();
        }
        this.submit(N.OP_CLOSE, {});
        return new Promise((done) => {
            this.#closed = done;
        });
    }

    /** Starts an agent under the module's supervisor.  handler(mail) may be asynchronous; it
     *  is not called again before it has settled.  It returns nothing (done), 'reject' (to
     *  the dead letters) or 'stop'; when it throws, the agent crashed and is restarted. */
    spawn(name, handler, { subject } = {}) {
        this.#agents.set(name, { name, handler });
        this.submit(N.OP_SPAWN, { id: this.#newId(), subject: name, reply: subject });
    }

    /** Puts a message into the mailbox of the agent `name`; `priority` is a natlet_priority. */
    send(name, data, { reply, headers, priority = 0 } = {}) {
        this.submit(N.OP_SEND, { subject: name, payload: data, reply, headers, arg: priority });
    }

    /** The same by an operation of offerOp(); resolves when it is in that mailbox, or rejects with
     *  why it is not: E_FULL, E_NO_AGENT, ... */
    offer(op) {
        const id = this.#newId();
        this.#offers.push(id);
        return this.ask(N.OP_SEND, { ...op, id });
    }

    /** Makes a supervisor; op: as superviseOp() makes it.  Resolves to { slot, incarnation }, on
     *  which ended(record) may be set. */
    async supervise(op) {
        const { elapsedUs: slot } = await this.ask(N.OP_SUPERVISE, op);
        return this.#supervisors.get(slot);
    }

    /** What the agent in `slot` has put aside comes again. */
    unstash(slot) {
        this.#insist(N.OP_UNSTASH, { id: slot });
    }

    /** Starts an agent whose life is `owner`'s: started(place), mail(record), ended(record),
     *  dead(record).  After each start it gets no mail before ready(place).  op: as spawnOp()
     *  makes it.  Resolves when it was started. */
    async adopt(name, owner, op) {
        if (this.#agents.has(name)) {
            throw new NatletError(Status.E_NAME_TAKEN, name);
        }
        this.#agents.set(name, { name, owner });
        try {
            await this.ask(N.OP_SPAWN, op);
        } catch (error) {
            this.#agents.delete(name);
            throw error;
        }
    }

    /** The name is free again, if it was `owner`'s; what still comes for it is nobody's. */
    release(name, owner) {
        if (this.#agents.get(name)?.owner === owner) {
            this.#agents.delete(name);
        }
    }

    /** Ends what runs in `slot` (natlet_embed_exit): in order, or by a crash. */
    exit({ slot, incarnation }, kind, code = 0) {
        this.#insist(N.OP_EXIT, { id: slot, payload: bytesOf([incarnation, kind, code]) });
    }

    /** What runs in `slot` takes mail from here on. */
    ready({ slot, incarnation }) {
        this.#insist(N.OP_READY, { id: slot, payload: bytesOf([incarnation, 0, 0]) });
    }

    /** Ends the mail `token` of the agent in `slot`; `how` is a SETTLE_*. */
    settle(slot, token, how) {
        this.#insist(N.OP_SETTLE, { id: slot, arg: how, payload: bytesOf([token]) });
    }

    /** The children of a supervisor, or the trees, as CHILD records. */
    async list(slot = SLOT_CELL) {
        return (await this.ask(N.OP_LIST, { arg: slot })).children;
    }

    /** Appends one operation (see embed.h); throws E_FULL when too much is pending. */
    submit(kind, op) {
        if (this.#failure) {
            throw this.#failure;
        }
        if (!this.#areas.append(kind, op)) {
            throw this.#failure ?? new NatletError(Status.E_FULL);
        }
    }

    /** As submit; resolves to the record that answers it, or the last one: others before
     *  it are given to more(record). */
    ask(kind, op, more) {
        const id = op.id ?? this.#newId();
        return new Promise((resolve, reject) => {
            this.submit(kind, { ...op, id });
            this.#waiting.set(id, { resolve, reject, more });
        });
    }

    #newId() {
        do {
            this.#lastOther = this.#lastOther < 0xffffffff ? this.#lastOther + 1 : OTHER_IDS;
        } while (this.#waiting.has(this.#lastOther));
        return this.#lastOther;
    }

    #deliver() {
        const records = this.#areas.take();
        if (this.#unsent.length > 0 && this.#areas.isEmpty) {
            this.#unsent.splice(0).forEach((args) => this.#insist(...args)); // before handlers fill it
        }
        const offers = this.#areas.isEmpty ? this.#offers.splice(0) : [];
        for (const record of records) {
            this.#handle(record);
        }
        for (const id of offers) {
            this.#waiting.get(id)?.resolve(); // not refused
            this.#waiting.delete(id);
        }
        if (this.#closed && this.state === N.CLIENT_CLOSED) {
            this.#reactor.finish();
            this.#fail(new NatletError(Status.E_CLOSED));
            this.#closed();
        }
    }

    #handle(record) {
        switch (record.kind) {
            case N.REC_MESSAGE:
                this.#message(record);
                break;
            case N.REC_REPLY:
                this.#answer(record);
                break;
            case N.REC_DONE:
                this.#done(record);
                break;
            case N.REC_ENDED:
                this.#ended(record.id, record.status);
                break;
            case N.REC_STATE:
                this.#state(record);
                break;
            case N.REC_ERROR:
                this.#tell('onError', new NatletError(record.status, textOf(record)));
                break;
            case N.REC_INFO:
                this.#guard(() => this.#on.onInfo?.(JSON.parse(textOf(record))));
                break;
            case N.REC_EVENT:
                this.#tell('onEvent', record.status, textOf(record));
                break;
            case N.REC_MAIL:
                this.#mail(record);
                break;
            case N.REC_AGENT:
                this.#agent(record);
                break;
            case N.REC_CHILD:
                this.#children.push(record);
                break;
            case N.REC_DEAD:
                this.#dead(record);
                break;
            case N.REC_PUBLISHED:
                this.#tell('onPublished', record.id, record.status);
                break;
        }
    }

    #state(record) {
        this.state = record.status;
        const reason = textOf(record);
        if (this.state === N.CLIENT_CONNECTED) {
            this.#settleConnected.resolve();
        } else if (this.state === N.CLIENT_CLOSED) {
            this.#settleConnected.reject(new NatletError(Status.E_CLOSED, reason));
        }
        this.#tell('onState', this.state, reason, record.id);
    }

    #message(record) {
        const subscription = this.#subscriptions.get(record.id);
        if (subscription && !subscription.isOver) {
            this.#guard(() => subscription.handler(record));
        }
    }

    /** `op` says whose number the id is. */
    #done(record) {
        const { op, id, status } = record;
        if (op === N.OP_LIST) {
            this.#answer({ ...record, children: this.#children.splice(0) });
        } else if (AT_ONE.has(op) && status === Status.E_NO_AGENT) {
            return; // it ended before
        } else if (op === N.OP_CLOSE) {
            this.state = N.CLIENT_CLOSED; // there is no client
        } else if (ANSWERED.has(op) && (this.#waiting.has(id) || op <= N.OP_DRAIN)) {
            this.#answer(record);
        } else if (op === N.OP_SUB) {
            this.#ended(id, status);
        } else if (op !== N.OP_UNSUB || status !== Status.E_NOT_FOUND) {
            this.#tell('onError', new NatletError(status));
        } // else an UNSUB that came too late, which means nothing
    }

    #answer(record) {
        const waiter = this.#waiting.get(record.id);
        if (record.status === Status.MORE && waiter?.more) {
            this.#guard(() => waiter.more(record));
            return;
        }
        if (waiter) {
            this.#waiting.delete(record.id);
            this.#release(record.id);
        }
        if (record.status >= 0) {
            waiter?.resolve(record);
        } else {
            const error = new NatletError(record.status);
            waiter ? waiter.reject(error) : this.#tell('onError', error);
        }
    }

    #ended(id, status) {
        const subscription = this.#subscriptions.get(id);
        if (subscription) {
            subscription.isOver = true;
            this.#subscriptions.delete(id);
            this.#areas.forget(id);
            this.#release(id);
            this.#guard(() => subscription.ended(status));
        }
    }

    /** A subscription's id is free when it has ended and its DRAIN is answered.  An UNSUB may
     *  still be submitted, but is taken before the SUB of the id's next owner. */
    #release(id) {
        if (id < OTHER_IDS && !this.#subscriptions.has(id) && !this.#waiting.has(id)) {
            this.#freeIds.push(id);
        }
    }

    #agent(record) {
        const { id: slot, incarnation, subject: name, status } = record;
        if (!name) {
            this.#supervisor(record);
            return;
        }
        const agent = this.#agents.get(name);
        if (status === 1) {
            this.#slots.set(slot, agent);
            this.#guard(() => agent?.owner?.started({ slot, incarnation }));
        } else {
            this.#guard(() => agent?.owner?.ended(record));
        }
        this.#tell('onAgent', name, status);
    }

    #supervisor(record) {
        const { id: slot, incarnation } = record;
        if (record.status === 1) {
            this.#supervisors.set(slot, { slot, incarnation, ended: () => {} });
        } else {
            const supervisor = this.#supervisors.get(slot);
            this.#supervisors.delete(slot);
            this.#guard(() => supervisor?.ended(record));
        }
    }

    #dead(record) {
        const { subject: name, status: reason, exit, count } = record;
        this.#guard(() => this.#agents.get(name)?.owner?.dead(record));
        this.#tell('onDeadLetter', { name, reason, exit, count });
    }

    async #mail(record) {
        const owner = this.#slots.get(record.id)?.owner;
        if (owner) {
            this.#guard(() => owner.mail(record));
        } else {
            this.settle(record.id, record.status, await this.#handleMail(record));
        }
    }

    async #handleMail(record) {
        const agent = this.#slots.get(record.id);
        if (!agent) {
            this.#tell('onError', new NatletError(Status.E_NOT_FOUND, 'mail for no agent'));
            return N.SETTLE_REJECT;
        }
        try {
            return SETTLE[await agent.handler(record)] ?? N.SETTLE_DONE;
        } catch (error) {
            this.#tell('onError', error);
            return N.SETTLE_ERROR;
        }
    }

    /** A mail that is not settled would stop its agent: without room it waits for some. */
    #insist(kind, op) {
        try {
            this.submit(kind, op);
        } catch {
            if (!this.#failure) {
                this.#unsent.push([kind, op]);
            }
        }
    }

    #fail(error) {
        this.#failure = error;
        this.state = N.CLIENT_CLOSED;
        for (const { reject } of this.#waiting.values()) {
            reject(error);
        }
        this.#waiting.clear();
        this.#settleConnected.reject(error);
    }

    #tell(name, ...args) {
        this.#guard(() => this.#on[name]?.(...args));
    }

    /** A handler that throws must not cost the others their records. */
    #guard(call) {
        try {
            call();
        } catch (error) {
            queueMicrotask(() => raise(error));
        }
    }
}

/** Numbers of 32 bits as the bytes of a payload. */
function bytesOf(numbers) {
    return new Uint8Array(Uint32Array.from(numbers).buffer);
}

function textOf(record) {
    return new TextDecoder().decode(record.data);
}

function raise(error) {
    throw error;
}
