// Plants each fault of mutants.txt in a copy of its file, links ws-echo with that, and runs the
// cases that have to see it: the report must turn red, and stay green without a fault.
//
//   node tests/conformance/ws/mutants.mjs [WORD...]      a fault that has all the words
//
// It wants build/tests/ws-echo; `make ws-mutants` sees to that.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Report, root, run } from '../../support/harness.mjs';

const AT_ONCE = 3;
const RUN_MS = 60000;
const build = path.join(root, 'build');
const folder = path.join(build, 'ws-mutants');
const words = process.argv.slice(2);

const plain = (text) => text.replace(/\\(n|\\)/g, (_, letter) => (letter === 'n' ? '\n' : '\\'));

function readFaults() {
    const text = readFileSync(path.join(root, 'tests/conformance/ws/mutants.txt'), 'utf8');
    return text
        .split('\n\n')
        .slice(1)
        .map((paragraph) => paragraph.trimEnd().split('\n'))
        .map(([name, cases, file, old, now], i) => ({
            name: `${name} (${file})`,
            cases: cases.split(' '),
            file,
            old: plain(old.slice(2)),
            now: plain(now.slice(2)),
            folder: path.join(folder, String(i)),
        }));
}

/** Compiles the file with its fault; throws if that does not work. */
async function plant({ file, old, now, folder: place }) {
    const text = readFileSync(path.join(root, file), 'utf8');
    const parts = text.split(old);
    if (parts.length !== 2) {
        throw new Error(`${JSON.stringify(old)} stands there ${parts.length - 1} times`);
    }
    mkdirSync(path.join(place, 'tests'), { recursive: true });
    const source = path.join(place, path.basename(file));
    writeFileSync(source, parts.join(now));
    const include = ['-Iinclude', '-Isrc', '-I', path.dirname(path.join(root, file))];
    const objects = ['tests/tools/ws_echo.o', 'libnatlet_posix.a', 'libnatlet.a'].map((name) =>
        path.join(build, name),
    );
    const out = path.join(place, 'tests/ws-echo');
    const args = ['-std=c11', '-O1', '-w', ...include, source, ...objects, '-pthread', '-o', out];
    const { code, stderr } = await run(process.env.CC ?? 'cc', args, { cwd: root });
    if (code !== 0) {
        throw new Error(stderr);
    }
}

function runCases(place, cases) {
    const args = ['tests/conformance/ws/run.mjs', '--forms', 'native', ...cases];
    return run(process.execPath, args, { cwd: root, env: { B: place }, timeoutMs: RUN_MS });
}

async function tryFault(report, fault) {
    const name = `ws-mutants: ${fault.name}`;
    try {
        await plant(fault);
    } catch (error) {
        report.ok(false, name, error.message);
        return;
    }
    const { code, stdout, late } = await runCases(fault.folder, fault.cases);
    const isRed = late || (code === 1 && /^not ok /m.test(stdout));
    report.ok(isRed, name, `cases ${fault.cases.join(' ')} do not see it:\n${stdout}`);
}

const report = new Report();
const faults = readFaults();
const chosen = faults.filter(({ name }) => words.every((word) => name.includes(word)));
const cases = [...new Set(chosen.flatMap((fault) => fault.cases))];
const green = await runCases(build, cases);
report.ok(green.code === 0, 'ws-mutants: green without a fault', green.stdout);
const queue = [...chosen];
await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
        while (queue.length > 0) {
            await tryFault(report, queue.shift());
        }
    }),
);
report.done();
