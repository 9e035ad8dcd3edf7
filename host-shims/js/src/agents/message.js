// What an agent is given: the five fields of an agent message, made when they are asked for, and
// the bytes as they came.
import { MsgHdrsImpl } from '../nats/headers.js';

const NS_PER_S = 1000000000n;
const NATS = 2; // natlet_mail_kind
const DEPTH_MAX = 127; // of JSON: serde_json's
const CHUNK = 0x8000;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes and strings as they are, all else as JSON. */
export function bytesOf(data) {
    if (data instanceof Uint8Array || typeof data === 'string') {
        return data;
    }
    return data === undefined ? '' : JSON.stringify(data);
}

export function headerBytes(headers) {
    return headers?.encode();
}

/** What JSON.parse takes and serde_json does not: infinite numbers, half characters, and more
 *  than DEPTH_MAX levels. */
function isPlain(value, depth = 0) {
    if (typeof value === 'number') {
        return Number.isFinite(value);
    }
    if (typeof value === 'string') {
        return !/\p{Surrogate}/u.test(value);
    }
    if (value === null || typeof value !== 'object') {
        return true;
    }
    if (depth >= DEPTH_MAX) {
        return false;
    }
    return Object.entries(value).every(([key, one]) => isPlain(key) && isPlain(one, depth + 1));
}

function base64(bytes) {
    let text = '';
    for (let at = 0; at < bytes.length; at += CHUNK) {
        text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
    }
    return btoa(text);
}

/** The JSON value that these bytes are, or { raw } with them in base64. */
export function payloadOf(bytes) {
    try {
        const value = JSON.parse(decoder.decode(bytes));
        if (isPlain(value)) {
            return value;
        }
    } catch {
        // not JSON
    }
    return { raw: base64(bytes) };
}

/** Wall time in nanoseconds, never the same twice. */
export class Clock {
    #last = 0n;

    next() {
        const now = BigInt(Date.now()) * 1000000n;
        this.#last = now > this.#last ? now : this.#last + 1n;
        return this.#last;
    }
}

export class AgentMessage {
    #record;
    #answer;
    #payload;

    /** record: of a mail, or of a subscription's message with an idNs; `to`: the agent's id;
     *  answer(reply, bytes) sends. */
    constructor(record, to, answer) {
        this.#record = record;
        this.#answer = answer;
        const isNats = record.mailKind === undefined || record.mailKind === NATS;
        this.from = isNats ? 'nats' : 'local';
        this.to = isNats ? record.subject : to;
        this.attempt = record.attempt ?? 1;
    }

    get id() {
        return `nats_${this.#record.idNs}`;
    }

    /** Seconds. */
    get timestamp() {
        return Number(this.#record.idNs / NS_PER_S);
    }

    get payload() {
        this.#payload ??= { value: payloadOf(this.bytes) };
        return this.#payload.value;
    }

    /** A view of what arrived: slice() it to keep little of much. */
    get bytes() {
        return this.#record.data;
    }

    string() {
        return new TextDecoder().decode(this.bytes);
    }

    /** Throws where payload says { raw }. */
    json() {
        return JSON.parse(this.string());
    }

    get headers() {
        const { headers } = this.#record;
        return headers && MsgHdrsImpl.decode(headers);
    }

    /** Undefined: nobody asked. */
    get reply() {
        return this.#record.reply || undefined;
    }

    /** Answers who asked; does nothing if nobody did. */
    respond(data) {
        if (this.reply) {
            this.#answer(this.reply, bytesOf(data));
        }
    }

    toJSON() {
        const { id, from, to, payload, timestamp } = this;
        return { id, from, to, payload, timestamp };
    }
}

