// The conversation of natlet_bench.c, for peers in JavaScript.
import { createInterface } from 'node:readline';

/** What the harness asks of a peer: publish or receive, where, and what. */
export function readArguments() {
    const [role, url, subject, size] = process.argv.slice(2);
    return { role, url, subject, payload: new Uint8Array(Number(size)).fill(0x78) };
}

/** Counts arrivals: the first may come before it is read here that they are wanted. */
export class Counter {
    #received = 0;
    #wanted = 0;
    #done = () => {};

    note(bytes, payload) {
        if (bytes.length !== payload.length) {
            throw new Error('a message of another length');
        }
        this.#received += 1;
        if (this.#received === this.#wanted) {
            this.#done();
        }
    }

    receive(count) {
        this.#wanted += count;
        return new Promise((done) => {
            this.#done = done;
            if (this.#received === this.#wanted) {
                done();
            }
        });
    }
}

/** Says "ready", then does what each number on standard input asks for, and says "done". */
export async function converse(work) {
    console.log('ready');
    for await (const line of createInterface({ input: process.stdin })) {
        await work(Number(line));
        console.log('done');
    }
}
