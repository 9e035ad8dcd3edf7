// A connection as the guest knows it: what arrived and was not taken, and what the next poll tells.

const CHUNK_COST = 128; // what queueing a chunk costs beside its bytes

export class Conn {
    chunks = []; // arrived and not taken; the ones before `head` are gone
    head = 0;
    offset = 0; // of the first byte not taken, in the chunk at `head`
    queued = 0; // bytes not taken
    pending = 0; // bit EV_x: the event is due at the next poll
    isOpen = false;
    isArmed = true; // the next byte raises READABLE
    wantsRoom = false; // a send was short
    isClosing = false; // the guest closed it
    isOver = false; // CLOSED was polled
    segment = 0; // number of the last recv that brought bytes
    openFlags = 0;
    how = undefined; // how it ended, once it did
    signing = 0; // number of the last CTL_SIGN: the answer to an older one is dropped
    signed = undefined; // { status, answer } of the last one, until the guest took it
    link = undefined;

    constructor(id, rxLimit, url) {
        this.id = id;
        this.rxLimit = rxLimit;
        this.url = url;
    }

    get cost() {
        return this.queued + CHUNK_COST * (this.chunks.length - this.head);
    }

    push(bytes) {
        this.chunks.push(bytes);
        this.queued += bytes.length;
    }

    /** At most `cap` bytes, all of one chunk; undefined when there are none. */
    take(cap) {
        const chunk = this.chunks[this.head];
        if (chunk === undefined) {
            return undefined;
        }
        const bytes = chunk.subarray(this.offset, this.offset + cap);
        this.offset += bytes.length;
        this.queued -= bytes.length;
        if (this.offset === chunk.length) {
            this.offset = 0;
            this.chunks[this.head++] = undefined;
            if (this.head === this.chunks.length) {
                this.chunks.length = this.head = 0;
            }
        }
        return bytes;
    }

    drop() {
        this.chunks = [];
        this.head = this.offset = this.queued = 0;
    }
}
