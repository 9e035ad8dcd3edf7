// Messages on their way to a `for await`: pushed on one side, taken on the other.
import { deferred } from './util.js';

export class QueuedIterator {
    /** Resolves when the iterator has ended, with the error if there was one. */
    iterClosed = deferred();
    done = false;
    err = undefined;
    noIterator = false;
    received = 0;
    processed = 0;
    /** Items that wait, and are not functions. */
    pending = 0;

    #items = [];
    #head = 0;
    #signal = deferred();
    #isIterating = false;

    [Symbol.asyncIterator]() {
        return this.iterate();
    }

    /** A function is called when its turn comes, and not handed out. */
    push(item) {
        if (this.done) {
            return;
        }
        if (typeof item !== 'function') {
            this.received++;
            this.pending++;
        }
        this.#items.push(item);
        this.#signal.resolve();
    }

    async *iterate() {
        if (this.noIterator || this.#isIterating) {
            throw new Error(
                this.noIterator ? 'it has a callback: no iterator' : 'it is iterated already',
            );
        }
        this.#isIterating = true;
        try {
            while (true) {
                while (this.#head < this.#items.length && !this.err) {
                    const item = this.#take();
                    if (typeof item === 'function') {
                        item();
                    } else {
                        this.pending--;
                        this.processed++;
                        yield item;
                    }
                }
                if (this.err) {
                    throw this.err;
                }
                if (this.done) {
                    return;
                }
                await this.#signal;
                this.#signal = deferred();
            }
        } finally {
            this.stop();
        }
    }

    #take() {
        const item = this.#items[this.#head];
        this.#items[this.#head++] = undefined;
        if (this.#head === this.#items.length || this.#head > 4096) {
            this.#items.splice(0, this.#head);
            this.#head = 0;
        }
        return item;
    }

    stop(err) {
        if (this.done) {
            return;
        }
        this.err = err;
        this.done = true;
        this.#signal.resolve();
        this.iterClosed.resolve(err);
    }

    getProcessed() {
        return this.noIterator ? this.received : this.processed;
    }

    getPending() {
        return this.pending;
    }

    getReceived() {
        return this.received;
    }
}
