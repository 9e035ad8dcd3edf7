// The client module in Chromium, through the browser's own WebSocket, beside nats.js.
import path from 'node:path';
import { connectPeer, fieldsOf, headersOf, take } from '../e2e/peer.mjs';
import { startChromium, startSite } from '../support/chromium.mjs';
import { Report, root, startNats, within } from '../support/harness.mjs';

const COUNT = 10000;
const MAX = 1000; // bytes of a message
const LARGE = 300000;
const MEMORY_MAX = 16 << 20; // at most 6 MB are published at once; they may lie in two areas

const report = new Report();
const server = await startNats();
const modules = path.resolve(root, process.env.B ?? 'build', 'wasm');
const site = await startSite({ modules });
const browser = await startChromium();
const complaints = [];

async function openPage() {
    const page = await browser.page(`${site.url}/tests/browser/client.html`);
    page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()));
    page.on('pageerror', (error) => complaints.push(error.stack));
    await page.waitForFunction(() => window.isReady);
    return page;
}

/** client.js has the same. */
function payloadOf(i, max) {
    const bytes = Buffer.alloc(4 + ((i * 7919) % (max - 3)));
    bytes.writeUInt32BE(i);
    for (let at = 4; at < bytes.length; at++) {
        bytes[at] = i + at;
    }
    return bytes;
}

const page = await openPage();
const peer = await connectPeer(server.url);
const call = (name, ...args) =>
    within(
        30000,
        page.evaluate(([what, list]) => window[what](...list), [name, args]),
        name,
    );
const equal = (name, body, want) =>
    report.test(
        name,
        async () => {
            const got = await body();
            if (JSON.stringify(got) !== JSON.stringify(want)) {
                throw new Error(`got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
            }
        },
        40000,
    );

await report.test('it connects', () => call('start', '/modules/natlet-core.wasm', server.wsUrl));
await equal(`${COUNT} messages to itself`, () => call('echo', 'page.echo', COUNT, MAX), COUNT);
await equal('large messages to itself', () => call('echo', 'page.large', 20, LARGE), 20);

await equal(
    `${COUNT} messages to nats.js`,
    async () => {
        const arrived = take(peer.subscribe('page.out'), COUNT);
        await peer.flush();
        await call('send', 'page.out', COUNT, MAX);
        const messages = await within(20000, arrived, 'the messages');
        return messages.filter(
            (m, i) => Buffer.compare(Buffer.from(m.data), payloadOf(i, MAX)) === 0,
        ).length;
    },
    COUNT,
);

await equal(
    `${COUNT} messages from nats.js`,
    async () => {
        await call('take', 'page.in', COUNT, MAX);
        for (let i = 0; i < COUNT; i++) {
            peer.publish('page.in', payloadOf(i, MAX));
        }
        await peer.flush();
        return call('taken', 'page.in');
    },
    COUNT,
);

await equal(
    'requests answered by nats.js',
    async () => {
        peer.subscribe('peer.upper', { callback: (_, m) => m.respond(m.string().toUpperCase()) });
        await peer.flush();
        return Promise.all(['a', 'ü', ''].map((text) => call('request', 'peer.upper', text, 5000)));
    },
    ['A', 'Ü', ''],
);

await equal(
    'a request nobody answers',
    async () => {
        peer.subscribe('peer.silent');
        await peer.flush();
        return [
            await call('request', 'nobody', 'x', 5000),
            await call('request', 'peer.silent', 'x', 100),
        ];
    },
    ['E_NO_RESPONDERS', 'E_TIMEOUT'],
);

await equal(
    'requests of nats.js, headers and all',
    async () => {
        await call('answer', 'page.answer');
        const headers = headersOf({ K: ['1', '2'], lower: ['ü'] });
        const reply = await peer.request('page.answer', 'hello', { timeout: 5000, headers });
        return [reply.string(), fieldsOf(reply)];
    },
    ['hello', { K: ['1', '2'], lower: ['ü'] }],
);

// Chromium offers compression by itself, and takes what the server compressed.
const packing = await startNats({ websocket: 'compression: true' });
const packed = await openPage();
await report.test(
    'a server that compresses',
    async () => {
        const on = (name, ...args) =>
            packed.evaluate(([what, list]) => window[what](...list), [name, args]);
        await on('start', '/modules/natlet-core.wasm', packing.wsUrl);
        const small = await on('echo', 'packed.small', 2000, MAX);
        const large = await on('echo', 'packed.large', 20, LARGE);
        const largest = await on('echo', 'packed.largest', 3, 1048576);
        if (small !== 2000 || large !== 20 || largest !== 3) {
            throw new Error(`${small} small messages, ${large} large ones, ${largest} larger ones`);
        }
    },
    40000,
);
await packing.stop();

await report.ok(complaints.length === 0, 'the console is empty', () => complaints.join('\n'));
complaints.length = 0;

await report.test(
    'it survives a restart of the server',
    async () => {
        await server.kill();
        await server.restart();
        await call('connectedAgain', 2);
        const again = await call('echo', 'page.again', 1000, MAX);
        const isOnce = await peer
            .flush()
            .then(() => peer.request('page.answer', 'x', { timeout: 5000 }));
        if (again !== 1000 || isOnce.string() !== 'x') {
            throw new Error(`${again} messages, answer ${isOnce.string()}`);
        }
    },
    40000,
);

await report.test('its memory is bounded', async () => {
    const { heapBytes, linearBytes } = await call('memory');
    if (!(heapBytes > 0 && heapBytes <= linearBytes && linearBytes < MEMORY_MAX)) {
        throw new Error(`${heapBytes} of ${linearBytes} bytes`);
    }
});

await equal('it drains and closes', () => call('drain'), true);

// Chromium itself reports a WebSocket that found no server.
const own = complaints.filter((text) => !/^WebSocket connection to '[^']*' failed/.test(text));
report.ok(own.length === 0, 'the console has nothing of ours', () => own.join('\n'));

await peer.close();
await browser.stop();
site.stop();
await server.stop();
report.done();
