// A message as programs see it.  Its data is a view of the array in which it arrived.
import { MsgHdrsImpl } from './headers.js';

const decoder = new TextDecoder();

export class MsgImpl {
    #connection;
    #block; // of headers, not read yet
    #headers;

    /** `record` has subject, reply, headers (a block) and data. */
    constructor(connection, sid, record) {
        this.#connection = connection;
        this.#block = record.headers;
        this.sid = sid;
        this.subject = record.subject;
        this.reply = record.reply; // '' if nobody asked
        this.data = record.data;
    }

    get headers() {
        if (this.#block) {
            this.#headers = MsgHdrsImpl.decode(this.#block);
            this.#block = undefined;
        }
        return this.#headers;
    }

    /** Answers, if somebody asked. */
    respond(payload, options) {
        if (!this.reply) {
            return false;
        }
        this.#connection.publish(this.reply, payload, options);
        return true;
    }

    json(reviver) {
        return JSON.parse(this.string(), reviver);
    }

    string() {
        return decoder.decode(this.data);
    }

    size() {
        return this.subject.length + this.reply.length + this.data.length;
    }
}
