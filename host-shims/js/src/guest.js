// One guest behind the mailbox door (natlet/guest.h), in whatever thread it runs.
//
// A turn is one call of an export.  What it asks for is collected and handed out when it has
// returned; a turn that fails has asked for nothing, and its instance is not used again.
import { EXIT } from './exits.js';
import { Status } from './status.js';

/** As in natlet/guest.h, where their meaning is. */
export const GUEST = {
    BOXES_MAX: 64,
    CALLS_MAX: 64,
    EFFECTS_MAX: 1024,
    TURN_BYTES_MAX: 4 << 20,
    STATE_BYTES_MAX: 1 << 20,
    NAME_BYTES_MAX: 255,
    MESSAGE: 0,
    REPLY: 1,
    DONE: 0,
    REJECT: 1,
    STOP: 2,
    ERROR: 3,
    LOW: 2,
    UNIX: 1,
};

const IMPORTS = ['open', 'send', 'next', 'settle', 'call', 'state_get', 'state_put', 'now', 'log'];
const MODULE = 'natlet_mailbox1';
const MAIL_BYTES = 40;
const CALL_MS_MAX = 3600000;
const LOG_BYTES_MAX = 1024;
const LOG_LEVEL_MAX = 3;
const SUBJECT_BYTES_MAX = 4096; // of a whole control line
const PAGE_BYTES = 65536;

const encoder = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true });
const lenient = new TextDecoder();

/** Tokens that are not empty, without blanks, control characters and wildcards. */
const SUBJECT = /^(?![*>](?:\.|$))[^\s\x00-\x20\x7f.]+(?:\.(?![*>](?:\.|$))[^\s\x00-\x20\x7f.]+)*$/;

/** Thrown by an import's helpers; its status is what the import answers. */
class Refusal {
    constructor(status) {
        this.status = status;
    }
}

const crash = (kind, code, text) => ({ failure: { kind, code, text }, sends: [] });

/** What `module` imports beyond the door; '' if nothing. */
export function foreignImports(module) {
    return WebAssembly.Module.imports(module)
        .filter((entry) => entry.module !== MODULE || !IMPORTS.includes(entry.name))
        .map((entry) => `${entry.module}.${entry.name}`)
        .join(' ');
}

export class Guest {
    #module;
    #pages;
    #log;
    #exports;
    #memory;
    #bytesAtStart = 0;
    #state; // saved; of this turn: #turn.state
    #turn;
    #boxes = ['']; // names; the first is its own
    #replies = [];
    #offered; // a message that it has not taken
    #held; // one in its hands
    #calls = 0;
    #lastRef = 0;

    /** module: a WebAssembly.Module; state: what was saved, or undefined; pages: of memory at
     *  most; log(level, text). */
    constructor({ module, state, pages, log }) {
        this.#module = module;
        this.#state = state;
        this.#pages = pages;
        this.#log = log;
    }

    /** Each of these is a turn, and answers what came of it:
     *  { failure: { kind, code, text } } or { sends, settled: { how, code }, state }. */
    start() {
        try {
            const imports = { [MODULE]: this.#imports() };
            this.#exports = new WebAssembly.Instance(this.#module, imports).exports;
        } catch (error) {
            return this.#failed(error, Status.E_UNSUPPORTED);
        }
        this.#memory = this.#exports.memory;
        const { natlet_on_mail: onMail } = this.#exports;
        if (!(this.#memory instanceof WebAssembly.Memory) || typeof onMail !== 'function') {
            return crash(EXIT.ERROR, Status.E_UNSUPPORTED, 'it exports no memory or natlet_on_mail');
        }
        this.#bytesAtStart = this.#memory.buffer.byteLength;
        return this.#run(() => {
            this.#exports._initialize?.();
            return this.#exports.natlet_on_start?.() ?? 0;
        });
    }

    /** mail: { token, subject, reply, headers, data }. */
    deliver(mail) {
        this.#offered = itemOf(GUEST.MESSAGE, mail);
        return this.#run(() => this.#exports.natlet_on_mail(0));
    }

    /** answer: { ref, status, subject, headers, data }. */
    reply(answer) {
        this.#calls--;
        this.#replies.push(itemOf(GUEST.REPLY, answer));
        return this.#run(() => this.#exports.natlet_on_mail(0));
    }

