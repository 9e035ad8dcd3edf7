// A cell: one hub with its connection, and agents under supervisors, in JavaScript and in modules.
import { Child } from '../cell-child.js';
import { Cells } from '../cells.js';
import * as N from '../constants.js';
import { NatletError, Status } from '../status.js';
import { readServers } from '../nats/options.js';
import { offerOp, shutdown } from '../tree-ops.js';
import { Agent } from './agent.js';
import { debugSink } from './debug.js';
import { AgentMessage, bytesOf, Clock, headerBytes, payloadOf } from './message.js';
import { agentSpec, guestSpec } from './spec.js';

const REQUEST_MS = 1000;
const CLOSE_MS = 5000;
const LETTERS_KEPT = 64;
const OFFLINE_BYTES = 64 << 20;
const PRIORITIES = ['normal', 'high', 'low'];

const STATES = {
    [N.CLIENT_CONNECTED]: 'open',
    [N.CLIENT_DRAINING]: 'open',
    [N.CLIENT_RECONNECTING]: 'reconnecting',
    [N.CLIENT_CLOSED]: 'closed',
};

/** Something to look at: get() and subscribe(listener), which answers what ends it. */
class Watched {
    #value;
    #listeners = new Set();
    #report;

    constructor(value, report) {
        this.#value = value;
        this.#report = report;
    }

    get = () => this.#value;

    subscribe = (listener) => {
        const own = (value) => listener(value); // the same may be added twice
        this.#listeners.add(own);
        return () => void this.#listeners.delete(own);
    };

    set(value) {
        this.#value = value;
        this.tell(value);
    }

    tell(value) {
        for (const listener of [...this.#listeners]) {
            try {
                listener(value);
            } catch (error) {
                this.#report(error);
            }
        }
    }
}

/** Calls `each` once in a frame, with the last argument. */
function coalescing(each) {
    const frame = globalThis.requestAnimationFrame ?? ((run) => setTimeout(run, 16));
    let last;
    return (value) => {
        if (!last) {
            frame(() => {
                const [now] = last;
                last = undefined;
                each(now);
            });
        }
        last = [value];
    };
}

/** Settles as `promise`, or rejects when `signal` aborts. */
function abortable(promise, signal) {
    if (!signal) {
        return promise;
    }
    return new Promise((resolve, reject) => {
        const abort = () => reject(signal.reason);
        if (signal.aborted) {
            abort();
        }
        signal.addEventListener('abort', abort, { once: true });
        const settle = (how) => (value) => {
            signal.removeEventListener('abort', abort);
            how(value);
        };
        promise.then(settle(resolve), settle(reject));
    });
}

function hubOptions(options, isWeb) {
    const { servers, name, user, pass, token, inboxPrefix, reconnectTimeWait, ...rest } = options;
    const { offlineBytes = OFFLINE_BYTES, cellBytes, agentsMax, config, ...more } = rest;
    const how = { isWeb, isTls: Boolean(options.tls) };
    const given = {
        ...{ name, user, password: pass, token, inbox_prefix: inboxPrefix },
        ...{ reconnect_ms: reconnectTimeWait, offline_bytes_max: servers && offlineBytes },
        ...{ cell_bytes: cellBytes, agents_max: agentsMax, ...config },
    };
    const known = Object.entries(given).filter(([, value]) => value !== undefined);
    return {
        ...more,
        ...(servers && { servers: readServers(servers, how) }),
        config: Object.fromEntries(known),
    };
}

export class Cell extends Cells {
    /** connecting, open, reconnecting or closed. */
    status;

    #children = new Map(); // by id
    #views = new Map(); // of agents that somebody looks at, by id
    #ends; // of agents
    #letters;
    #lettersKept = [];
    #lettersCount = 0;
    #sent = 0;
    #refused = 0;
    #hasServers;
    #clock = new Clock();
    #debug;

