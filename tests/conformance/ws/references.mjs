// The cases of run.mjs with clients of other people: npm's ws and Chromium's WebSocket.  Where
// they do otherwise than natlet has to, the table in README.md has a line.
//
//   node tests/conformance/ws/references.mjs [check|write]
//
// Nothing can be cut inside of them, so the server writes in pieces.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startChromium, startSite } from '../../support/chromium.mjs';
import { Report, npm, root, within } from '../../support/harness.mjs';
import { frameCases } from './cases.mjs';
import { handshakeCases } from './handshakes.mjs';
import { describe, wireFaults } from './judge.mjs';
import { CaseServer } from './server.mjs';

const CASE_MS = 5000;
const CUTS = { whole: '', random: '&cut=6455' };
const README = path.join(root, 'tests/conformance/ws/README.md');
const MARKS = ['<!-- made by references.mjs -->', '<!-- end of the table -->'];

/** Sends everything back; resolves at the end of the connection. */
function echoWith(WebSocket, url, options) {
    return new Promise((done) => {
        const socket = options ? new WebSocket(url, options) : new WebSocket(url);
        socket.binaryType = 'arraybuffer';
        socket.onmessage = ({ data }) => socket.send(data);
        socket.onerror = () => {};
        socket.onclose = () => done();
    });
}

const WITH_WS = { perMessageDeflate: false, handshakeTimeout: 500, closeTimeout: 500 };
const clients = {
    ws: async () => ({
        open: (url) => echoWith(npm('ws'), url, WITH_WS),
        stop() {},
    }),
    Chromium: async () => {
        const site = await startSite();
        const browser = await startChromium();
        const page = await browser.page(`${site.url}/tests/browser/client.html`);
        await page.evaluate(`window.echo = ${echoWith}`);
        return {
            open: (url) => page.evaluate((to) => window.echo(WebSocket, to), url),
            async stop() {
                await browser.stop();
                site.stop();
            },
        };
    },
};

function resultOf(what, record) {
    if (what.script) {
        const isSame = wireFaults(what, record, true).length === 0;
        // How many come before it gives up depends on the moment.
        return { isSame, result: describe(what, record).replace(/\d+ (echoes|pongs)/g, '$1') };
    }
    const close = record?.reader.close;
    const result = close ? `upgraded, close ${close.code}` : 'refused';
    return { isSame: result === dueOf(what), result };
}

/** What natlet has to do, in the same words. */
function dueOf(what) {
    if (!what.script) {
        const code = what.refused || 1000;
        const isUpgraded = what.refused > 0 || (what.status === 'E_CLOSED' && !what.cut);
        return isUpgraded ? `upgraded, close ${code}` : 'refused';
    }
    return what.closes ? `close ${what.closes}` : 'no close';
}

async function play(server, client, name, cases) {
    const results = new Map();
    for (const mode of Object.keys(CUTS)) {
        for (const what of cases.filter(({ modes }) => modes.includes(mode))) {
            const target = `${what.id}?client=${name}&mode=${mode}${CUTS[mode]}`;
            await within(CASE_MS, client.open(`ws://${server.host}/${target}`)).catch(() => {});
            const record = await within(CASE_MS, server.record(`/${target}`)).catch(() => {});
            const one = resultOf(what, record);
            if (!one.isSame && !results.has(what.id)) {
                results.set(what.id, one.result);
            }
        }
    }
    return results;
}

function table(cases, columns) {
    const names = Object.keys(columns);
    const differing = cases.filter(({ id }) => names.some((name) => columns[name].has(id)));
    const rows = differing.map((what) => [
        what.id,
        what.name,
        dueOf(what),
        ...names.map((name) => columns[name].get(what.id) ?? 'the same'),
    ]);
    const head = ['case', 'what the server does', 'natlet', ...names];
    return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const cases = [...frameCases, ...handshakeCases].filter(({ silent, keeps }) => !silent && !keeps);
const server = await new CaseServer(cases).start();
const columns = {};
for (const [name, begin] of Object.entries(clients)) {
    const client = await begin();
    columns[name] = await play(server, client, name, cases);
    await client.stop();
}
server.stop();

const made = `${MARKS[0]}\n${table(cases, columns)}\n${MARKS[1]}`;
const text = readFileSync(README, 'utf8');
const now = text.slice(text.indexOf(MARKS[0]), text.indexOf(MARKS[1]) + MARKS[1].length);
if (process.argv[2] === 'write') {
    writeFileSync(README, text.replace(now, made));
}
const report = new Report();
report.ok(process.argv[2] === 'write' || now === made, 'ws-references: the table is true', made);
report.done();
process.exit();
