// The helpers that nats.js exports beside its client.
import { errors } from './errors.js';

const INBOX_CHARS = 22;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE = DIGITS.length;
const RANDOM_BATCH = 1024;
const NS_PER_MS = 1000000;

export const Empty = new Uint8Array(0);

/** A promise with its resolve and reject. */
export function deferred() {
    let settle;
    const promise = new Promise((resolve, reject) => (settle = { resolve, reject }));
    return Object.assign(promise, settle);
}

/** Resolves after `ms`, or at cancel(). */
export function delay(ms = 0) {
    let cancel;
    const promise = new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        cancel = () => {
            clearTimeout(timer);
            resolve();
        };
    });
    return Object.assign(promise, { cancel });
}

/** Rejects with TimeoutError after `ms`; resolves at cancel(). */
export function timeout(ms) {
    let cancel;
    const promise = new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new errors.TimeoutError()), ms);
        cancel = () => {
            clearTimeout(timer);
            resolve();
        };
    });
    return Object.assign(promise, { cancel });
}

/** `promise`, unless `ms` are over first: then TimeoutError. */
export async function deadline(promise, ms = 1000) {
    const limit = timeout(ms);
    try {
        return await Promise.race([promise, limit]);
    } finally {
        limit.cancel();
    }
}

/** { backoff(attempt) } answers a time in ms from `policy`, its last entry for ever, jittered
 *  by half up or down. */
export function backoff(policy = [0, 250, 250, 500, 500, 3000, 5000]) {
    return {
        backoff: (attempt) => {
            const ms = policy[Math.min(attempt, policy.length - 1)];
            return Math.floor(ms / 2 + Math.random() * ms);
        },
    };
}

export function nanos(ms) {
    return ms * NS_PER_MS;
}

export function millis(ns) {
    return Math.floor(ns / NS_PER_MS);
}

/** All that an async iterable gives. */
export async function collect(iterable) {
    const list = [];
    for await (const item of iterable) {
        list.push(item);
    }
    return list;
}

/** An async iterable, one item a call: next() resolves to null at its end. */
export function syncIterator(source) {
    const iterator = source[Symbol.asyncIterator]();
    return {
        next: async () => {
            const { done, value } = await iterator.next();
            return done ? null : value;
        },
    };
}

/** Names that nobody can guess: every character is of the CSPRNG, 62^22 of them. */
export class Nuid {
    #bytes = new Uint8Array(RANDOM_BATCH);
    #at = RANDOM_BATCH;

    next() {
        let text = '';
        while (text.length < INBOX_CHARS) {
            if (this.#at === RANDOM_BATCH) {
                crypto.getRandomValues(this.#bytes);
                this.#at = 0;
            }
            const byte = this.#bytes[this.#at++];
            text += byte < 4 * BASE ? DIGITS[byte % BASE] : ''; // even odds for all 62
        }
        return text;
    }
}

export const nuid = new Nuid();

/** A fresh inbox "<prefix>.<22 characters>". */
export function createInbox(prefix = '_INBOX') {
    const tokens = String(prefix).split('.');
    if (tokens.some((token) => token === '' || /[\s*>]/.test(token))) {
        throw errors.InvalidArgumentError.format('prefix', `cannot be '${prefix}'`);
    }
    return `${prefix}.${nuid.next()}`;
}
