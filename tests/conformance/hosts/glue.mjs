// What only the JavaScript side of the door can show: the trap protocol, views of what recv
// delivered, an allow-list, constants, and a source of randomness that fails.
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { root, sleep, until } from '../../support/harness.mjs';
import { allowing, parseAddress } from '../../../host-shims/js/src/allow.js';
import { signingAuthenticators } from '../../../host-shims/js/src/authenticators.js';
import * as constants from '../../../host-shims/js/src/constants.js';
import { ed25519 as ed25519Node } from '../../../host-shims/js/src/ed25519-node.js';
import { ed25519 as ed25519Web } from '../../../host-shims/js/src/ed25519-web.js';
import { Door } from '../../../host-shims/js/src/door.js';
import { nodeHost } from '../../../host-shims/js/src/host-node.js';
import { readSeed, writePublic } from '../../../host-shims/js/src/nkeys.js';
import { instantiate } from '../../../host-shims/js/src/reactor.js';
import { Status, STATUS_LIST } from '../../../host-shims/js/src/status.js';

// The seed of RFC 8032, section 7.1, test 2, as a user's.
const SEED = 'SUAEZTIITMUP7FW2TW3MGRXMCFHA6W4KGGPTLK5GETNIZ5XNJ64KN63OVI';

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

    const groups = /^(TRANSPORT|CAP|EV|HINT|OPT|CTL|SIGNED|OP|REC|SETTLE)_/;
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

/** Asks for a signature and takes the answer: [status of the event, its fields by tag]. */
async function sign(guest, nonce) {
    const bytes = new Uint8Array(guest.memory.buffer);
    bytes.set(new TextEncoder().encode(nonce), 4096);
    const asked = guest.door.imports.ctl(constants.CTL_SIGN, 0x10001, 4096, nonce.length);
    if (asked < 0) {
        return [asked];
    }
    const [, , , len, status] = await nextEvent(guest, constants.EV_SIGNED);
    const short = guest.door.imports.ctl(constants.CTL_SIGNED, 0x10001, 4096, len - 1);
    const took = guest.door.imports.ctl(constants.CTL_SIGNED, 0x10001, 4096, 8192);
    const again = guest.door.imports.ctl(constants.CTL_SIGNED, 0x10001, 4096, 8192);
    const fields = {};
    for (let at = 4096; at < 4096 + took; at += 4 + bytes[at + 2]) {
        const text = bytes.subarray(at + 4, at + 4 + bytes[at + 2]);
        fields[bytes[at]] = new TextDecoder().decode(text);
    }
    return [status, fields, took === len, len === 0 || short === Status.E_TOO_LARGE, again];
}

async function checkSign(report) {
    const server = net.createServer((socket) => socket.on('error', () => {}));
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const url = `nats://127.0.0.1:${server.address().port}`;
    const open = async (authenticator) => {
        const guest = openDoor({ url, authenticator });
        guest.open(0x10001);
        await nextEvent(guest, constants.EV_OPEN);
        return guest;
    };

    const without = await open(undefined);
    report.equal(await sign(without, 'n'), [Status.E_UNSUPPORTED], 'glue SIGN needs a signer');
    const asked = [];
    const guest = await open(async (nonce, about) => {
        asked.push([nonce, about.url]);
        return { user: 'me', pass: '', jwt: 'j', sig: 's', other: 'not ours' };
    });
    const fields = { 1: 'me', 5: 'j', 6: 's' };
    const want = [Status.OK, fields, true, true, 0];
    report.equal(await sign(guest, 'nonce'), want, 'glue SIGN brings what is known, once');
    report.equal(await sign(guest, ''), want, 'glue SIGN without a nonce');
    report.equal(asked, [['nonce', url], ['', url]], 'glue SIGN tells nonce and server');

    const failing = await open(() => {
        throw new Error('no key');
    });
    const failed = await sign(failing, 'n');
    report.equal(failed, [Status.E_AUTH, {}, true, true, 0], 'glue SIGN that fails is an event');
    report.equal(failing.door.lastLines, [], 'glue the host logs that on its own side only');

    let settle;
    const late = await open(() => new Promise((done) => (settle = done)));
    late.door.imports.ctl(constants.CTL_SIGN, 0x10001, 4096, 0);
    await until(() => settle);
    late.door.imports.close(0x10001, 1000, 0, 0);
    settle({ user: 'late' });
    await nextEvent(late, constants.EV_CLOSED);
    report.equal(late.door.imports.poll(1024, 1, 0), 0, 'glue H7 nothing is signed after CLOSED');
    for (const { door } of [without, guest, failing, late]) {
        door.abort();
    }
    server.close();
}

/** Keys of RFC 8032, section 7.1, test 2, in the form of nkeys. */
async function checkNkeys(report) {
    const key = Buffer.from('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'hex');
    const proofs = [];
    for (const ed25519 of [ed25519Node, ed25519Web]) {
        const { nkeyAuthenticator } = signingAuthenticators(ed25519);
        proofs.push(await nkeyAuthenticator(SEED)('r'));
    }
    const want = {
        nkey: writePublic(20 << 3, key),
        sig: 'kqAJqfDUyrhyDoILX2QlQKKye1QWUD-Ps3YiI-vbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAA',
    };
    report.equal(proofs, [want, want], 'glue nkeys sign as RFC 8032 says, by node and by web');

    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
    let accepted = 0;
    for (let i = 0; i < SEED.length; i++) {
        for (const letter of [...letters, '']) {
            const damaged = SEED.slice(0, i) + letter + SEED.slice(i + 1);
            try {
                accepted += readSeed(damaged) && damaged !== SEED ? 1 : 0;
            } catch {
                continue;
            }
        }
    }
    report.equal(accepted, 0, 'glue a seed with one wrong or missing character is refused');

    const creds =
        `-----BEGIN NATS USER JWT-----\r\na.b-c.d_e\r\n------END NATS USER JWT------\r\n` +
        `***\n-----BEGIN USER NKEY SEED-----\n${SEED}\n------END USER NKEY SEED------\n`;
    const { credsAuthenticator } = signingAuthenticators(ed25519Node);
    const fromCreds = await credsAuthenticator(() => creds)('r');
    report.equal(
        fromCreds,
        { nkey: undefined, sig: want.sig, jwt: 'a.b-c.d_e' },
        'glue creds give a JWT and a signature',
    );
    const refusal = await credsAuthenticator('nothing')('r').catch((error) => error.message);
    report.ok(refusal.startsWith('creds without a block NATS USER JWT'), 'glue creds need blocks');
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
    await checkSign(report);
    await checkNkeys(report);
    checkRandom(report);
    checkLimits(report);
}
