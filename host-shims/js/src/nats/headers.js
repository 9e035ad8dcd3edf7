// Headers of a message: names to lists of values, as one "NATS/1.0" block on the wire.
import { errors } from './errors.js';

export const Match = { Exact: 'exact', CanonicalMIME: 'canonical', IgnoreCase: 'insensitive' };

const LINE = 'NATS/1.0';
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** "content-type" becomes "Content-Type". */
export function canonicalMIMEHeaderKey(name) {
    checkName(name);
    return name
        .split('-')
        .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase())
        .join('-');
}

// RFC 5322 field names: printable ASCII without the colon.
function checkName(name) {
    if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name)) {
        throw errors.InvalidArgumentError.format('header', `has no such name: '${name}'`);
    }
}

function checkValue(value) {
    if (/[\r\n]/.test(value)) {
        throw errors.InvalidArgumentError.format('header', 'value cannot have line breaks');
    }
    return value.trim();
}

function keyOf(name, match) {
    switch (match) {
        case Match.Exact:
            return name;
        case Match.CanonicalMIME:
            return canonicalMIMEHeaderKey(name);
        default:
            return name.toLowerCase();
    }
}

export class MsgHdrsImpl {
    headers = new Map();

    #code;
    #description;

    constructor(code = 0, description = '') {
        this.#code = code;
        this.#description = description;
    }

    /** Reads a block; lines without a colon are not headers. */
    static decode(bytes) {
        const [first, ...lines] = decoder.decode(bytes).split('\r\n');
        const status = first.slice(LINE.length).trim();
        const code = parseInt(status, 10);
        const read = Number.isNaN(code)
            ? new MsgHdrsImpl()
            : new MsgHdrsImpl(code, status.replace(/^\d+\s*/, ''));
        for (const line of lines) {
            const colon = line.indexOf(':');
            if (colon > 0) {
                read.#add(line.slice(0, colon), line.slice(colon + 1).trim());
            }
        }
        return read;
    }

    static fromRecord(record) {
        const made = new MsgHdrsImpl();
        for (const [name, values] of Object.entries(record)) {
            values.forEach((value) => made.append(name, value));
        }
        return made;
    }

    static validHeaderValue(value) {
        return checkValue(value);
    }

    [Symbol.iterator]() {
        return this.headers.entries();
    }

    size() {
        return this.headers.size;
    }

    equals(other) {
        return other instanceof MsgHdrsImpl && this.toString() === other.toString();
    }

    keys() {
        return [...this.headers.keys()];
    }

    findKeys(name, match = Match.Exact) {
        const wanted = keyOf(name, match);
        return match === Match.Exact
            ? this.headers.has(name)
                ? [name]
                : []
            : this.keys().filter((key) => keyOf(key, match) === wanted);
    }

    values(name, match = Match.Exact) {
        return this.findKeys(name, match).flatMap((key) => this.headers.get(key));
    }

    get(name, match = Match.Exact) {
        return this.values(name, match)[0] ?? '';
    }

    last(name, match = Match.Exact) {
        return this.values(name, match).at(-1) ?? '';
    }

    has(name, match = Match.Exact) {
        return this.findKeys(name, match).length > 0;
    }

    set(name, value, match = Match.Exact) {
        this.delete(name, match);
        this.append(name, value, match);
    }

    append(name, value, match = Match.Exact) {
        checkName(name);
        const key = match === Match.CanonicalMIME ? canonicalMIMEHeaderKey(name) : name;
        this.#add(this.findKeys(key, match)[0] ?? key, checkValue(String(value)));
    }

    delete(name, match = Match.Exact) {
        this.findKeys(name, match).forEach((key) => this.headers.delete(key));
    }

    #add(name, value) {
        const list = this.headers.get(name);
        if (list) {
            list.push(value);
        } else {
            this.headers.set(name, [value]);
        }
    }

    get code() {
        return this.#code;
    }

    get description() {
        return this.#description;
    }

    get status() {
        return `${this.#code} ${this.#description}`.trim();
    }

    get hasError() {
        return this.#code >= 300;
    }

    toRecord() {
        return Object.fromEntries([...this.headers].map(([name, values]) => [name, [...values]]));
    }

    toString() {
        let text = this.#code > 0 ? `${LINE} ${this.status}\r\n` : `${LINE}\r\n`;
        for (const [name, values] of this.headers) {
            for (const value of values) {
                text += `${name}: ${value}\r\n`;
            }
        }
        return `${text}\r\n`;
    }

    encode() {
        return encoder.encode(this.toString());
    }
}

export function headers(code = 0, description = '') {
    if ((code === 0 && description !== '') || (code > 0 && description === '')) {
        throw errors.InvalidArgumentError.format('description', 'goes with a code');
    }
    return new MsgHdrsImpl(code, description);
}
