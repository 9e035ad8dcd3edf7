// A server that says exactly what a test wants, over plain TCP or WebSocket.
import { createHash } from 'node:crypto';
import net from 'node:net';
import { within } from '../../support/harness.mjs';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455, 1.3

export const INFO =
    'INFO {"server_id":"FAKE","version":"2.15.0","proto":1,"headers":true,"max_payload":1048576}\r\n';

/** A whole server frame (RFC 6455, 5.2). */
export function frame(payload, opcode = 2, first = 0x80 | opcode) {
    const body = Buffer.from(payload);
    const length = body.length;
    const head =
        length < 126
            ? [first, length]
            : length < 65536
              ? [first, 126, length >> 8, length & 255]
              : [first, 127];
    const parts = [Buffer.from(head)];
    if (length >= 65536) {
        const long = Buffer.alloc(8);
        long.writeBigUInt64BE(BigInt(length));
        parts.push(long);
    }
    return Buffer.concat([...parts, body]);
}

/** The answer that a client wants to its upgrade request. */
export function upgradeAnswer(
    request,
    { status = '101 Switching Protocols', version = 'HTTP/1.1', fields = {} } = {},
) {
    const key = /^sec-websocket-key: *(\S+)/im.exec(request)?.[1] ?? '';
    const all = {
        Upgrade: 'websocket',
        Connection: 'Upgrade',
        'Sec-WebSocket-Accept': createHash('sha1')
            .update(key + GUID)
            .digest('base64'),
        ...fields,
    };
    const lines = Object.entries(all)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}: ${value}\r\n`);
    return `${version} ${status}\r\n${lines.join('')}\r\n`;
}

/** One accepted connection.  `text` is what the client said, without its framing. */
class Peer {
    text = '';
    #socket;
    #isWs;
    #raw = Buffer.alloc(0);
    #waiting = [];

    constructor(socket, isWs) {
        this.#socket = socket.setNoDelay().on('error', () => {});
        this.#isWs = isWs;
        socket.on('data', (bytes) => this.#read(bytes));
        this.closed = new Promise((done) => socket.once('close', done));
        this.closed.then(() => this.#look());
    }

    get isGone() {
        return this.#socket.destroyed;
    }

    /** Bytes as they are. */
    raw(bytes) {
        return new Promise((done) => this.#socket.write(bytes, done));
    }

    /** Protocol bytes, over WebSocket as one message. */
    say(bytes) {
        return this.raw(this.#isWs ? frame(bytes) : bytes);
    }

    /** Resolves when what the client said matches, or it is gone: then to undefined. */
    heard(pattern, ms = 5000) {
        const wanted = new Promise((done) => this.#waiting.push({ pattern, done }));
        this.#look();
        return within(
            ms,
            wanted,
            `hearing ${pattern}, after ${JSON.stringify(this.text.slice(-200))},`,
        );
    }

    /** The upgrade request; at once over plain TCP. */
    async request() {
        return this.#isWs ? (await this.heard(/^GET [^]*?\r\n\r\n/))?.[0] : '';
    }

    /** Everything up to a connection that works. */
    async greet(info = INFO) {
        const request = await this.request();
        if (this.#isWs) {
            await this.raw(upgradeAnswer(request));
        }
        await this.say(info);
        await this.heard(/^CONNECT [^]*PING\r\n/m);
        await this.say('PONG\r\n');
    }

    pause() {
        this.#socket.pause();
    }

    resume() {
        this.#socket.resume();
    }

    end() {
        this.#socket.end();
    }

    destroy() {
        this.#socket.destroy();
    }

    #read(bytes) {
        this.#raw = Buffer.concat([this.#raw, bytes]);
        if (!this.#isWs || !this.text.includes('\r\n\r\n')) {
            this.#takeHead();
        }
        if (this.#isWs) {
            while (this.#takeFrame());
        }
        this.#look();
    }

    /** What comes before the first frame: all of it over plain TCP. */
    #takeHead() {
        const end = this.#isWs ? this.#raw.indexOf('\r\n\r\n') + 4 : this.#raw.length;
        if (end > 3 || !this.#isWs) {
            this.text += this.#raw.subarray(0, end).toString('latin1');
            this.#raw = this.#raw.subarray(end);
        }
    }

    /** A client's frames are masked; what they carry but close and pong is protocol. */
    #takeFrame() {
        const raw = this.#raw;
        if (!this.text.includes('\r\n\r\n') || raw.length < 6) {
            return false;
        }
        const short = raw[1] & 0x7f;
        const head = short < 126 ? 2 : short === 126 ? 4 : 10;
        if (raw.length < head + 4) {
            return false;
        }
        const length =
            short < 126
                ? short
                : short === 126
                  ? raw.readUInt16BE(2)
                  : Number(raw.readBigUInt64BE(2));
        if (raw.length < head + 4 + length) {
            return false;
        }
        const mask = raw.subarray(head, head + 4);
        const body = Buffer.from(raw.subarray(head + 4, head + 4 + length)).map(
            (b, i) => b ^ mask[i & 3],
        );
        const opcode = raw[0] & 15;
        if (opcode === 8) {
            this.closeCode = body.length >= 2 ? body.readUInt16BE(0) : 1005;
        } else if (opcode < 3) {
            this.text += body.toString('latin1');
        } else if (opcode === 10) {
            this.pongs = (this.pongs ?? 0) + 1;
        }
        this.#raw = raw.subarray(head + 4 + length);
        return true;
    }

    #look() {
        this.#waiting = this.#waiting.filter(({ pattern, done }) => {
            const match = pattern.exec(this.text);
            if (match || this.isGone) {
                done(match ?? undefined);
                return false;
            }
            return true;
        });
    }
}

/** Listens on a free port of loopback; play(peer, n) gets each connection, n from 0. */
export async function startFake(isWs, play) {
    let count = 0;
    const peers = new Set();
    const server = net.createServer({ allowHalfOpen: false }, (socket) => {
        const peer = new Peer(socket, isWs);
        peers.add(peer);
        peer.closed.then(() => peers.delete(peer));
        play(peer, count++);
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    return {
        url: `${isWs ? 'ws' : 'nats'}://127.0.0.1:${server.address().port}`,
        stop() {
            server.close();
            peers.forEach((peer) => peer.destroy());
        },
    };
}
