// One child of a tree: its place in the hub's supervisor, and what runs it now.
//
// The hub decides when an incarnation starts and ends, and hands over its mail; this side
// starts a runner, hands the mail on, and reports how it ended.
import * as N from './constants.js';
import { EXIT, exitText } from './exits.js';
import { foreignImports, GUEST } from './guest.js';
import { limitMemory } from './guest-memory.js';
import { FunctionRunner, InstanceRunner, WorkerRunner } from './runners.js';
import { NatletError, Status } from './status.js';
import { spawnOp } from './tree-ops.js';

const RESTARTS = ['permanent', 'transient', 'temporary'];
const ISOLATIONS = ['instance', 'worker'];
const MEMORY_PAGES = 256; // 16 MiB
const TURN_MS = 5000;
const START_MS = 10000; // a worker has to load first
const PAGES_MAX = 65536;
const MS_MAX = 0x7fffffff;

function invalid(name, text) {
    throw new NatletError(Status.E_CONFIG, `child "${name}": ${text}`);
}

/** What the caller said, with the defaults; throws a NatletError. */
export function childSpec(given) {
    const spec = {
        restart: 'permanent',
        isolation: 'instance',
        memoryPages: MEMORY_PAGES,
        maxTurnMs: given.isolation === 'worker' ? TURN_MS : undefined,
        shutdownMs: 0,
        mailbox: {},
        ...given,
    };
    const { name, module, behaviour, memoryPages, maxTurnMs, isolation } = spec;
    if (typeof name !== 'string' || name === '' || name.length > GUEST.NAME_BYTES_MAX) {
        invalid(name, 'a name is needed');
    }
    if ((module === undefined) === (behaviour === undefined)) {
        invalid(name, 'either a module or a behaviour');
    }
    if (!RESTARTS.includes(spec.restart) || !ISOLATIONS.includes(isolation)) {
        invalid(name, 'no such restart or isolation');
    }
    if (!(memoryPages >= 1 && memoryPages <= PAGES_MAX)) {
        invalid(name, 'memoryPages is out of range');
    }
    if (isolation === 'worker' ? !(maxTurnMs >= 1 && maxTurnMs <= MS_MAX) : maxTurnMs !== undefined) {
        invalid(name, 'maxTurnMs is for a worker, where a turn can be ended');
    }
    if (behaviour && isolation === 'worker') {
        invalid(name, 'a behaviour runs in this thread');
    }
    return spec;
}

/** Compiles a guest.  Bytes get their limit of memory written in; a WebAssembly.Module keeps
 *  its own, and is only held against the limit after each turn. */
async function compile({ name, module, memoryPages }) {
    const isCompiled = module instanceof WebAssembly.Module;
    const compiled = isCompiled
        ? module
        : await WebAssembly.compile(limitMemory(new Uint8Array(module), memoryPages));
    const foreign = foreignImports(compiled);
    if (foreign) {
        throw new NatletError(Status.E_UNSUPPORTED, `guest "${name}" imports ${foreign}`);
    }
    return compiled;
}

export class Child {
    /** down, starting or up. */
    phase = 'down';
    /** How the last incarnation ended: { kind, code, text }. */
    lastExit;
    /** It ended and is not to be restarted. */
    isGone = false;
    counts = { starts: 0, mail: 0, dead: 0, sent: 0, refused: 0 };
    /** Resolves when the present incarnation has ended. */
    over = Promise.resolve();

    #cells;
    #compiled;
    #runner;
    #ready; // a runner that has started before the hub knew of it
    #place; // { slot, incarnation } of the present one
    #held; // its mail: { token }
    #end = () => {}; // of `over`
    #failure; // why we crashed it, as the hub knows only kind and code
    #saved;

    constructor(cells, spec) {
        this.#cells = cells;
        this.spec = spec;
    }

    get name() {
        return this.spec.name;
    }

    /** What it saved last: a Uint8Array, or undefined. */
    get state() {
        return this.#saved;
    }

    /** First start, ahead of the hub: resolves, or rejects with why it cannot. */
    async prepare() {
        this.#compiled ??= this.spec.module ? await compile(this.spec) : undefined;
        const runner = this.#newRunner();
        this.#ready = runner;
        const result = await new Promise((done) => runner.turn('start', undefined, done));
        const { failure } = result;
        if (failure) {
            this.abandon();
            throw new NatletError(failure.code, `child "${this.name}" cannot start: ${failure.text}`);
        }
        this.#apply(result, runner);
    }

    /** How the hub's supervisor is to deal with it. */
    get placement() {
        const { restart, shutdownMs, mailbox, isSignificant, dropMail, care } = this.spec;
        const place = {
            ...{ shutdownMs, isSignificant, dropsMail: dropMail },
            ...{ mailbox: mailbox.messages, mailboxBytes: mailbox.bytes },
            ...care,
        };
        return { restart: RESTARTS.indexOf(restart), place };
    }

