// The table of hosts that `make hosts` prints: what each of them is, and what the command costs on it.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root, run, start, startNats, tool, until } from '../../support/harness.mjs';
import { programOf } from './wasm2c.mjs';

const build = path.resolve(root, process.env.NATLET_B ?? 'build');
const launcher = path.join(root, 'host-shims/js/bin/natlet.mjs');
const MEASURES = 5;

const firstLine = (text) => text.split('\n')[0].trim();
const versionOf = async (file) => firstLine((await run(file, ['--version'])).stdout);

/** How each host runs a command: program, arguments before its own, environment. */
async function forms(guests) {
    const cli = path.join(build, 'wasm/natlet-cli.wasm');
    const node = { file: tool('NODE'), args: [launcher], version: await versionOf(tool('NODE')) };
    return {
        posix: { file: path.join(build, 'natlet'), args: [], version: firstLine((await run('uname', ['-sr'])).stdout) },
        worker: { ...node, calls: { ...node, env: { NATLET_CLI_WASM: guests.calls } } },
        wasm2c: {
            ...{ file: await programOf(cli), args: [], version: `wabt ${await versionOf(tool('WASM2C'))}` },
            calls: { file: await programOf(guests.calls), args: [] },
        },
    };
}

async function startMs(form) {
    const times = [];
    for (let i = 0; i < MEASURES; i++) {
        const began = process.hrtime.bigint();
        await run(form.file, [...form.args, '--version']);
        times.push(Number(process.hrtime.bigint() - began) / 1e6);
    }
    return Math.min(...times).toFixed(0);
}

async function callNs({ calls }) {
    if (!calls) {
        return '-'; // no door to go through: a call of C
    }
    return (await run(calls.file, calls.args, { env: calls.env })).stdout.trim();
}

/** Both transports once around; and the peak of memory while a subscriber waits. */
async function cli(form, server) {
    const done = [];
    let peak = 0;
    for (const url of [server.wsUrl, server.url]) {
        const env = { NATS_URL: url };
        const sub = start(form.file, [...form.args, 'sub', 'table', '--count', '1', '--raw'], { env });
        await until(() => sub.stderr().includes('listening'), 10000, 'sub');
        peak = Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${sub.child.pid}/status`, 'utf8'))[1]);
        await run(form.file, [...form.args, 'pub', 'table', 'around'], { env });
        await sub.exit;
        if (sub.stdout().includes('around')) {
            done.push(url.split(':')[0]);
        }
    }
    return [done.join(' '), (peak / 1024).toFixed(1)];
}

const row = (cells) => console.log(`# | ${cells.join(' | ')} |`);

/** `rules`: how many verdicts were good, by host. */
export async function printTable(rules, guests) {
    if (rules.size === 0) {
        return;
    }
    row(['host', 'version', 'rules', 'CLI round trip', 'start ms', 'call ns', 'memory MiB']);
    const all = await forms(guests);
    const server = await startNats();
    for (const [name, good] of rules) {
        const form = all[name];
        const [around, peak] = form ? await cli(form, server) : ['-', '-'];
        const costs = form ? [await startMs(form), await callNs(form)] : ['-', '-'];
        row([name, form?.version ?? '', good, around, ...costs, peak]);
    }
    await server.stop();
}
