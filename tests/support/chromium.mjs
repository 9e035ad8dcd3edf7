// A Chromium for tests, and the repository as a web site for it.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { npm, root, tempFolder, tool, within } from './harness.mjs';

const TYPES = {
    '.html': 'text/html',
    '.css': 'text/css',
    '.js': 'text/javascript',
    '.mjs': 'text/javascript',
    '.json': 'application/json',
    '.wasm': 'application/wasm',
};

async function serve(request, response, folders) {
    const { pathname } = new URL(request.url, 'http://localhost');
    const [, first, ...rest] = path.posix.normalize(decodeURIComponent(pathname)).split('/');
    const base = folders[first] ?? path.join(root, first);
    const file = path.join(base, ...rest);
    const type = TYPES[path.extname(file)];
    const isFile = type && (await stat(file).then((found) => found.isFile(), () => false));
    response.writeHead(isFile ? 200 : 404, { 'content-type': type ?? 'text/plain' });
    if (isFile) {
        createReadStream(file).pipe(response);
    } else {
        response.end();
    }
}

/** Serves the repository on loopback; `folders` puts others at /NAME/.
 *  Returns { url, stop() }. */
export async function startSite(folders = {}) {
    const server = http.createServer((request, response) => serve(request, response, folders));
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    return {
        url: `http://127.0.0.1:${server.address().port}`,
        stop() {
            server.close();
            server.closeAllConnections();
        },
    };
}

/** Starts Chromium with an empty profile, and more arguments if wanted: { page(url), stop() }.  page() resolves to a page of
 *  playwright that has loaded `url`. */
export async function startChromium(args = []) {
    const { chromium } = npm('playwright-core');
    const context = await chromium.launchPersistentContext(tempFolder('natlet-chromium-'), {
        executablePath: tool('CHROMIUM'),
        headless: true,
        args: [
            '--no-sandbox',
            '--disable-gpu',
            '--disable-quic',
            '--no-first-run',
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-sync',
            ...args,
        ],
    });
    return {
        async page(url) {
            const page = await context.newPage();
            page.on('pageerror', (error) => process.stderr.write(`page: ${error.stack}\n`));
            await page.goto(url);
            return page;
        },
        stop: () => context.close(),
    };
}

/** A page of tests/browser/harness, which runs modules: { run(what, ...args) }.
 *
 *  run() calls runCommand(url, args) or runReactor(url, options) of the page and resolves to
 *  { status, lines }: what it returned, and what was printed.  It rejects after `ms`; the page
 *  may then be stuck. */
export async function harnessPage(browser, site, ms = 60000) {
    const page = await browser.page(`${site.url}/tests/browser/harness/page.html`);
    await page.waitForFunction(() => window.isReady);
    const call = async ([what, args]) => {
        const status = await window[what](...args);
        return { status, lines: window.lines.splice(0) };
    };
    return { run: (what, ...args) => within(ms, page.evaluate(call, [what, args]), what) };
}
