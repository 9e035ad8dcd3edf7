// Command mode in Node: what natlet.mjs does for a program beside the door.
import path from 'node:path';
import { root, run, start, tool, until } from '../../support/harness.mjs';

const natlet = path.join(root, 'host-shims/js/bin/natlet.mjs');

export async function checkCommandMode(report, module) {
    const env = { NATLET_CLI_WASM: module, NATLET_TEST_WORD: 'übung', NATLET_ALLOW: undefined };
    const go = (args, options = {}) =>
        run(tool('NODE'), [natlet, ...args], { ...options, env: { ...env, ...options.env } });
    const begin = (args, options = {}) =>
        start(tool('NODE'), [natlet, ...args], { ...options, env });

    for (const status of [0, 1, 2, 77]) {
        const { code, stdout, stderr } = await go(['exit', String(status)]);
        const silent = stdout === '' && stderr === '';
        report.ok(code === status && silent, `worker mode: exit status ${status}`, stderr);
    }
    const word = await go(['env', 'NATLET_TEST_WORD']);
    report.equal(word.stdout, 'übung\n', 'worker mode: environment');

    const input = Buffer.from(Array.from({ length: 300000 }, (_, i) => `${i}\n`).join(''));
    const copied = await go(['cat'], { input });
    report.ok(copied.stdout === input.toString(), 'worker mode: standard input is passed on');
    const nothing = await go(['cat'], { input: '' });
    report.equal([nothing.code, nothing.stdout], [0, ''], 'worker mode: an empty standard input');

    await checkSlowReader(report, begin);
    await checkSignals(report, begin);

    const trapped = await go(['?']);
    report.ok(
        trapped.code === 134 && /^natlet: the module trapped: .+\n$/.test(trapped.stderr),
        'worker mode: a trap is told, and is status 134',
        trapped.stderr,
    );
    const logged = await go(['log']);
    report.equal(logged.stderr, 'natlet: error: a?[2J\n', 'worker mode: errors are logged');
    const denied = await go(['denied', 'nats://127.0.0.1:1'], {
        env: { NATLET_ALLOW: 'nats://127.0.0.1:2' },
    });
    report.equal(denied.code, 0, 'worker mode: NATLET_ALLOW is kept');
    const missing = await go([], { env: { NATLET_CLI_WASM: '/nowhere.wasm' } });
    report.ok(missing.code === 1 && missing.stderr.includes('make wasm'), 'worker mode: no module');
}

/** Everything is there although the reader began late, and the program ended before. */
async function checkSlowReader(report, begin) {
    const running = begin(['lines', '50000']);
    running.child.stdout.pause();
    setTimeout(() => running.child.stdout.resume(), 300);
    const { code } = await running.exit;
    const lines = running.stdout().split('\n');
    const last = 'line 49999 of many, long enough to fill a pipe soon';
    report.equal([code, lines.at(-2)], [0, last], 'worker mode: a slow reader gets all of it');
}

async function checkSignals(report, begin) {
    for (const signal of ['SIGINT', 'SIGTERM']) {
        const running = begin(['wait']);
        await until(() => running.stdout() === 'waiting\n', 5000, 'the program');
        running.child.kill(signal);
        report.equal(await running.exit, { code: 7, signal: null }, `worker mode: ${signal}`);
    }
    const deaf = begin(['deaf']);
    await until(() => deaf.stdout() === 'waiting\n', 5000, 'the program');
    deaf.child.kill('SIGTERM');
    setTimeout(() => deaf.child.kill('SIGTERM'), 100);
    const end = await deaf.exit;
    report.equal(end, { code: null, signal: 'SIGTERM' }, 'worker mode: a second signal ends it');

    const reading = begin(['cat'], { stdin: 'pipe' });
    reading.child.stdin.write('x');
    await until(() => reading.stdout() === 'x', 5000, 'the program');
    reading.child.kill('SIGINT');
    report.equal((await reading.exit).code, 41, 'worker mode: a signal interrupts reading');
}
