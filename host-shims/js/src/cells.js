// Agents in instances of their own, under one supervisor code: that of the hub.
//
// The hub is an instance of natlet.wasm.  It owns the connection, the mailboxes, the
// subscriptions and the supervisors; guests (natlet/guest.h) are its remote children.  What
// a guest breaks is replaced by the hub's rules; if the hub itself is poisoned, it is replaced
// from here, and what its memory held is lost and counted.
import { Child, childSpec } from './cell-child.js';
import * as N from './constants.js';
import { Embedding } from './embedding.js';
import { deadText, EXIT, exitText, stateText } from './exits.js';
import { NatletError, Status } from './status.js';
import { offerOp, order, superviseOp } from './tree-ops.js';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one', 'dynamic'];
const AUTO_SHUTDOWNS = ['never', 'any', 'all'];
const NO_RESTART = -1;
const HUB_INTENSITY = 3;
const HUB_PERIOD_MS = 60000;
const HUB_DELAY_MS = 100; // before the second replacement; doubled from there
const CLOSE_MS = 5000;
const CALL_PREFIX = '_NATLET.CALL.'; // reply subjects of calls between agents of a hub

/**
 * @typedef {'normal'|'shutdown'|'error'|'trap'|'killed'|'overflow'|'poison'|'mem'|'fuel'} ExitKind
 *
 * @typedef {object} ChildSpec
 * @property {string} name                    unique in the hub
 * @property {BufferSource|WebAssembly.Module} [module]  a guest, or
 * @property {(mail: object, context: object) => any} [behaviour]  a function in this thread
 * @property {'permanent'|'transient'|'temporary'} [restart]  permanent
 * @property {number} [shutdownMs]            5 000: how long it may keep a mail when it is stopped
 * @property {string} [subject]               what it is subscribed to, also while it is replaced
 * @property {string} [queue]                 queue group of that
 * @property {'instance'|'worker'} [isolation]  instance: traps and memory; worker: time, too
 * @property {number} [memoryPages]           256 of 64 KiB; beyond: exit mem
 * @property {number} [maxTurnMs]             worker: 5 000; beyond: exit fuel
 * @property {{messages?: number, bytes?: number}} [mailbox]  16 messages, 65 536 bytes
 * @property {boolean} [isSignificant]        for autoShutdown
 * @property {boolean} [dropMail]             what is queued does not survive a restart
 *
 * @typedef {object} SupervisorSpec
 * @property {'one_for_one'|'one_for_all'|'rest_for_one'} [strategy]  one_for_one
 * @property {number} [intensity]             3 restarts; 0: none
 * @property {number} [periodMs]              in 5 000 ms; more of them end the tree
 * @property {'never'|'any'|'all'} [autoShutdown]  never
 *
 * @typedef {object} CellsOptions
 * @property {BufferSource|WebAssembly.Module} module  natlet.wasm
 * @property {object} host                    nodeHost() or browserHost()
 * @property {string|string[]} [servers]      without: agents alone
 * @property {object} [config]                further fields, as Embedding has them
 * @property {{intensity?: number, periodMs?: number}} [hub]  3 replacements in 60 000 ms
 * @property {(error: Error) => void} [onError]
 * @property {(letter: object) => void} [onDeadLetter]  { agent, reason, exit, count }
 * @property {(event: object) => void} [onHubReplaced]  { error, lostMail, replacements }; lostMail
 *                                            is undefined if it could not be counted
 * @property {(error: Error) => void} [onFailed]  the hub broke too often: nothing runs any more
 * @property {(level: number, agent: string, text: string) => void} [onLog]
 */

function indexOf(list, value, what) {
    const index = list.indexOf(value);
    if (index < 0) {
        throw new NatletError(Status.E_CONFIG, `${what} "${value}"`);
    }
    return index;
}

/** A supervisor and its children. */
export class Tree {
    /** Resolves to { kind, code } when it is down for good. */
    ended;

    #cells;
    #spec;
    #children;
    #pattern; // of a dynamic one's children
    #handle; // of the hub's supervisor; undefined: not now
    #end;
    #abandoned = () => {};

