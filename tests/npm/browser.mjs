// The package in Chromium, bundled by esbuild, under a strict Content-Security-Policy.
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { startChromium, startSite } from '../support/chromium.mjs';
import { root, sleep, startNats, tool, until, within } from '../support/harness.mjs';

const CASE_MS = 20000;
const AGENTS_MS = 90000;

function same(got, want) {
    const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
    if (a !== b) {
        throw new Error(`got ${a}, want ${b}`);
    }
}

async function bundle(require, folder, pages) {
    const own = ['page.js', 'worker.js'].map((name) => path.join(root, 'tests/npm/page', name));
    const entries = [...own, path.join(folder, 'src/guest-worker-web.js')]; // found beside the page's file
    mkdirSync(pages, { recursive: true });
    copyFileSync(path.join(root, 'tests/npm/page/page.html'), path.join(pages, 'page.html'));
    await require('esbuild').build({
        entryPoints: entries,
        entryNames: '[name]',
        bundle: true,
        minify: true,
        format: 'esm',
        outdir: pages,
        loader: { '.wasm': 'binary' },
        nodePaths: [path.dirname(folder), tool('NPM_DIR')],
        define: { 'process.env.NODE_ENV': '"development"' }, // StrictMode mounts twice there only
        logLevel: 'error',
    });
}

class Tab {
    complaints = [];

    static async open(browser, site) {
        const tab = new Tab();
        tab.page = await browser.page(`${site.url}/pages/page.html`);
        tab.page.on('console', (line) => line.type() === 'error' && tab.complaints.push(line.text()));
        tab.page.on('pageerror', (error) => tab.complaints.push(error.stack));
        await tab.ready();
        return tab;
    }

    ready() {
        return this.page.waitForFunction(() => window.isReady);
    }

    call(name, ...args) {
        return this.callFor(CASE_MS, name, ...args);
    }

    callFor(ms, name, ...args) {
        const enter = ([what, list]) => {
            const [object, member] = what.split('.');
            return member ? window[object][member](...list) : window[object](...list);
        };
        return within(ms, this.page.evaluate(enter, [name, args]), name);
    }

    /** Chromium itself reports a WebSocket that found no server. */
    ownComplaints() {
        return this.complaints.filter((text) => !/WebSocket connection to '[^']*' failed/.test(text));
    }
}

async function beside(report, tab, server) {
    for (const name of await tab.call('names')) {
        const want = await tab.call('runProgram', name, 'theirs', server.wsUrl);
        const got = await tab.call('runProgram', name, 'ours', server.wsUrl);
        const isRun = want !== '' && !want.includes('threw ');
        report.ok(isRun && got === want, `npm chromium: ${name}`, `ours:\n${got}\nnats.js:\n${want}\n`);
    }
}

async function life(report, tab, server) {
    const test = (name, body) => report.test(`npm chromium: ${name}`, body, CASE_MS);
    await test('10 000 messages to itself', async () => {
        await tab.call('open', server.wsUrl);
        same(await tab.call('echo', 'page.a'), 10000);
    });
    await test('a restart of the server', async () => {
        await server.kill();
        await tab.call('say', 'nobody', 'offline');
        await server.restart();
        await until(async () => (await tab.call('events')).includes('reconnect'), 5000, 'it');
        same(await tab.call('echo', 'page.b'), 10000);
    });
    await test('offline and online', async () => {
        const context = tab.page.context();
        await context.setOffline(true);
        await sleep(200);
        await context.setOffline(false);
        await sleep(100);
        same(await tab.call('echo', 'page.c'), 10000);
    });
    await test('frozen and resumed', async () => {
        const session = await tab.page.context().newCDPSession(tab.page);
        await session.send('Page.setWebLifecycleState', { state: 'frozen' });
        await sleep(300);
        await session.send('Page.setWebLifecycleState', { state: 'active' });
        same(await tab.call('echo', 'page.d'), 10000);
    });
    await test('a worker', async () => {
        same(await tab.call('inWorker', server.wsUrl), 'worker hello');
    });
    await test('a reload leaves no connection behind', async () => {
        await tab.page.reload();
        await tab.ready();
        await tab.call('open', server.wsUrl);
        same(await tab.call('echo', 'page.e'), 10000);
        await tab.call('finish');
    });
}

async function hooks(report, tab, server) {
    const test = (name, body) => report.test(`npm react: ${name}`, body, CASE_MS);
    await test('each hook, with inline callbacks, under StrictMode', async () => {
        same(await tab.call('hooks.panel', server.wsUrl), [1, 20, 20, true]);
    });
    await test('1 000 mounts leave no subscription', async () => {
        same(await tab.call('hooks.mounts', server.wsUrl), [1, 0, true]);
    });
    await test('unmounted before the connection is there', async () => {
        same(await tab.call('hooks.early', server.wsUrl), true);
    });
    await test('presence', async () => {
        same(await tab.call('hooks.presence', server.wsUrl), 'fine');
    });
}

async function agents(report, tab, server) {
    await tab.page.exposeFunction('driveServer', async (how) => void (await server[how]()));
    for (const [name, wrong] of await tab.callFor(AGENTS_MS, 'agents', server.wsUrl)) {
        report.ok(wrong === '', `npm agents chromium: ${name}`, wrong);
    }
    await report.test('npm agents chromium: a panel, whatever an agent is called', async () => {
        same(await tab.call('panelOf', server.wsUrl), [true, true, true, true, true, 'rgb(23, 105, 47)']);
    }, CASE_MS);
    await report.test('npm react: an agent, and the status of its cell', async () => {
        same(await tab.call('hooks.agents', server.wsUrl), 'fine');
    }, CASE_MS);
}

/** where: { folder, require }. */
export async function chromium(report, { folder, require }) {
    const pages = path.join(path.dirname(folder), 'pages');
    await bundle(require, folder, pages);
    const server = await startNats();
    const site = await startSite({ pages, modules: path.join(folder, '../../wasm') });
    const browser = await startChromium();
    const tab = await Tab.open(browser, site);
    await beside(report, tab, server);
    await life(report, tab, server);
    await hooks(report, tab, server);
    await agents(report, tab, server);
    const own = tab.ownComplaints();
    report.ok(own.length === 0, 'npm chromium: the console has nothing of ours', own.join('\n'));
    await browser.stop();
    site.stop();
    await server.stop();
}
