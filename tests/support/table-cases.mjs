// Does the gate on the table of conformance see what is wrong?
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root, run, tempFolder } from './harness.mjs';

const script = path.join(root, 'tests/conformance/table.mjs');
const EMPTY = `# X

<!-- The table: make conformance-table -->
<!-- end of the table -->
after
`;

const SAID = [
    'ok auth: one (native ws newest)',
    'ok auth: one (native ws 2.9)',
    'ok auth: one (wasm ws newest)',
    'ok auth: one (wasm ws 2.9)',
    'not ok flush: two (native ws newest)',
    '# auth: never (native ws newest)',
    'ok something: else (native)',
    'ok connect: three (native nats 2.9)',
    'ok connect: three (wasm ws newest)',
];

const TABLE = `| theme | case | where it runs | result |
|---|---|---|---|
| connect | three | native nats 2.9; wasm ws newest | 2 of 2 |
| auth | one | native, wasm × ws × newest, 2.9 | 4 of 4 |
| flush and statistics | two | native × ws × newest | 0 of 1 |
`;

/** What was said instead of SAID, and what the gate must complain of; nothing is good. */
const CHANGES = {
    'nothing changed': [(said) => said, ''],
    'a case is new': [(said) => [...said, 'ok auth: new (native)'], 'every case that was run'],
    'a case is gone': [(said) => said.slice(0, -2), 'every case that it lists'],
    'a place is gone': [(said) => said.slice(1), 'where they ran'],
    'a result is another': [
        (said) => said.map((line) => line.replace(/^ok auth: one/, 'not ok auth: one')),
        'where they ran',
    ],
    'no case was run': [() => [], 'there are cases'],
};

export function tableCases(report) {
    const folder = tempFolder('natlet-table-');
    const go = (mode, name, said, text) => {
        const [readme, log] = ['md', 'log'].map((end) => path.join(folder, `${name}.${end}`));
        writeFileSync(readme, text);
        writeFileSync(log, said.join('\n'));
        return run(process.execPath, [script, mode, readme, log]).then((how) => ({
            ...how,
            text: readFileSync(readme, 'utf8'),
        }));
    };
    const full = EMPTY.replace('<!-- end', `${TABLE}<!-- end`);
    const writes = () =>
        report.test('table: it is written', async () => {
            const { text } = await go('write', 'write', SAID, EMPTY);
            if (text !== full) {
                throw new Error(text);
            }
        });
    const sees = Object.entries(CHANGES).map(([what, [change, complaint]]) => () => {
        const test = async () => {
            const { code, stdout } = await go('check', what, change(SAID), full);
            const bad = stdout.split('\n').find((line) => line.startsWith('not ok')) ?? '';
            if (code !== (complaint ? 1 : 0) || !bad.includes(complaint)) {
                throw new Error(stdout);
            }
        };
        return report.test(`table: ${what}`, test);
    });
    return [writes, ...sees];
}
