// Through the proxies that stand before a nats-server in the world: TLS ends there, below a
// prefix of the path.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root, sleep, startNats, until, within } from '../../support/harness.mjs';
import { missingProxy, proxyKinds, withTlsProxy } from '../../support/tls-proxies.mjs';
import * as N from '../../../host-shims/js/src/constants.js';
import { Embedding, nodeHost } from '../../../host-shims/js/src/node.js';
import { Cli, forms } from '../cli.mjs';
import { withPlain } from './front.mjs';
import { good, passes } from './servers.mjs';

const MS = 8000;
const SIZES = [20, 70000, 1048576]; // the last is what a server takes at most
const AGAIN = ['--reconnect-wait', '50ms'];
const IDLE_MS = 900;
const PATIENCE_MS = 2200;

const onceAgain = (sub) => until(() => sub.stderr().includes('connected again'), MS, 'a second connection');

/** What is published now comes to a subscription that had lost its connection. */
async function isBack(cli, sub, subject, args) {
    await onceAgain(sub);
    good(await cli.run(['pub', subject, 'here', ...args]));
    assert.equal((await within(MS, sub.exit, 'the message')).code, 0, sub.stderr());
    assert.equal(sub.stdout(), 'here\n');
    assert.match(sub.stderr(), /lost the connection/);
}

async function refused(cli, args, pattern) {
    const { code, stderr, late } = await cli.run(['rtt', '--count', '1', '--timeout', '4s', ...args]);
    assert.equal(late, false);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^natlet: [^\n]*\n$/, 'one line');
    assert.match(stderr, pattern);
}

async function messageCases(report, name, through, args) {
    await report.test(`${name}: messages up to 1 MB`, () =>
        through({}, async (cli, { subject }) => {
            for (const bytes of SIZES) {
                await passes(cli, args, bytes, subject);
            }
        }),
    );
    await report.test(`${name}: request and reply`, () =>
        through({}, async (cli, { subject }) => {
            const text = 'q'.repeat(30000);
            const reply = await cli.listen(['reply', subject, '--echo', ...args]);
            const answer = await cli.run(['request', subject, '-', ...args], { input: text });
            good(answer);
            assert.ok(answer.stdout.includes(text), `${answer.stdout.length} bytes`);
            await reply.stop();
        }),
    );
    // Without a sign of life the proxy would end the connection, twice.
    await report.test(`${name}: idle for longer than the proxy bears, with ping`, () =>
        through({ idleMs: IDLE_MS }, async (cli, { subject }) => {
            const line = [...args, '--ping-interval', '200ms'];
            const sub = await cli.listen(['sub', subject, '--raw', '--count', '1', ...line]);
            await sleep(PATIENCE_MS);
            good(await cli.run(['pub', subject, 'still', ...line]));
            assert.equal((await within(MS, sub.exit, 'the message')).code, 0);
            assert.ok(!sub.stderr().includes('lost'), sub.stderr());
        }),
    );
}

async function outageCases(report, name, through, args) {
    await report.test(`${name}: it restarts`, () =>
        through({}, async (cli, proxy) => {
            const { subject } = proxy;
            const sub = await cli.listen(['sub', subject, '--raw', '--count', '1', ...args, ...AGAIN]);
            await proxy.stop();
            await until(() => sub.stderr().includes('lost the connection'), MS, 'the loss');
            await proxy.restart();
            await isBack(cli, sub, subject, args);
        }),
    );
    await report.test(`${name}: the server behind it goes and comes`, async () => {
        const server = await startNats({ jetstream: false });
        await through({ target: server.wsPort }, async (cli, { subject }) => {
            const sub = await cli.listen(['sub', subject, '--raw', '--count', '1', ...args, ...AGAIN]);
            await server.kill();
            await refused(cli, args, /\(HTTP status 50[23]\)/); // nginx says 502, haproxy 503
            await server.restart();
            await isBack(cli, sub, subject, args);
        });
        await server.kill();
    });
}

async function refusalCases(report, name, through, args, { elsewhere, expired, stranger }) {
    await report.test(`${name}: a wrong certificate is refused`, () =>
        withPlain('', async (server) => {
            for (const [one, pattern] of [
                [elsewhere, /is for another host name/],
                [expired, /has expired/],
                [stranger, /not signed by a CA that we trust/],
            ]) {
                await through({ target: server.port, one }, (cli) => refused(cli, args, pattern));
            }
            assert.equal(server.heard(), '');
        }),
    );
    await report.test(`${name}: a path that it does not know`, () =>
        through({}, async (cli, proxy) => {
            const other = new Cli(cli.form, proxy.url.replace('prefix', 'other'));
            await refused(other, args, /refused the WebSocket upgrade \(HTTP status 404\)/);
        }),
    );
}

async function cliCases(report, kind, form, server, certificates) {
    const { ca, ec } = certificates;
    const args = ['--tlsca', ca.certFile, '--tls', 'module'];
    const name = `tls ${form} through ${kind}`;
    const through = (options, body) =>
        withTlsProxy(kind, { target: server.wsPort, one: ec, ...options }, (proxy) =>
            body(new Cli(form, proxy.url), { ...proxy, subject: `proxy.${proxy.port}` }),
        );
    await Promise.all([
        messageCases(report, name, through, args),
        outageCases(report, name, through, args),
        refusalCases(report, name, through, args, certificates),
    ]);
}

/** The module in Node: all sizes there and back, and again when the proxy was away. */
async function libraryCase(report, kind, server, { ca, ec }) {
    const file = path.join(path.resolve(root, process.env.B ?? 'build'), 'wasm/natlet-tls.wasm');
    await report.test(`tls natlet-tls.wasm through ${kind}: messages, before and after it restarts`, () =>
        withTlsProxy(kind, { target: server.wsPort, one: ec }, async (proxy) => {
            let connections = 0;
            const client = await Embedding.start(readFileSync(file), {
                host: nodeHost(),
                config: { servers: [proxy.url] },
                tls: { mode: 'module', ca: ca.cert },
                onState: (state) => (connections += state === N.CLIENT_CONNECTED ? 1 : 0),
            });
            try {
                await within(MS, client.connected, 'connect');
                const got = [];
                client.subscribe(`library.${kind}`, ({ data }) => got.push(Uint8Array.from(data)));
                for (const count of [1, 2]) {
                    for (const len of SIZES) {
                        client.publish(`library.${kind}`, new Uint8Array(len).fill((len % 251) + 1));
                    }
                    await until(() => got.length === count * SIZES.length, MS, 'all messages');
                    if (count === 1) {
                        await proxy.stop();
                        await proxy.restart();
                        await until(() => connections === 2, MS, 'a second connection');
                    }
                }
                const ofTwo = [...SIZES, ...SIZES];
                assert.deepEqual(got.map((data) => data.length), ofTwo);
                assert.ok(got.every((data, i) => data.every((byte) => byte === (ofTwo[i] % 251) + 1)));
            } finally {
                await within(MS, client.close(), 'close');
            }
        }),
    );
}

export async function proxyCases(report, certificates) {
    const server = await startNats({ jetstream: false });
    const all = [];
    for (const kind of proxyKinds) {
        const why = missingProxy(kind);
        if (why) {
            console.log(`# skipped: the cases through ${kind}; ${why}`);
            continue;
        }
        all.push(libraryCase(report, kind, server, certificates));
        all.push(...forms.map((form) => cliCases(report, kind, form, server, certificates)));
    }
    await Promise.all(all);
    await server.stop();
}
