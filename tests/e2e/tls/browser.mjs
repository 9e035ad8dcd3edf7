// wss:// in Chromium: the browser's TLS passes through, with and without TLS in the module.
import assert from 'node:assert/strict';
import path from 'node:path';
import { startChromium, startSite } from '../../support/chromium.mjs';
import { root, startNats, within } from '../../support/harness.mjs';
import { withFront } from './front.mjs';

const MS = 30000;
const COUNT = 500;
const MAX = 3000;

export async function browserCases(report, { ec, stranger }) {
    const nats = await startNats();
    const modules = path.resolve(root, process.env.B ?? 'build', 'wasm');
    const site = await startSite({ modules });
    // Whom this Chromium trusts besides its own CAs is one key.
    const key = Buffer.from(ec.pin, 'hex').toString('base64');
    const browser = await startChromium([`--ignore-certificate-errors-spki-list=${key}`]);
    const open = async () => {
        const page = await browser.page(`${site.url}/tests/browser/client.html`);
        await page.waitForFunction(() => window.isReady);
        return (name, ...args) =>
            within(MS, page.evaluate(([what, list]) => window[what](...list), [name, args]), name);
    };

    for (const module of ['natlet-core.wasm', 'natlet-tls.wasm']) {
        await report.test(`tls Chromium ${module}: messages through the browser's TLS`, () =>
            withFront(nats.wsPort, { cert: ec.cert, key: ec.key }, async (front) => {
                const call = await open();
                await call('start', `/modules/${module}`, `wss://localhost:${front.port}`);
                assert.equal(await call('echo', 'tls.page', COUNT, MAX), COUNT);
                assert.match(front.protocols[0][1], /AES/); // ours would put ChaCha20 first
            }),
        );
    }
    await report.test('tls Chromium: it verifies', () =>
        withFront(nats.wsPort, { cert: stranger.cert, key: stranger.key }, async (front) => {
            const call = await open();
            const start = call('start', '/modules/natlet-core.wasm', `wss://localhost:${front.port}`);
            await assert.rejects(within(3000, start, 'connecting'), /connecting took|reject|closed/i);
            assert.equal(front.told(), '');
        }),
    );
    await browser.stop();
    site.stop();
    await nats.stop();
}