    /** Joins the hub below the supervisor `supervisor`. */
    join(embedding, supervisor) {
        const { subject, queue } = this.spec;
        const { restart, place } = this.placement;
        this.over = new Promise((done) => (this.#end = done));
        const options = { place: { ...place, supervisor }, restart, subject, queue };
        return embedding.adopt(this.name, this, spawnOp(this.name, options));
    }

    /** Nothing that it runs is used any more; what it saved stays. */
    abandon() {
        this.#ready?.kill();
        this.#ready = undefined;
        this.#drop();
    }

    /** The same for one that has started ahead of the hub: it has its last turn. */
    withdraw() {
        const runner = this.#ready;
        this.#ready = undefined;
        runner?.turn('stop', undefined, () => runner.kill());
        this.#drop();
    }

    // ---- what the hub says

    started(place) {
        this.#drop();
        this.#place = place;
        this.over = new Promise((done) => (this.#end = done));
        this.isGone = false;
        this.counts.starts++;
        if (this.#ready) {
            this.#runner = this.#ready;
            this.#ready = undefined;
            this.#goUp();
            return;
        }
        const runner = this.#newRunner();
        this.#runner = runner;
        this.phase = 'starting';
        runner.turn('start', undefined, (result) => this.#after(runner, result));
    }

    mail(record) {
        const { status: token, subject, reply, headers, data } = record;
        const mail = { token: token >>> 0, subject, reply, headers, data };
        this.counts.mail++;
        this.#held = mail;
        const runner = this.#runner;
        runner?.turn('deliver', mail, (result) => this.#after(runner, result));
    }

    ended({ exit: kind, status: code }) {
        const isOrderly = kind === EXIT.NORMAL || kind === EXIT.SHUTDOWN;
        const { restart } = this.spec;
        this.lastExit = { kind: exitText(kind), code, text: this.#failure?.text };
        this.#failure = undefined;
        this.isGone = restart === 'temporary' || (restart === 'transient' && isOrderly);
        this.#end();
        if (isOrderly && this.phase === 'up') {
            this.#stop();
        } else {
            this.#drop();
        }
    }

    dead({ count }) {
        this.counts.dead += count;
    }

    // ---- turns

    #newRunner() {
        const { spec } = this;
        if (spec.behaviour) {
            return new FunctionRunner({ behaviour: spec.behaviour, state: this.#saved });
        }
        const options = {
            module: this.#compiled,
            state: this.#saved,
            pages: spec.memoryPages,
            log: (level, text) => this.#cells.log(level, this.name, text),
        };
        if (spec.isolation === 'instance') {
            return new InstanceRunner(options);
        }
        const runner = new WorkerRunner({
            ...options,
            ...{ startMs: Math.max(START_MS, spec.maxTurnMs), turnMs: spec.maxTurnMs },
            startWorker: this.#cells.startWorker,
            died: (result) => this.#after(runner, result),
        });
        return runner;
    }

    #goUp() {
        this.phase = 'up';
        this.#cells.hub.ready(this.#place);
        this.#cells.cameUp(this.name);
    }

    #after(runner, result) {
        if (runner === this.#ready && result.failure) {
            this.#ready = undefined; // so it starts anew
        }
        if (runner !== this.#runner && runner !== this.#ready) {
            return; // of an incarnation that is over
        }
        if (result.failure) {
            this.#crash(result.failure);
            return;
        }
        this.#apply(result, runner);
        if (result.settled) {
            this.#settle(result.settled.how);
        }
        if (this.phase === 'starting' && runner === this.#runner) {
            this.#goUp();
        }
    }

    /** The numbers of guest.h and of embed.h are the same here. */
    #settle(how) {
        const { token } = this.#held ?? {};
        if (token !== undefined) {
            this.#held = undefined;
            this.#cells.hub.settle(this.#place.slot, token, how);
        }
    }

    #crash(failure) {
        const place = this.#place;
        this.#drop();
        this.#failure = failure;
        this.#cells.log(N.LOG_WARN, this.name, `${exitText(failure.kind)}: ${failure.text}`);
        this.#cells.hub.exit(place, failure.kind, failure.code);
    }

    /** Its last turn; the hub does not wait for that, so what it saves counts only if no other
     *  has started meanwhile. */
    #stop() {
        const runner = this.#runner;
        const place = this.#place;
        this.#runner = undefined;
        this.#drop();
        runner.turn('stop', undefined, (result) => {
            if (!result.failure && this.#place === place) {
                this.#apply(result, undefined);
            }
            runner.kill();
        });
    }

    #drop() {
        this.phase = 'down';
        this.#held = undefined;
        this.#runner?.kill();
        this.#runner = undefined;
    }

    // ---- what a turn asked for

    #apply({ sends, state }, runner) {
        this.#saved = state ?? this.#saved;
        for (const send of sends) {
            this.counts.sent++;
            this.#cells.perform(send, (answer) => this.#reply(runner, send.ref, answer)).catch((error) => {
                this.counts.refused++;
                this.#cells.report(error);
            });
        }
    }

    #reply(runner, ref, answer) {
        if (runner && runner === (this.#runner ?? this.#ready)) {
            runner.turn('reply', { ref, ...answer }, (result) => this.#after(runner, result));
        }
    }
}
