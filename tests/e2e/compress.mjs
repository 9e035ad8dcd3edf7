// Compression with real servers: what goes through is whole, in both directions, and takes less
// of the wire where it can.  The bytes are counted by a proxy that only passes them on.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { startServer } from '../support/servers.mjs';
import { Cli } from './cli.mjs';

const MAX_PAYLOAD = 1048576;
const PACKED = ['--compress'];

/** Passes bytes on to the server: { url, up(), down() }, bytes so far. */
async function countingProxy(url) {
    const { port, hostname } = new URL(url);
    let [up, down] = [0, 0];
    const proxy = net.createServer((socket) => {
        const server = net.connect(Number(port), hostname);
        socket.on('data', (bytes) => (up += bytes.length));
        server.on('data', (bytes) => (down += bytes.length));
        socket.pipe(server).pipe(socket);
        socket.on('error', () => server.destroy());
        server.on('error', () => socket.destroy());
    });
    await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
    return {
        url: `ws://127.0.0.1:${proxy.address().port}`,
        up: () => up,
        down: () => down,
        stop: () => proxy.close(),
    };
}

const textOf = (bytes) => 'one word and another '.repeat(Math.ceil(bytes / 21)).slice(0, bytes);

/** Published over one connection, heard over another: byte for byte. */
async function passes(pub, sub, pubArgs, subArgs, payloads) {
    const subject = `packed.${randomBytes(4).toString('hex')}`;
    const count = String(payloads.length);
    const listening = await sub.listen(['sub', subject, '--json', '--count', count, ...subArgs]);
    for (const payload of payloads) {
        const { code, stderr } = await pub.run(['pub', subject, '-', ...pubArgs], { input: payload });
        assert.deepEqual([code, stderr], [0, '']);
    }
    assert.equal((await listening.exit).code, 0, listening.stderr());
    const heard = listening.stdout().split('\n').filter(Boolean).map((line) => JSON.parse(line));
    assert.equal(heard.length, payloads.length);
    heard.forEach((one, i) => {
        const bytes = Buffer.from(one.data_base64 ?? one.data, one.data_base64 ? 'base64' : 'utf8');
        assert.ok(bytes.equals(Buffer.from(payloads[i])), `payload ${i} is another one`);
    });
}

/** Payloads whose whole PUB, or MSG, is just below or at a threshold of 64 bytes. */
const AROUND = Array.from({ length: 60 }, (_, i) => textOf(i));

async function serverCases(report, form, old) {
    const server = await startServer({ old, websocket: { compression: true } });
    const proxy = await countingProxy(server.wsUrl);
    const name = `compress ${form} ${old ? '2.9' : 'newest'}`;
    const packed = new Cli(form, proxy.url);
    const plain = new Cli(form, server.url);
    const noise = randomBytes(200000);

    await report.test(`${name}: 600 KB twice, both ways`, async () => {
        const [up, down] = [proxy.up(), proxy.down()];
        const payload = textOf(600000);
        await passes(packed, packed, PACKED, PACKED, [payload, payload]);
        assert.ok(proxy.up() - up < 60000, `${proxy.up() - up} bytes went up`);
        assert.ok(proxy.down() - down < 60000, `${proxy.down() - down} bytes came down`);
    });
    await report.test(`${name}: exactly max_payload`, () =>
        passes(packed, packed, PACKED, PACKED, [textOf(MAX_PAYLOAD)]));
    await report.test(`${name}: one byte more is refused by us`, async () => {
        const how = await packed.run(['pub', 'x', '-', ...PACKED], { input: textOf(MAX_PAYLOAD + 1) });
        assert.equal(how.code, 1);
        assert.match(how.stderr, /size limit/);
    });
    await report.test(`${name}: what does not shrink`, async () => {
        const up = proxy.up();
        await passes(packed, packed, PACKED, PACKED, [noise, randomBytes(MAX_PAYLOAD)]);
        const most = noise.length + MAX_PAYLOAD + 10000;
        assert.ok(proxy.up() - up < most, `${proxy.up() - up} bytes went up`);
    });
    await report.test(`${name}: around 64 bytes`, () => passes(plain, packed, [], PACKED, AROUND.slice(10, 25)));
    await report.test(`${name}: to a client without`, () =>
        passes(packed, plain, PACKED, [], [textOf(300000), noise, '', textOf(30)]));
    await report.test(`${name}: from a client without`, () =>
        passes(plain, packed, [], PACKED, [textOf(300000), noise, '', textOf(30)]));
    await report.test(`${name}: round trips`, async () => {
        const how = await packed.run(['rtt', '--count', '20', ...PACKED]);
        assert.deepEqual([how.code, how.stderr], [0, '']);
    });
    await report.test(`${name}: the server complains of nothing`, () =>
        assert.deepEqual(server.complaints(), []));
    proxy.stop();
    await server.stop();
}

export async function compressCases(report, forms) {
    for (const form of forms) {
        await serverCases(report, form, false);
        await serverCases(report, form, true);
        const server = await startServer();
        await report.test(`compress ${form}: a server that knows no compression`, () =>
            passes(new Cli(form, server.wsUrl), new Cli(form, server.wsUrl), PACKED, PACKED, [textOf(9000)]));
        await server.stop();
    }
}
