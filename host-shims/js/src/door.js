// The host's side of the door (natlet/host.h), the same for every JavaScript host.
//
// What a host adds is an object: { name, caps, options, connect, watch?, wait? }.
//   connect(transport, address, url, options, sink)  starts a link (link.js) that has
//       send(bytes) -> how many it took (and copied), took(n), close(code, reason), abort()
//   options      the OPT_ tags it serves
//   watch(hint)  calls hint(HINT_*) from now on; returns what stops it
//   wait(ms)     takes what other threads left for us, then waits for more of it;
//                only with CAP_BLOCK
//
// Bytes stay in the array in which they arrived until recv copies them into the guest.
import { allowing, parseAddress } from './allow.js';
import { Conn } from './conn.js';
import * as N from './constants.js';
import { parseOptions } from './options.js';
import { encodeSigned } from './signed.js';
import { Status } from './status.js';

const INFO_BYTES = 56; // natlet_host_info
const EVENT_BYTES = 16; // natlet_host_event
const RANDOM_BYTES_MAX = 65536; // of one getRandomValues
const TX_HIGH = 256 * 1024;
const URL_BYTES_MAX = 4096;
const LOG_BYTES_MAX = 4096;
const LAST_LINES = 20;

const CAP_OF = {
    [N.TRANSPORT_WS]: N.CAP_WS,
    [N.TRANSPORT_TCP]: N.CAP_TCP,
    [N.TRANSPORT_TLS]: N.CAP_TLS,
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Door {
    /** Called when there is something to poll.  Never calls the guest itself (H1). */
    onEvent = () => {};
    /** Bytes of the last recvs by number, for Areas; undefined where nobody maps them. */
    segments = undefined;
    segmentCount = 0;
    lastLines = []; // for the report on a poisoned instance
    lastUrl = undefined; // that was dialled

    #host;
    #limits;
    #isAllowed;
    #log;
    #signer;
    #memory;
    #bytes = new Uint8Array(0);
    #view;
    #conns = new Map(); // by slot
    #ready = []; // connections with pending events, in order
    #hints = [];
    #isWoken = false;
    #unwatch;

    /** options: allow (patterns, see allow.js), log(level, text), authenticator(nonce, { url })
     *  (signed.js), connsMax, rxQueueBytes, sendBytesMax. */
    constructor(host, options = {}) {
        const { connsMax = 64, rxQueueBytes = 8 << 20, sendBytesMax = 1 << 20 } = options;
        this.#host = host;
        this.#limits = { connsMax, rxQueueBytes, sendBytesMax };
        this.#isAllowed = allowing(options.allow);
        this.#log = options.log ?? (() => {});
        this.#signer = options.authenticator;
        this.#unwatch = host.watch?.((hint) => this.hint(hint));
    }

    /** The import module natlet_host1.  wasm hands over i32, here they become addresses. */
    get imports() {
        const u = (n) => n >>> 0;
        return {
            hello: (abi, out) => this.#hello(u(abi), u(out)),
            open: (conn, transport, url, urlLen, options, optionsLen) =>
                this.#open(u(conn), transport, [u(url), u(urlLen)], [u(options), u(optionsLen)]),
            recv: (conn, buf, cap) => this.#recv(u(conn), u(buf), u(cap)),
            send: (conn, buf, len) => this.#send(u(conn), u(buf), u(len)),
            close: (conn, code, why, len) => this.#close(u(conn), u(code), u(why), u(len)),
            poll: (events, cap, timeout) => this.#poll(u(events), u(cap), timeout),
            clock: (which) => (which === N.CLOCK_UNIX ? Date.now() : performance.now()),
            random: (buf, len) => this.#random(u(buf), u(len)),
            log: (level, text, len) => this.#write(level, u(text), u(len)),
            wake: () => this.wake(),
            ctl: (op, conn, data, len) => this.#ctl(u(op), u(conn), u(data), u(len)),
        };
    }

    attach(memory) {
        this.#memory = memory;
    }

    hint(which) {
        if (!this.#hints.includes(which)) {
            this.#hints.push(which);
            this.onEvent();
        }
    }

    wake() {
        this.#isWoken = true;
        this.onEvent();
    }

    /** Ends every connection at once, without a word to the guest. */
    abort() {
        this.#unwatch?.();
        for (const conn of this.#conns.values()) {
            if (!conn.how) {
                conn.isClosing = true;
                conn.link.abort();
            }
        }
        this.onEvent = () => {};
    }

    /** Drops segments that no record can name any more: all but each connection's last. */
    releaseSegments() {
        const kept = [...this.#conns.values()]
            .filter((conn) => this.segments.has(conn.segment))
            .map((conn) => [conn.segment, this.segments.get(conn.segment)]);
        this.segments = new Map(kept);
    }

    // H3: memory may have grown, and with it moved, since we last looked.
    // H4: both numbers are below 2^32, so their sum is exact.
    #fits(address, len) {
        if (this.#memory && this.#bytes.buffer !== this.#memory.buffer) {
            this.#bytes = new Uint8Array(this.#memory.buffer);
            this.#view = new DataView(this.#memory.buffer);
        }
        return address + len <= this.#bytes.length;
    }

    #find(id) {
        const conn = this.#conns.get(id & 0xffff);
        return conn?.id === id ? conn : undefined;
    }

    #hello(abi, out) {
        if (!this.#fits(out, 4)) {
            return Status.E_FAULT;
        }
        const size = Math.min(this.#view.getUint32(out, true), INFO_BYTES);
        if (!this.#fits(out, size)) {
            return Status.E_FAULT;
        }
        if (abi >>> 16 !== N.ABI_MAJOR) {
            return Status.E_UNSUPPORTED;
        }
        const { connsMax, rxQueueBytes, sendBytesMax } = this.#limits;
        const info = new Uint8Array(INFO_BYTES);
        const words = [
            size,
            (N.ABI_MAJOR << 16) | N.ABI_MINOR,
            this.#host.caps,
            connsMax,
            rxQueueBytes,
            sendBytesMax,
        ];
        const view = new DataView(info.buffer);
        words.forEach((word, i) => view.setUint32(4 * i, word, true));
        encoder.encodeInto(this.#host.name, info.subarray(24, INFO_BYTES - 1));
        this.#bytes.set(info.subarray(0, size), out);
        return size;
    }

    #open(id, transport, [url, urlLen], [options, optionsLen]) {
        if (!this.#fits(url, urlLen) || !this.#fits(options, optionsLen)) {
            return Status.E_FAULT;
        }
        const old = this.#conns.get(id & 0xffff);
        if (id === 0 || urlLen > URL_BYTES_MAX || (old && !old.isOver)) {
            return Status.E_INVALID;
        }
        if ((this.#host.caps & (CAP_OF[transport] ?? 0)) === 0) {
            return Status.E_UNSUPPORTED;
        }
        const text = decoder.decode(this.#bytes.slice(url, url + urlLen));
        const address = parseAddress(text);
        const bytes = this.#bytes.slice(options, options + optionsLen);
        const given = parseOptions(bytes, this.#host.options);
        if (!address || given < 0) {
            return given < 0 ? given : Status.E_INVALID;
        }
        if (!this.#isAllowed(address)) {
            return Status.E_DENIED;
        }
        return this.#connect(id, transport, address, text, given);
    }

    #connect(id, transport, address, url, given) {
        const live = [...this.#conns.values()].filter((conn) => !conn.isOver);
        if (live.length >= this.#limits.connsMax) {
            return Status.E_LIMIT;
        }
        const { rxQueueBytes } = this.#limits;
        const rxLimit = Math.min(given.rxLimit ?? rxQueueBytes, rxQueueBytes);
        const conn = new Conn(id, rxLimit, url);
        const options = { ...given, rxLimit, txHigh: given.txHigh ?? TX_HIGH };
        try {
            conn.link = this.#host.connect(transport, address, url, options, this.#sink(conn));
        } catch {
            return Status.E_INVALID; // the host's own rules for a URL
        }
        this.#conns.set(id & 0xffff, conn);
        this.lastUrl = url;
        return Status.OK;
    }

    /** What a link tells us; none of it may call the guest. */
    #sink(conn) {
        return {
            opened: (flags) => {
                conn.isOpen = true;
                conn.openFlags = flags;
                this.#raise(conn, N.EV_OPEN);
                if (conn.wantsRoom) {
                    this.#raiseWritable(conn);
                }
            },
            data: (bytes) => this.#arrived(conn, bytes),
            writable: () => conn.wantsRoom && this.#raiseWritable(conn),
            closed: (how) => {
                conn.how = conn.isClosing ? { ...how, status: Status.OK } : how;
                conn.pending &= ~(1 << N.EV_SIGNED); // CLOSED is the last one (H7)
                this.#raise(conn, N.EV_CLOSED);
            },
        };
    }

    #arrived(conn, bytes) {
        if (conn.cost + bytes.length > conn.rxLimit) {
            conn.link.fail(Status.E_LIMIT, 4008, 'receive queue is full'); // H13
            return;
        }
        conn.push(bytes);
        if (conn.isArmed) {
            conn.isArmed = false;
            this.#raise(conn, N.EV_READABLE);
        }
    }

    #raiseWritable(conn) {
        conn.wantsRoom = false;
        this.#raise(conn, N.EV_WRITABLE);
    }

    #raise(conn, type) {
        if (conn.isClosing && type !== N.EV_CLOSED) {
            return;
        }
        if (conn.pending === 0) {
            this.#ready.push(conn);
        }
        conn.pending |= 1 << type;
        this.onEvent();
    }

    #recv(id, buf, cap) {
        if (!this.#fits(buf, cap)) {
            return Status.E_FAULT;
        }
        const conn = this.#find(id);
        if (!conn || conn.isClosing) {
            return Status.E_CLOSED;
        }
        if (cap === 0) {
            return Status.E_INVALID;
        }
        const bytes = conn.take(cap);
        if (!bytes) {
            conn.isArmed = true;
            return conn.how ? Status.E_CLOSED : Status.E_AGAIN;
        }
        this.#bytes.set(bytes, buf);
        this.segmentCount = (this.segmentCount + 1) >>> 0;
        if (this.segments) {
            conn.segment = this.segmentCount;
            this.segments.set(conn.segment, bytes);
        }
        conn.link.took(bytes.length);
        return bytes.length;
    }

    #send(id, buf, len) {
        if (!this.#fits(buf, len)) {
            return Status.E_FAULT;
        }
        const conn = this.#find(id);
        if (!conn || conn.isClosing || conn.how) {
            return Status.E_CLOSED;
        }
        if (len > this.#limits.sendBytesMax) {
            return Status.E_TOO_LARGE;
        }
        const bytes = this.#bytes.subarray(buf, buf + len);
        const taken = conn.isOpen && len > 0 ? conn.link.send(bytes) : 0;
        conn.wantsRoom ||= taken < len;
        return taken;
    }

    #close(id, code, why, len) {
        if (!this.#fits(why, len)) {
            return Status.E_FAULT;
        }
        const conn = this.#find(id);
        if (!conn) {
            return Status.E_CLOSED;
        }
        if (conn.isClosing) {
            return Status.OK;
        }
        conn.isClosing = true;
        conn.pending &= 1 << N.EV_CLOSED;
        const left = conn.queued;
        conn.drop();
        if (!conn.how) {
            conn.link.took(left);
            conn.link.close(code, decoder.decode(this.#bytes.slice(why, why + len)));
        }
        return Status.OK;
    }

    #poll(events, cap, timeout) {
        if (!this.#fits(events, cap * EVENT_BYTES)) {
            return Status.E_FAULT;
        }
        if (timeout !== 0 && !this.#host.wait) {
            return Status.E_INVALID;
        }
        if (this.#host.wait) {
            this.#await(timeout);
        }
        let count = 0;
        const put = (conn, type, flags = 0, a = 0, b = 0) => {
            const at = events + EVENT_BYTES * count++;
            this.#view.setUint32(at, conn, true);
            this.#view.setUint16(at + 4, type, true);
            this.#view.setUint16(at + 6, flags, true);
            this.#view.setUint32(at + 8, a, true);
            this.#view.setUint32(at + 12, b, true);
        };
        while (count < cap && this.#hints.length > 0) {
            put(0, N.EV_HINT, 0, this.#hints.shift());
        }
        if (count < cap && this.#isWoken) {
            this.#isWoken = false;
            put(0, N.EV_WAKE);
        }
        while (count < cap && this.#ready.length > 0) {
            this.#putNext(this.#ready[0], put);
            if (this.#ready[0].pending === 0) {
                this.#ready.shift();
            }
        }
        return count;
    }

    /** The first pending event of `conn`; the numbers are in the order of H7. */
    #putNext(conn, put) {
        if (conn.pending === 0) {
            return; // the guest closed it since
        }
        const type = 31 - Math.clz32(conn.pending & -conn.pending);
        conn.pending &= conn.pending - 1;
        if (type === N.EV_OPEN) {
            put(conn.id, type, 0, conn.openFlags);
        } else if (type === N.EV_READABLE) {
            put(conn.id, type, 0, conn.queued);
        } else if (type === N.EV_WRITABLE) {
            put(conn.id, type);
        } else if (type === N.EV_SIGNED) {
            put(conn.id, type, 0, conn.signed.answer.length, conn.signed.status);
        } else {
            conn.isOver = true;
            const { code, isClean, status } = conn.how;
            put(conn.id, type, isClean ? N.CLOSED_CLEAN : 0, code, status);
        }
    }

    #await(timeout) {
        const end = timeout < 0 ? Infinity : performance.now() + timeout;
        let left = 0;
        do {
            this.#host.wait(left);
            left = Math.max(0, end - performance.now());
        } while (left > 0 && !this.#isWoken && !this.#hints.length && !this.#ready.length);
    }

    // H11: from the CSPRNG or not at all.
    #random(buf, len) {
        if (!this.#fits(buf, len)) {
            return Status.E_FAULT;
        }
        try {
            for (let at = 0; at < len; at += RANDOM_BYTES_MAX) {
                const end = Math.min(len, at + RANDOM_BYTES_MAX);
                crypto.getRandomValues(this.#bytes.subarray(buf + at, buf + end));
            }
        } catch {
            return Status.E_UNSUPPORTED;
        }
        return Status.OK;
    }

    #write(level, at, len) {
        if (!this.#fits(at, len)) {
            return;
        }
        const text = decoder.decode(this.#bytes.slice(at, at + Math.min(len, LOG_BYTES_MAX)));
        this.lastLines.push(text);
        if (this.lastLines.length > LAST_LINES) {
            this.lastLines.shift();
        }
        this.#log(level, text);
    }

    #ctl(op, id, data, len) {
        if (!this.#fits(data, len)) {
            return Status.E_FAULT;
        }
        const conn = this.#find(id);
        switch (op) {
            case N.CTL_UPGRADE_STATUS:
                return 0;
            case N.CTL_CLOSE_REASON: {
                const reason = encoder.encode(conn?.how?.reason ?? '').subarray(0, len);
                this.#bytes.set(reason, data);
                return reason.length;
            }
            case N.CTL_SIGN:
                return this.#sign(conn, decoder.decode(this.#bytes.slice(data, data + len)));
            case N.CTL_SIGNED:
                return this.#takeSigned(conn, data, len);
            default:
                return Status.E_UNSUPPORTED;
        }
    }

    /** Asks who we are.  The answer comes as an event of its own, never from inside (H1). */
    #sign(conn, nonce) {
        if (!this.#signer) {
            return Status.E_UNSUPPORTED;
        }
        if (!conn || conn.isClosing || conn.how) {
            return Status.E_CLOSED;
        }
        const round = ++conn.signing;
        const settle = (status, answer) => {
            if (conn.signing === round && !conn.isClosing && !conn.how) {
                conn.signed = { status, answer };
                this.#raise(conn, N.EV_SIGNED);
            }
        };
        Promise.resolve()
            .then(() => this.#signer(nonce, { url: conn.url }))
            .then((identity) => settle(Status.OK, encodeSigned(identity ?? {})))
            .catch((error) => {
                this.#log(N.LOG_ERROR, `authenticator: ${error?.message ?? error}`);
                settle(Status.E_AUTH, new Uint8Array(0));
            });
        return Status.OK;
    }

    /** The answer, once: it holds secrets. */
    #takeSigned(conn, data, len) {
        const answer = conn?.signed?.answer;
        if (!answer) {
            return 0;
        }
        if (answer.length > len) {
            return Status.E_TOO_LARGE;
        }
        this.#bytes.set(answer, data);
        answer.fill(0);
        conn.signed = undefined;
        return answer.length;
    }
}
