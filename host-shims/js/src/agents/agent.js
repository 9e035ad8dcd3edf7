// A child that is functions in this thread.  The hub keeps its mail and its rules; here it is
// made, gets its mail one by one, and says how each one ended.
import * as N from '../constants.js';
import { EXIT, exitText } from '../exits.js';
import { NatletError, Status } from '../status.js';
import { spawnOp } from '../tree-ops.js';
import { AgentMessage } from './message.js';

const DEAD_CRASHED = 4;
const DEAD_POISON = 8;

const ANSWERS = new Map([
    [undefined, N.SETTLE_DONE],
    ['reject', N.SETTLE_REJECT],
    ['stop', N.SETTLE_STOP],
    ['stash', N.SETTLE_STASH],
    ['retry', N.SETTLE_RETRY],
]);

const textOf = (error) => String(error?.message ?? error);

export class Agent {
    /** down, starting or up. */
    phase = 'down';
    /** How the last incarnation ended: { kind, code, text }. */
    lastExit;
    /** It ended and is not to be restarted. */
    isGone = false;
    counts = { starts: 0, mail: 0, dead: 0 };
    /** Resolves when the present incarnation has ended. */
    over = Promise.resolve();

    #cell;
    #place; // { slot, incarnation } of the present one
    #state;
    #fresh; // { state } that was made before the hub knew of it
    #blamed; // the message on which it crashed, until the hub has said what becomes of it
    #failure; // why it crashed, as the hub knows only kind and code
    #end = () => {}; // of `over`
    #self;

    constructor(cell, spec) {
        this.#cell = cell;
        this.spec = spec;
        this.#self = {
            id: spec.id,
            /** What it put aside comes again. */
            unstash: () => this.#place && cell.hub.unstash(this.#place.slot),
        };
    }

    get name() {
        return this.spec.id;
    }

    get placement() {
        return this.spec.placement;
    }

    /** First start, ahead of the hub: resolves, or rejects with why it cannot. */
    async prepare() {
        const { id, init, arg } = this.spec;
        if (typeof id !== 'string' || id === '') {
            throw new NatletError(Status.E_CONFIG, 'a child needs an id');
        }
        try {
            this.#fresh = { state: await init?.(arg) };
        } catch (error) {
            const text = `agent "${id}" cannot start: ${textOf(error)}`;
            throw new NatletError(Status.E_CANCELLED, text, { cause: error });
        }
    }

    /** Joins the hub below the supervisor `supervisor`. */
    join(embedding, supervisor) {
        const { placement, subject, queue } = this.spec;
        const place = { ...placement.place, supervisor };
        const op = spawnOp(this.name, { ...placement, place, subject, queue });
        return embedding.adopt(this.name, this, op);
    }

    abandon() {
        this.#fresh = undefined;
        this.#drop();
    }

    withdraw() {
        this.abandon();
    }

    // ---- what the hub says

    started(place) {
        const fresh = this.#fresh;
        this.#fresh = undefined;
        this.#place = place;
        this.over = new Promise((done) => (this.#end = done));
        this.isGone = false;
        this.counts.starts++;
        if (fresh) {
            this.#state = fresh.state;
            this.#goUp();
        } else {
            this.phase = 'starting';
            this.#init(place);
        }
    }

    mail(record) {
        this.counts.mail++;
        this.#handle(record);
    }

    ended({ exit: kind, status: code }) {
        const isOrderly = kind === EXIT.NORMAL || kind === EXIT.SHUTDOWN;
        const { restart, terminate } = this.spec;
        const state = this.#state;
        const wasUp = this.phase === 'up';
        this.lastExit = { kind: exitText(kind), code, text: isOrderly ? undefined : this.#failure };
        this.#failure = undefined;
        this.isGone = restart === 'temporary' || (restart === 'transient' && isOrderly);
        this.#drop();
        if (wasUp && terminate) {
            this.#guard(() => terminate(this.lastExit, state));
        }
    }

    dead({ status: reason, count }) {
        this.counts.dead += count;
        if (reason === DEAD_CRASHED || reason === DEAD_POISON) {
            this.#disappoint(this.#blamed);
        }
    }

    // ---- turns

    #goUp() {
        this.phase = 'up';
        this.#cell.hub.ready(this.#place);
        this.#cell.cameUp(this.name);
    }

    async #init(place) {
        try {
            const state = await this.spec.init?.(this.spec.arg);
            if (place !== this.#place) {
                return;
            }
            this.#state = state;
            this.#goUp();
        } catch (error) {
            this.#crash(place, EXIT.ERROR, error);
        }
    }

    async #handle(record) {
        const place = this.#place;
        const message = new AgentMessage(record, this.name, this.#cell.respond);
        const { maxTurnMs } = this.spec;
        const timer = maxTurnMs && setTimeout(() => this.#late(place, message), maxTurnMs);
        let how;
        try {
            how = this.#judge(await this.spec.onMessage(message, this.#state, this.#self));
        } catch (error) {
            how = N.SETTLE_ERROR;
            if (place === this.#place) {
                this.#failure = textOf(error);
                this.#blamed = message;
            }
        }
        clearTimeout(timer);
        if (place !== this.#place) {
            return; // of an incarnation that is over
        }
        this.#cell.hub.settle(place.slot, record.status, how);
        if (how === N.SETTLE_REJECT || how === N.SETTLE_STOP) {
            this.#disappoint(message);
        }
    }

    #judge(answer) {
        const how = ANSWERS.get(answer);
        if (how === undefined || (how === N.SETTLE_RETRY && !this.spec.retry)) {
            throw new TypeError(`onMessage answered "${answer}"`);
        }
        return how;
    }

    #late(place, message) {
        this.#blamed = message;
        const text = `a message took more than ${this.spec.maxTurnMs} ms`;
        this.#crash(place, EXIT.FUEL, new NatletError(Status.E_TIMEOUT, text));
    }

    #crash(place, kind, error) {
        if (place === this.#place) {
            this.#failure = textOf(error);
            const code = error?.status < 0 ? error.status : Status.E_CANCELLED;
            this.#cell.hub.exit(place, kind, code);
        }
    }

    /** Who called with this message gets no answer any more. */
    #disappoint(message) {
        const { reply } = message ?? {};
        if (reply && this.#cell.isCall(reply)) {
            this.#cell.endCall(reply, Status.E_NO_AGENT);
        }
    }

    #drop() {
        this.phase = 'down';
        this.#place = undefined;
        this.#state = undefined;
        this.#end();
    }

    #guard(call) {
        try {
            call();
        } catch (error) {
            this.#cell.report(error);
        }
    }
}
