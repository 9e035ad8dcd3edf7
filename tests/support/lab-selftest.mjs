// The test laboratory tests itself: the fault proxy, every kind of server, the gate on the table.
//
//   node tests/support/lab-selftest.mjs [WORD...]      only cases whose names have these words
import { Report } from './harness.mjs';
import { labCases } from './lab-cases.mjs';
import { proxyCases } from './proxy-cases.mjs';
import { tableCases } from './table-cases.mjs';

const AT_ONCE = 6; // most of a case is waiting

const words = process.argv.slice(2);
const report = new Report();
const test = report.test.bind(report);
report.test = (name, ...rest) => words.every((word) => name.includes(word)) && test(name, ...rest);

async function all(tasks) {
    const left = [...tasks];
    const work = async () => {
        for (let task; (task = left.shift());) {
            await task();
        }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
}

await all([...proxyCases(report), ...tableCases(report)]);
// nats.js has one transport for all of a process: one after the other.
for (const scheme of ['nats', 'ws']) {
    await all(labCases(report, scheme));
}
report.done();
process.exit(); // a case that hangs has failed, and holds nothing up
