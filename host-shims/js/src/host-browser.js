// A browser, or a worker in it, as a host: it speaks WebSocket itself.
//
// It cannot slow the peer down: what the guest does not take in time ends the connection.
import * as N from './constants.js';
import { Link } from './link.js';
import { Status } from './status.js';

const REASON_BYTES_MAX = 123; // RFC 6455, 5.5: 125 of a control frame less the code
const CODE_TEXT = 4003; // as 1003, which a page must not send
const CODE_POISONED = 4500;
const DRAIN_MS = [1, 4, 16]; // there is no event for room, so look again ever more slowly

/** A page may close with 1000 or 3000..4999; the others keep their last digits. */
function closeCode(code) {
    if (code === 1000 || (code >= 3000 && code <= 4999)) {
        return code;
    }
    return code === 0 ? 1000 : 4000 + (code % 1000);
}

/** As much of `text` as a close frame holds, whole characters only. */
function closeReason(text) {
    const room = new Uint8Array(REASON_BYTES_MAX);
    return text.slice(0, new TextEncoder().encodeInto(text, room).read);
}

class WebSocketLink extends Link {
    #socket;
    #txHigh;
    #wait = 0;
    #timer;
    #wasOpen = false;

    constructor(url, options, sink) {
        const socket = new WebSocket(url); // first: it may throw
        super(sink, options.connectMs);
        this.#socket = socket;
        this.#txHigh = options.txHigh;
        socket.binaryType = 'arraybuffer';
        socket.onopen = () => {
            this.#wasOpen = true;
            this.opened(socket.extensions.includes('deflate') ? N.OPENED_DEFLATE : 0);
        };
        socket.onmessage = ({ data }) => this.#read(data);
        socket.onclose = (event) => this.#onClose(event);
    }

    #read(data) {
        if (typeof data === 'string') {
            this.fail(Status.E_IO, CODE_TEXT, 'text frame'); // H12
        } else {
            this.arrived(new Uint8Array(data));
        }
    }

    #onClose({ code, reason, wasClean }) {
        clearTimeout(this.#timer);
        const status = this.#wasOpen && wasClean ? Status.E_CLOSED : Status.E_IO;
        this.ended({ status, code, reason, isClean: wasClean });
    }

    took() {}

    send(bytes) {
        if (this.#socket.bufferedAmount >= this.#txHigh) {
            this.#wait = 0;
            this.#watchRoom();
            return 0;
        }
        this.#socket.send(bytes); // copies
        return bytes.length;
    }

    #watchRoom() {
        clearTimeout(this.#timer);
        const ms = DRAIN_MS[Math.min(this.#wait++, DRAIN_MS.length - 1)];
        this.#timer = setTimeout(() => {
            if (this.#socket.bufferedAmount <= this.#txHigh / 2) {
                this.hasRoom();
            } else {
                this.#watchRoom();
            }
        }, ms);
    }

    finish(code, reason) {
        this.#socket.close(closeCode(code), closeReason(reason));
    }

    abort() {
        this.#socket.close(CODE_POISONED);
    }
}

/** Calls `hint` for what may have broken the connection unseen. */
function watch(hint) {
    const stop = new AbortController();
    const on = (target, type, which, test = () => true) =>
        target?.addEventListener(type, (event) => test(event) && hint(which), {
            signal: stop.signal,
        });
    const page = globalThis.document;
    on(globalThis, 'online', N.HINT_ONLINE);
    on(globalThis, 'offline', N.HINT_OFFLINE);
    on(globalThis, 'pageshow', N.HINT_RESUME, (event) => event.persisted);
    on(page, 'visibilitychange', N.HINT_RESUME, () => page.visibilityState === 'visible');
    on(page, 'freeze', N.HINT_FREEZE);
    on(page, 'resume', N.HINT_RESUME);
    return () => stop.abort();
}

/** Makes soon(task): a task of the event loop, which setTimeout would hold back for 4 ms. */
function scheduler() {
    const { port1, port2 } = new MessageChannel();
    const tasks = [];
    port1.onmessage = () => tasks.shift()();
    return (task) => {
        tasks.push(task);
        port2.postMessage(0);
    };
}

/** A worker for a guest (runners.js). */
function startWorker({ onMessage, onEnd }) {
    const worker = new Worker(new URL('./guest-worker-web.js', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }) => onMessage(data);
    worker.onerror = (event) => {
        event.preventDefault();
        worker.terminate();
        onEnd(event);
    };
    return {
        post: (message) => worker.postMessage(message),
        terminate() {
            worker.onmessage = worker.onerror = null;
            worker.terminate();
        },
    };
}

/** The host for instantiate() in a page or a worker of it. */
export function browserHost() {
    return {
        name: 'browser',
        caps: N.CAP_WS | N.CAP_WALLCLOCK | N.CAP_COOKIES | N.CAP_HINTS,
        options: [N.OPT_CONNECT_MS, N.OPT_TX_HIGH, N.OPT_RX_LIMIT],
        connect: (_transport, _address, url, options, sink) =>
            new WebSocketLink(url, options, sink),
        watch,
        soon: scheduler(),
        startWorker,
    };
}
