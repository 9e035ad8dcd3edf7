// The worker of command mode: it runs the module, and waits for the main thread (command.js)
// when the module polls or reads standard input.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import * as N from './constants.js';
import { Door } from './door.js';
import { nodeHost } from './host-node.js';
import { Wasi } from './wasi.js';

const ERRNO_INTR = 27;
const ERRNO_IO = 29;
const ERRNO_PIPE = 64;
const ERRNO_OF = { EACCES: 2, EISDIR: 31, ENOENT: 44, ENOTDIR: 54, EPERM: 63 };
const EXIT_TRAP = 134; // as a program that aborts

const HEADS = { [N.LOG_ERROR]: 'error: ', [N.LOG_WARN]: 'warning: ', [N.LOG_DEBUG]: 'debug: ' };
const TOOK_STEP = 65536; // bytes taken before the main thread hears of it

/** A connection whose socket is the main thread's. */
class RemoteLink {
    #main;
    #id;
    #txHigh;
    #given = 0; // bytes sent to the main thread, modulo 2^32
    #sent = new Int32Array(new SharedArrayBuffer(8)); // of those, gone; and: we wait for room
    #taken = 0;

    constructor(main, id, transport, address, options) {
        this.#main = main;
        this.#id = id;
        this.#txHigh = Math.max(1, options.txHigh);
        main.tell(['open', id, transport, address, options, this.#sent]);
    }

    get #inFlight() {
        return (this.#given - Atomics.load(this.#sent, 0)) | 0;
    }

    /** If all is gone after we said that we wait, nobody will tell us: so go on. */
    send(bytes) {
        let done = this.#sendPart(bytes);
        while (done < bytes.length) {
            Atomics.store(this.#sent, 1, 1);
            if (this.#inFlight > 0) {
                break;
            }
            done += this.#sendPart(bytes.subarray(done));
        }
        return done;
    }

    #sendPart(bytes) {
        const part = bytes.slice(0, Math.max(0, this.#txHigh - this.#inFlight));
        const { length } = part;
        if (length > 0) {
            this.#given = (this.#given + length) | 0;
            this.#main.tell(['send', this.#id, part], [part.buffer]); // part is empty from here on
        }
        return length;
    }

    took(n) {
        this.#taken += n;
        if (this.#taken >= TOOK_STEP) {
            this.#main.tell(['took', this.#id, this.#taken]);
            this.#taken = 0;
        }
    }

    close(code, reason) {
        this.#main.tell(['close', this.#id, code, reason]);
    }

    abort() {
        this.#main.tell(['abort', this.#id]);
    }
}

/** The main thread as we see it; also the host of the door. */
class Main {
    name = 'node-worker';
    caps = nodeHost().caps | N.CAP_BLOCK | N.CAP_HINTS;
    options = nodeHost().options;

    #port;
    #bell;
    #sinks = new Map();
    #lastId = 0;
    #hint = () => {};
    #isInterrupted = false;
    #stdin; // chunks; a zero length is the end

    constructor({ port, bell }) {
        this.#port = port;
        this.#bell = bell;
    }

    tell(message, transfer) {
        this.#port.postMessage(message, transfer);
    }

    connect(transport, address, _url, options, sink) {
        const id = ++this.#lastId;
        this.#sinks.set(id, sink);
        return new RemoteLink(this, id, transport, address, options);
    }

    watch(hint) {
        this.#hint = hint;
    }

    /** Hears what was said; if that was nothing, waits for the next word. */
    wait(ms) {
        const rung = Atomics.load(this.#bell, 0);
        if (!this.#hearAll() && ms > 0) {
            Atomics.wait(this.#bell, 0, rung, ms);
            this.#hearAll();
        }
    }

    #hearAll() {
        let count = 0;
        for (let word; (word = receiveMessageOnPort(this.#port)); count++) {
            this.#hear(word.message);
        }
        return count > 0;
    }

    #hear([what, id, value]) {
        const sink = this.#sinks.get(id);
        switch (what) {
            case 'opened':
                sink.opened(value);
                break;
            case 'data':
                sink.data(value);
                break;
            case 'room':
                sink.writable();
                break;
            case 'closed':
                this.#sinks.delete(id);
                sink.closed(value);
                break;
            case 'hint':
                this.#isInterrupted = true;
                this.#hint(id);
                break;
            case 'stdin':
                this.#stdin = id ?? new Uint8Array(0);
                break;
        }
    }

    /** Waits for standard input, as read(2) does; a signal interrupts it. */
    read(bytes) {
        if (!this.#stdin) {
            this.tell(['stdin']);
        }
        while (!this.#stdin) {
            this.wait(Infinity);
            if (this.#isInterrupted) {
                return -ERRNO_INTR;
            }
        }
        const part = this.#stdin.subarray(0, bytes.length);
        bytes.set(part);
        const rest = this.#stdin.subarray(part.length);
        this.#stdin = part.length === 0 || rest.length > 0 ? rest : undefined;
        return part.length;
    }
}

/** Writes all of it, however slow the reader is: what is written is out before we exit. */
function write(fd, bytes) {
    for (let done = 0; done < bytes.length; ) {
        try {
            done += writeSync(fd, bytes, done);
        } catch (error) {
            if (error.code !== 'EAGAIN') {
                return error.code === 'EPIPE' ? -ERRNO_PIPE : -ERRNO_IO;
            }
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
        }
    }
    return bytes.length;
}

/** What `act` returns, or why it failed as a negative errno. */
function attempt(act) {
    try {
        return act();
    } catch (error) {
        return -(ERRNO_OF[error.code] ?? ERRNO_IO);
    }
}

/** A file to read, for files.js. */
function open(name) {
    return attempt(() => {
        const fd = openSync(name, 'r');
        return {
            read: (bytes) => attempt(() => readSync(fd, bytes, 0, bytes.length, null)),
            close: () => closeSync(fd),
        };
    });
}

/** One line on stderr; what a peer put into it must not steer the terminal. */
function complain(text) {
    const line = text.replace(/[\x00-\x1f\x7f]/g, '?');
    write(2, new TextEncoder().encode(`natlet: ${line}\n`));
}

function run({ code, args, allow, files, logLevel = N.LOG_ERROR }, main) {
    const module = new WebAssembly.Module(code);
    const log = (level, text) => level <= logLevel && complain(`${HEADS[level] ?? ''}${text}`);
    const door = new Door(main, { allow, log });
    const wasi = new Wasi({
        args,
        env: process.env,
        write: (fd, bytes) => write(fd, bytes),
        read: (_fd, bytes) => main.read(bytes),
        files,
        open,
    });
    const imports = { natlet_host1: door.imports, ...wasi.imports(module) };
    const instance = new WebAssembly.Instance(module, imports);
    door.attach(instance.exports.memory);
    return wasi.start(instance);
}

const main = new Main(workerData);
let status = EXIT_TRAP;
try {
    status = run(workerData, main);
} catch (error) {
    complain(`the module trapped: ${error.message}`);
}
main.tell(['exit', status]);
