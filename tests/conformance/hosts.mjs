// Host conformance: one guest (hosts/guest.c), the same on every host, against scripted peers.
//
//   node tests/conformance/hosts.mjs [HOST...] [-- PROGRAM ARG...]
//
// HOST is posix, node, worker, chromium, wasm2c, wasm2c-reactor, wasm2c-life (its traps, limits and
// command line), glue (what only the JavaScript side can show) or embedding (its API with natlet.wasm
// and a nats-server); all of them by default.  PROGRAM is a
// host of your own: it runs the command guest, whose path it gets before the guest's arguments,
// and lets it reach nats://127.0.0.1:* only.  NODE names the Node that plays node and worker.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { freePort, Report, root, run, tempFolder, tool } from '../support/harness.mjs';
import { harnessPage, startChromium, startSite } from '../support/chromium.mjs';
import { buildGuests } from './hosts/build.mjs';
import { checkEmbedding } from './hosts/embedding.mjs';
import { checkGlue } from './hosts/glue.mjs';
import { checkCommandMode } from './hosts/mode.mjs';
import { startPeers } from './hosts/peers.mjs';
import { printTable } from './hosts/table.mjs';
import { checkWasm2c, runWasm2c, runWasm2cReactor } from './hosts/wasm2c.mjs';

const TIMEOUT_MS = 120000;
const TCP = 2;
const WS = 1;

const reactor = path.join(root, 'tests/conformance/hosts/node.mjs');
const natlet = path.join(root, 'host-shims/js/bin/natlet.mjs');

/** How each host runs the guest: resolves to what it printed. */
const HOSTS = {
    posix: ({ guests, args }) => start(guests.posix, args),
    node: ({ guests, args }) => start(tool('NODE'), [reactor, guests.reactor, ...args]),
    worker: ({ guests, args }) =>
        start(tool('NODE'), [natlet, ...args], { NATLET_CLI_WASM: guests.command }),
    chromium: startPage,
    wasm2c: (given) => runWasm2c(given, start),
    'wasm2c-reactor': (given) => runWasm2cReactor(given, start),
};

async function start(file, args, env = {}) {
    const allow = { NATLET_ALLOW: 'nats://127.0.0.1:* ws://127.0.0.1:*' };
    const result = await run(file, args, { env: { ...allow, ...env }, timeoutMs: TIMEOUT_MS });
    const { stdout, stderr, code, late } = result;
    const end = late ? 'no end' : `exit status ${code}`;
    return { lines: stdout.split('\n'), detail: `${end}\n${stderr}` };
}

async function startPage({ guests, wsArgs }) {
    const site = await startSite({ guests: path.dirname(guests.reactor) });
    const browser = await startChromium();
    try {
        const page = await harnessPage(browser, site, TIMEOUT_MS);
        const options = { config: wsArgs.join(' '), allow: ['ws://127.0.0.1:*'] };
        const url = `/guests/${path.basename(guests.reactor)}`;
        return { ...(await page.run('runReactor', url, options)), detail: '' };
    } catch (error) {
        return { lines: [], detail: error.message };
    } finally {
        await browser.stop();
        site.stop();
    }
}

/** Every rule must have been judged, or the guest was cut short. */
function judge(report, name, { lines, detail }) {
    const verdicts = lines.filter((line) => /^(not )?ok H\d/.test(line));
    for (const line of verdicts) {
        const [, not, text] = /^(not )?ok (.*)$/.exec(line);
        report.ok(!not, `${name} ${text}`);
    }
    const last = verdicts.at(-1) ?? '';
    report.ok(last.includes('H2 '), `${name} came to the end`, detail);
    return verdicts.filter((line) => line.startsWith('ok ')).length;
}

async function main() {
    const argv = process.argv.slice(2);
    const split = argv.includes('--') ? argv.indexOf('--') : argv.length;
    const own = argv.slice(split + 1);
    const wanted = argv.slice(0, split);
    const all = [...Object.keys(HOSTS), 'wasm2c-life', 'glue', 'embedding'];
    const names = wanted.length + own.length > 0 ? wanted : all;

    const folder = process.env.B ? path.join(process.env.B, 'hosts') : tempFolder('natlet-hosts-');
    mkdirSync(folder, { recursive: true });
    const guests = await buildGuests(path.resolve(folder), names);
    const peers = await startPeers();
    const closed = await freePort();
    const config = (transport, scheme, port) => [
        String(transport),
        `${scheme}://127.0.0.1:${port}`,
        `${scheme}://127.0.0.1:${closed}`,
        `${scheme}://127.0.0.2:${port}`,
    ];
    const args = config(TCP, 'nats', peers.tcpPort);
    const wsArgs = config(WS, 'ws', peers.wsPort);

    const report = new Report();
    const rules = new Map();
    for (const name of names.filter((name) => HOSTS[name])) {
        rules.set(name, judge(report, name, await HOSTS[name]({ guests, args, wsArgs })));
    }
    if (own.length > 0) {
        const [program, ...rest] = own;
        judge(report, 'own', await start(program, [...rest, guests.command, ...args]));
    }
    if (names.includes('wasm2c-life')) {
        await checkWasm2c(report, guests);
    }
    if (names.includes('glue')) {
        await checkGlue(report, guests);
        await checkCommandMode(report, guests.mode);
    }
    if (names.includes('embedding')) {
        await checkEmbedding(report);
    }
    peers.stop();
    await printTable(rules, guests);
    report.done();
}

await main();
