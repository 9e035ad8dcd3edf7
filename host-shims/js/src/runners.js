// What runs one incarnation of an agent: a guest in this thread, one in a worker, or a function.
//
// A runner has turn(what, argument, done): 'start', 'deliver', 'reply', 'stop' as in guest.js;
// done(result) is called once, maybe before it returns, unless kill() came first.
import { EXIT } from './exits.js';
import { GUEST, Guest } from './guest.js';
import { Status } from './status.js';

export class InstanceRunner {
    #guest;

    constructor(options) {
        this.#guest = new Guest(options);
    }

    turn(what, argument, done) {
        done(this.#guest[what](argument));
    }

    kill() {}
}

/** A turn that is not over in time ends with the worker. */
export class WorkerRunner {
    #worker;
    #options;
    #turns = []; // [what, argument, done]; the first is under way
    #timer;
    #startMs;
    #turnMs;
    #died;

    /** options: those of Guest; startMs and turnMs; startWorker() of the host; died(result),
     *  called when the worker ended between two turns. */
    constructor({ startWorker, startMs, turnMs, died, log, ...options }) {
        this.#options = options;
        this.#died = died;
        this.#startMs = startMs;
        this.#turnMs = turnMs;
        this.#worker = startWorker({
            onMessage: ([what, ...rest]) => (what === 'log' ? log(...rest) : this.#over(rest[0])),
            onEnd: (error) => this.#over(failureOf(error)),
        });
    }

    turn(what, argument, done) {
        this.#turns.push([what, what === 'start' ? this.#options : argument, done]);
        if (this.#turns.length === 1) {
            this.#begin();
        }
    }

    kill() {
        clearTimeout(this.#timer);
        this.#turns = [];
        this.#worker?.terminate();
        this.#worker = undefined;
    }

    #begin() {
        const [what, argument] = this.#turns[0];
        this.#watch(what === 'start' ? this.#startMs : this.#turnMs);
        this.#worker.post([what, argument]);
    }

    /** If it was we who were late, its answer is there already: it gets one more look. */
    #watch(ms) {
        this.#timer = setTimeout(() => {
            this.#timer = setTimeout(() => this.#lose(ms), 1);
        }, ms);
    }

    #lose(ms) {
        const code = Status.E_TIMEOUT;
        const text = `its turn took more than ${ms} ms`;
        this.#over({ failure: { kind: EXIT.FUEL, code, text }, sends: [] });
    }

    #over(result) {
        const [, , done = this.#died] = this.#turns.shift() ?? [];
        clearTimeout(this.#timer);
        if (result.failure) {
            this.kill();
        } else if (this.#turns.length > 0) {
            this.#begin();
        }
        done(result);
    }
}

/** Why a worker ended that nobody ended. */
function failureOf(error) {
    const isMemory = error?.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const failure = isMemory
        ? { kind: EXIT.MEMORY, code: Status.E_NO_MEMORY }
        : { kind: EXIT.KILLED, code: Status.E_CANCELLED };
    return { failure: { ...failure, text: error?.message ?? 'its worker ended' }, sends: [] };
}

const SETTLED = { reject: GUEST.REJECT, stop: GUEST.STOP };

/** A behaviour in JavaScript: async (mail, { state, save(bytes) }) => undefined, 'reject' or
 *  'stop'. */
export class FunctionRunner {
    #behaviour;
    #state;
    #isOver = false;

    constructor({ behaviour, state }) {
        this.#behaviour = behaviour;
        this.#state = state;
    }

    turn(what, argument, done) {
        if (what === 'deliver') {
            this.#deliver(argument, done);
        } else {
            done({ sends: [] });
        }
    }

    kill() {
        this.#isOver = true;
    }

    async #deliver(mail, done) {
        const result = await this.#handle(mail);
        if (!this.#isOver) {
            done(result);
        }
    }

    async #handle(mail) {
        let saved;
        const context = { state: this.#state, save: (bytes) => (saved = bytes) };
        try {
            const how = SETTLED[await this.#behaviour(mail, context)] ?? GUEST.DONE;
            this.#state = saved ?? this.#state;
            return { sends: [], settled: { how, code: 0 }, state: saved };
        } catch (error) {
            const code = error?.status < 0 ? error.status : Status.E_CANCELLED;
            return { failure: { kind: EXIT.ERROR, code, text: String(error) }, sends: [] };
        }
    }
}
