// The two areas of natlet/embed.h: operations go in, records come out, and the boundary is
// crossed once per turn, not once per message.
import * as N from './constants.js';
import { Status } from './status.js';

const HEAD_BYTES = 32; // of an operation, and of a record
const MAX_PENDING_BYTES = 64 << 20;

// Words of natlet_embed_areas.
const SUBMISSION = 1;
const SUBMISSION_BYTES = 2;
const SUBMITTED = 3;
const COMPLETION = 5;
const COMPLETION_CAP = 6;
const COMPLETED = 7;
const MEMORY_BYTES = 10;
const LOST = 12;
const UNKNOWN = 0xffffffff;

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Most bytes that `part`, a string or a Uint8Array, can become. */
function bytesMax(part) {
    return typeof part === 'string' ? 3 * part.length : part.length;
}

export class Areas {
    #reactor;
    #maxPending;
    #at; // word address of natlet_embed_areas
    #bytes = NOTHING;
    #words;
    #stash = []; // records of a turn that an append made
    #subjects = new Map(); // last subject by subscription: they repeat

    constructor(reactor, maxPendingBytes = MAX_PENDING_BYTES) {
        this.#reactor = reactor;
        this.#maxPending = maxPendingBytes;
        this.#at = reactor.exports.natlet_areas() >>> 2;
        reactor.door.segments = new Map();
    }

    /** What the module holds of its heap. */
    get memoryBytes() {
        this.#look();
        return this.#word(MEMORY_BYTES);
    }

    /** Mail that a poisoned module had; undefined: nobody knows. */
    get lost() {
        this.#look();
        const lost = this.#word(LOST);
        return lost === UNKNOWN ? undefined : lost;
    }

    /** Records there is room for; it grows when one read brings more. */
    get recordsMax() {
        this.#look();
        return this.#word(COMPLETION_CAP);
    }

    /** Appends one operation; its strings are encoded, its arrays copied.  False when what is
     *  pending would exceed the bound, or the module is out of memory. */
    append(kind, op) {
        const { id = 0, arg = 0, flags = 0 } = op;
        const { subject = '', reply = '', headers = NOTHING, payload = NOTHING } = op;
        const need = HEAD_BYTES + 7 + bytesMax(subject) + bytesMax(reply) + bytesMax(payload);
        if (!this.#makeRoom(need + headers.length)) {
            return false;
        }
        const start = this.#word(SUBMISSION) + this.#word(SUBMITTED);
        const words = this.#words;
        const head = start >>> 2;
        let at = start + HEAD_BYTES;
        at += words[head + 4] = this.#put(subject, at);
        at += words[head + 5] = this.#put(reply, at);
        at += words[head + 6] = this.#put(headers, at);
        at += words[head + 7] = this.#put(payload, at);
        const size = (at - start + 7) & ~7;
        words[head] = size;
        words[head + 1] = kind | (flags << 16);
        words[head + 2] = id;
        words[head + 3] = arg;
        words[this.#at + SUBMITTED] += size;
        this.#reactor.schedule();
        return true;
    }

    /** The records of the turns since the last take, as objects that own their bytes or view
     *  the arrays in which they arrived. */
    take() {
        const records = this.#stash.length > 0 ? [...this.#stash, ...this.#read()] : this.#read();
        this.#stash = [];
        return records;
    }

    /** All that was appended is taken.  Only then there is room again where there was none. */
    get isEmpty() {
        this.#look();
        return this.#word(SUBMITTED) === 0;
    }

    /** Nothing of subscription `id` will come any more. */
    forget(id) {
        this.#subjects.delete(id);
    }

    // Memory may have grown since we last looked.
    #look() {
        const { buffer } = this.#reactor.memory;
        if (this.#bytes.buffer !== buffer) {
            this.#bytes = new Uint8Array(buffer);
            this.#words = new Uint32Array(buffer);
        }
    }

