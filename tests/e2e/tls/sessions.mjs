// What is agreed upon: versions, ciphers, pins, sessions; and what happens when a line is cut.
import assert from 'node:assert/strict';
import { startNats, until } from '../../support/harness.mjs';
import { Cli } from '../cli.mjs';
import { withFront } from './front.mjs';

const MODULE = ['--tls', 'module', '--tlsfirst'];

async function agrees(form, nats, one, ca, options, args = []) {
    return withFront(nats.port, { cert: one.cert, key: one.key, ...options }, async (front) => {
        const cli = new Cli(form, `nats://localhost:${front.port}`);
        const { code, stderr } = await cli.run([
            ...['rtt', '--count', '1', '--tlsca', ca.certFile, ...MODULE, ...args],
        ]);
        assert.deepEqual([code, stderr], [0, '']);
        return front.protocols[0];
    });
}

const VERSIONS = { 'TLS 1.2': 'TLSv1.2', 'TLS 1.3': 'TLSv1.3' };

async function cipherCases(report, form, nats, { ca, rsaCa, ec, ec384, rsa }) {
    for (const [version, maxVersion] of Object.entries(VERSIONS)) {
        for (const [kind, one, by] of [['P-256', ec, ca], ['P-384', ec384, ca], ['RSA', rsa, rsaCa]]) {
            await report.test(`tls ${form} ${version}, ${kind}: ChaCha20-Poly1305 comes first`, async () => {
                const [protocol, cipher] = await agrees(form, nats, one, by, { maxVersion, honorCipherOrder: false });
                assert.equal(protocol, maxVersion);
                assert.match(cipher, /CHACHA20/i);
            });
        }
    }
    for (const cipher of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384']) {
        await report.test(`tls ${form} TLS 1.3: ${cipher}`, async () => {
            const [, agreed] = await agrees(form, nats, ec, ca, { ciphers: cipher });
            assert.equal(agreed, cipher);
        });
    }
    for (const cipher of ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384']) {
        await report.test(`tls ${form} TLS 1.2: ${cipher}`, async () => {
            const options = { ciphers: cipher, maxVersion: 'TLSv1.2' };
            const [, agreed] = await agrees(form, nats, ec, ca, options);
            assert.equal(agreed, cipher);
        });
    }
    for (const curve of ['X25519', 'P-256', 'P-384']) {
        await report.test(`tls ${form}: ${curve}`, () => agrees(form, nats, ec, ca, { ecdhCurve: curve }));
    }
}

async function resumeCase(report, form, nats, { ca, ec }, version) {
    await report.test(`tls ${form} ${version}: a session is resumed when a line was cut`, () => {
        const options = { cert: ec.cert, key: ec.key, maxVersion: VERSIONS[version] };
        return withFront(nats.port, options, async (front) => {
            const cli = new Cli(form, `nats://localhost:${front.port}`);
            const args = ['--tlsca', ca.certFile, '--reconnect-wait', '20ms', ...MODULE];
            const sub = await cli.listen(['sub', 'resumed', '--raw', '--count', '1', ...args]);
            front.hangUp();
            await until(() => sub.stderr().includes('connected again'), 5000, 'a second connection');
            assert.deepEqual(front.protocols.map(([, , isReused]) => isReused), [false, true]);
            assert.match(sub.stderr(), /lost the connection.*(network failed|TLS was not ended)/);
            await sub.stop();
        });
    });
}

export async function sessionCases(report, form, certificates) {
    const { ca, ec, rsa } = certificates;
    const nats = await startNats();
    await cipherCases(report, form, nats, certificates);
    for (const version of Object.keys(VERSIONS)) {
        await resumeCase(report, form, nats, certificates, version);
    }
    await report.test(`tls ${form}: one of two pinned keys`, async () => {
        const base64 = Buffer.from(ec.pin, 'hex').toString('base64');
        await agrees(form, nats, ec, ca, {}, ['--tlspin', `${rsa.pin},${ec.pin}`]);
        await agrees(form, nats, ec, ca, {}, ['--tlspin', `sha256/${base64}`]);
    });
    await report.test(`tls ${form}: SSL_CERT_FILE names whom to trust`, () =>
        withFront(nats.port, { cert: ec.cert, key: ec.key }, async (front) => {
            const cli = new Cli(form, `nats://localhost:${front.port}`);
            const rtt = (file) =>
                cli.run(['rtt', '--count', '1', ...MODULE], { env: { SSL_CERT_FILE: file } });
            assert.equal((await rtt(ca.certFile)).code, 0);
            assert.match((await rtt(rsa.certFile)).stderr, /not signed by a CA/);
        }),
    );
    await nats.stop();
}
