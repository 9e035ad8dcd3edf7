// The table of tests/conformance/README.md, from what the tests said.
//
//   node tests/conformance/table.mjs check|write README LOG...
//
// A LOG holds what a suite printed; its lines `ok THEME: CASE (PLACE)` are the cases of
// conformance (Report.theme in tests/support/harness.mjs).  `write` makes the table anew;
// `check` holds what stands there against what was said: every case, everywhere it ran.
import { readFileSync, writeFileSync } from 'node:fs';
import { Report, themes } from '../support/harness.mjs';

const BEGIN = '<!-- The table: make conformance-table -->\n';
const END = '<!-- end of the table -->\n';
const HEAD = '| theme | case | where it runs | result |\n|---|---|---|---|\n';
const LINE = new RegExp(`^(not )?ok (${Object.keys(themes).join('|')}): (.*) \\(([^()]*)\\)$`);

/** What a place is made of, in the order in which the table names it. */
const ORDER = ['native', 'wasm', 'node', 'browser', 'ws', 'nats', 'newest', '2.9'];

const rank = (word) => (ORDER.includes(word) ? ORDER.indexOf(word) : ORDER.length);
const inOrder = (a, b) => rank(a) - rank(b) || (a < b ? -1 : 1);

/** Cases by `theme | name`: { theme, what, places, passed }. */
function casesOf(logs) {
    const cases = new Map();
    for (const line of logs.flatMap((log) => readFileSync(log, 'utf8').split('\n'))) {
        const [, not, theme, what, place] = LINE.exec(line) ?? [];
        if (theme) {
            const key = `${theme}|${what}`;
            const one = cases.get(key) ?? { theme, what, places: [], passed: 0 };
            one.places.push(place);
            one.passed += not ? 0 : 1;
            cases.set(key, one);
        }
    }
    return [...cases.values()];
}

/** `native, wasm × ws, nats` when a case ran with all of these together; else each place. */
function whereOf(places) {
    const unique = [...new Set(places)];
    const words = unique.map((place) => place.split(' '));
    const columns = words[0].map((_, i) => [...new Set(words.map((row) => row[i]))]);
    const isWhole =
        words.every((row) => row.length === columns.length) &&
        columns.reduce((count, column) => count * column.length, 1) === unique.length;
    return isWhole
        ? columns.map((column) => column.sort(inOrder).join(', ')).join(' × ')
        : unique.sort().join('; ');
}

/** Rows in the order of themes, then of names. */
function rowsOf(cases) {
    const names = Object.keys(themes);
    const order = (a, b) =>
        names.indexOf(a.theme) - names.indexOf(b.theme) || (a.what < b.what ? -1 : 1);
    return cases.sort(order).map(({ theme, what, places, passed }) => ({
        name: `${themes[theme]} | ${what}`,
        text: `| ${themes[theme]} | ${what} | ${whereOf(places)} | ${passed} of ${places.length} |`,
    }));
}

function cut(text) {
    const begin = text.indexOf(BEGIN);
    const end = text.indexOf(END);
    if (begin < 0 || end < begin) {
        throw new Error('the marks of the table are missing');
    }
    return [
        text.slice(0, begin + BEGIN.length),
        text.slice(begin + BEGIN.length, end),
        text.slice(end),
    ];
}

function check(report, table, rows) {
    const there = table.split('\n').slice(2).filter(Boolean);
    const nameOf = (line) => line.split(' | ').slice(0, 2).join(' | ').slice(2);
    const said = new Map(rows.map((row) => [row.name, row.text]));
    const written = new Map(there.map((line) => [nameOf(line), line]));
    const gone = [...written.keys()].filter((name) => !said.has(name));
    const missing = [...said.keys()].filter((name) => !written.has(name));
    const other = [...said].filter(([name, text]) => (written.get(name) ?? text) !== text);
    report.ok(rows.length > 0, 'table: there are cases');
    report.equal(gone, [], 'table: every case that it lists was run');
    report.equal(missing, [], 'table: every case that was run is listed (make conformance-table)');
    report.equal(
        other.map(([, text]) => text),
        [],
        'table: where they ran and what came of it',
    );
    report.equal(there.length, written.size, 'table: no case is listed twice');
}

const [mode, readme, ...logs] = process.argv.slice(2);
const [before, table, after] = cut(readFileSync(readme, 'utf8'));
const rows = rowsOf(casesOf(logs));
const report = new Report();
if (mode === 'write') {
    const text = HEAD + rows.map((row) => `${row.text}\n`).join('');
    writeFileSync(readme, before + text + after);
    report.ok(rows.length > 0, `table: ${rows.length} cases`);
} else {
    check(report, table, rows);
}
report.done();
