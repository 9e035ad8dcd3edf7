// Cells in Node and in Chromium: node tests/cells/run.mjs [node|chromium]
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { startChromium, startSite } from '../support/chromium.mjs';
import { Report, root, startNats } from '../support/harness.mjs';
import { nodeHost } from '../../host-shims/js/src/node.js';
import { GUEST } from '../../host-shims/js/src/guest.js';
import { runCells } from './cases.mjs';

const modules = path.resolve(root, process.env.B ?? 'build', 'wasm');
const places = process.argv.slice(2);
const isWanted = (place) => places.length === 0 || places.includes(place);
const report = new Report();
const server = await startNats();

function judge(place, { results, rate }) {
    for (const [name, wrong] of results) {
        report.ok(wrong === '', `cells ${place}: ${name}`, wrong);
    }
    console.log(`# ${place}: guests replaced after a trap a second: ${Math.round(rate)}`);
}

/** The numbers of the header and of the shim are the same. */
async function checkHeader() {
    const header = await readFile(path.join(root, 'include/natlet/guest.h'), 'utf8');
    const found = [...header.matchAll(/NATLET_GUEST_([A-Z_]+) (?:= )?(\d+)/g)];
    const known = Object.fromEntries(found.map(([, name, value]) => [name, Number(value)]));
    const wrong = Object.entries(GUEST).filter(([name, value]) => known[name] !== value);
    report.equal(wrong, [], 'cells: the shim has the numbers of natlet/guest.h');
}

await checkHeader();
const files = { natlet: 'natlet.wasm', guest: 'cells/guest.wasm', hostile: 'cells/hostile.wasm' };
const world = { host: nodeHost(), servers: server.url, place: 'n' };
for (const [name, file] of Object.entries(files)) {
    world[name] = await readFile(path.join(modules, file));
}
if (isWanted('node')) {
    judge('node', await runCells(world));
}

if (isWanted('chromium')) {
    const site = await startSite({ modules });
    const browser = await startChromium();
    const page = await browser.page(`${site.url}/tests/browser/harness/page.html`);
    const found = await page.evaluate(
        async ([names, servers]) => {
            const { browserHost } = await import('/host-shims/js/src/browser.js');
            const { runCells: run } = await import('/tests/cells/cases.mjs');
            const world = { host: browserHost(), servers, place: 'b' };
            for (const [name, file] of Object.entries(names)) {
                world[name] = new Uint8Array(await (await fetch(`/modules/${file}`)).arrayBuffer());
            }
            return run(world);
        },
        [files, server.wsUrl],
    );
    judge('chromium', found);
    await browser.stop();
    site.stop();
}
await server.stop();
report.done();
