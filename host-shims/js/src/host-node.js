// Node as a host: byte streams over node:net and node:tls.
import net from 'node:net';
import tls from 'node:tls';
import { Worker } from 'node:worker_threads';
import * as N from './constants.js';
import { Link } from './link.js';
import { Status } from './status.js';

const RX_HIGH = 256 * 1024; // not yet taken by the guest: the peer has to wait
const STREAM_HIGH = 65536;

/** Why a socket failed, as a status. */
export function statusOf(error) {
    const code = error?.code ?? '';
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
        return Status.E_NAME;
    }
    if (code === 'ETIMEDOUT') {
        return Status.E_TIMEOUT;
    }
    return /^ERR_(TLS|SSL|OSSL)|CERT|SIGNATURE|EPROTO|CRL/.test(code) ? Status.E_TLS : Status.E_IO;
}

class StreamLink extends Link {
    #socket;
    #txHigh;
    #rxHigh;
    #untaken = 0;
    #error;

    constructor(transport, address, options, sink) {
        super(sink, options.connectMs);
        const isTls = transport === N.TRANSPORT_TLS;
        this.#txHigh = options.txHigh;
        this.#rxHigh = Math.min(RX_HIGH, options.rxLimit / 2);
        this.#socket = (isTls ? tls : net).connect({
            host: address.host,
            port: address.port,
            noDelay: options.noDelay ?? true,
            // A stream calls 'drain' only if it was filled to this mark, and send stops at txHigh.
            writableHighWaterMark: Math.min(options.txHigh, STREAM_HIGH),
            ...(options.keepAlive && {
                keepAlive: true,
                keepAliveInitialDelay: 1000 * options.keepAlive,
            }),
            ...(isTls && {
                servername: options.serverName ?? (net.isIP(address.host) ? '' : address.host),
                ca: options.ca,
            }),
        });
        this.#listen(isTls ? 'secureConnect' : 'connect');
    }

    #listen(connected) {
        this.#socket
            .on(connected, () => this.opened())
            .on('data', (chunk) => this.#read(chunk))
            .on('drain', () => this.hasRoom())
            .on('error', (error) => (this.#error = error))
            .on('end', () => this.ended({ status: Status.E_CLOSED }))
            .on('close', () => {
                const status = this.#error ? statusOf(this.#error) : Status.E_CLOSED;
                this.ended({ status });
            });
    }

    #read(chunk) {
        this.#untaken += chunk.length;
        if (this.#untaken >= this.#rxHigh) {
            this.#socket.pause();
        }
        this.arrived(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
    }

    took(n) {
        this.#untaken -= n;
        if (this.#socket.isPaused() && this.#untaken < this.#rxHigh / 2) {
            this.#socket.resume();
        }
    }

    /** Short only if the stream is full to the mark, for only then it calls 'drain': a write
     *  that the kernel took at once leaves as much room as before. */
    send(bytes) {
        let done = 0;
        while (done < bytes.length && this.#socket.writableLength < this.#txHigh) {
            const part = bytes.subarray(done, done + this.#txHigh - this.#socket.writableLength);
            this.write(Buffer.from(part)); // a copy
            done += part.length;
        }
        return done;
    }

    /** Takes all of `buffer`, which is ours from now on; calls `done` when it has left. */
    write(buffer, done) {
        this.#socket.write(buffer, done);
    }

    finish() {
        if (this.#socket.connecting) {
            this.#socket.destroy();
            return;
        }
        this.#untaken = -Infinity; // what still arrives is dropped, and must not hold up the end
        this.#socket.resume();
        this.#socket.end();
    }

    /** With RST where that is possible: neither before the connection nor after our FIN (the
     *  handle would stay behind, and busy), nor through TLS. */
    abort() {
        const { connecting, writableEnded } = this.#socket;
        if (connecting || writableEnded || this.#socket instanceof tls.TLSSocket) {
            this.#socket.destroy();
        } else {
            this.#socket.resetAndDestroy();
        }
    }
}

/** A worker for a guest (runners.js). */
function startWorker({ onMessage, onEnd }) {
    const worker = new Worker(new URL('./guest-worker-node.js', import.meta.url));
    let error;
    worker.on('message', onMessage);
    worker.on('error', (thrown) => (error = thrown));
    worker.on('exit', () => onEnd(error));
    return {
        post: (message) => worker.postMessage(message),
        terminate() {
            worker.removeAllListeners('message').removeAllListeners('exit');
            worker.terminate();
        },
    };
}

/** The host for instantiate(), in an event loop: it cannot wait. */
export function nodeHost() {
    return {
        name: 'node',
        caps: N.CAP_TCP | N.CAP_TLS | N.CAP_RXPAUSE | N.CAP_WALLCLOCK,
        options: [
            N.OPT_SNI,
            N.OPT_CA_PEM,
            N.OPT_CONNECT_MS,
            N.OPT_TX_HIGH,
            N.OPT_RX_LIMIT,
            N.OPT_NODELAY,
            N.OPT_KEEPALIVE,
        ],
        connect: (transport, address, _url, options, sink) =>
            new StreamLink(transport, address, options, sink),
        soon: (task) => setImmediate(task),
        startWorker,
    };
}
