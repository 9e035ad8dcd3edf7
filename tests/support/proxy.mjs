// A TCP proxy that does to connections what a test says, and counts what passes.
//
// plan(n) says what happens to connection n, counted from 0; nothing said, it only passes:
//
//   accept     'hold': the client is accepted and nobody answers it, ever
//              'reset', 'end': it is accepted and gone at once
//   ready      a promise: the connection is taken up when that settles; so a later one can be
//              served before an earlier one
//   up, down   rules for what the client sends and for what the server sends:
//     latencyMs        each piece leaves so much later than it came
//     bytesPerSecond   no more than that pass
//     dribble          byte by byte
//     rewrite          { AT: BYTE }: other bytes at these places of the stream
//     after, then      when `after` bytes have passed: 'end' (FIN) or 'reset' (RST) cuts the
//                      client off; 'silence' swallows the rest; 'stall' reads little more, so
//                      that the sender comes to stand
//     pauseMs          between the last byte and the cut: a reader on libuv that finds both at
//                      once takes a reset for an end
//
// A rule may be changed while a connection lives: the next piece obeys it.
import net from 'node:net';
import { sleep } from './harness.mjs';

const QUEUE_BYTES = 65536; // more than that waiting, and the sender is not read from
const PIECE_BYTES = 16384; // what a bandwidth is measured in, at most

/** One direction of a connection. */
class Way {
    /** Bytes that were passed on. */
    passed = 0;
    rule;
    #link;
    #from;
    #to;
    #queue = [];
    #queued = 0;
    #wake = () => {};

    constructor(link, from, to, rule = {}) {
        this.rule = rule;
        this.#link = link;
        this.#from = from;
        this.#to = to;
        from.on('data', (bytes) => this.#put(bytes));
        from.once('end', () => this.#put(null));
        this.#run();
    }

    #put(bytes) {
        if (this.#link.isOver) {
            this.#wake();
            return;
        }
        this.#queue.push({ bytes, at: Date.now() });
        this.#queued += bytes?.length ?? 0;
        if (this.#queued > QUEUE_BYTES) {
            this.#from.pause();
        }
        this.#wake();
    }

    /** The next piece; none when the connection is over. */
    async #take() {
        while (this.#queue.length === 0) {
            if (this.#link.isOver) {
                return undefined;
            }
            await new Promise((done) => (this.#wake = done));
        }
        const item = this.#queue.shift();
        this.#queued -= item.bytes?.length ?? 0;
        if (this.#queued <= QUEUE_BYTES) {
            this.#from.resume();
        }
        return item;
    }

    async #run() {
        if (this.rule.after === 0) {
            await this.#break();
        }
        for (let item; (item = await this.#take());) {
            const wait = (this.rule.latencyMs ?? 0) - (Date.now() - item.at);
            if (wait > 0) {
                await sleep(wait);
            }
            if (item.bytes === null) {
                this.#to.end();
                this.#link.ended();
                return;
            }
            await this.#pass(item.bytes);
        }
    }

    async #pass(bytes) {
        for (let left = bytes; left.length > 0 && !this.#link.isOver;) {
            const { after = Infinity, then = 'silence', bytesPerSecond, dribble } = this.rule;
            const room = Math.max(0, after - this.passed);
            if (room === 0 && then === 'silence') {
                return;
            }
            if (room === 0) {
                await this.#resumed();
                continue;
            }
            const most = dribble ? 1 : Math.min(PIECE_BYTES, bytesPerSecond / 20 || PIECE_BYTES);
            const piece = left.subarray(0, Math.min(room, Math.ceil(most)));
            await this.#write(this.#rewritten(piece));
            left = left.subarray(piece.length);
            if (bytesPerSecond) {
                await sleep((piece.length / bytesPerSecond) * 1000);
            }
            if (this.passed === after) {
                await this.#break();
            }
        }
    }

    #rewritten(piece) {
        const places = Object.entries(this.rule.rewrite ?? {})
            .map(([at, byte]) => [at - this.passed, byte])
            .filter(([at]) => at >= 0 && at < piece.length);
        if (places.length === 0) {
            return piece;
        }
        const changed = Buffer.from(piece);
        places.forEach(([at, byte]) => (changed[at] = byte));
        return changed;
    }