    constructor(cells, spec, children) {
        const { strategy = 'one_for_one', intensity, periodMs = 0, autoShutdown = 'never' } = spec;
        this.#cells = cells;
        this.#spec = {
            strategy: indexOf(STRATEGIES, strategy, 'strategy'),
            intensity: intensity === 0 ? NO_RESTART : (intensity ?? 0),
            periodMs,
            autoShutdown: indexOf(AUTO_SHUTDOWNS, autoShutdown, 'autoShutdown'),
            childrenMax: spec.childrenMax,
        };
        if (strategy === 'dynamic') {
            const [pattern, ...more] = children;
            if (!pattern || more.length > 0) {
                throw new NatletError(Status.E_CONFIG, 'a dynamic supervisor has one pattern');
            }
            this.#pattern = pattern;
        }
        this.#children = this.#pattern ? [] : children.map((child) => cells.makeChild(child));
        this.ended = new Promise((done) => (this.#end = done));
    }

    get children() {
        return this.#children;
    }

    get strategy() {
        return STRATEGIES[this.#spec.strategy];
    }

    /** Asks it to stop, its children in reverse; resolves as `ended`. */
    stop() {
        if (this.#handle) {
            this.#cells.hub.exit(this.#handle, EXIT.SHUTDOWN);
        }
        return this.ended;
    }

    /** Adds a child behind the others; of a dynamic one's, what differs from the pattern: its
     *  name, and what its functions are given.  Resolves when it was started. */
    async add(given) {
        const child = this.#cells.makeChild({ ...this.#pattern, ...given });
        await child.prepare();
        try {
            await child.join(this.#cells.hub, this.#slot());
        } catch (error) {
            child.withdraw();
            throw error;
        }
        this.#children.push(child);
        return child;
    }

    /** Stops a child in order; it can be restarted, unless it is temporary or dynamic. */
    async terminate(name) {
        const child = this.#find(name);
        await order(this.#cells.hub, this.#slot(), name, N.ORDER_TERMINATE);
        await child.over;
        child.isGone = true; // a new hub does not start it
        if (this.#pattern || child.spec.restart === 'temporary') {
            this.#forget(child);
        }
    }

    /** Starts a child that is down. */
    async restart(name) {
        await order(this.#cells.hub, this.#slot(), this.#find(name).name, N.ORDER_RESTART);
    }

    /** Forgets a child that is down. */
    async remove(name) {
        const child = this.#find(name);
        await order(this.#cells.hub, this.#slot(), name, N.ORDER_DELETE);
        this.#forget(child);
    }

    #find(name) {
        const child = this.#children.find((one) => one.name === name);
        if (!child) {
            throw new NatletError(Status.E_NOT_FOUND, name);
        }
        return child;
    }

    #forget(child) {
        this.#children = this.#children.filter((one) => one !== child);
        this.#cells.hub.release(child.name, child);
    }

    #slot() {
        if (!this.#handle) {
            throw new NatletError(Status.E_STATE, 'the supervisor does not run');
        }
        return this.#handle.slot;
    }

    /** Internal.  Starts what is to run: all of it, or what ran in the last hub. */
    async start(embedding) {
        const children = this.#children.filter((child) => !child.isGone);
        try {
            for (const child of children) {
                await child.prepare();
            }
            const pattern = this.#pattern && this.#cells.makeChild(this.#pattern).placement;
            this.#handle = await embedding.supervise(superviseOp(this.#spec, pattern));
            this.#handle.ended = (record) => this.#over(exitText(record.exit), record.status);
            await Promise.all(children.map((child) => child.join(embedding, this.#handle.slot)));
        } catch (error) {
            await this.#undo(children);
            throw error;
        }
    }

    /** Internal.  The hub is gone. */
    abandon() {
        this.#handle = undefined;
        this.#children.forEach((child) => child.abandon());
        this.#abandoned();
    }

    /** Internal.  There will be no other hub. */
    fail() {
        this.abandon();
        this.#end({ kind: 'killed', code: Status.E_POISONED });
    }

    /** Internal.  The hub's children of this tree, by name. */
    async records() {
        const records = this.#handle ? await this.#cells.hub.list(this.#handle.slot) : [];
        return new Map(records.map((record) => [record.subject, record]));
    }

    async #undo(children) {
        if (this.#handle) {
            const gone = new Promise((done) => (this.#abandoned = done));
            await Promise.race([this.stop(), gone]);
        }
        [...children].reverse().forEach((child) => child.withdraw());
    }

    #over(kind, code) {
        this.#handle = undefined;
        for (const child of this.#children) {
            this.#cells.hub.release(child.name, child);
            child.abandon();
        }
        this.#cells.forget(this);
        this.#end({ kind, code });
    }
}

export class Cells {
    /** The hub of now: an Embedding. */
    hub;
    /** open, replacing, failed or closed. */
    state = 'open';

    #options;
    #trees = new Set();
    #subscriptions = new Set();
    #broken = []; // when hubs were poisoned, within the period
    #replacements = 0;
    #lostMail = 0;
    #calls = new Map(); // settlers of calls between agents, by reply subject
    #lastCall = 0;

    constructor(options) {
        this.#options = options;
    }

    /** Internal: openCells(). */
    async open() {
        const { module, host, servers, config, ...rest } = this.#options;
        const compiled =
            module instanceof WebAssembly.Module ? module : await WebAssembly.compile(module);
        this.#options = { ...this.#options, module: compiled };
        const { onError, onDeadLetter, onHubReplaced, onFailed, onLog, hub, ...others } = rest;
        this.hub = await Embedding.start(compiled, {
            ...others,
            ...this.watchers,
            host,
            config: { ...config, ...(servers && { servers: [servers].flat() }) },
            onError: (error) => this.report(error),
            onDeadLetter: ({ name, reason, exit, count }) =>
                this.deadLetter({ agent: name, reason: deadText(reason), exit: exitText(exit), count }),
            onPoisoned: (error) => this.#replace(error),
        });
        return this;
    }

    /** For who builds on this: handlers of the hub that are not used here. */
    watchers = {};

    /** The same: what stands for one child of a tree. */
    makeChild(given) {
        return new Child(this, childSpec(given));
    }

    /** Resolves at the first connect of the present hub. */
    get connected() {
        return this.hub.connected;
    }

    /** Starts a tree: children in order, each ready before the next; the first that cannot
     *  start stops the others, and this rejects.
     *  @param {SupervisorSpec} spec
     *  @param {ChildSpec[]} children
     *  @returns {Promise<Tree>} */
    async supervise(spec, children) {
        this.#check();
        const tree = new Tree(this, spec, children);
        this.#trees.add(tree);
        try {
            await tree.start(this.hub);
        } catch (error) {
            this.forget(tree);
            throw error;
        }
        return tree;
    }

    /** Subscribes handler(message); it survives a replacement of the hub.
     *  @returns {{unsubscribe(): void}} */
    subscribe(subject, handler, options = {}) {
        this.#check();
        const entry = { subject, handler, options };
        entry.live = this.hub.subscribe(subject, handler, options);
        this.#subscriptions.add(entry);
        return {
            unsubscribe: () => {
                this.#subscriptions.delete(entry);
                entry.live.unsubscribe();
            },
        };
    }

    publish(subject, data, options) {
        this.hub.publish(subject, data, options);
    }

    request(subject, data, options) {
        return this.hub.request(subject, data, options);
    }

    flush(timeoutMs) {
        return this.hub.flush(timeoutMs);
    }

    /** Puts a message into the mailbox of an agent. */
    send(name, data, options) {
        this.hub.send(name, data, options);
    }

    /** All trees: [{ children: [{ name, state, restarts, queued, handled, lastExit, isolation,
     *  counts }] }]. */
    async tree() {
        const trees = [...this.#trees].map(async (tree) => {
            const records = await tree.records();
            const { strategy } = tree;
            const children = tree.children.map((child) => describe(child, records.get(child.name)));
            return { strategy, children };
        });
        return Promise.all(trees);
    }

    /** What happened to the hub so far. */
    get stats() {
        return { replacements: this.#replacements, lostMail: this.#lostMail };
    }

    /** Stops all trees, the last one first, and closes. */
    async close(timeoutMs = CLOSE_MS) {
        if (this.state === 'closed') {
            return;
        }
        const wasOpen = this.state === 'open';
        this.state = 'closed';
        if (wasOpen) {
            let timer;
            const late = new Promise((done) => (timer = setTimeout(done, timeoutMs)));
            await Promise.race([this.stopAll(timeoutMs), late]);
            clearTimeout(timer);
        }
        this.#trees.forEach((tree) => tree.fail());
        await this.hub.close();
    }

    /** Internal.  An orderly end of all trees. */
    async stopAll() {
        await Promise.all([...this.#trees].reverse().map((tree) => tree.stop()));
    }

    #check() {
        if (this.state !== 'open') {
            throw new NatletError(Status.E_STATE, `the hub is ${this.state}`);
        }
    }

    // ---- for the children

    startWorker = (handlers) => this.#options.host.startWorker(handlers);

    report(error) {
        this.#options.onError?.(error);
    }

    log(level, agent, text) {
        this.#options.onLog?.(level, agent, text);
    }

    deadLetter(letter) {
        this.#options.onDeadLetter?.(letter);
    }

    /** A child that was starting is ready for mail. */
    cameUp() {}

    forget(tree) {
        this.#trees.delete(tree);
    }

    /** Does what a guest asked for; a call ends with one answer({ status, subject, headers,
     *  data }).  Rejects when it cannot be done at all. */
    async perform({ to, subject, payload, priority, ref, timeoutMs }, answer) {
        if (ref !== undefined) {
            answer(await this.#call(to, subject, payload, timeoutMs));
        } else if (to !== '') {
            this.hub.send(to, payload, { priority });
        } else if (this.isCall(subject)) {
            this.endCall(subject, Status.OK, payload);
        } else {
            this.hub.publish(subject, payload);
        }
    }

    async #call(to, subject, payload, timeoutMs) {
        try {
            if (to !== '') {
                return await this.callAgent(to, payload, timeoutMs);
            }
            const reply = await this.hub.request(subject, payload, { timeoutMs });
            return { status: Status.OK, ...reply, reply: '' };
        } catch (error) {
            return { status: error.status ?? Status.E_CANCELLED };
        }
    }

    /** Whether a reply subject is that of a call between agents of this hub. */
    isCall(reply) {
        return reply.startsWith(CALL_PREFIX);
    }

    endCall(reply, status, data) {
        this.#calls.get(reply)?.({ status, data });
    }

    /** Resolves to { status, data }. */
    callAgent(to, payload, timeoutMs) {
        const reply = `${CALL_PREFIX}${++this.#lastCall}`;
        return new Promise((done) => {
            const settle = (answer) => {
                clearTimeout(timer);
                this.#calls.delete(reply);
                done(answer);
            };
            const timer = setTimeout(() => settle({ status: Status.E_TIMEOUT }), timeoutMs);
            this.#calls.set(reply, settle);
            const refused = ({ status }) => settle({ status, isRefused: true });
            this.hub.offer(offerOp(to, payload, { reply })).catch(refused);
        });
    }

    // ---- a hub that broke

    #replace(error, lostMail = this.hub.lost) {
        const { intensity = HUB_INTENSITY, periodMs = HUB_PERIOD_MS } = this.#options.hub ?? {};
        const now = performance.now();
        this.#trees.forEach((tree) => tree.abandon());
        this.#calls.forEach((settle) => settle({ status: Status.E_POISONED }));
        if (this.state === 'closed') {
            return;
        }
        this.#broken = [...this.#broken.filter((at) => now - at < periodMs), now];
        if (this.#broken.length > intensity) {
            this.#giveUp(error);
            return;
        }
        this.state = 'replacing';
        const nth = this.#broken.length - 1;
        setTimeout(() => this.#reopen(error, lostMail), nth > 0 ? HUB_DELAY_MS * 2 ** (nth - 1) : 0);
    }

    async #reopen(error, lostMail) {
        try {
            await this.open();
        } catch (failure) {
            this.#replace(failure, lostMail); // it counts as one more
            return;
        }
        if (this.state === 'closed') {
            await this.hub.close();
            return;
        }
        this.state = 'open';
        this.#replacements++;
        this.#lostMail += lostMail ?? 0;
        for (const entry of this.#subscriptions) {
            entry.live = this.hub.subscribe(entry.subject, entry.handler, entry.options);
        }
        for (const tree of [...this.#trees]) {
            await this.#restart(tree);
        }
        const { replacements } = this.stats;
        this.#options.onHubReplaced?.({ error, lostMail, replacements });
    }

    async #restart(tree) {
        try {
            await tree.start(this.hub);
        } catch (error) {
            if (this.state === 'open') { // else the next hub starts it
                this.forget(tree);
                tree.fail();
                this.report(error);
            }
        }
    }

    #giveUp(error) {
        this.state = 'failed';
        this.#trees.forEach((tree) => tree.fail());
        this.#trees.clear();
        this.#options.onFailed?.(error);
    }
}

function describe(child, record) {
    const { name, lastExit, counts, phase, spec } = child;
    return {
        name,
        state: record ? (phase === 'starting' ? phase : stateText(record.state)) : 'gone',
        restarts: record?.count ?? 0,
        queued: record?.queued ?? 0,
        handled: record?.handled ?? 0,
        lastExit: lastExit && { ...lastExit },
        isolation: spec.behaviour ? 'function' : spec.isolation,
        counts: { ...counts },
    };
}

/** Opens a hub and lets it connect.
 *  @param {CellsOptions} options
 *  @returns {Promise<Cells>} */
export function openCells(options) {
    return new Cells(options).open();
}
