// The suite `oracle`: natlet's supervisor and its signals against the traces that Erlang/OTP left, natively and as wasm.
//
//   node tests/oracle/run.mjs
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Report, root } from '../support/harness.mjs';

const folder = 'tests/oracle';
const places = {
    native: ['build/tests/otp-oracle'],
    wasm: [process.execPath, '--no-warnings', '--single-threaded', 'tests/wasi.mjs', 'build/wasm/oracle/otp-oracle.wasm'],
};

const scenariosOf = (text) => text.split('\n').filter((line) => line.startsWith('{'));
const tracesOf = (text) => text.split(/^(?=## )/m);

/** Lines that are not the same at the same place of a scenario's trace, and one trace to look at. */
function compare(want, got, scenarios) {
    let lines = 0;
    let example = '';
    for (let i = 0; i < Math.max(want.length, got.length); i++) {
        const [a, b] = [(want[i] ?? '').split('\n'), (got[i] ?? '').split('\n')];
        const length = Math.max(a.length, b.length);
        const differ = Array.from({ length }, (_, n) => n).filter((n) => a[n] !== b[n]).length;
        lines += differ;
        example ||= differ ? `${scenarios[i]}\nOTP:\n${want[i]}\nnatlet:\n${got[i]}` : '';
    }
    return { lines, example };
}

const report = new Report();
let count = 0;
for (const name of ['hand', 'random', 'signals', 'random-signals']) {
    const scenarios = scenariosOf(readFileSync(path.join(root, folder, `${name}.txt`), 'utf8'));
    const want = tracesOf(readFileSync(path.join(root, folder, `${name}.trace`), 'utf8'));
    count += scenarios.length;
    report.ok(want.length === scenarios.length, `${name}: each scenario has a trace`, want.length);
    for (const [place, [program, ...args]] of Object.entries(places)) {
        const { stdout, status } = spawnSync(program, [...args, `${folder}/${name}.txt`], {
            cwd: root, encoding: 'utf8', maxBuffer: 1 << 26,
        });
        const { lines, example } = compare(want, tracesOf(stdout ?? ''), scenarios);
        report.ok(status === 0 && lines === 0, `${name}: ${scenarios.length} scenarios as OTP (${place})`,
            () => `exit status ${status}, ${lines} lines differ\n${example}`);
    }
}
report.ok(count > 2000, 'there are more than 2000 scenarios', count);
report.done();
