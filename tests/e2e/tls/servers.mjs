// Real nats-servers with TLS: every way in, small and large messages in both directions.
import assert from 'node:assert/strict';
import { freePort } from '../../support/harness.mjs';
import { startServer, withServer } from '../../support/servers.mjs';
import { Cli } from '../cli.mjs';

const LARGE = 700000; // many records, and larger than every buffer on the way
const MODULE = ['--tls', 'module'];

export const tlsOf = (one, more = {}) => ({ cert_file: one.certFile, key_file: one.keyFile, ...more });

/** A server's shape: TLS for both transports. */
const shapeOf = (old, one, more, rest = {}) => ({
    old,
    settings: { tls: tlsOf(one, more), ...rest },
    websocket: { tls: tlsOf(one, more) },
});

export const good = ({ code, stderr }) => assert.deepEqual([code, stderr], [0, '']);

/** A message each way, byte for byte. */
export async function passes(cli, args, bytes, subject = 'tls.way') {
    const text = 'x0123456789abcdef'.repeat(Math.ceil(bytes / 17)).slice(0, bytes);
    const sub = await cli.listen(['sub', subject, '--raw', '--count', '1', ...args]);
    good(await cli.run(['pub', subject, '-', ...args], { input: text }));
    assert.equal((await sub.exit).code, 0, sub.stderr());
    assert.ok(sub.stdout() === `${text}\n`, `${sub.stdout().length} bytes came, not ${bytes + 1}`);
}

async function wayCases(report, form, server, name, trust) {
    const ways = {
        wss: server.wsUrl.replace('ws:', 'wss:').replace('127.0.0.1', 'localhost'),
        nats: server.url.replace('127.0.0.1', 'localhost'),
        tls: server.url.replace('nats:', 'tls:'), // by address
    };
    for (const [way, url] of Object.entries(ways)) {
        const cli = new Cli(form, url);
        const args = ['--tlsca', trust, ...MODULE];
        await report.test(`tls ${name} ${way}: messages`, () => passes(cli, args, 20));
        await report.test(`tls ${name} ${way}: a large message`, () => passes(cli, args, LARGE));
    }
}

/** verify_and_map: the certificate says who we are. */
async function clientCases(report, form, old, certificates, name) {
    const { ca, ec, client, otherClient } = certificates;
    const authorization = { users: [{ user: 'anna@example.com' }] };
    const shape = shapeOf(old, ec, { ca_file: ca.certFile, verify_and_map: true }, { authorization });
    shape.websocket.tls = { ...shape.websocket.tls };
    await withServer(shape, async (server) => {
        const cert = (one) => ['--tlscert', one.certFile, '--tlskey', one.keyFile];
        for (const [way, url] of [
            ['wss', server.wsUrl.replace('ws:', 'wss:')],
            ['tls', server.url.replace('nats:', 'tls:')],
        ]) {
            const cli = new Cli(form, url);
            const rtt = (...args) => cli.run(['rtt', '--count', '1', '--tlsca', ca.certFile, ...args]);
            await report.test(`tls ${name} ${way}: a client certificate`, async () => {
                good(await rtt(...cert(client)));
            });
            // The server resets the connection behind its alert, which Node may then drop.
            const cut = form === 'wasm' ? '|TLS was not ended' : '';
            await report.test(`tls ${name} ${way}: no client certificate`, async () => {
                const { code, stderr } = await rtt();
                assert.equal(code, 1);
                assert.match(stderr, new RegExp(`(wants a|refuses our) client certificate${cut}`));
            });
            await report.test(`tls ${name} ${way}: a client certificate of another CA`, async () => {
                const { code, stderr } = await rtt(...cert(otherClient));
                assert.equal(code, 1);
                assert.match(stderr, new RegExp(`not trust who signed|refuses our client cert${cut}`));
            });
        }
    });
}

async function firstCase(report, form, { ca, ec }) {
    const tls = { handshake_first: true };
    await withServer({ settings: { tls: tlsOf(ec, tls) } }, async (server) => {
        const cli = new Cli(form, server.url);
        await report.test(`tls ${form} newest: TLS first`, () =>
            passes(cli, ['--tlsca', ca.certFile, '--tlsfirst', ...MODULE], 20),
        );
    });
}

/** What was connected with TLS comes back with TLS, and only so. */
async function comebackCase(report, form, old, { ca, ec }, name) {
    await report.test(`tls ${name}: comes back after the server did`, async () => {
        const [port, wsPort] = [await freePort(), await freePort()];
        const shape = { ...shapeOf(old, ec), port, wsPort };
        let server = await startServer(shape);
        const args = ['--tlsca', ca.certFile, '--reconnect-wait', '50ms', ...MODULE];
        const cli = new Cli(form, server.wsUrl.replace('ws:', 'wss:'));
        const sub = await cli.listen(['sub', 'back', '--raw', '--count', '1', ...args]);
        await server.kill();
        server = await startServer(shape);
        try {
            for (let i = 0; i < 40 && sub.stdout() === ''; i++) {
                good(await cli.run(['pub', 'back', 'again', ...args]));
            }
            assert.equal((await sub.exit).code, 0);
            assert.equal(sub.stdout(), 'again\n');
            assert.match(sub.stderr(), /lost the connection/);
        } finally {
            await server.kill();
        }
    });
}

export async function serverCases(report, forms, old, certificates) {
    const generation = old ? '2.9' : 'newest';
    const { ec, rsa, bothCas } = certificates;
    for (const [kind, one] of Object.entries({ ec, rsa })) {
        await withServer(shapeOf(old, one), async (server) => {
            for (const form of forms) {
                await wayCases(report, form, server, `${form} ${generation} ${kind}`, bothCas);
            }
            assert.deepEqual(server.complaints(), []);
        });
    }
    for (const form of forms) {
        await clientCases(report, form, old, certificates, `${form} ${generation}`);
        await comebackCase(report, form, old, certificates, `${form} ${generation}`);
        if (!old) {
            await firstCase(report, form, certificates);
        }
    }
}
