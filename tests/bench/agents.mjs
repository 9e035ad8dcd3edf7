// What agents cost: natlet natively and as wasm in Node, beside a bare ring of records and
// beside Erlang.
//
// The three take turns, and processor time is measured, for the machine is not idle.  Each goes through all cases several times, and a ratio to the floor
// is taken between neighbours of one round.  The bounds are shown beside what was measured;
// nothing here passes or fails.
import { mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root, run, tool } from '../support/harness.mjs';
import { hosted } from './places.mjs';

const DEADLINE_MS = 120000;
const BYTES_BOUND = 1400; // an agent with lanes of 8 and 16 and 216 bytes of state, in wasm

// Operations of one measurement, natlet's and Erlang's, about 30 ms each.
const CASES = [
    { name: 'bare-ping', count: 1000000, what: 'bare ring, 2 records' },
    { name: 'ping', count: 500000, erlang: 100000, what: 'ping-pong' },
    { name: 'bare-ring', count: 1000000, what: 'bare ring, 1 000' },
    { name: 'ring', count: 500000, erlang: 100000, what: 'ring of 1 000' },
    { name: 'flood', count: 500000, erlang: 200000, what: 'one way' },
    { name: 'call', count: 200000, erlang: 30000, what: 'call + reply' },
    { name: 'spawn', count: 100000, erlang: 50000, what: 'spawn + mail + exit' },
    { name: 'keep', count: 10000, erlang: 10000, what: 'spawn, 10 000 alive' },
    { name: 'restart', count: 100000, erlang: 10000, what: 'restart, error' },
    { name: 'trap', count: 5000, what: 'restart, trap' },
];

// Of whom, over whom, and what is asked of the ratio.
const BOUNDS = [
    ['wasm', 'ping', 'bare-ping', 0.2],
    ['wasm', 'ring', 'bare-ring', 0.12],
    ['native', 'ping', 'bare-ping', 0.4],
    ['native', 'ring', 'bare-ring'],
    ['wasm', 'spawn', 'erlang', 3],
    ['wasm', 'call', 'erlang', 6],
    ['wasm', 'restart', 'erlang', 6],
    ['wasm', 'ping', 'erlang'],
    ['wasm', 'ring', 'erlang'],
];
const TRAPS_BOUND = 80000; // a second

const script = (name) => path.join(root, 'tests/bench', name);
const native = () => hosted('tests/bench/agents');
const module = () => hosted('wasm/bench/agents.wasm');
const folder = () => path.join(root, 'build/bench');

const WHO = {
    native: { command: (words) => [native(), words], skips: ['trap'] },
    wasm: {
        command: (words) => [tool('NODE'), [script('agents_wasm.mjs'), module(), ...words]],
        skips: [],
    },
    erlang: {
        command: (words) => [
            'erl',
            ['+S', '1:1', '+sbwt', 'none', '-noshell', '-pa', folder(), '-run', 'agents', 'main', ...words],
        ],
        skips: CASES.filter((one) => !one.erlang).map((one) => one.name),
    },
};

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const load = () => os.loadavg().map((one) => one.toFixed(2)).join(' ');

async function succeed([file, args]) {
    const { code, stdout, stderr } = await run(file, args, { timeoutMs: DEADLINE_MS });
    if (code !== 0) {
        throw new Error(`${path.basename(file)}: ${stderr.trim().split('\n')[0]}`);
    }
    return { stdout, stderr };
}

async function compileErlang() {
    mkdirSync(folder(), { recursive: true });
    try {
        await succeed(['erlc', ['-o', folder(), script('agents.erl')]]);
        const release = 'io:put_chars(erlang:system_info(otp_release)), halt().';
        const { stdout } = await succeed(['erl', ['-noshell', '-eval', release]]);
        return `Erlang/OTP ${stdout} (+S 1:1)`;
    } catch {
        delete WHO.erlang;
        return 'Erlang skipped: no erl and erlc, which Debian has in erlang-base';
    }
}

/** All cases `rounds` times: a list of nanoseconds an operation for each case. */
async function measure(who, rounds, scale) {
    const { command, skips } = WHO[who];
    const words = CASES.filter(({ name }) => !skips.includes(name)).map(
        ({ name, count, erlang }) =>
            `${name}=${name === 'keep' ? count : Math.round((who === 'erlang' ? erlang : count) * scale)}`,
    );
    const { stdout } = await succeed(command([String(rounds), ...words]));
    const ns = {};
    let bytes = 0;
    for (const line of stdout.trim().split('\n')) {
        const [name, count, total, size] = line.split(' ');
        (ns[name] ??= []).push(Number(total) / Number(count));
        bytes = name === 'keep' ? Number(size) : bytes;
    }
    return { ns, bytes };
}

