// What only the JavaScript side of the door can show: the trap protocol, views of what recv
// delivered, an allow-list, constants, and a source of randomness that fails.
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { root, sleep, until } from '../../support/harness.mjs';
import { allowing, parseAddress } from '../../../host-shims/js/src/allow.js';
import * as constants from '../../../host-shims/js/src/constants.js';
import { Door } from '../../../host-shims/js/src/door.js';
import { nodeHost } from '../../../host-shims/js/src/host-node.js';
import { instantiate } from '../../../host-shims/js/src/reactor.js';
import { Status, STATUS_LIST } from '../../../host-shims/js/src/status.js';

// ---- constants

/** Names and values of a header's enums and flags, without NATLET_. */
function constantsOf(header) {
    const text = readFileSync(path.join(root, 'include/natlet', header), 'utf8');
    const found = new Map();
    const value = /\bNATLET_([A-Z0-9_]+) +?=? ?\(?(0x[0-9a-fA-F]+|\d+)u?( << (\d+))?\)?/g;
    for (const [, name, number, , shift] of text.matchAll(value)) {
        found.set(name, Number(number) << Number(shift ?? 0));
    }
    for (const [, name, number] of text.matchAll(/X\(([A-Z_]+), (-?\d+), "/g)) {
        found.set(header === 'client.h' ? `CLIENT_${name}` : name, Number(number));
    }
    return found;
}

function checkConstants(report) {
    const headers = ['host.h', 'embed.h', 'client.h'].map(constantsOf);
    const known = new Map(headers.flatMap((header) => [...header]));
    const ours = Object.entries(constants).filter(([name]) => name !== 'NEVER_MS');
    const wrong = ours.filter(([name, value]) => known.get(name) !== value);
    report.equal(wrong, [], 'glue constants are those of the headers');

    const groups = /^(TRANSPORT|CAP|EV|HINT|OPT|CTL|OP|REC|SETTLE)_/;
    const missing = [...known.keys()].filter(
        (name) => groups.test(name) && constants[name] === undefined,
    );
    report.equal(missing, [], 'glue no constant of the headers is missing');
    report.equal(
        STATUS_LIST.map(([name, value]) => [name, value]),
        [...constantsOf('status.h')],
        'glue statuses are those of status.h',
    );
}

// ---- allow-list

function checkAllow(report) {
    const verdict = (list, url) => allowing(list)(parseAddress(url));
    const cases = [
        [undefined, 'ws://any.example:1', true],
        [[], 'ws://127.0.0.1:80', false],
        [['ws://127.0.0.1:8080'], 'ws://127.0.0.1:8080/path', true],
        [['ws://127.0.0.1:8080'], 'ws://127.0.0.1:8081', false],
        [['ws://127.0.0.1:8080'], 'nats://127.0.0.1:8080', false],
        [['ws://example.com'], 'ws://example.com', true],
        [['ws://example.com'], 'ws://example.com:81', false],
        [['ws://example.com'], 'ws://EXAMPLE.com:80', true],
        [['*://*:4222'], 'nats://far.away', true],
        [['*://*:4222'], 'nats://far.away:4223', false],
        [['wss://*.example.com'], 'wss://a.b.example.com', true],
        [['wss://*.example.com'], 'wss://example.com', false],
        [['wss://*.example.com'], 'wss://evilexample.com', false],
        [['nats://[::1]:*'], 'nats://[::1]:7', true],
        [['nats://10.0.0.1:*'], 'nats://10.0.0.1@10.0.0.2:1', false],
    ];
    const wrong = cases.filter(([list, url, want]) => verdict(list, url) !== want);
    report.equal(wrong, [], 'glue allow-list');
    let thrown;
    try {
        allowing(['127.0.0.1:80']);
    } catch (error) {
        thrown = error;
    }
    report.ok(thrown instanceof TypeError, 'glue a pattern that is none is refused at once');
}

// ---- traps

/** Runs trap.wasm as `what` says, and lists what happened. */
async function runTrap(code, what) {
    const lines = [];
    const poisoned = [];
    const reactor = await instantiate(code, {
        host: nodeHost(),
        config: what,
        log: (_level, line) => lines.push(line),
        onPoisoned: (error) => poisoned.push(error),
    });
    await sleep(50);
    return { reactor, lines, poisoned };
}

async function checkTraps(report, file) {
    const code = readFileSync(file);
    for (const what of ['recover', 'recover-deep']) {
        const { lines, poisoned } = await runTrap(code, what);
        const happened = [lines, poisoned.length];
        report.equal(happened, [['trapping', 'went on'], 0], `glue trap: ${what}`);
    }
    for (const what of ['poison', 'again']) {
        const { reactor, lines, poisoned } = await runTrap(code, what);
        const memory = new Uint8Array(reactor.memory.buffer);
        reactor.schedule();
        reactor.run();
        reactor.finish();
        await sleep(10);
        report.ok(
            poisoned.length === 1 &&
                poisoned[0].code === 'E_POISONED' &&
                poisoned[0].cause instanceof WebAssembly.RuntimeError,
            `glue trap: ${what} is reported once`,
        );
        report.equal(
            [poisoned[0]?.lastLines, lines],
            [['trapping'], ['trapping']],
            `glue trap: ${what} ends all calls, and the report has the last lines`,
        );
        report.ok(memory.every((byte) => byte === 0), `glue trap: ${what} wipes the memory`);
    }
}

// ---- the door itself

/** A door with a memory of its own, called as a guest would. */
function openDoor(options) {
    const door = new Door(nodeHost(), options);
    const memory = new WebAssembly.Memory({ initial: 2 });
    door.attach(memory);
    const url = new TextEncoder().encode(options.url ?? 'nats://127.0.0.1:1');
    new Uint8Array(memory.buffer).set(url, 64);
    const open = (id, transport = constants.TRANSPORT_TCP, options = []) => {
        new Uint8Array(memory.buffer).set(options, 512);
        return door.imports.open(id, transport, 64, url.length, 512, options.length);
    };
    return { door, memory, open };
}

/** Polls until an event of `type` is there; returns [conn, type, flags, a, b]. */
async function nextEvent({ door, memory }, type) {
    const view = () => new DataView(memory.buffer);
    await until(() => door.imports.poll(1024, 1, 0) === 1 && view().getUint16(1028, true) === type);
    const fields = [0, 4, 6, 8, 12].map((at) => view().getUint32(1024 + at, true));
    return [fields[0], type, fields[2] & 0xffff, fields[3], fields[4] | 0];
}

async function checkSegments(report) {
    const server = net.createServer((socket) => {
        socket.on('error', () => {}).write('0123456789'); // we end it with a reset
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const guest = openDoor({ url: `nats://127.0.0.1:${server.address().port}` });
    guest.door.segments = new Map();
    guest.open(0x10001);
    await nextEvent(guest, constants.EV_READABLE);
    const took = [4, 4, 4, 4].map((cap) => guest.door.imports.recv(0x10001, 2048, cap));
    const texts = [...guest.door.segments].map(([n, bytes]) => [n, Buffer.from(bytes).toString()]);
    report.equal(took, [4, 4, 2, Status.E_AGAIN], 'glue recv takes from one array');
    const want = [
        [1, '0123'],
        [2, '4567'],
        [3, '89'],
    ];
    report.equal(texts, want, 'glue every recv that brought bytes is a segment');
    guest.door.releaseSegments();
    report.equal([...guest.door.segments.keys()], [3], 'glue the last segment is kept');
    guest.door.abort();
    server.close();
}

async function checkAbort(report) {
    let reset;
    const heard = new Promise((done) => (reset = done));
    const server = net.createServer((socket) => socket.on('error', (error) => reset(error.code)));
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const guest = openDoor({ url: `nats://127.0.0.1:${server.address().port}` });
    guest.open(0x10001);
    await nextEvent(guest, constants.EV_OPEN);
    guest.door.abort();
    report.equal(await heard, 'ECONNRESET', 'glue abort resets the connections');
    server.close();
}

/** A server that never says a word of TLS. */
async function checkDeadline(report) {
    const server = net.createServer((socket) => socket.on('error', () => {}));
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const guest = openDoor({ url: `tls://127.0.0.1:${server.address().port}` });
    const deadline = [constants.OPT_CONNECT_MS, 0, 4, 0, 100, 0, 0, 0];
    guest.open(0x10001, constants.TRANSPORT_TLS, deadline);
    const [, , , , status] = await nextEvent(guest, constants.EV_CLOSED);
    report.equal(status, Status.E_TIMEOUT, 'glue CONNECT_MS covers the TLS handshake');
    server.close();
}

function checkRandom(report) {
    const { door, memory } = openDoor({});
    const real = crypto.getRandomValues;
    crypto.getRandomValues = () => {
        throw new Error('no entropy');
    };
    const status = door.imports.random(0, 8);
    crypto.getRandomValues = real;
    const bytes = new Uint8Array(memory.buffer, 0, 8);
    report.ok(
        status === Status.E_UNSUPPORTED && bytes.every((byte) => byte === 0),
        'glue H11 without a source there are no random bytes',
    );
}

function checkLimits(report) {
    const guest = openDoor({ connsMax: 2 });
    const answers = [guest.open(0x10001), guest.open(0x10002), guest.open(0x10003)];
    report.equal(answers, [0, 0, Status.E_LIMIT], 'glue connections are limited');
    guest.door.abort();
}

export async function checkGlue(report, guests) {
    checkConstants(report);
    checkAllow(report);
    await checkTraps(report, guests.trap);
    await checkSegments(report);
    await checkAbort(report);
    await checkDeadline(report);
    checkRandom(report);
    checkLimits(report);
}
