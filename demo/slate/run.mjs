// The SLATE demo: a nats-server, the page in a bundle, and a site for it, all on loopback.
//
//   node demo/slate/run.mjs            prints the address and runs until ^C
//   node demo/slate/run.mjs --check    drives three tabs of Chromium instead
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { npm, root, startNats, tool } from '../../tests/support/harness.mjs';
import { startSite } from '../../tests/support/chromium.mjs';
import { check } from './check.mjs';

const here = path.join(root, 'demo/slate');
const built = path.resolve(root, process.env.B ?? 'build');
const pages = path.join(built, 'slate');

async function bundle(natsUrl) {
    mkdirSync(pages, { recursive: true });
    await npm('esbuild').build({
        entryPoints: [path.join(here, 'page/page.jsx')],
        bundle: true,
        minify: true,
        format: 'esm',
        jsx: 'automatic',
        outdir: pages,
        loader: { '.wasm': 'binary' },
        nodePaths: [path.join(built, 'package'), tool('NPM_DIR')],
        define: { 'process.env.NODE_ENV': '"development"' }, // StrictMode mounts twice there only
        logLevel: 'error',
    });
    const html = readFileSync(path.join(here, 'page/page.html'), 'utf8');
    writeFileSync(path.join(pages, 'page.html'), html.replace('NATS_URL', natsUrl));
    copyFileSync(path.join(here, 'page/page.css'), path.join(pages, 'page.css'));
}

const server = await startNats({ jetstream: false });
await bundle(server.wsUrl);
const files = ['page.html', 'page.js', 'page.css'];
const site = await startSite(Object.fromEntries(files.map((name) => [name, path.join(pages, name)])));
const url = `${site.url}/page.html`;
if (process.argv.includes('--check')) {
    await check({ server, url, built });
    site.stop();
    await server.stop();
} else {
    console.log(`${url}\nOpen it in several tabs; ^C ends it.`);
}
