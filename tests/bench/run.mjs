// What a message costs: natlet beside other clients and beside the floor.
//
//   node tests/bench/run.mjs [--quick] [--only WORD]... [--size BYTES]... [--count N]
//                            [--rounds N] [--old]
//
// `--only agents` measures agents and no client, other words choose among the clients.
//
// A peer is one file in peers/, a subject of its own and a process of its own for
// every run: started, warmed up, measured, ended.  Peers take turns, round after
// round, and the medians are shown: neighbours of one run can be compared, figures
// of different days cannot.  Nothing here passes or fails.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root, run, startNats, tool } from '../support/harness.mjs';
import { benchAgents } from './agents.mjs';
import { BenchProgram } from './program.mjs';

const DEADLINE_MS = 60000;
const SERVER = 'max_pending: 1GB\nwrite_deadline: "60s"'; // a slow reader is to be measured, not cut off

const { values: options } = parseArgs({
    options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        size: { type: 'string', multiple: true, default: ['128'] },
        count: { type: 'string' },
        rounds: { type: 'string' },
        old: { type: 'boolean', default: false },
    },
});
const rounds = Number(options.rounds ?? (options.quick ? 2 : 5));
const seconds = options.quick ? 0.3 : 1;
const warmUp = options.quick ? 20000 : 50000;

async function loadPeers() {
    const folder = path.join(root, 'tests/bench/peers');
    const files = readdirSync(folder)
        .filter((name) => name.endsWith('.mjs'))
        .sort();
    const modules = await Promise.all(files.map((name) => import(path.join(folder, name))));
    return modules.map((module) => module.default);
}

/** Every measurement: what is done, over what, by whom, and its name. */
function plan(peers) {
    const cells = [];
    for (const role of ['publish', 'receive']) {
        for (const size of options.size.map(Number)) {
            for (const transport of ['ws', 'tcp']) {
                for (const peer of peers) {
                    cells.push({
                        role,
                        size,
                        transport,
                        peer: peer.name,
                        command: peer.command,
                        runs: [],
                    });
                }
            }
        }
    }
    const words = ({ role, size, transport, peer }) => [
        role,
        String(size),
        transport,
        ...peer.split(' '),
        peer,
    ];
    return cells.filter((cell) => options.only.every((word) => words(cell).includes(word)));
}

/** As many messages as take about `seconds`, judged by the warm-up. */
function chooseCount(warm, first) {
    if (options.count) {
        return Number(options.count);
    }
    const count = first ?? (warmUp * seconds * 1e9) / warm.ns;
    return Math.max(1000, Math.round(count / 1000) * 1000);
}

/** A native publisher that is faster than any reader. */
function startFeeder(server, floor, subject, size) {
    return new BenchProgram(floor.command('publish', { url: server.url, subject, size }));
}

async function measure(cell, server, floor) {
    const url = cell.transport === 'ws' ? server.wsUrl : server.url;
    const subject = 'bench';
    const program = new BenchProgram(cell.command(cell.role, { url, subject, size: cell.size }));
    const feeder =
        cell.role === 'receive' ? startFeeder(server, floor, subject, cell.size) : undefined;
    const feed = (count) => () => feeder?.ask(count);
    try {
        await Promise.all([program.ready(), feeder?.ready()]);
        const first = options.quick ? Math.min(warmUp, 1e8 / (cell.size + 100)) : warmUp;
        const warm = await program.measure(first, DEADLINE_MS, feed(first));
        const count = chooseCount(warm, cell.runs[0]?.count);
        cell.runs.push({ count, ...(await program.measure(count, DEADLINE_MS, feed(count))) });
    } finally {
        await Promise.all([program.stop(), feeder?.stop()]);
    }
}

function median(numbers) {
    const sorted = [...numbers].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function summarize({ role, size, transport, peer, runs, error }) {
    const of = (figure) => (runs.length > 0 ? Math.round(median(runs.map(figure))) : undefined);
    return {
        role,
        size,
        transport,
        peer,
        error,
        perSecond: of((r) => (r.count * 1e9) / r.ns),
        cpuNs: of((r) => r.cpuNs / r.count),
        residentBytes: of((r) => r.bytes),
        runs,
    };
}

const row = (cells) =>
    console.log(
        cells
            .map((cell, i) => (i === 0 ? String(cell).padEnd(16) : String(cell).padStart(14)))
            .join(''),
    );
const ratio = (a, b) => (a && b ? `${(a / b).toFixed(2)} x` : '-');

/** Processor time beside nats.js and the floor on the same transport. */
function show(results) {
    const nameOf = (r) => `${r.role} ${r.size} B, ${r.transport}`;
    for (const name of new Set(results.map(nameOf))) {
        const group = results.filter((r) => nameOf(r) === name);
        const by = (peer) => group.find((r) => r.peer === peer)?.cpuNs;
        console.log(`\n${name}`);
        row(['', 'messages/s', 'CPU ns each', 'of raw', 'of nats.js', 'resident MB']);
        for (const r of group) {
            const megabytes = (r.residentBytes / 1e6).toFixed(0);
            const cost = [ratio(r.cpuNs, by('raw')), ratio(r.cpuNs, by('nats.js'))];
            row(r.error ? [r.peer, r.error] : [r.peer, r.perSecond, r.cpuNs, ...cost, megabytes]);
        }
    }
}

async function describe() {
    const server = await run(tool(options.old ? 'NATS_SERVER_OLD' : 'NATS_SERVER'), ['--version']);
    return {
        date: new Date().toISOString(),
        server: server.stdout.trim(),
        node: process.version,
        processors: os.cpus().map((cpu) => cpu.model),
        rounds,
        seconds,
    };
}

async function benchClients(about) {
    const peers = await loadPeers();
    const floor = peers.find((peer) => peer.name === 'raw');
    const cells = plan(peers);
    const server = await startNats({ old: options.old, config: SERVER });
    console.log(`${about.server}, Node ${about.node}, ${about.processors.length} processors, ${rounds} rounds`);
    for (let round = 0; round < rounds; round++) {
        for (const cell of cells.filter((one) => !one.error)) {
            await measure(cell, server, floor).catch((error) => {
                cell.error = error.message.split('\n')[0];
            });
        }
    }
    await server.stop();
    const results = cells.map(summarize);
    show(results);
    return results;
}

const about = await describe();
const onlyAgents = options.only.includes('agents');
const results = onlyAgents ? [] : await benchClients(about);
const agents = onlyAgents || options.only.length === 0 ? await benchAgents({ rounds, quick: options.quick }) : undefined;
const folder = path.resolve(root, 'build/bench');
mkdirSync(folder, { recursive: true });
const file = path.join(folder, `${about.date.replace(/[:.]/g, '-')}.json`);
writeFileSync(file, `${JSON.stringify({ ...about, results, agents }, null, 1)}\n`);
console.log(`\nmedians; every run is in ${path.relative(root, file)}`);
