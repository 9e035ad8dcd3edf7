// A server that plays one case a connection and keeps a record of it.  It is a fake, and has
// to be: real servers make no faults on command.
//
// The target says what to play: /CASE?mode=MODE, and for clients of other people, whose reads
// cannot be cut where they are made, &client=NAME and &cut=byte or &cut=SEED: then the server
// writes in pieces.
import net from 'node:net';
import { sleep } from '../../support/harness.mjs';
import { END, RESET, WAIT } from './cases.mjs';
import { BINARY, ClientReader, OFFER, PING, closeFrame, goodAnswer, requestFaults } from './wire.mjs';

const ANSWERS_MS = 3000; // for what a client sends back
const GOODBYE_MS = 3000; // for its close
const OTHERS_MS = 300; // of clients that may be content with what they got
const BYTEWISE = 600; // so many bytes of a write go alone, what is behind them in larger pieces

/** Pieces of `bytes`, as `cut` says. */
function* pieces(bytes, cut) {
    let random = Number(cut);
    for (let at = 0; at < bytes.length; ) {
        random = (random * 1103515245 + 12345) % 2147483648;
        const size =
            cut === 'byte' ? (at < BYTEWISE ? 1 : 997) : 1 + (random % 2 ** (random % 13));
        yield bytes.subarray(at, at + size);
        at += size;
    }
}

const isPing = (step) => step[0] === (0x80 | PING);
const isLastOfMessage = ([first]) => first >> 7 === 1 && (first & 15) <= BINARY;

/** The payloads of a case's pings. */
export function pingsOf({ script }) {
    return script
        .filter((step) => Buffer.isBuffer(step) && isPing(step))
        .map((step) => step.subarray(2));
}

class Connection {
    reader = new ClientReader();
    requestFaults = [];
    earlyBytes = 0; // sent before they might be
    isUpgraded = false;
    hasEnded = false; // FIN of the client
    hasFailed = false; // or a reset
    #request = '';
    #socket;
    #server;

    constructor(server, socket) {
        this.#server = server;
        this.#socket = socket.setNoDelay();
        this.over = new Promise((done) => socket.once('close', done));
        socket.on('data', (bytes) => this.#read(bytes));
        socket.on('error', () => (this.hasFailed = true));
        socket.on('end', () => {
            this.hasEnded = true;
            this.reader.end();
        });
        for (const event of ['data', 'error', 'end', 'close']) {
            socket.on(event, () => socket.emit('did'));
        }
    }

    #read(bytes) {
        if (this.what) {
            this.#readFrames(bytes);
            return;
        }
        this.#request += bytes.toString('latin1');
        const end = this.#request.indexOf('\r\n\r\n');
        if (end < 0) {
            return;
        }
        this.earlyBytes = this.#request.length - end - 4;
        this.#request = this.#request.slice(0, end + 4);
        this.#take();
    }

