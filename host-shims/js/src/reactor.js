// A reactor module in an event loop: when natlet_run is called, and what a trap leads to.
//
// natlet_run is only ever called from here, as a task of its own: never from inside an import
// (H1) and never while it runs (H2).
import * as N from './constants.js';
import { Door } from './door.js';
import { NatletError, Status } from './status.js';

const BUDGET_US = 5000;
const TIMER_MS_MAX = 0x7fffffff; // of setTimeout; an early call is free (H10)

export class Reactor {
    exports;
    memory;
    door;
    isPoisoned = false;
    /** Called after each natlet_run, outside of it. */
    onTurn = () => {};
    /** Called before a poisoned memory is wiped. */
    onLost = () => {};

    #soon;
    #onPoisoned;
    #isRunning = false;
    #isScheduled = false;
    #isOver = false;
    #timer;

    constructor(instance, door, host, onPoisoned) {
        this.exports = instance.exports;
        this.memory = instance.exports.memory;
        this.door = door;
        this.#soon = host.soon;
        this.#onPoisoned = onPoisoned;
        door.attach(this.memory);
        door.onEvent = () => this.schedule();
    }

    /** natlet_init with `config`, which it wants as JSON; and, before it, what natlet-tls.wasm
     *  is to know of `tls`. */
    start(config, tls) {
        this.exports._initialize?.();
        if (this.exports.natlet_abi() >>> 16 !== N.ABI_MAJOR) {
            throw new NatletError(Status.E_UNSUPPORTED, 'the module was built for another host');
        }
        if (tls && !this.exports.natlet_tls) {
            throw new NatletError(Status.E_UNSUPPORTED, 'only natlet-tls.wasm has TLS of its own');
        }
        if (tls) {
            this.#give('natlet_tls', tls);
        }
        this.#give('natlet_init', config);
        this.schedule();
    }

    /** Calls an export with a document. */
    #give(name, document) {
        const text = typeof document === 'string' ? document : JSON.stringify(document);
        const bytes = new TextEncoder().encode(text);
        const at = this.exports.natlet_mem(bytes.length) >>> 0;
        if (at === 0 && bytes.length > 0) {
            throw new NatletError(Status.E_NO_MEMORY);
        }
        const scratch = new Uint8Array(this.memory.buffer, at, bytes.length);
        scratch.set(bytes);
        const status = this.exports[name](at, bytes.length);
        new Uint8Array(this.memory.buffer, at, bytes.length).fill(0); // it may hold secrets
        if (status < 0) {
            throw new NatletError(status, name);
        }
    }

    /** Asks for a turn soon; many calls make one turn. */
    schedule() {
        if (!this.#isScheduled && !this.#isOver) {
            this.#isScheduled = true;
            this.#soon(() => {
                this.#isScheduled = false;
                this.run();
            });
        }
    }

    /** One turn now.  Not for use inside an import or onTurn. */
    run(budgetUs = BUDGET_US) {
        if (this.#isOver || this.#isRunning) {
            return;
        }
        const wait = this.#call(() => this.exports.natlet_run(budgetUs) >>> 0);
        if (wait !== undefined) {
            this.onTurn();
            this.#arm(wait);
        }
    }

    /** Encodes and sends what was submitted, without onTurn, and leaves the rest for a turn. */
    flush() {
        if (this.#isOver || this.#isRunning) {
            return;
        }
        this.#call(() => this.exports.natlet_run(0));
        this.schedule();
    }

    /** natlet_fini; the module is not called again. */
    finish() {
        if (!this.#isOver) {
            this.#call(() => this.exports.natlet_fini());
            this.#stop();
        }
    }

    #arm(wait) {
        clearTimeout(this.#timer);
        if (wait === 0) {
            this.schedule();
        } else if (wait !== N.NEVER_MS && !this.#isOver) {
            this.#timer = setTimeout(() => this.run(), Math.min(wait, TIMER_MS_MAX));
        }
    }

    /** What `enter` returns; undefined when it trapped for good.  A trap that the module
     *  recovers from is a turn that left work. */
    #call(enter) {
        this.#isRunning = true;
        try {
            return enter();
        } catch (trap) {
            return this.#recover(trap);
        } finally {
            this.#isRunning = false;
        }
    }

    #recover(trap) {
        let status;
        try {
            status = this.exports.natlet_recover();
        } catch {
            status = Status.E_POISONED;
        }
        if (status === Status.OK) {
            return 0;
        }
        this.#poison(trap);
        return undefined;
    }

    #poison(trap) {
        this.isPoisoned = true;
        this.#stop();
        this.onLost();
        new Uint8Array(this.memory.buffer).fill(0); // secrets
        const error = new NatletError(Status.E_POISONED, trap.message, { cause: trap });
        error.lastLines = this.door.lastLines;
        this.#onPoisoned(error);
    }

    #stop() {
        this.#isOver = true;
        clearTimeout(this.#timer);
        this.door.abort();
    }
}

/** Starts a reactor module.
 *
 *  `source` is a WebAssembly.Module or its bytes.  options: host (nodeHost(), browserHost()),
 *  config (for natlet_init), tls (for natlet-tls.wasm: ca, certificate, key as PEM, pins in
 *  hexadecimal with commas, server_name, mode, first, required), allow and log (door.js),
 *  onPoisoned(error).  Nothing runs before
 *  the caller gives up control, so handlers can be set on what it gets.
 *
 *  Rejects with a NatletError when the module refuses to start. */
export async function instantiate(source, options) {
    const { host, config = {}, tls, onPoisoned = raise, ...doorOptions } = options;
    const module = source instanceof WebAssembly.Module ? source : await compile(source);
    const door = new Door(host, doorOptions);
    const instance = await WebAssembly.instantiate(module, { natlet_host1: door.imports });
    const reactor = new Reactor(instance, door, host, onPoisoned);
    try {
        reactor.start(config, tls);
    } catch (error) {
        door.abort();
        throw error;
    }
    return reactor;
}

function compile(source) {
    return WebAssembly.compile(source);
}

function raise(error) {
    throw error;
}
