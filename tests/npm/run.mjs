// The npm package beside nats.js: the same programs, the same output.
//
//   node tests/npm/run.mjs [WORD...]      cases whose name has one of the words
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Report, root, startNats, tool, within } from '../support/harness.mjs';
import { runAgents } from './agents.mjs';
import { chromium } from './browser.mjs';
import { compat } from './compat.mjs';
import { life } from './life.mjs';
import { programs } from './programs.mjs';

const PROGRAM_MS = 10000;
const words = process.argv.slice(2);
const wants = (name) => words.length === 0 || words.some((word) => name.includes(word));
const require = createRequire(path.join(tool('NPM_DIR'), 'none.js'));
const folder = path.resolve(root, process.env.B ?? 'build', 'package/natlet');
const ours = await import(pathToFileURL(path.join(folder, 'src/nats/node.js')));
const theirs = require('@nats-io/transport-node');
globalThis.WebSocket ??= require('ws'); // for theirs, in Node 20

/** What a program prints, line by line, with the error that ended it. */
async function outputOf(program, nats, connect, servers) {
    const lines = [];
    const print = (...parts) => void lines.push(parts.map(String).join(' '));
    const connections = [];
    const open = async (options) => {
        const nc = await connect({ servers, ...options });
        connections.push(nc);
        return nc;
    };
    try {
        await within(PROGRAM_MS, program({ nats: { ...nats, connect }, open, url: servers, print }), 'program');
    } catch (error) {
        lines.push(`threw ${error.stack}`);
    }
    await Promise.all(connections.map((nc) => nc.close().catch(() => {})));
    return lines.join('\n');
}

async function compare(report, server) {
    const ways = [
        ['nats', server.url, theirs.connect],
        ['ws', server.wsUrl, theirs.wsconnect],
    ];
    for (const [name, program] of Object.entries(programs)) {
        for (const [way, url, connect] of ways) {
            const title = `npm: ${name} (${way})`;
            if (!wants(title)) {
                continue;
            }
            const want = await outputOf(program, theirs, connect, url);
            const got = await outputOf(program, ours, ours.connect, url);
            const isRun = want !== '' && !want.includes('threw ');
            report.ok(isRun && got === want, title, `ours:\n${got}\nnats.js:\n${want}\n`);
        }
    }
}

/** Declarations, and what they promise: types.ts compiles against the package. */
async function types(report) {
    const folderOfTest = path.join(path.dirname(folder), 'types');
    rmSync(folderOfTest, { recursive: true, force: true });
    mkdirSync(folderOfTest);
    for (const name of ['types.ts', 'tsconfig.json']) {
        copyFileSync(path.join(root, 'tests/npm', name), path.join(folderOfTest, name));
    }
    writeFileSync(path.join(folderOfTest, 'package.json'), '{ "type": "module" }');
    const links = path.join(folderOfTest, 'node_modules');
    mkdirSync(links);
    symlinkSync(folder, path.join(links, 'natlet'));
    const tsc = path.join(tool('NPM_DIR'), '.bin/tsc');
    const { status, stdout } = spawnSync(tsc, ['-p', folderOfTest], { encoding: 'utf8' });
    report.ok(status === 0, 'npm types: ours are those of nats-core', stdout);
}

/** Agents in Node, on a server of their own, as they have it restarted. */
async function agents(report) {
    const { createCell, headers } = await import(pathToFileURL(path.join(folder, 'src/agents/node.js')));
    const own = await startNats();
    const outage = async (body) => {
        await own.kill();
        await body();
        await own.restart();
    };
    const guest = readFileSync(path.join(folder, '../../wasm/cells/guest.wasm'));
    const world = { createCell, headers, servers: own.url, place: 'n', guest, outage };
    for (const [name, wrong] of await runAgents(world)) {
        report.ok(wrong === '', `npm agents node: ${name}`, wrong);
    }
    await own.stop();
}

const report = new Report();
const server = await startNats();
await compare(report, server);
if (wants('compat')) {
    await compat(report, server, { folder, require });
}
if (wants('agents')) {
    await agents(report);
}
if (wants('chromium')) {
    await chromium(report, { folder, require });
}
if (wants('types')) {
    await types(report);
}
if (wants('life')) {
    await life(report, ours);
}
await server.stop();
report.done();
