// A subscription: messages go to its callback, or wait for who iterates over it.
import { errors } from './errors.js';
import { MsgImpl } from './message.js';
import { QueuedIterator } from './queue.js';
import { deferred, timeout } from './util.js';

export class SubscriptionImpl extends QueuedIterator {
    closed = deferred();
    draining = false;

    /** For libraries on top: what they know about it, and what is called when it is over. */
    info = undefined;
    cleanupFn = undefined;

    #connection;
    #handle; // the module's
    #timer;
    #drained;
    #isOver = false;
    #isSlow = false;

    constructor(connection, subject, options = {}) {
        super();
        const { queue, max, slow } = options;
        Object.assign(this, { subject, queue, max, slow });
        this.#connection = connection;
        this.noIterator = typeof options.callback === 'function';
        if (this.noIterator) {
            this.callback = options.callback;
        } else {
            this.iterClosed.then((err) => this.#leave(err));
        }
        if (options.timeout) {
            this.#watch(options.timeout);
        }
        this.#open(max);
    }

    get sid() {
        return this.#handle.id;
    }

    /** Where messages go; libraries put one of their own in its place. */
    callback(err, msg) {
        if (err) {
            this.stop(err);
        } else {
            this.push(msg);
            this.#noteSlow();
        }
    }

    #open(max) {
        const { queue, subject } = this;
        const deliver = (record) => this.#deliver(record);
        const options = { queue, max, ended: (status) => this.#ended(status) };
        this.#handle = this.#connection.embedding.subscribe(subject, deliver, options);
    }

    #deliver(record) {
        if (this.#isOver) {
            return;
        }
        this.#stopTimer();
        if (this.noIterator) {
            this.received++;
        }
        this.#connection.noteReceived(record);
        this.callback(null, new MsgImpl(this.#connection, this.#handle.id, record));
    }

    /** Told once each time more than `slow` messages wait. */
    #noteSlow() {
        const isSlow = this.slow > 0 && this.pending > this.slow;
        if (isSlow && !this.#isSlow) {
            const { pending } = this;
            this.#connection.tell({ type: 'slowConsumer', sub: this, pending });
        }
        this.#isSlow = isSlow;
    }

    #watch(ms) {
        this.#timer = timeout(ms);
        this.#timer.catch((err) => {
            this.stop(err);
            if (this.noIterator) {
                this.callback(err, {});
            }
        });
    }

    #stopTimer() {
        this.#timer?.cancel();
        this.#timer = undefined;
    }

    /** The module says that it is over, which `handle` outlived if it was replaced. */
    #ended(status) {
        if (!this.#isOver) {
            this.close(this.#connection.whyEnded(this, status));
        }
    }

    /** Who iterated has left. */
    #leave(err) {
        this.closed.resolve(err);
        this.unsubscribe();
    }

    /** Ends it on this side: after what waits was taken. */
    close(err) {
        if (this.#isOver) {
            return;
        }
        this.#isOver = true;
        this.#stopTimer();
        if (err) {
            this.callback(err, {});
        }
        const end = () => {
            this.stop();
            this.#connection.forget(this);
            this.cleanupFn?.(this, this.info);
            this.closed.resolve(err);
        };
        if (this.noIterator) {
            end();
        } else {
            this.push(end);
        }
    }

    /** Ends it at once, or when `max` messages have come, counted from its start. */
    unsubscribe(max) {
        if (this.#isOver) {
            return;
        }
        if (max > this.received) {
            this.#handle.unsubscribe(max);
            return;
        }
        this.#handle.unsubscribe();
        this.close();
    }

    /** The same subscription with another subject, as a library's ordered consumer wants it. */
    resubscribe(subject, max) {
        this.#handle.ended = () => {};
        this.#handle.unsubscribe();
        this.subject = subject;
        this.max = max ? max + this.received : undefined;
        this.#open(max);
    }

    drain() {
        if (this.#connection.isClosed()) {
            return Promise.reject(new errors.ClosedConnectionError());
        }
        if (this.isClosed()) {
            const text = 'subscription is already closed';
            return Promise.reject(new errors.InvalidOperationError(text));
        }
        this.draining = true;
        this.#drained ??= this.#handle.drain().catch(() => {}).then(() => this.close());
        return this.#drained;
    }

    async [Symbol.asyncDispose]() {
        if (!this.#connection.isClosed() && !this.isClosed()) {
            await this.drain();
        }
    }

    isDraining() {
        return this.draining;
    }

    isClosed() {
        return this.done;
    }

    getSubject() {
        return this.subject;
    }

    getMax() {
        return this.max;
    }

    getID() {
        return this.sid;
    }
}