    #readFrames(bytes) {
        if (this.isUpgraded) {
            this.reader.feed(bytes);
        } else {
            this.earlyBytes += bytes.length;
        }
    }

    #take() {
        const target = /^GET (\S+) /.exec(this.#request)?.[1] ?? '';
        const { pathname, searchParams } = new URL(target, 'http://localhost');
        this.cut = searchParams.get('cut');
        this.mode = searchParams.get('mode') ?? 'whole';
        this.isOther = searchParams.has('client');
        this.key = /^sec-websocket-key: *(\S+)/im.exec(this.#request)?.[1] ?? '';
        this.what = this.#server.cases.get(pathname.slice(1));
        const { deflate } = this.what ?? {};
        this.requestFaults = requestFaults(this.#request, target, this.#server.host, deflate);
        this.reader.hasDeflate = deflate;
        this.#server.arrived.set(target, this);
        this.played = (this.what ? this.#play() : Promise.resolve(this.#socket.destroy())).catch(
            (error) => (this.fault = error.message),
        );
    }

    async #write(bytes) {
        if (bytes.length > 0 && !this.cut) {
            this.#socket.write(bytes);
        } else {
            for (const piece of pieces(Buffer.from(bytes), this.cut)) {
                await new Promise((done) => this.#socket.write(piece, done));
            }
        }
    }

    async #play() {
        const { script, answer } = this.what;
        await (script ? this.#playFrames() : this.#playAnswer(Buffer.from(answer(this.key))));
        await this.#end();
    }

    async #playAnswer(answer) {
        const { status, early, refused, end, silent, cut } = this.what;
        this.isUpgraded = refused > 0 || (status === 'E_CLOSED' && !cut);
        const goodbye = this.isUpgraded && refused === 0 ? closeFrame(1000, 'over') : '';
        if (early) {
            await this.#write(Buffer.concat([answer, goodbye]));
        } else {
            await this.#write(answer);
            await this.#write(goodbye);
        }
        if (end) {
            this.#socket.end();
        }
        this.isSilent = silent;
    }

    async #playFrames() {
        const { script, waits } = this.what;
        const asked = { messages: 0, pings: 0 };
        this.isUpgraded = true;
        let now = [Buffer.from(goodAnswer(this.key, this.what.deflate ? OFFER : undefined))];
        for (const step of script) {
            if (Buffer.isBuffer(step)) {
                asked.messages += isLastOfMessage(step) ? 1 : 0;
                asked.pings += isPing(step) ? 1 : 0;
                now.push(step);
            } else if (step !== WAIT || this.mode !== 'whole' || waits || this.isOther) {
                await this.#write(Buffer.concat(now));
                now = [];
                await this.#takeStep(step, asked);
            }
        }
        await this.#write(Buffer.concat(now));
    }

    async #takeStep(step, asked) {
        if (step === END) {
            this.#socket.end();
        } else if (step === RESET) {
            await this.#settled();
            this.#socket.resetAndDestroy();
        } else {
            await this.#answered(asked);
        }
    }

    /** Until the client has the upgrade: what it sent at once would be lost by a reset. */
    #settled() {
        return sleep(20);
    }

    /** What was sent so far is answered: all that can be known of it. */
    async #answered({ messages, pings }) {
        const { pongs } = this.what;
        const hasPongs = () =>
            pongs === 'last'
                ? this.reader.pongs.at(-1)?.equals(pingsOf(this.what).at(-1))
                : this.reader.pongs.length >= (pongs === 'each' ? pings : 0);
        const isDue = () =>
            this.hasEnded ||
            this.hasFailed ||
            (this.reader.messages.length >= Math.min(messages, this.what.messages.length) &&
                hasPongs());
        await this.#until(isDue, ANSWERS_MS);
    }

    /** Looks whenever the client did something; false if it was not so within `ms`. */
    #until(probe, ms) {
        return new Promise((done) => {
            const look = (isLate) => {
                if (isLate === true || probe()) {
                    clearTimeout(timer);
                    this.#socket.off('did', look);
                    done(isLate !== true);
                }
            };
            const timer = setTimeout(look, ms, true);
            this.#socket.on('did', look);
            look();
        });
    }

    async #end() {
        const isOver = () => this.hasEnded || this.hasFailed || this.#socket.destroyed;
        this.began = Date.now();
        const patience = this.isOther ? OTHERS_MS : GOODBYE_MS;
        const hasClosed = () => isOver() || this.reader.close;
        if (!this.what.keeps && !this.isSilent && this.what.script && this.what.closes) {
            await this.#until(hasClosed, patience);
            const { code } = this.reader.close ?? {};
            if (this.what.heard === 0 && code && !isOver()) {
                this.#socket.write(closeFrame(code));
            }
        }
        if (this.isOther) {
            await this.#until(hasClosed, patience);
            this.#socket.end(); // RFC 6455, 7.1.1: the server is first; natlet is not slower
        }
        this.isLate = !(await this.#until(isOver, patience));
        this.lasted = Date.now() - this.began;
        if (this.what.keeps) {
            await sleep(2300); // natlet gives a server 2 s; then its kernel refuses bytes
            this.#socket.write('?');
            await sleep(50);
            this.#socket.write('?');
            await sleep(50);
            this.isKept = !this.hasFailed;
        }
        this.#socket.end();
        setTimeout(() => this.#socket.destroy(), 200).unref();
        await this.over;
    }
}

export class CaseServer {
    arrived = new Map(); // by target
    cases = new Map();
    #server;

    constructor(cases) {
        cases.forEach((one) => this.cases.set(one.id, one));
        this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
            new Connection(this, socket);
        });
    }

    async start() {
        await new Promise((done) => this.#server.listen(0, '127.0.0.1', done));
        this.host = `127.0.0.1:${this.#server.address().port}`;
        return this;
    }

    url(id, query) {
        return `ws://${this.host}/${id}?${query}`;
    }

    /** The connection for a target, once it is over. */
    async record(target) {
        const connection = this.arrived.get(target);
        await connection?.played;
        return connection;
    }

    stop() {
        this.#server.close();
    }
}
