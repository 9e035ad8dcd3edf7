// One program meets all the servers of broken.mjs, one connection after the other.
//
// Each must end in its typed error and the next connection, or be borne; and after the last
// one the program must still work, with no more memory than its limits allow.
import { sleep, until } from '../../support/harness.mjs';
import { CASES, MESSAGE_MAX } from './broken.mjs';
import { startFake } from './fake.mjs';
import { Program, assert } from './program.mjs';

const MEMORY_MAX = 4 * MESSAGE_MAX; // buffers, tables, and one message at its limit
const CONNECT_MS = 300;

/** The connections of a fake server, in order; those that the client gave up meanwhile are
 *  passed over, so that a case that fails does not fail the others. */
async function startQueue(isWs) {
    const arrived = [];
    const { url, stop } = await startFake(isWs, (peer) => arrived.push(peer));
    const find = () => {
        while (arrived.length > 0) {
            const peer = arrived.shift();
            if (!peer.isGone) {
                return peer;
            }
        }
        return undefined;
    };
    return { url, stop, next: () => until(find, 5000, 'the next connection') };
}

/** What the program printed about this connection: all before it has been waited for. */
class Watch {
    constructor(program) {
        this.program = program;
        this.from = program.lines.length;
    }

    get lines() {
        return this.program.lines.slice(this.from);
    }

    async line(pattern) {
        const find = () => this.lines.some((line) => pattern.test(line));
        await until(find, 3000, `${pattern}`).catch(({ message }) => {
            throw new Error(`${message} in\n${this.lines.slice(-20).join('\n')}`);
        });
    }
}

async function bears(peer, watch) {
    const mark = peer.text.length;
    await peer.say('PING\r\n');
    const answer = await peer.heard(new RegExp(`^[^]{${mark},}PONG\r\n`));
    assert(answer, `it gave up:\n${watch.lines.slice(-20).join('\n')}`);
    peer.destroy();
    await watch.line(/^state reconnecting/);
}

async function ends(peer, watch, { expect, closes }, isWs) {
    const kind = expect instanceof RegExp ? expect.source : expect;
    await watch.line(new RegExp(`^(state reconnecting|error) ${kind}`));
    const isClosed = await Promise.race([peer.closed.then(() => true), sleep(3000)]);
    assert(isClosed, 'the client keeps the connection');
    if (isWs && closes) {
        const isRight = closes instanceof RegExp ? true : peer.closeCode === closes;
        assert(isRight, `close code ${peer.closeCode}, want ${closes}`);
    }
}

async function playCase(what, peer, program, isWs) {
    const watch = new Watch(program);
    if (what.greets) {
        await peer.greet();
        await watch.line(/^state connected/);
    }
    await what.play(peer, isWs);
    await (what.expect ? ends(peer, watch, what, isWs) : bears(peer, watch));
}

const STEPS = [
    'set reconnect_ms 1',
    `set connect_ms ${CONNECT_MS}`,
    `set message_bytes_max ${MESSAGE_MAX}`,
    'set ignore_discovered',
    'connect',
    'sub a',
    'mark ready',
    'expect 2',
    'stats',
    'close',
];

async function serve(peer, text) {
    const [, sid] = await peer.heard(/SUB a +(\d+)\r\n/);
    await peer.say(`MSG a ${sid} ${text.length}\r\n${text}\r\n`);
}

async function finish(peer, program) {
    await peer.greet();
    await serve(peer, 'hello');
    await program.end();
    assert(program.lines.includes('msg 1 a "" "hello"'), 'the message arrived');
    const { memory_max: memory, rx_block_max: block } = program.stats;
    assert(memory <= MEMORY_MAX, `${memory} bytes, at most ${MEMORY_MAX}`);
    assert(block <= MESSAGE_MAX + 4096, `a block of ${block} bytes`);
}

export async function malformedCases(report, name, form, isWs) {
    const queue = await startQueue(isWs);
    const program = new Program(form, [`set servers ${queue.url}`, ...STEPS]);
    const whole = new Watch(program);
    let peer = await queue.next();
    await peer.greet();
    await program.line(/^mark ready/);
    await serve(peer, 'first'); // or a refusal of subscriptions would be about this one
    peer.destroy();
    await whole.line(/^state reconnecting/);
    for (const what of CASES.filter((one) => isWs || !one.wsOnly)) {
        peer = await queue.next();
        await report.test(`${what.name} (${name})`, () => playCase(what, peer, program, isWs));
        peer.destroy();
    }
    peer = await queue.next();
    await report.test(`after all of that it works, in bounded memory (${name})`, () =>
        finish(peer, program),
    );
    program.running.child.kill('SIGKILL');
    queue.stop();
}
