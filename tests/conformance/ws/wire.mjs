// RFC 6455 as bytes: frames of a server, the answer to an upgrade, and a strict reader of
// what a client sends.
import { createHash } from 'node:crypto';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455, 1.3

export const CONTINUE = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** The length of a frame as bytes, the first of them without the mask bit; `form` 16 or 64
 *  takes that form although a shorter one would do. */
function lengthBytes(length, form) {
    const bits = form ?? (length < 126n ? 7 : length < 65536n ? 16 : 64);
    if (bits === 7) {
        return [Number(length)];
    }
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(length);
    return bits === 16 ? [126, ...bytes.subarray(6)] : [127, ...bytes];
}

/** A frame.  Options: fin (true), rsv (0 to 7), mask (four bytes), form (16 or 64), says (a
 *  length other than the payload's). */
export function frame(opcode, payload = '', options = {}) {
    const { fin = true, rsv = 0, mask, form, says } = options;
    const body = Buffer.from(payload);
    const length = lengthBytes(BigInt(says ?? body.length), form);
    length[0] |= mask ? 0x80 : 0;
    if (mask) {
        body.forEach((byte, i) => (body[i] = byte ^ mask[i % 4]));
    }
    const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
    return Buffer.concat([Buffer.from([first, ...length, ...(mask ?? [])]), body]);
}

/** A close frame; `reason` may be bytes that are no UTF-8. */
export function closeFrame(code, reason = '', options = {}) {
    const payload = code === undefined ? [] : [code >> 8, code & 255];
    return frame(CLOSE, Buffer.concat([Buffer.from(payload), Buffer.from(reason)]), options);
}

export function acceptOf(key) {
    return createHash('sha1').update(key + GUID).digest('base64');
}

export const OFFER = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
const FLUSH = { finishFlush: constants.Z_SYNC_FLUSH };
const TAIL = Buffer.from([0, 0, 255, 255]); // RFC 7692, 7.2.1

/** A message's payload, compressed. */
export function deflated(payload, options = {}) {
    const all = deflateRawSync(payload, { ...FLUSH, ...options });
    return payload.length === 0 ? Buffer.from([0]) : all.subarray(0, -TAIL.length);
}

