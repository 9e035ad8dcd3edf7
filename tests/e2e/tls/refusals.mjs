// Whatever is wrong with a server ends the connection with one line that says so, before anything
// of NATS was sent.
import assert from 'node:assert/strict';
import { constants } from 'node:crypto';
import { Cli } from '../cli.mjs';
import { withFront, withPlain } from './front.mjs';

const INFO = 'INFO {"server_id":"A","version":"2.10.0","headers":true,"max_payload":1048576}\r\n';
const SECRET = ['--user', 'anna', '--password', 'never-to-be-seen'];

async function refused(cli, args, pattern) {
    const { code, stderr, late } = await cli.run([
        ...['rtt', '--count', '1', '--timeout', '4s', ...SECRET],
        ...args,
    ]);
    assert.equal(late, false);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^natlet: [^\n]*\n$/, 'one line');
    assert.match(stderr, pattern);
}

/** Both the pure handshake and the one below a WebSocket: what the front is, what is to be said. */
const fronts = ({ ca, otherCa, ec, expired, future, elsewhere, stranger, selfSigned, wrongUsage }) => ({
    'another host name': [elsewhere, {}, /is for another host name/],
    'another CA': [stranger, {}, /not signed by a CA that we trust/],
    'signed by itself': [selfSigned, {}, /not signed by a CA that we trust/],
    'a CA that is not ours': [ec, {}, /not signed by a CA that we trust/, ['--tlsca', otherCa.certFile]],
    expired: [expired, {}, /has expired/],
    'not valid yet': [future, {}, /is not valid yet/],
    'not one for servers': [wrongUsage, {}, /not one for servers/],
    'another key than the pinned one': [ec, {}, /none of the pinned ones/, [
        ...['--tlsca', ca.certFile, '--tlspin', expired.pin],
    ]],
    'no cipher in common': [ec, { ciphers: 'ECDHE-ECDSA-AES128-SHA256', maxVersion: 'TLSv1.2' }, /share no cipher/],
    'no version in common': [ec, {
        minVersion: 'TLSv1.1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
        secureOptions: constants.SSL_OP_NO_TLSv1_2 | constants.SSL_OP_NO_TLSv1_3,
    }, /share no version of TLS/],
});

export async function refusalCases(report, form, certificates) {
    const { ca, ec } = certificates;
    for (const [what, [one, options, pattern, args]] of Object.entries(fronts(certificates))) {
        await report.test(`tls ${form} refuses: ${what}`, () =>
            withFront(undefined, { cert: one.cert, key: one.key, ...options }, async (front) => {
                for (const [scheme, more] of [['tls', ['--tlsfirst']], ['wss', []]]) {
                    const cli = new Cli(form, `${scheme}://localhost:${front.port}`);
                    await refused(cli, [...(args ?? ['--tlsca', ca.certFile]), ...more], pattern);
                }
                assert.equal(front.told(), '');
            }),
        );
    }
    await report.test(`tls ${form} refuses: a server without TLS`, () =>
        withPlain(INFO, async (server) => {
            const args = ['--tlsca', ca.certFile];
            await refused(new Cli(form, `tls://localhost:${server.port}`), args, /offers no TLS/);
            await refused(new Cli(form, `nats://localhost:${server.port}`), args, /offers no TLS/);
            assert.equal(server.heard(), '');
            await refused(
                new Cli(form, `tls://localhost:${server.port}`),
                [...args, '--tlsfirst'],
                /does not speak TLS here/,
            );
            assert.ok(!server.heard().includes('never-to-be-seen'));
        }),
    );
    await report.test(`tls ${form} refuses: plain bytes behind INFO`, () => {
        const info = INFO.replace('{', '{"tls_required":true,');
        return withPlain(`${info}MSG a 1 0\r\n\r\n`, async (server) => {
            const cli = new Cli(form, `nats://localhost:${server.port}`);
            await refused(cli, ['--tlsca', ca.certFile], /unprotected bytes|does not speak TLS here/);
            assert.ok(!server.heard().includes('never-to-be-seen'));
        });
    });
    await report.test(`tls ${form} refuses: files that are none`, async () => {
        const cli = new Cli(form, 'tls://localhost:1');
        await refused(cli, ['--tlsca', ca.keyFile], /cannot be read/);
        await refused(cli, ['--tlsca', '/nowhere'], /--tlsca \/nowhere: (there is no|reading it)/);
        await refused(cli, ['--tlscert', ec.certFile], /give both or none/);
        await refused(
            cli,
            ['--tlscert', ec.certFile, '--tlskey', ca.keyFile],
            /do not belong together/,
        );
        await refused(cli, ['--tlspin', 'abc'], /give the SHA-256/);
        await refused(cli, ['--tls', 'none'], /it is auto, module or host/);
    });
}
