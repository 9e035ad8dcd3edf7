// The WebSocket engine against RFC 6455: each case natively and as wasm, whole, byte by byte,
// and in random cuts.
//
//   node tests/conformance/ws/run.mjs [--forms native,wasm] [--modes whole,byte,random] [ID...]
//
// An ID chooses the cases that begin with it.  In mode `whole` the server does not wait for
// anything; in the others ws-echo reads and writes in pieces (ws_echo.c).
import { parseArgs } from 'node:util';
import { Report, start } from '../../support/harness.mjs';
import { MODES, frameCases } from './cases.mjs';
import { handshakeCases } from './handshakes.mjs';
import { describe, lineFaults, randomFaults, readLine, wireFaults } from './judge.mjs';
import { formOf, forms as allForms } from './programs.mjs';
import { CaseServer } from './server.mjs';

const SEED = 6455;
const CONNECT_MS = 500;
const CUTS = { whole: [], byte: ['--cut', '1'], random: ['--seed', String(SEED)] };

/** Runs ws-echo over these cases.  One that it does not survive has no line, and it starts
 *  again behind that. */
async function drive(server, form, mode, cases, options = []) {
    const [file, before, env] = formOf(form);
    const lines = new Map();
    const targets = cases.map(({ id }) => server.url(id, `form=${form}&mode=${mode}`));
    for (let at = 0; at < cases.length; ) {
        const args = [...before, ...options, ...CUTS[mode], '--connect-ms', String(CONNECT_MS)];
        const running = start(file, [...args, ...targets.slice(at)], { env });
        const timer = setTimeout(() => running.child.kill('SIGKILL'), 60000);
        await running.exit;
        clearTimeout(timer);
        const printed = running.stdout().split('\n').filter(readLine);
        printed.forEach((line, i) => lines.set(cases[at + i]?.id, line));
        at += printed.length + 1;
    }
    return lines;
}

async function runMode(server, form, mode, cases) {
    const mine = cases.filter(({ modes }) => modes.includes(mode));
    const lines = new Map([
        ...(await drive(server, form, mode, mine.filter(({ deflate }) => !deflate))),
        ...(await drive(server, form, mode, mine.filter(({ deflate }) => deflate), ['--deflate'])),
    ]);
    const results = new Map();
    for (const what of mine) {
        const record = await server.record(`/${what.id}?form=${form}&mode=${mode}`);
        const faults = [...wireFaults(what, record), ...lineFaults(what, lines.get(what.id))];
        const said = readLine(lines.get(what.id));
        const result = what.script ? describe(what, record) : (said?.status ?? 'a crash');
        results.set(what.id, { faults, result });
    }
    return results;
}

function table(cases, columns) {
    const head = ['case', 'what the server does', ...columns.map(({ name }) => name)];
    const rows = cases.map(({ id, name }) => [
        id,
        name,
        ...columns.map(({ results }) => {
            const one = results.get(id);
            return one ? `${one.result}${one.faults.length > 0 ? ' **WRONG**' : ''}` : '';
        }),
    ]);
    return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        forms: { type: 'string', default: allForms.join() },
        modes: { type: 'string', default: MODES.join() },
    },
});
const chosen = ({ id }) =>
    positionals.length === 0 || positionals.some((start) => `${id}.`.startsWith(`${start}.`));
const cases = [...frameCases, ...handshakeCases].filter(chosen);
const forms = values.forms.split(',');
const server = await new CaseServer(cases).start();
const columns = await Promise.all(
    forms.flatMap((form) =>
        values.modes.split(',').map(async (mode) => ({
            form,
            mode,
            name: `${form} ${mode}`,
            results: await runMode(server, form, mode, cases),
        })),
    ),
);
server.stop();

const report = new Report();
for (const form of forms) {
    for (const { id, name } of cases) {
        const faults = columns
            .filter((column) => column.form === form && column.results.has(id))
            .flatMap(({ mode, results }) => results.get(id).faults.map((fault) => `${mode}: ${fault}`));
        report.ok(faults.length === 0, `ws ${id} ${name} (${form})`, faults.join('\n'));
    }
}
report.equal(randomFaults([...server.arrived.values()]), [], 'ws: keys and masks are random');
process.stdout.write(`\n${table(cases, columns)}\n`);
report.done();
process.exit();