    #word(field) {
        return this.#words[this.#at + field];
    }

    #hasRoom(need) {
        this.#look();
        return this.#word(SUBMISSION_BYTES) - this.#word(SUBMITTED) >= need;
    }

    #makeRoom(need) {
        if (this.#hasRoom(need)) {
            return true;
        }
        this.#reactor.flush();
        if (this.#reactor.isPoisoned) {
            return false;
        }
        this.#stash.push(...this.#read()); // before the next turn overwrites what they name
        if (this.#hasRoom(need)) {
            return true;
        }
        if (this.#word(SUBMITTED) + need > this.#maxPending) {
            return false;
        }
        const status = this.#reactor.exports.natlet_reserve(need);
        return status === Status.OK && this.#hasRoom(need);
    }

    /** Writes a string or bytes at `at`; returns how many bytes that took. */
    #put(part, at) {
        if (typeof part !== 'string') {
            this.#bytes.set(part, at);
            return part.length;
        }
        for (let i = 0; i < part.length; i++) {
            const code = part.charCodeAt(i);
            if (code > 127) {
                return encoder.encodeInto(part, this.#bytes.subarray(at)).written;
            }
            this.#bytes[at + i] = code;
        }
        return part.length;
    }

    #read() {
        this.#look();
        const count = this.#word(COMPLETED);
        const first = this.#word(COMPLETION) >>> 2;
        const records = [];
        for (let i = 0; i < count; i++) {
            const at = first + (i * HEAD_BYTES) / 4;
            if ((this.#words[at] & 0xff) === N.REC_STAMP) {
                this.#stamp(at, records.at(-1));
            } else {
                records.push(this.#readOne(at));
            }
        }
        this.#words[this.#at + COMPLETED] = 0;
        this.#reactor.door.releaseSegments();
        return records;
    }

    #readOne(at) {
        const words = this.#words;
        const kind = words[at] & 0xff;
        const record = { kind, id: words[at + 1], status: words[at + 2] | 0 };
        if (kind === N.REC_DONE) {
            record.op = words[at + 3]; // in place of a segment
            record.elapsedUs = words[at + 7]; // in place of a length
            return record;
        }
        if (kind === N.REC_AGENT || kind === N.REC_CHILD || kind === N.REC_DEAD) {
            return this.#readAgent(at, record);
        }
        const subjectLen = words[at] >>> 16;
        const replyLen = words[at + 5] >>> 16;
        const bodyLen = (words[at + 6] >>> 16) + words[at + 7];
        let [bytes, from] = [NOTHING, 0];
        if (subjectLen + replyLen + bodyLen > 0) {
            [bytes, from] = this.#find(at, subjectLen, replyLen, bodyLen);
        }
        const replyAt = from + (words[at + 5] & 0xffff);
        const body = from + (words[at + 6] & 0xffff);
        const data = body + (words[at + 6] >>> 16);
        record.subject = this.#subject(record, bytes, from, subjectLen);
        record.reply = replyLen > 0 ? textOf(bytes, replyAt, replyLen) : '';
        record.headers = data > body ? bytes.subarray(body, data) : undefined;
        record.data = bytes.subarray(data, data + words[at + 7]);
        return record;
    }

    /** What a mail has besides: it lies behind it. */
    #stamp(at, mail) {
        const words = this.#words;
        mail.mailKind = (words[at] >>> 8) & 0xff;
        mail.attempt = words[at] >>> 16;
        mail.idNs = (BigInt(words[at + 3]) << 32n) | BigInt(words[at + 2]);
        mail.from = words[at + 5] * 2 ** 32 + words[at + 4];
        mail.seq = words[at + 7] * 2 ** 32 + words[at + 6];
    }

    #readAgent(at, record) {
        const words = this.#words;
        const len = words[at] >>> 16;
        return Object.assign(record, {
            exit: (words[at] >>> 12) & 15,
            subject: len > 0 ? textOf(this.#bytes, words[at + 4], len) : '',
            incarnation: words[at + 3],
            count: words[at + 5],
            queued: words[at + 6] & 0xffff,
            state: (words[at + 6] >>> 16) & 0xff,
            isSupervisor: words[at + 6] >>> 24 > 0,
            handled: words[at + 7],
        });
    }

    /** Where the record's bytes are: an array that lives on, and the subject's place in it. */
    #find(at, subjectLen, replyLen, bodyLen) {
        const words = this.#words;
        const from = words[at + 4];
        if (((words[at] >>> 8) & N.REC_FLAG_COPIED) === 0) {
            return [this.#reactor.door.segments.get(words[at + 3]), from];
        }
        const replyEnd = (words[at + 5] & 0xffff) + replyLen;
        const bodyEnd = (words[at + 6] & 0xffff) + bodyLen;
        return [this.#bytes.slice(from, from + Math.max(subjectLen, replyEnd, bodyEnd)), 0];
    }

    #subject({ kind, id }, bytes, from, len) {
        if (kind !== N.REC_MESSAGE) {
            return textOf(bytes, from, len);
        }
        let last = this.#subjects.get(id);
        if (!last || !isEqual(last.bytes, bytes, from, len)) {
            last = { bytes: bytes.slice(from, from + len), text: textOf(bytes, from, len) };
            this.#subjects.set(id, last);
        }
        return last.text;
    }
}

function textOf(bytes, from, len) {
    return decoder.decode(bytes.subarray(from, from + len));
}

function isEqual(a, b, from, len) {
    if (a.length !== len) {
        return false;
    }
    for (let i = 0; i < len; i++) {
        if (a[i] !== b[from + i]) {
            return false;
        }
    }
    return true;
}
