// Runs unit tests, built as WASI commands, in Chromium:
//
//   node tests/browser/run-wasm-tests.mjs FOLDER|FILE.wasm...
//
// Prints their "ok CASE" and "not ok CASE" lines with the program's name before the case.  A
// program that fails without saying so, or says nothing, counts as a failure.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { harnessPage, startChromium, startSite } from '../support/chromium.mjs';
import { Report, root } from '../support/harness.mjs';

function modulesOf(argument) {
    if (argument.endsWith('.wasm')) {
        return [argument];
    }
    const names = readdirSync(argument).filter((name) => name.endsWith('.wasm'));
    return names.sort().map((name) => path.join(argument, name));
}

/** Counts the program's own verdicts, and adds one of ours if they do not say how it ended. */
function judge(report, name, lines, status) {
    let failed = false;
    const verdicts = lines.filter((line) => /^(not )?ok /.test(line));
    for (const line of verdicts) {
        const [, not, text] = /^(not )?ok (.*)$/.exec(line);
        failed ||= !report.ok(!not, `${name} ${text}`, () => lines.join('\n'));
    }
    if (verdicts.length === 0 || (status !== 0 && !failed)) {
        report.ok(status === 0, name, () => `exit status ${status}\n${lines.join('\n')}`);
    }
}

const wanted = process.argv.slice(2);
const everything = [path.join(root, 'build/wasm/tests')];
const files = (wanted.length > 0 ? wanted : everything).flatMap(modulesOf);
const site = await startSite({ modules: path.resolve(path.dirname(files[0] ?? '.')) });
const browser = await startChromium();
const report = new Report();
const page = await harnessPage(browser, site);
for (const file of files) {
    const name = path.basename(file, '.wasm');
    try {
        const { lines, status } = await page.run('runCommand', `/modules/${name}.wasm`);
        judge(report, name, lines, status);
    } catch (error) {
        report.ok(false, name, error.message);
        break; // the page is stuck
    }
}
await browser.stop();
site.stop();
report.done();