export function goodAnswer(key, extension) {
    return (
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n` +
        `${extension === undefined ? '' : `Sec-WebSocket-Extensions: ${extension}\r\n`}\r\n`
    );
}

/** What is wrong with the request of a client that offers nothing, or compression: texts. */
export function requestFaults(text, target, host, offersDeflate = false) {
    const [first, ...lines] = text.split('\r\n').slice(0, -2);
    const fields = lines.map((line) => /^([A-Za-z-]+): (.*)$/.exec(line)?.slice(1) ?? [line]);
    const all = (name) => fields.filter(([field]) => field.toLowerCase() === name);
    const faults = [];
    const want = {
        host,
        upgrade: 'websocket',
        connection: 'Upgrade',
        'sec-websocket-version': '13',
        ...(offersDeflate ? { 'sec-websocket-extensions': OFFER } : {}),
    };
    if (first !== `GET ${target} HTTP/1.1`) {
        faults.push(`request line ${first}`);
    }
    for (const [name, value] of Object.entries(want)) {
        if (all(name).length !== 1 || all(name)[0][1] !== value) {
            faults.push(`${name} is not ${value}`);
        }
    }
    const key = all('sec-websocket-key')[0]?.[1] ?? '';
    if (!/^[A-Za-z0-9+/]{21}[AQgw]==$/.test(key) || all('sec-websocket-key').length !== 1) {
        faults.push(`key ${key}`);
    }
    if (fields.length !== Object.keys(want).length + 1) {
        faults.push(`fields ${fields.map(([name]) => name)}`);
    }
    return faults;
}

/** RFC 6455, 7.4: whether a close frame may have this payload, if it has any. */
function mayBeSent(payload) {
    const code = payload.length >= 2 ? payload.readUInt16BE() : 0;
    const isRegistered = code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
    return isRegistered || (code >= 3000 && code <= 4999);
}

/** Reads what a client sends after its request: messages, pongs, its close, and what is
 *  wrong with it. */
export class ClientReader {
    messages = []; // { opcode, payload }
    pongs = [];
    keys = []; // masks, as numbers
    faults = [];
    close; // { code, reason } of its close frame; code 1005: none
    hasDeflate = false; // it was agreed on
    compressed = 0; // messages that were
    #raw = [];
    #size = 0;
    #parts; // of the message now arriving
    #need = 2;

    feed(bytes) {
        this.#raw.push(bytes);
        this.#size += bytes.length;
        while (this.#size >= this.#need && this.#next(this.#joined())) {
            // one frame after the other
        }
    }

    /** Nothing more comes. */
    end() {
        if (this.#size > 0) {
            this.faults.push(`${this.#size} bytes of an unfinished frame`);
        }
    }

    #joined() {
        this.#raw = [Buffer.concat(this.#raw)];
        return this.#raw[0];
    }

    /** False if more bytes are needed: #need says how many. */
    #next(raw) {
        const [first, second] = raw;
        const short = second & 127;
        const body = (short === 126 ? 4 : short === 127 ? 10 : 2) + (second >> 7 ? 4 : 0);
        if (raw.length < body) {
            this.#need = body;
            return false;
        }
        const length =
            short === 126
                ? raw.readUInt16BE(2)
                : short === 127
                  ? Number(raw.readBigUInt64BE(2))
                  : short;
        this.#need = body + length;
        if (raw.length < this.#need) {
            return false;
        }
        const payload = Buffer.from(raw.subarray(body, this.#need));
        this.#judge(first, second, short, length);
        if (second >> 7) {
            const key = raw.subarray(body - 4, body);
            this.keys.push(key.readUInt32BE());
            for (let i = 0; i < payload.length; i++) {
                payload[i] ^= key[i & 3];
            }
        }
        this.#take(first, payload);
        this.#raw = [raw.subarray(this.#need)];
        this.#size = this.#raw[0].length;
        this.#need = 2;
        return true;
    }

    #judge(first, second, short, length) {
        const opcode = first & 15;
        const isMinimal = short < 126 || (short === 126 ? length > 125 : length > 65535);
        const faults = [
            [this.close, `opcode ${opcode} after its close frame`],
            [first & (this.hasDeflate && opcode === BINARY ? 0x30 : 0x70), 'a reserved bit'],
            [!(second >> 7), 'a frame without a mask'],
            [!isMinimal, 'a length that is not minimal'],
            [opcode > 7 && (length > 125 || !(first >> 7)), 'a control frame that may not be'],
        ];
        this.faults.push(...faults.filter(([is]) => is).map(([, text]) => text));
    }

    #take(first, payload) {
        const opcode = first & 15;
        const isFinal = first >> 7 === 1;
        if (opcode <= BINARY) {
            if ((opcode === CONTINUE) !== Boolean(this.#parts)) {
                this.faults.push('fragments out of order');
            }
            this.#parts ??= { opcode, isCompressed: (first & 0x40) !== 0, payload: [] };
            this.#parts.payload.push(payload);
            if (isFinal) {
                const { opcode: kind, isCompressed, payload: parts } = this.#parts;
                const whole = isCompressed
                    ? inflateRawSync(Buffer.concat([...parts, TAIL]), FLUSH)
                    : Buffer.concat(parts);
                this.compressed += isCompressed ? 1 : 0;
                this.messages.push({ opcode: kind, payload: whole });
                this.#parts = undefined;
            }
        } else if (opcode === PONG) {
            this.pongs.push(payload);
        } else if (opcode === CLOSE) {
            if (payload.length > 0 && !mayBeSent(payload)) {
                this.faults.push(`a close frame with ${payload.toString('hex')}`);
            }
            this.close = {
                code: payload.length >= 2 ? payload.readUInt16BE() : 1005,
                reason: payload.subarray(2).toString(),
            };
        } else {
            this.faults.push(`a frame with opcode ${opcode}`);
        }
    }
}