function merge(runs) {
    const all = {};
    for (const { ns } of runs) {
        for (const [name, list] of Object.entries(ns)) {
            (all[name] ??= []).push(...list);
        }
    }
    return all;
}

/** Instructions of one operation natively: two counts apart, so that the world costs nothing. */
async function countInstructions(name, few, many) {
    const totals = [];
    for (const count of [few, many]) {
        const { stderr } = await succeed([
            'valgrind',
            ['--tool=callgrind', '--callgrind-out-file=/dev/null', native(), '0', `${name}=${count}`],
        ]);
        totals.push(Number(/Collected : (\d+)/.exec(stderr)[1]));
    }
    return Math.round((totals[1] - totals[0]) / (many - few));
}

async function instructions() {
    try {
        const of = {};
        for (const name of ['bare-ping', 'ping', 'call', 'spawn', 'restart']) {
            of[name] = await countInstructions(name, 2000, 12000);
        }
        return of;
    } catch (error) {
        return { skipped: `no instruction counts: valgrind (${error.message})` };
    }
}

// ---- what is shown

const rate = (ns) => (ns ? `${(1000 / ns).toPrecision(3)} M` : '-');
const row = (cells) =>
    console.log(
        cells
            .map((cell, i) => (i === 0 ? String(cell).padEnd(24) : String(cell).padStart(12)))
            .join(''),
    );

function ratioOf(all, [who, name, over]) {
    if (over !== 'erlang') {
        return median(all[who][name].map((ns, i) => all[who][over][i] / ns));
    }
    return all.erlang && median(all.erlang[name]) / median(all[who][name]);
}

function showRates(all) {
    const known = Object.keys(all);
    row(['operations/s', ...known, ...known.map((who) => `${who} ns`)]);
    for (const { name, what } of CASES) {
        const ns = known.map((who) => all[who][name] && median(all[who][name]));
        row([what, ...ns.map(rate), ...ns.map((one) => (one ? one.toFixed(1) : '-'))]);
    }
}

function showBounds(all, bytes) {
    const verdict = (isGood) => (isGood ? '' : 'MISSED');
    const ratios = BOUNDS.map(([who, name, over, bound]) => {
        const what = `${who} ${name} / ${over === 'erlang' ? 'erlang' : 'bare ring'}`;
        return { what, bound, ratio: ratioOf(all, [who, name, over]) };
    });
    console.log();
    row(['ratio', 'measured', 'bound']);
    for (const { what, ratio, bound } of ratios) {
        row([what, ratio?.toFixed(2) ?? '-', bound ?? '', verdict(!(ratio < bound))]);
    }
    const traps = Math.round(1e9 / median(all.wasm.trap));
    row(['wasm traps/s', traps, TRAPS_BOUND, verdict(traps >= TRAPS_BOUND)]);
    row(['wasm bytes an agent', bytes.wasm, BYTES_BOUND, verdict(bytes.wasm <= BYTES_BOUND)]);
    row(['native bytes an agent', bytes.native]);
    return { ratios, traps };
}

/** Measures, shows, and returns what is to be kept. */
export async function benchAgents({ rounds, quick }) {
    const erlang = await compileErlang();
    const scale = quick ? 0.2 : 1;
    const before = load();
    console.log(`agents: ${erlang}, Node ${process.version}, ${os.cpus()[0].model}`);
    const runs = {};
    for (let round = 0; round < rounds; round++) {
        for (const who of Object.keys(WHO)) {
            (runs[who] ??= []).push(await measure(who, 3, scale));
        }
    }
    const entries = Object.entries(runs);
    const all = Object.fromEntries(entries.map(([who, list]) => [who, merge(list)]));
    const bytes = Object.fromEntries(entries.map(([who, list]) => [who, list[0].bytes]));
    showRates(all);
    const shown = showBounds(all, bytes);
    const counts = await instructions();
    console.log(`\nnative instructions each: ${JSON.stringify(counts)}`);
    console.log(`load ${before} before, ${load()} after; medians of ${3 * rounds}`);
    return { erlang, load: { before, after: load() }, bytes, ...shown, instructions: counts, ns: all };
}
