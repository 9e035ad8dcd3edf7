// The host's TLS where it has one: Node's passes through, and natively there is none.
import assert from 'node:assert/strict';
import { startNats } from '../../support/harness.mjs';
import { Cli } from '../cli.mjs';
import { withFront } from './front.mjs';

export async function hostCases(report, { ca, ec }) {
    const nats = await startNats();
    const withHost = (env, body) =>
        withFront(nats.wsPort, { cert: ec.cert, key: ec.key }, (front) => {
            const cli = new Cli('wasm', `wss://localhost:${front.port}`);
            const rtt = (...args) => cli.run(['rtt', '--count', '1', ...args], { env });
            return body(rtt, front);
        });

    await report.test("tls wasm: Node's TLS passes through", () =>
        withHost({ NODE_EXTRA_CA_CERTS: ca.certFile }, async (rtt, front) => {
            for (const mode of ['auto', 'host']) {
                assert.deepEqual((await rtt('--tls', mode)).stderr, '');
            }
            assert.match(front.protocols[0][1], /AES_256/); // which ours would not put first
        }),
    );
    await report.test("tls wasm: Node's TLS verifies too", () =>
        withHost({}, async (rtt, front) => {
            const { code, stderr } = await rtt('--tls', 'host');
            assert.equal(code, 1);
            assert.match(stderr, /TLS handshake/);
            assert.equal(front.told(), '');
        }),
    );
    await report.test('tls wasm: what Node cannot do is refused', () =>
        withHost({}, async (rtt) => {
            const { code, stderr } = await rtt('--tls', 'host', '--tlspin', ec.pin);
            assert.equal(code, 1);
            assert.match(stderr, /this build or host cannot do it/);
        }),
    );
    await report.test('tls native: there is no host TLS', async () => {
        const { code, stderr } = await new Cli('native', 'wss://localhost:1').run(['rtt', '--tls', 'host']);
        assert.equal(code, 1);
        assert.match(stderr, /offers no WebSocket|cannot/);
    });
    await nats.stop();
}