    stop() {
        return this.#run(() => this.#exports.natlet_on_stop?.() ?? 0);
    }

    #run(enter) {
        const turn = { sends: [], bytes: 0, settled: undefined, state: undefined };
        let status;
        this.#turn = turn;
        try {
            status = enter();
        } catch (error) {
            return this.#failed(error, Status.E_TRAP);
        } finally {
            this.#turn = undefined;
        }
        if (this.#memory.buffer.byteLength > this.#pages * PAGE_BYTES) {
            return crash(EXIT.MEMORY, Status.E_NO_MEMORY, 'it grew beyond its memory');
        }
        const { settled } = turn;
        const code = settled?.how === GUEST.ERROR ? settled.code : status;
        if (code < 0) {
            const kind = code === Status.E_NO_MEMORY ? EXIT.MEMORY : EXIT.ERROR;
            return crash(kind, code, 'it said so');
        }
        this.#state = turn.state ?? this.#state;
        return { sends: turn.sends, settled, state: turn.state };
    }

    /** What V8 and others throw for a used-up stack is a RangeError, too. */
    #failed(error, code) {
        if (this.#isOutOfMemory()) {
            return crash(EXIT.MEMORY, Status.E_NO_MEMORY, error.message);
        }
        return code === Status.E_TRAP
            ? crash(EXIT.TRAP, code, error.message)
            : crash(EXIT.ERROR, code, error.message);
    }

    /** A guest that gives up when it gets no more memory mostly traps: then it has grown, and
     *  cannot any further. */
    #isOutOfMemory() {
        const bytes = this.#memory?.buffer.byteLength ?? 0;
        if (bytes <= this.#bytesAtStart) {
            return false;
        }
        try {
            this.#memory.grow(1);
        } catch {
            return true;
        }
        return bytes >= this.#pages * PAGE_BYTES;
    }

    // ---- imports

    #imports() {
        const guarded = (serve) => (...args) => {
            try {
                return this.#turn ? serve(...args) : Status.E_STATE; // else a start function
            } catch (error) {
                if (error instanceof Refusal) {
                    return error.status;
                }
                throw error;
            }
        };
        const served = {
            open: (at, len) => this.#open(at, len),
            send: (box, ...parts) => this.#send(box, ...parts),
            next: (box, at, cap, mail) => this.#next(box, at, cap >>> 0, mail),
            settle: (box, token, how, code) => this.#settle(box, token >>> 0, how, code),
            call: (box, ...parts) => this.#call(box, ...parts),
            state_get: (at, cap) => this.#stateGet(at, cap >>> 0),
            state_put: (at, len) => this.#statePut(at, len >>> 0),
            log: (level, at, len) => this.#logLine(level, at, len >>> 0),
        };
        const imports = Object.entries(served).map(([name, serve]) => [name, guarded(serve)]);
        const now = (which) => (which === GUEST.UNIX ? Date.now() : performance.now());
        return { ...Object.fromEntries(imports), now };
    }

    /** A view of the guest's memory. */
    #view(at, len) {
        const { buffer } = this.#memory;
        at >>>= 0;
        len >>>= 0;
        if (at + len > buffer.byteLength) {
            throw new Refusal(Status.E_FAULT);
        }
        return new Uint8Array(buffer, at, len);
    }

    #text(at, len) {
        try {
            return strict.decode(this.#view(at, len));
        } catch (error) {
            throw error instanceof Refusal ? error : new Refusal(Status.E_SUBJECT);
        }
    }

    #open(at, len) {
        if (len >>> 0 > GUEST.NAME_BYTES_MAX) {
            return Status.E_SUBJECT;
        }
        const name = this.#text(at, len);
        const known = this.#boxes.indexOf(name);
        if (known < 0 && this.#boxes.length > GUEST.BOXES_MAX) {
            return Status.E_LIMIT;
        }
        return known < 0 ? this.#boxes.push(name) - 1 : known;
    }

    #send(box, subjectAt, subjectLen, at, len, priority) {
        if (!(priority >= 0 && priority <= GUEST.LOW)) {
            return Status.E_INVALID;
        }
        this.#put({ ...this.#parts(box, subjectAt, subjectLen, at, len), priority });
        return Status.OK;
    }

    #call(box, subjectAt, subjectLen, at, len, timeoutMs) {
        timeoutMs >>>= 0;
        if (timeoutMs < 1 || timeoutMs > CALL_MS_MAX) {
            return Status.E_INVALID;
        }
        if (this.#calls >= GUEST.CALLS_MAX) {
            return Status.E_LIMIT;
        }
        const ref = this.#lastRef < 0x7fffffff ? this.#lastRef + 1 : 1;
        this.#put({ ...this.#parts(box, subjectAt, subjectLen, at, len), ref, timeoutMs });
        this.#calls++;
        this.#lastRef = ref;
        return ref;
    }

    #parts(box, subjectAt, subjectLen, at, len) {
        const to = this.#boxes[box];
        if (to === undefined) {
            throw new Refusal(Status.E_NOT_FOUND);
        }
        if (to === '' && subjectLen >>> 0 > SUBJECT_BYTES_MAX) {
            throw new Refusal(Status.E_SUBJECT);
        }
        const subject = to === '' ? this.#text(subjectAt, subjectLen) : '';
        if (to === '' && !SUBJECT.test(subject)) {
            throw new Refusal(Status.E_SUBJECT);
        }
        return { to, subject, payload: this.#view(at, len) };
    }

    #put(send) {
        const turn = this.#turn;
        const bytes = send.payload.length + send.subject.length;
        if (turn.sends.length >= GUEST.EFFECTS_MAX || turn.bytes + bytes > GUEST.TURN_BYTES_MAX) {
            throw new Refusal(Status.E_FULL);
        }
        turn.bytes += bytes;
        turn.sends.push({ ...send, payload: send.payload.slice() });
    }

    #next(box, at, cap, mailAt) {
        if (box !== 0) {
            return Status.E_NOT_FOUND;
        }
        const isReply = this.#replies.length > 0;
        const item = isReply ? this.#replies[0] : this.#offered;
        if (!item) {
            return Status.E_AGAIN;
        }
        const head = this.#view(mailAt, MAIL_BYTES);
        const room = this.#view(at, cap);
        const sizes = item.parts.map((part) => part.length);
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const fields = new DataView(head.buffer, head.byteOffset, MAIL_BYTES);
        const numbers = [item.token, item.kind, item.tag, item.status, ...sizes];
        numbers.forEach((number, i) => fields.setInt32(4 * i, number, true));
        fields.setFloat64(32, item.receivedMs, true);
        if (total > cap) {
            return Status.E_TOO_LARGE;
        }
        let end = 0;
        for (const part of item.parts) {
            room.set(part, end);
            end += part.length;
        }
        this.#take(isReply);
        return total;
    }

    #take(isReply) {
        if (isReply) {
            this.#replies.shift();
        } else {
            this.#held = this.#offered;
            this.#offered = undefined;
        }
    }

    #settle(box, token, how, code) {
        if (box !== 0) {
            return Status.E_NOT_FOUND;
        }
        if (this.#held?.token !== token) {
            return Status.E_STATE;
        }
        if (!(how >= GUEST.DONE && how <= GUEST.ERROR) || (how === GUEST.ERROR && code >= 0)) {
            return Status.E_INVALID;
        }
        this.#held = undefined;
        this.#turn.settled = { how, code };
        return Status.OK;
    }

    #stateGet(at, cap) {
        const state = this.#turn.state ?? this.#state;
        if (!state) {
            return Status.E_NOT_FOUND;
        }
        const room = this.#view(at, cap);
        if (state.length > cap) {
            return Status.E_TOO_LARGE;
        }
        room.set(state);
        return state.length;
    }

    #statePut(at, len) {
        if (len > GUEST.STATE_BYTES_MAX) {
            return Status.E_TOO_LARGE;
        }
        this.#turn.state = this.#view(at, len).slice();
        return Status.OK;
    }

    #logLine(level, at, len) {
        this.#log(Math.min(Math.max(level, 0), LOG_LEVEL_MAX), lenient.decode(this.#view(at, Math.min(len, LOG_BYTES_MAX))));
    }
}

/** A mail as `next` hands it out. */
function itemOf(kind, { token = 0, ref = 0, status = 0, subject = '', reply = '', headers, data }) {
    const nothing = new Uint8Array(0);
    const parts = [encoder.encode(subject), encoder.encode(reply), headers ?? nothing, data ?? nothing];
    return { kind, token, tag: ref, status, parts, receivedMs: Date.now() };
}
