// natlet-tls.wasm as a library in Node: what came through TLS is what the handlers get.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root, startNats, until, within } from '../../support/harness.mjs';
import { Embedding, instantiate, nodeHost } from '../../../host-shims/js/src/node.js';
import { withFront } from './front.mjs';

const MS = 5000;
const STACK_BYTES = 16384; // wasm/toolchain.mk
const AIR_BYTES = 8192; // that are left of it at the deepest

const file = path.join(path.resolve(root, process.env.B ?? 'build'), 'wasm/natlet-tls.wasm');
const bytesOf = (len, seed) => Uint8Array.from({ length: len }, (_, i) => (i * 7 + seed) & 255);

async function exchanges(client) {
    await within(MS, client.connected, 'connect');
    const got = [];
    client.subscribe('t.*', ({ subject, data }) => got.push([subject, Uint8Array.from(data)]));
    const sent = [0, 1, 3000, 20000, 70000, 300000].map((len, i) => [`t.${i}`, bytesOf(len, i)]);
    for (const [subject, data] of sent) {
        client.publish(subject, data);
    }
    await until(() => got.length === sent.length, MS, 'all messages');
    for (const [i, [subject, data]] of got.entries()) {
        assert.equal(subject, sent[i][0]);
        assert.ok(Buffer.compare(data, sent[i][1]) === 0, `message ${i} differs`);
    }
}

/** The stack grows down from STACK_BYTES, and is empty between calls of the module. */
const PAINT = 0xa5;
const stackOf = (reactor) => new Uint8Array(reactor.memory.buffer, 0, STACK_BYTES);
const used = (stack) => STACK_BYTES - stack.findIndex((byte) => byte !== PAINT);

export async function embeddingCases(report, certificates) {
    const { ca, rsaCa, otherCa, ec, rsa, elsewhere, expired, future, client: own } = certificates;
    const source = readFileSync(file);
    const nats = await startNats();
    const begin = (port, tls, more = {}) =>
        Embedding.start(source, {
            host: nodeHost(),
            config: { servers: [`wss://localhost:${port}`], no_reconnect: true },
            tls: { mode: 'module', ca: ca.cert, ...tls },
            ...more,
        });

    await report.test('tls natlet-tls.wasm: messages of all sizes', () =>
        withFront(nats.wsPort, { cert: ec.cert, key: ec.key }, async (front) => {
            const client = await begin(front.port, {});
            await exchanges(client);
            await within(MS, client.close(), 'close');
            assert.equal(front.protocols.length, 1);
        }),
    );
    await report.test('tls natlet-tls.wasm: a client certificate and a pin', () => {
        const options = { cert: ec.cert, key: ec.key, ca: ca.cert, requestCert: true };
        return withFront(nats.wsPort, options, async (front) => {
            const identity = { certificate: own.cert, key: own.key, pins: ec.pin };
            const client = await begin(front.port, identity);
            await exchanges(client);
            await within(MS, client.close(), 'close');
        });
    });
    for (const [what, one, tls, reason] of [
        ['another CA', ec, { ca: otherCa.cert }, /not signed by a CA/],
        ['another host name', elsewhere, {}, /is for another host name/],
        ['expired', expired, {}, /has expired/],
        ['not valid yet', future, {}, /is not valid yet/],
        ['another key than the pinned one', ec, { pins: rsa.pin }, /none of the pinned ones/],
    ]) {
        await report.test(`tls natlet-tls.wasm refuses: ${what}`, () =>
            withFront(nats.wsPort, { cert: one.cert, key: one.key }, async (front) => {
                const client = await begin(front.port, tls, { onError: () => {} });
                await assert.rejects(within(MS, client.connected, 'the refusal'), reason);
                assert.equal(front.told(), '');
            }),
        );
    }
    await report.test('tls natlet-tls.wasm: documents that are wrong', async () => {
        for (const tls of [{ ca: 'none' }, { ca: 1 }, { pins: 'ab' }, { mode: 'no' }, { other: '' }]) {
            await assert.rejects(begin(1, tls), /natlet_init/);
        }
        const core = readFileSync(file.replace('-tls', '-core'));
        await assert.rejects(
            instantiate(core, { host: nodeHost(), tls: {} }),
            /only natlet-tls.wasm has TLS/,
        );
    });
    for (const [what, one, by, version] of [
        ['RSA, TLS 1.3', rsa, rsaCa, 'TLSv1.3'],
        ['RSA, TLS 1.2', rsa, rsaCa, 'TLSv1.2'],
        ['P-256, TLS 1.3', ec, ca, 'TLSv1.3'],
    ]) {
        await report.test(`tls natlet-tls.wasm: the stack is deep enough (${what})`, () => {
            const options = { cert: one.cert, key: one.key, ca: ca.cert, requestCert: true };
            Object.assign(options, { maxVersion: version, honorCipherOrder: false });
            return withFront(nats.wsPort, options, async (front) => {
                const reactor = await instantiate(source, {
                    host: nodeHost(),
                    config: { servers: [`wss://localhost:${front.port}`], no_reconnect: true },
                    tls: { mode: 'module', ca: by.cert, certificate: own.cert, key: own.key },
                });
                stackOf(reactor).fill(PAINT);
                await until(() => front.told().includes('GET /'), MS, 'the handshake');
                const bytes = used(stackOf(reactor));
                console.log(`# stack: ${bytes} of ${STACK_BYTES} bytes`);
                reactor.door.abort();
                assert.ok(bytes <= STACK_BYTES - AIR_BYTES, `${bytes} bytes`);
            });
        });
    }
    await nats.stop();
}
