// One connection at the host, whatever carries it.
//
// A subclass moves bytes and knows how to finish; this part keeps the two deadlines that
// every host needs, and sees to it that the end is reported once and last.
import { Status } from './status.js';

const CONNECT_MS = 30000;
const LINGER_MS = 2000; // for the peer to answer our close

export class Link {
    #sink;
    #timer;
    #isEnding = false;
    #isOver = false;

    /** `sink` hears opened(flags), data(bytes), writable() and, last, closed(how). */
    constructor(sink, connectMs = CONNECT_MS) {
        this.#sink = sink;
        this.#timer = setTimeout(() => this.#giveUp(Status.E_TIMEOUT), connectMs);
    }

    opened(flags = 0) {
        if (!this.#isEnding) {
            clearTimeout(this.#timer);
            this.#sink.opened(flags);
        }
    }

    arrived(bytes) {
        if (!this.#isEnding && bytes.length > 0) {
            this.#sink.data(bytes);
        }
    }

    hasRoom() {
        this.#sink.writable();
    }

    /** how: status, and from a WebSocket code, isClean and reason. */
    ended(how) {
        clearTimeout(this.#timer);
        if (!this.#isOver) {
            this.#isOver = this.#isEnding = true;
            this.#sink.closed({ code: 0, isClean: false, reason: '', ...how });
        }
    }

    /** Ends the connection in order: what send took goes out first. */
    close(code, reason) {
        this.#isEnding = true;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#giveUp(Status.OK), LINGER_MS);
        this.finish(code, reason);
    }

    /** Ends it for a reason of the host's own, which the guest learns at once. */
    fail(status, code, reason) {
        this.ended({ status, code, reason });
        this.close(code, reason);
    }

    #giveUp(status) {
        this.abort();
        this.ended({ status });
    }
}
