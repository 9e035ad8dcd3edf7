// Traps in agents, in Node and in Chromium: node --expose-gc tests/traps/run.mjs [node|chromium]
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { startChromium, startSite } from '../support/chromium.mjs';
import { Report, root } from '../support/harness.mjs';
import { nodeHost } from '../../host-shims/js/src/node.js';
import { runTraps } from './cases.mjs';

const COUNT = 100000;
const COUNT_BROWSER = 20000;
const RATE_GOAL = 80000; // of a quiet machine; the figure is printed, not judged

const modules = path.resolve(root, process.env.B ?? 'build', 'wasm');
const places = process.argv.slice(2);
const isWanted = (place) => places.length === 0 || places.includes(place);
const report = new Report();

function heapBytes() {
    globalThis.gc();
    return process.memoryUsage().heapUsed;
}

function judge(place, { results, rates }) {
    for (const [name, wrong] of results) {
        report.ok(wrong === '', `traps ${place}: ${name}`, wrong);
    }
    const text = Object.entries(rates).map(([name, rate]) => `${name} ${Math.round(rate)}`);
    console.log(`# ${place}: restarts after a trap a second: ${text.join(', ')} (goal ${RATE_GOAL})`);
}

const code = await readFile(path.join(modules, 'traps/traps.wasm'));
if (isWanted('node')) {
    judge('node', runTraps(new WebAssembly.Module(code), nodeHost(), { count: COUNT, heapBytes }));
}

if (isWanted('chromium')) {
    const site = await startSite({ modules });
    const browser = await startChromium();
    const page = await browser.page(`${site.url}/tests/browser/harness/page.html`);
    const found = await page.evaluate(async (count) => {
        const { browserHost } = await import('/host-shims/js/src/browser.js');
        const { runTraps } = await import('/tests/traps/cases.mjs');
        const module = await WebAssembly.compileStreaming(fetch('/modules/traps/traps.wasm'));
        return runTraps(module, browserHost(), { count });
    }, COUNT_BROWSER);
    judge('chromium', found);
    await browser.stop();
    site.stop();
}
report.done();
