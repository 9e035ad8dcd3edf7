// What hooks share: one connection, made when somebody needs it, and what is subscribed on it.
//
// subscribe() and its disposer are synchronous, whether there is a connection yet or not: who
// leaves before it is there leaves nothing behind.

/** Of useNatsStatus. */
const CONNECTING = 'connecting';
const OPEN = 'open';
const RECONNECTING = 'reconnecting';
const CLOSED = 'closed';

const STATUS = { disconnect: RECONNECTING, reconnecting: RECONNECTING, reconnect: OPEN };

/** A cell as what is used here of a connection; a connection as it is. */
function connectionOf(made) {
    if (typeof made.supervise !== 'function') {
        return made;
    }
    let end;
    const closed = new Promise((done) => (end = done));
    const close = () => made.close().finally(end);
    return {
        cell: made,
        subscribe: (subject, { callback }) => ({
            unsubscribe: made.subscribe(subject, (message) => callback(null, message)),
        }),
        publish: (subject, data, options) => made.publish(subject, data, options),
        request: (subject, data, { timeout }) => made.request(subject, data, { timeoutMs: timeout }),
        isClosed: () => made.state === 'closed',
        async *status() {
            await closed; // the cell tells the rest itself
        },
        close,
        drain: close,
    };
}

/** Subscribers with the same subject share one subscription. */
class Topic {
    #subject;
    #callbacks = new Set();
    #subscription;

    constructor(subject) {
        this.#subject = subject;
    }

    get isEmpty() {
        return this.#callbacks.size === 0;
    }

    add(callback) {
        this.#callbacks.add(callback);
    }

    remove(callback) {
        this.#callbacks.delete(callback);
    }

    open(connection) {
        this.#subscription = connection.subscribe(this.#subject, {
            callback: (error, message) => {
                for (const callback of [...this.#callbacks]) {
                    callback(error, message);
                }
            },
        });
    }

    close() {
        this.#subscription?.unsubscribe();
        this.#subscription = undefined;
    }
}

export class NatsStore {
    /** The connection, or undefined while there is none. */
    connection = undefined;
    /** What connect() failed with. */
    error = undefined;

    #connect;
    #opening;
    #users = 0;
    #topics = new Map();
    #listeners = new Set();
    #status = CONNECTING;

    /** connect() resolves to a connection. */
    constructor(connect) {
        this.#connect = connect;
    }

    /** Connects if need be; the answer gives it up again.  The connection is closed when nobody
     *  has taken it up once more by the next task: a component that React mounts twice, or that
     *  makes way for another, costs no connection. */
    retain() {
        this.#users++;
        this.#opening ??= this.#open();
        let isHeld = true;
        return () => {
            if (isHeld) {
                isHeld = false;
                this.#users--;
                setTimeout(() => this.#closeIfUnused());
            }
        };
    }

    async #open() {
        this.#become(CONNECTING);
        try {
            const connection = connectionOf(await this.#connect());
            this.connection = connection;
            this.error = undefined;
            this.#become(connection.cell?.status.get() ?? OPEN);
            this.#topics.forEach((topic) => topic.open(connection));
            this.#watch(connection);
        } catch (error) {
            this.error = error;
            this.#opening = undefined;
            this.#become(CLOSED);
        }
        this.#closeIfUnused();
    }

    async #watch(connection) {
        connection.cell?.status.subscribe((status) => {
            if (this.connection === connection) {
                this.#become(status);
            }
        });
        for await (const { type } of connection.status()) {
            if (this.connection === connection && STATUS[type]) {
                this.#become(STATUS[type]);
            }
        }
        if (this.connection === connection) {
            this.connection = undefined;
            this.#opening = undefined;
            this.#become(CLOSED);
        }
    }

    #closeIfUnused() {
        const { connection } = this;
        if (this.#users > 0 || !connection) {
            return;
        }
        this.connection = undefined;
        this.#opening = undefined;
        this.#become(CLOSED);
        connection.drain().catch(() => connection.close());
    }

    /** callback(error, message) from now on; returns what ends it. */
    subscribe(subject, callback) {
        let topic = this.#topics.get(subject);
        if (!topic) {
            topic = new Topic(subject);
            if (this.connection) {
                topic.open(this.connection); // throws for a bad subject
            }
            this.#topics.set(subject, topic);
        }
        const own = (error, message) => callback(error, message); // the same may be added twice
        topic.add(own);
        return () => {
            topic.remove(own);
            if (topic.isEmpty && this.#topics.get(subject) === topic) {
                topic.close();
                this.#topics.delete(subject);
            }
        };
    }

    /** Subjects that are subscribed now. */
    get subjects() {
        return [...this.#topics.keys()];
    }

    getStatus = () => this.#status;

    getCell = () => this.connection?.cell;

    onStatus = (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    };

    #become(status) {
        this.#status = status;
        this.#listeners.forEach((listener) => listener());
    }
}
