// What tests in Node share: tools, ports, folders, processes, a nats-server, a report.
//
// Everything started or made here ends with the process, by its own pid; nothing
// is found or stopped by name.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top folder of the repository, without a slash at the end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

const children = new Set();
const folders = new Set();
// When all is done: Node's own clean-up would wait for a write to a killed program for ever.
process.on('beforeExit', () => process.exit());
process.on('exit', () => {
    for (const child of children) {
        child.kill('SIGKILL');
    }
    for (const folder of folders) {
        rmSync(folder, { recursive: true, force: true });
    }
});
for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => process.exit(1));
}

let toolsRead;

/** Path of a tool that wasm/setup.sh found; a variable of the environment wins. */
export function tool(name) {
    toolsRead ??= readTools();
    const value = process.env[name] || toolsRead[name];
    if (!value) {
        throw new Error(`${name} is not known: run wasm/setup.sh, or set ${name}`);
    }
    return value;
}

function readTools() {
    let text = '';
    try {
        text = readFileSync(path.join(root, 'build/tools/env'), 'utf8');
    } catch {
        // Without set-up only the environment counts.
    }
    const lines = text.split('\n').filter((line) => line.includes('='));
    return Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
}

/** An npm package of the tests (they are not installed beside this file). */
export function npm(name) {
    return createRequire(path.join(tool('NPM_DIR'), '..', 'package.json'))(name);
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Settles as `promise` does, or rejects with `what` after `ms`. */
export async function within(ms, promise, what = 'the operation') {
    let timer;
    const late = new Promise((_, fail) => {
        timer = setTimeout(() => fail(new Error(`${what} took more than ${ms} ms`)), ms);
    });
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(timer);
    }
}

/** Calls `probe` until it returns something true; rejects after `ms`. */
export async function until(probe, ms = 5000, what = 'the condition') {
    const end = Date.now() + ms;
    for (;;) {
        const value = await probe();
        if (value) {
            return value;
        }
        if (Date.now() > end) {
            throw new Error(`${what} did not come true within ${ms} ms`);
        }
        await sleep(10);
    }
}

const portsGiven = new Set();

/** A port of loopback where nobody listens, never the same twice.  It lies below those that
 *  the system gives to outgoing connections: it stays free while a server is down. */
export async function freePort() {
    for (;;) {
        const port = 10000 + Math.floor(Math.random() * 20000);
        if (!portsGiven.has(port) && (await canListen(port))) {
            portsGiven.add(port);
            return port;
        }
    }
}

function canListen(port) {
    return new Promise((done) => {
        const server = net.createServer();
        server.once('error', () => done(false));
        server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
    });
}

/** A new empty folder, removed at exit. */
export function tempFolder(prefix = 'natlet-') {
    const folder = mkdtempSync(path.join(tmpdir(), prefix));
    folders.add(folder);
    return folder;
}

/** Starts a process whose output is collected; it is killed at the latest at exit.
 *
 *  Returns { child, stdout(), stderr(), exit, stop(signal, ms) }; `exit` resolves to
 *  { code, signal }, and stop() sends SIGKILL when the signal did not help within ms. */
export function start(file, args = [], options = {}) {
    const { env, cwd, onStdout, stdin = 'ignore' } = options;
    const child = spawn(file, args, {
        cwd,
        env: { ...process.env, ...env },
        stdio: [stdin, 'pipe', 'pipe'],
    });
    children.add(child);
    const output = { stdout: [], stderr: [] };
    child.stdout.on('data', (bytes) => {
        output.stdout.push(bytes);
        onStdout?.(bytes);
    });
    child.stderr.on('data', (bytes) => output.stderr.push(bytes));
    const exit = new Promise((done) => {
        child.once('error', (error) => {
            children.delete(child);
            output.stderr.push(Buffer.from(String(error)));
            done({ code: -1, signal: null });
        });
        child.once('close', (code, signal) => {
            children.delete(child);
            done({ code, signal });
        });
    });
    return {
        child,
        exit,
        stdout: () => Buffer.concat(output.stdout).toString(),
        stderr: () => Buffer.concat(output.stderr).toString(),
        async stop(signal = 'SIGTERM', ms = 2000) {
            child.kill(signal);
            const timer = setTimeout(() => child.kill('SIGKILL'), ms);
            const how = await exit;
            clearTimeout(timer);
            return how;
        },
    };
}

/** Runs a process to its end: { code, signal, stdout, stderr, late }.  After
 *  `timeoutMs` it is killed and `late` is true. */
export async function run(file, args = [], options = {}) {
    const { input, timeoutMs = 20000 } = options;
    const stdin = input === undefined ? 'ignore' : 'pipe';
    const running = start(file, args, { ...options, stdin });
    if (input !== undefined) {
        running.child.stdin.on('error', () => {}); // it may end without reading all
        running.child.stdin.end(input);
    }
    let late = false;
    const timer = setTimeout(() => {
        late = true;
        running.child.kill('SIGKILL');
    }, timeoutMs);
    const how = await running.exit;
    clearTimeout(timer);
    return { ...how, late, stdout: running.stdout(), stderr: running.stderr() };
}

