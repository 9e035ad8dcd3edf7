// The host for modules as C: builds a program of each, and looks at what only it can show.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root, run, start, startNats, tool, until } from '../../support/harness.mjs';

const BUILD_MS = 300000;
const LATE = 124;
const TRAPPED = 134;
const build = path.resolve(root, process.env.NATLET_B ?? 'build');

/** A program that is the module in `file`. */
export async function programOf(file) {
    const program = file.replace(/\.wasm$/, '.wasm2c');
    const env = { WASM2C: tool('WASM2C'), WASM_RT_DIR: tool('WASM_RT_DIR'), NATIVE_CC: tool('NATIVE_CC'), B: build };
    const script = path.join(root, 'host-shims/wasm2c/build.sh');
    const { code, stderr } = await run('sh', [script, file, program], { env, timeoutMs: BUILD_MS });
    if (code !== 0) {
        throw new Error(`${path.basename(file)} does not become a program:\n${stderr}`);
    }
    return program;
}

export async function runWasm2c({ guests, args }, begin) {
    return begin(await programOf(guests.command), args);
}

/** A reactor logs its verdicts, to standard error behind a head, and runs until it is told to end. */
export async function runWasm2cReactor({ guests, args }) {
    const env = { NATLET_ALLOW: 'nats://127.0.0.1:*', NATLET_LOG: '2' };
    const running = start(await programOf(guests.reactor), args, { env });
    const isOver = () => /ok H2 /.test(running.stderr()) || running.child.exitCode !== null;
    await until(isOver, 120000, 'the last rule').catch(() => {});
    const { code, signal } = await running.stop();
    const lines = running.stderr().split('\n').map((line) => line.replace(/^natlet: /, ''));
    return { lines, detail: `exit status ${code} ${signal ?? ''}\n${running.stderr()}` };
}

async function traps(report, file) {
    const program = await programOf(file);
    for (const what of ['recover', 'recover-deep']) {
        const running = start(program, [what], { env: { NATLET_LOG: '2' } });
        await until(() => running.stderr().includes('went on') || running.child.exitCode !== null, 5000).catch(() => {});
        const { code } = await running.stop();
        const text = running.stderr();
        const order = ['trapping', 'recovered from a trap', 'went on', 'fini'].map((word) => text.indexOf(word));
        const isInOrder = order.every((at, i) => at >= 0 && (i === 0 || at > order[i - 1]));
        report.ok(isInOrder && code === 0, `wasm2c trap: ${what}`, `${code}\n${text}`);
    }
    for (const what of ['poison', 'again']) {
        const { code, stderr } = await run(program, [what], { env: { NATLET_LOG: '2' } });
        const isRight = code === TRAPPED && stderr.includes('the module trapped') && !stderr.includes('went on');
        report.ok(isRight, `wasm2c trap: ${what} ends the program`, `${code}\n${stderr}`);
    }
    const began = Date.now();
    const { code, stderr, late } = await run(program, ['loop'], { env: { NATLET_CPU_MS: '100' }, timeoutMs: 10000 });
    report.ok(code === LATE && !late, `wasm2c: an endless loop ends (${Date.now() - began} ms)`, `${code}\n${stderr}`);
    const small = await run(program, ['recover'], { env: { NATLET_PAGES: '1' } });
    report.ok(small.code === 2 && small.stderr.includes('pages of memory'), 'wasm2c: a module is held to its memory', small.stderr);
}

/** Peak of the memory that a program used, while it waits. */
function peakOf(running) {
    const status = readFileSync(`/proc/${running.child.pid}/status`, 'utf8');
    return Number(/VmHWM:\s*(\d+)/.exec(status)[1]);
}

async function roundTrips(report, program, server) {
    for (const url of [server.wsUrl, server.url]) {
        const scheme = url.split(':')[0];
        const options = { env: { NATLET_ALLOW: `${scheme}://127.0.0.1:*`, NATS_URL: url } };
        const sub = start(program, ['sub', 'hosts.>', '--json', '--count', '1'], options);
        await until(() => sub.stderr().includes('listening'), 10000, 'sub');
        const peak = peakOf(sub);
        const pub = await run(program, ['pub', 'hosts.wasm2c', 'héllo', '-H', 'A:b'], options);
        const { code } = await sub.exit;
        const want = '{"subject":"hosts.wasm2c","headers":{"A":["b"]},"data":"héllo"}\n';
        report.ok(pub.code === 0 && code === 0 && sub.stdout() === want, `wasm2c CLI ${scheme} (${peak} KiB)`, sub.stdout() + pub.stderr);
    }
    const denied = await run(program, ['rtt'], { env: { NATLET_ALLOW: 'ws://127.0.0.1:1', NATS_URL: server.wsUrl } });
    report.ok(denied.code === 1 && denied.stderr.includes('does not allow'), 'wasm2c CLI: the allow-list holds', denied.stderr);
}

async function files(report, program) {
    const table = path.join(root, 'tests/e2e/slate.subjects');
    const args = ['subjects', 'check', table];
    const refused = await run(program, args, { env: { NATLET_FILES: `/etc/passwd:${table}x:x${table}` } });
    const granted = await run(program, args, { env: { NATLET_FILES: table } });
    const ok = granted.stderr.includes('27 subjects') && !refused.stderr.includes('27 subjects');
    report.ok(ok, 'wasm2c CLI: a file is read where it is granted', `${refused.stderr}\n${granted.stderr}`);
    const piped = await run(program, ['pub', '--help'], { input: '' });
    report.ok(piped.code === 0 && piped.stdout.includes('natlet'), 'wasm2c CLI: help', piped.stderr);
}

export async function checkWasm2c(report, guests) {
    await traps(report, guests.trap);
    const program = await programOf(path.join(build, 'wasm/natlet-cli.wasm'));
    const began = process.hrtime.bigint();
    const { stdout } = await run(program, ['--version']);
    const ms = Number(process.hrtime.bigint() - began) / 1e6;
    report.ok(stdout.startsWith('natlet '), `wasm2c starts (${ms.toFixed(1)} ms with its process)`, stdout);
    const server = await startNats();
    await roundTrips(report, program, server);
    await files(report, program);
    await server.stop();
}