    /** Resolves when the bytes are the system's, or the connection is over. */
    #write(bytes) {
        this.passed += bytes.length;
        return new Promise((done) => {
            this.#to.write(bytes, () => setImmediate(done));
        });
    }

    async #break() {
        const { then, pauseMs = 0 } = this.rule;
        if (pauseMs > 0) {
            await sleep(pauseMs);
        }
        if (then === 'end' || then === 'reset') {
            this.#link.cut(then);
        }
    }

    /** Until the rule lets more pass. */
    async #resumed() {
        while (!this.#link.isOver && this.passed >= (this.rule.after ?? Infinity)) {
            await sleep(5);
        }
    }

    /** Lets go of a wait, for the connection is over. */
    release() {
        this.#wake();
    }
}

/** One connection: { up, down } with { rule, passed }, cut(how), isOver. */
class Link {
    isOver = false;
    up = { passed: 0 };
    down = { passed: 0 };
    #client;
    #server;
    #over;
    #ends = 0;

    constructor(client, over) {
        this.#client = client;
        this.#over = over;
        client.setNoDelay().on('error', () => this.#lost(this.#server));
    }

    /** Takes the connection up: from here on bytes pass. */
    open(port, plan) {
        this.#server = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        this.#server.setNoDelay().on('error', () => this.#lost(this.#client));
        this.up = new Way(this, this.#client, this.#server, plan.up);
        this.down = new Way(this, this.#server, this.#client, plan.down);
    }

    /** A direction is at its end; the other one may go on. */
    ended() {
        this.#ends += 1;
        if (this.#ends === 2) {
            this.#finish();
        }
    }

    /** 'end': FIN to the client behind what it was sent; 'reset': RST. */
    cut(how = 'end') {
        this.isOver = true;
        if (how === 'reset') {
            this.#client.resetAndDestroy();
        } else {
            this.#client.end();
            this.#client.resume(); // what it still sends is nobody's, but its end is ours
        }
        this.#server?.destroy();
        this.#finish();
    }

    destroy() {
        this.#client.destroy();
        this.#server?.destroy();
        this.#finish();
    }

    /** One side is gone, in disorder: so the other one goes. */
    #lost(other) {
        if (!this.isOver) {
            other?.resetAndDestroy();
            this.#finish();
        }
    }

    #finish() {
        this.isOver = true;
        this.up.release?.();
        this.down.release?.();
        this.#over(this);
    }
}

/** Listens on a free port of loopback, for connections to `port`.
 *
 *  `plan` is a function as above, or one plan for all connections; it may be replaced at any
 *  time.  Returns { port, plan, links, refuse(), accept(), cutAll(how), connections(), stats(),
 *  stop() }: refuse() has new connections refused until accept(); links are the
 *  connections in the order of their coming, also those that are over. */
export async function startProxy(port, plan = {}) {
    const links = [];
    const open = new Set();
    let server;
    const serve = async (client) => {
        const link = new Link(client, () => open.delete(link));
        const n = links.push(link) - 1;
        open.add(link);
        const now = (typeof proxy.plan === 'function' ? proxy.plan(n) : proxy.plan) || {};
        await now.ready;
        if (now.accept === 'end' || now.accept === 'reset') {
            link.cut(now.accept);
        } else if (now.accept === 'hold') {
            client.resume();
        } else if (!link.isOver) {
            link.open(port, now);
        }
    };
    const listen = (on) => {
        server = net.createServer({ allowHalfOpen: true }, serve);
        return new Promise((done, fail) => {
            server.once('error', fail).listen(on, '127.0.0.1', done);
        });
    };
    await listen(0);
    const sum = (way) => links.reduce((all, link) => all + link[way].passed, 0);
    const proxy = {
        plan,
        links,
        port: server.address().port,
        refuse: () => server.close(),
        accept: () => listen(proxy.port),
        cutAll: (how) => open.forEach((link) => link.cut(how)),
        connections: () => links.length,
        stats: () => ({
            connections: links.length,
            open: open.size,
            up: sum('up'),
            down: sum('down'),
        }),
        stop() {
            server.close();
            open.forEach((link) => link.destroy());
        },
    };
    return proxy;
}

/** Calls body(proxy) and ends the proxy. */
export async function withProxy(port, plan, body) {
    const proxy = await startProxy(port, plan);
    try {
        return await body(proxy);
    } finally {
        proxy.stop();
    }
}