/** A nats-server of one's own on loopback, with WebSocket and JetStream (tests/support/servers.mjs
 *  has servers of every other kind).
 *
 *  options: old (2.9 instead of the newest), config (further lines of the
 *  configuration), websocket (further lines of its block), jetstream (false: none),
 *  port, wsPort.
 *  Returns { url, wsUrl, port, wsPort, pid(), log(), signal(), configure(), stop(), kill(),
 *  restart() }: log() is what all of its runs wrote; configure() writes the configuration
 *  anew, for a signal to reload it or the next start; stop() ends it in order, kill() at
 *  once; restart() starts it again on the same ports and with the same store. */
export async function startNats(options = {}) {
    const folder = tempFolder('natlet-server-');
    const port = options.port ?? (await freePort());
    const wsPort = options.wsPort ?? (await freePort());
    const file = path.join(folder, 'server.conf');
    const configure = (now) => writeFileSync(file, serverConfig(folder, port, wsPort, now));
    const program = tool(options.old ? 'NATS_SERVER_OLD' : 'NATS_SERVER');
    const runs = [];
    const restart = async () => {
        const running = start(program, ['-c', file]);
        runs.push(running);
        let over;
        running.exit.then((how) => (over = how));
        const isReady = () => running.stderr().includes('Server is ready');
        await until(() => over ?? isReady(), 5000, 'nats-server');
        if (over) {
            throw new Error(`nats-server ended: ${running.stderr()}`);
        }
    };
    configure(options);
    await restart();
    return {
        port,
        wsPort,
        url: `nats://127.0.0.1:${port}`,
        wsUrl: `ws://127.0.0.1:${wsPort}`,
        pid: () => runs.at(-1).child.pid,
        log: () => runs.map((running) => running.stderr()).join(''),
        signal: (name) => runs.at(-1).child.kill(name),
        configure,
        stop: () => runs.at(-1).stop('SIGTERM'),
        kill: () => runs.at(-1).stop('SIGKILL'),
        restart,
    };
}

function serverConfig(folder, port, wsPort, options) {
    const { config = '', websocket = '', jetstream = true } = options;
    return `listen: "127.0.0.1:${port}"
websocket {
    listen: "127.0.0.1:${wsPort}"
    no_tls: true
    ${websocket}
}
${jetstream ? `jetstream { store_dir: "${folder}/store" }` : ''}
${config}
`;
}

/** The themes of client conformance, in the order of the table in tests/conformance/README.md. */
export const themes = {
    connect: 'connect',
    auth: 'auth',
    reconnect: 'reconnect and servers',
    requests: 'requests',
    subscriptions: 'subscriptions',
    flush: 'flush and statistics',
    agents: 'agents',
};

/** Prints `ok NAME` and `not ok NAME` lines and counts them.
 *
 *  done() prints "N passed, N failed" and sets the exit status. */
export class Report {
    passed = 0;
    failed = 0;

    /** Returns whether it held; `detail` is printed, as `# ` lines, when it did not. */
    ok(held, name, detail = '') {
        process.stdout.write(`${held ? 'ok' : 'not ok'} ${name}\n`);
        if (held) {
            this.passed += 1;
        } else {
            this.failed += 1;
            const text = typeof detail === 'function' ? detail() : String(detail);
            process.stdout.write(text.replace(/^(?=.)/gm, '# ').replace(/(.)$/, '$1\n'));
        }
        return Boolean(held);
    }

    equal(got, want, name) {
        const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
        return this.ok(a === b, name, `got  ${a}\nwant ${b}`);
    }

    /** Runs `body`; the case fails when it throws or takes longer than `ms`. */
    async test(name, body, ms = 20000) {
        try {
            await within(ms, Promise.resolve().then(body), name);
            return this.ok(true, name);
        } catch (error) {
            return this.ok(false, name, error?.stack ?? error);
        }
    }

    /** A case of client conformance: like test(), and a row of the table that
     *  tests/conformance/table.mjs makes.  `theme` is one of the themes, `what` names the
     *  case wherever it runs, and `place` says where: words such as `native ws newest`. */
    theme(theme, what, place, body, ms) {
        if (!themes[theme] || /[()|\n]/.test(what + place)) {
            throw new Error(`not a theme, a case and a place: ${theme}, ${what}, ${place}`);
        }
        return this.test(`${theme}: ${what} (${place})`, body, ms);
    }

    done() {
        process.stdout.write(`${this.passed} passed, ${this.failed} failed\n`);
        process.exitCode = this.failed > 0 || this.passed === 0 ? 1 : 0;
    }
}