    /** Internal: createCell(). */
    constructor(options, isWeb) {
        const { debug, onHubReplaced, onFailed, ...others } = options;
        super({
            ...hubOptions(others, isWeb),
            onHubReplaced: (event) => {
                this.#debug(`hub replaced, ${event.lostMail ?? 'unknown'} mail lost: ${event.error.message}`);
                onHubReplaced?.(event);
            },
            onFailed: (error) => {
                this.#debug(`hub broke too often: ${error.message}`);
                this.#become('closed', error.message);
                onFailed?.(error);
            },
        });
        const report = (error) => this.report(error);
        this.#debug = debugSink(debug);
        this.#hasServers = Boolean(options.servers);
        this.#ends = new Watched(undefined, report);
        this.#letters = new Watched(undefined, report);
        this.status = new Watched(this.#hasServers ? 'connecting' : 'closed', report);
        this.watchers = {
            onState: (state, reason) => this.#become(STATES[state], reason),
            onAgent: (id, status) => this.#changed(id, status === 1),
        };
    }

    /** Starts a supervisor and its children, in order.  A dynamic one has one child, the pattern
     *  of those that are added.  Resolves to a Tree; rejects, with nothing left, when one cannot
     *  start. */
    supervise(options, children) {
        return super.supervise(options, children);
    }

    /** Internal. */
    makeChild(given) {
        const { id, isolation = 'shared', name, ...rest } = given;
        const whole = { ...rest, id: id ?? name, isolation };
        const child =
            isolation === 'shared'
                ? new Agent(this, agentSpec(whole))
                : new Child(this, guestSpec(whole));
        if (whole.id !== undefined) {
            this.#children.set(whole.id, child);
        }
        return child;
    }

    // ---- messages

    /** callback(message) for each message of `subject`; answers what ends it. */
    subscribe(subject, callback, { queue, coalesce = false } = {}) {
        let isOver = false;
        const deliver = (record) => {
            if (!isOver) {
                callback(new AgentMessage(record, '', this.respond));
            }
        };
        const handler = coalesce ? coalescing(deliver) : deliver;
        const subscription = super.subscribe(
            subject,
            (record) => handler({ ...record, idNs: this.#clock.next() }),
            { queue },
        );
        return () => {
            if (!isOver) {
                isOver = true;
                subscription.unsubscribe();
            }
        };
    }

    /** data: bytes and strings as they are, all else as JSON; headers: of headers(). */
    publish(subject, data, { reply, headers } = {}) {
        super.publish(subject, bytesOf(data), { reply, headers: headerBytes(headers) });
    }

    /** Resolves to the payload of the answer: JSON, or { raw }. */
    async request(subject, data, { timeoutMs = REQUEST_MS, signal, headers } = {}) {
        signal?.throwIfAborted();
        const options = { timeoutMs, headers: headerBytes(headers) };
        const answer = await abortable(super.request(subject, bytesOf(data), options), signal);
        return payloadOf(answer.data);
    }

    /** Puts a message into the mailbox of an agent.  Resolves when it is there; rejects when it
     *  is refused (E_FULL, E_NO_AGENT, ...), which is counted, too, for who does not look. */
    send(id, data, { priority = 'normal', reply, headers } = {}) {
        this.#sent++;
        const options = {
            ...{ reply, headers: headerBytes(headers) },
            priority: Math.max(0, PRIORITIES.indexOf(priority)),
        };
        const taken = this.hub.offer(offerOp(id, bytesOf(data), options));
        taken.catch((error) => {
            this.#count(error.status);
            this.#debug(`agent ${id} refused a message: ${error.code}`);
        });
        return taken;
    }

    /** Asks an agent: resolves to the payload that it responds with; rejects with E_TIMEOUT,
     *  E_FULL, or E_NO_AGENT (it is not there, rejected it, stopped, or crashed on it). */
    async call(id, data, { timeoutMs = REQUEST_MS, signal } = {}) {
        signal?.throwIfAborted();
        this.#sent++;
        const ask = this.callAgent(id, bytesOf(data), timeoutMs);
        const { status, data: answer, isRefused } = await abortable(ask, signal);
        if (isRefused) {
            this.#count(status);
        }
        if (status < 0) {
            throw new NatletError(status, `call of ${id}`);
        }
        return payloadOf(typeof answer === 'string' ? new TextEncoder().encode(answer) : answer);
    }

    /** Internal.  Answers a message. */
    respond = (reply, payload) => {
        this.perform({ to: '', subject: reply, payload }).catch((error) => this.report(error));
    };

    // ---- to look at

    /** All supervisors, each with its children. */
    async tree() {
        const trees = await super.tree();
        return trees.map(({ strategy, children }) => ({
            kind: 'supervisor',
            strategy,
            children: children.map(({ name, ...rest }) => ({ id: name, ...rest })),
        }));
    }

    /** { get(), subscribe(listener) } of { info, down } of one agent, there or not. */
    agent(id) {
        if (!this.#views.has(id)) {
            this.#views.set(id, new Watched(this.#viewOf(id), (error) => this.report(error)));
        }
        return this.#views.get(id);
    }

    /** callback(reason) for each end of the agent; at once, noproc, if it does not run.
     *  Answers what ends the watching. */
    monitor(id, callback) {
        let isOver = false;
        const end = this.#ends.subscribe((ended) => ended.id === id && callback(ended.reason));
        if (this.#children.get(id)?.phase !== 'up' && this.#children.get(id)?.phase !== 'starting') {
            const reason = { kind: 'noproc', code: Status.E_NO_AGENT };
            queueMicrotask(() => isOver || callback(reason));
        }
        return () => {
            isOver = true;
            end();
        };
    }

    /** subscribe(listener) for each; last() has up to 64, the newest at the end; count. */
    get deadLetters() {
        return {
            count: this.#lettersCount,
            last: () => [...this.#lettersKept],
            subscribe: this.#letters.subscribe,
        };
    }

    /** Numbers since the start. */
    get stats() {
        return {
            ...super.stats,
            ...{ sent: this.#sent, refused: this.#refused, dead: this.#lettersCount },
            restarts: [...this.#children.values()].reduce(
                (sum, { counts }) => sum + Math.max(0, counts.starts - 1),
                0,
            ),
        };
    }

    /** What is queued is handled, for half of the time at most; then the supervisors stop, the
     *  last one first, and what was published is flushed. */
    async close(deadlineMs = CLOSE_MS) {
        await super.close(deadlineMs);
        this.#become('closed', '');
    }

    /** Internal. */
    async stopAll(deadlineMs) {
        try {
            await shutdown(this.hub, deadlineMs);
        } catch (error) {
            this.report(error);
        }
    }

    report(error) {
        this.#debug?.(`error: ${error?.message ?? error}`);
        super.report(error);
    }

    // ---- what the hub tells

    /** A refusal; mail for nobody is a dead letter, and counts as one. */
    #count(status) {
        this.#refused += status === Status.E_NO_AGENT ? 0 : 1;
    }

    #become(state = 'connecting', reason) {
        const before = this.status.get();
        if (state !== before) {
            this.#debug(`connection ${before} -> ${state}${reason ? ` (${reason})` : ''}`);
            this.status.set(state);
        }
    }

    #viewOf(id) {
        const child = this.#children.get(id);
        if (!child) {
            return {};
        }
        const { phase, counts, lastExit, spec } = child;
        const state = phase === 'up' ? 'running' : phase;
        const info = { id, state, restarts: Math.max(0, counts.starts - 1), isolation: spec.isolation };
        return { info, down: phase === 'down' ? lastExit : undefined };
    }

    #changed(id, isStart) {
        const child = this.#children.get(id);
        if (!child) {
            return;
        }
        if (isStart) {
            const restarts = child.counts.starts - 1;
            this.#debug(`agent ${id} ${restarts > 0 ? `restarted (${restarts})` : 'started'}`);
        } else {
            const { kind, text } = child.lastExit;
            this.#debug(`agent ${id} ended: ${kind}${text ? `, ${text}` : ''}`);
            this.#ends.tell({ id, reason: child.lastExit });
        }
        this.#views.get(id)?.set(this.#viewOf(id));
    }

    /** Internal. */
    deadLetter(letter) {
        const { agent, reason, count } = letter;
        this.#lettersCount += count;
        this.#lettersKept.push(letter);
        this.#lettersKept.splice(0, this.#lettersKept.length - LETTERS_KEPT);
        this.#debug(`dead letter for ${agent || 'nobody'}: ${reason}${count > 1 ? ` x${count}` : ''}`);
        this.#letters.tell(letter);
        super.deadLetter(letter);
    }

    /** Internal. */
    cameUp(id) {
        this.#views.get(id)?.set(this.#viewOf(id));
    }
}
