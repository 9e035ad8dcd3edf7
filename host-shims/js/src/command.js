// Command mode in Node: the module runs in a worker, where it may wait, and its sockets live
// here, in an event loop.
//
// Between the two goes a port.  The worker looks at it only when it polls; `bell` wakes it up.
// Bytes travel in arrays that change hands.  How much a connection has sent on is counted in
// shared memory, so that a sender need not be woken to learn that there is room (worker.js).
import { readFileSync } from 'node:fs';
import { MessageChannel, Worker } from 'node:worker_threads';
import { HINT_TERMINATE } from './constants.js';
import { nodeHost } from './host-node.js';
import { Status } from './status.js';

const EXIT_MS = 1000; // for what the last sends left, once the program is over

class Command {
    #host = nodeHost();
    #links = new Map();
    #bell = new Int32Array(new SharedArrayBuffer(4));
    #stdin;
    #port;
    #worker;
    #done;

    run(file, args, options) {
        const { port1, port2 } = new MessageChannel();
        this.#port = port1.on('message', (message) => this.#heard(message));
        this.#worker = new Worker(new URL('./worker.js', import.meta.url), {
            workerData: {
                ...options,
                code: readFileSync(file),
                args: ['natlet', ...args],
                bell: this.#bell,
                port: port2,
            },
            transferList: [port2],
        });
        const { promise, resolve, reject } = deferred();
        this.#done = resolve;
        this.#worker.once('error', reject);
        return promise;
    }

    terminate() {
        this.#tell(['hint', HINT_TERMINATE]);
    }

    #tell(message, transfer) {
        this.#port.postMessage(message, transfer);
        Atomics.add(this.#bell, 0, 1);
        Atomics.notify(this.#bell, 0);
    }

    #heard([what, id, ...rest]) {
        switch (what) {
            case 'open':
                this.#open(id, ...rest);
                break;
            case 'send':
                this.#send(id, ...rest);
                break;
            case 'took':
                this.#links.get(id)?.link.took(rest[0]);
                break;
            case 'close':
                this.#links.get(id)?.link.close(...rest);
                break;
            case 'abort':
                this.#links.get(id)?.link.abort();
                break;
            case 'stdin':
                this.#readStdin();
                break;
            case 'exit':
                this.#exit(id);
                break;
        }
    }

    #open(id, transport, address, options, sent) {
        const sink = {
            opened: (flags) => this.#tell(['opened', id, flags]),
            data: (bytes) => {
                const own = bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
                this.#tell(['data', id, own], [own.buffer]);
            },
            writable: () => {},
            closed: (how) => {
                this.#links.delete(id);
                this.#tell(['closed', id, how]);
            },
        };
        try {
            const link = this.#host.connect(transport, address, '', options, sink);
            this.#links.set(id, { link, sent });
        } catch {
            sink.closed({ status: Status.E_INVALID, code: 0, isClean: false, reason: '' });
        }
    }

    #send(id, bytes) {
        const { link, sent } = this.#links.get(id) ?? {};
        link?.write(bytes, () => {
            Atomics.add(sent, 0, bytes.length);
            if (Atomics.compareExchange(sent, 1, 1, 0) === 1) {
                this.#tell(['room', id]);
            }
        });
    }

    async #readStdin() {
        this.#stdin ??= process.stdin[Symbol.asyncIterator]();
        const { value, done } = await this.#stdin.next().catch(() => ({ done: true }));
        this.#tell(['stdin', done ? undefined : new Uint8Array(value)]);
    }

    #exit(code) {
        const end = Date.now() + EXIT_MS;
        for (const { link } of this.#links.values()) {
            link.close(0, '');
        }
        const look = () => {
            if (this.#links.size === 0 || Date.now() > end) {
                this.#done(code);
            } else {
                setTimeout(look, 5);
            }
        };
        look();
    }
}

function deferred() {
    const parts = {};
    parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
    return parts;
}

/** Runs the command module in `file`; resolves to its exit status.  options: allow (allow.js),
 *  files (names of those that it may read; none), logLevel (LOG_ERROR: only errors go to stderr).
 *
 *  SIGINT and SIGTERM ask the program to end; a second one ends it. */
export async function runCommand(file, args, options = {}) {
    const command = new Command();
    for (const signal of ['SIGINT', 'SIGTERM']) {
        process.once(signal, () => command.terminate());
    }
    return command.run(file, args, options);
}
