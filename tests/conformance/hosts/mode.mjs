// Command mode in Node: what natlet.mjs does for a program beside the door.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root, run, start, tempFolder, tool, until } from '../../support/harness.mjs';

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
    await checkFiles(report, go);

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

/** What a program is given to read is what the command line and the environment name. */
async function checkFiles(report, go) {
    const folder = tempFolder();
    const at = (name) => path.join(folder, name);
    mkdirSync(at('in'));
    writeFileSync(at('one'), 'one');
    writeFileSync(at('in/two'), 'two');
    writeFileSync(at('in/three'), 'three');
    writeFileSync(at('large'), Buffer.alloc(100000, 'large'));
    symlinkSync(at('one'), at('link'));
    const one = at('one');
    /** `uses`: lists of how, path and what comes of it; the rest goes behind them. */
    const used = async (name, uses, args, env = {}) => {
        const words = uses.flatMap(([how, file]) => [how, file]);
        const options = { cwd: at('in'), env };
        const { stdout, stderr } = await go(['open', ...words, ...args], options);
        const want = uses.map(([, , text]) => `${text}\n`).join('');
        report.equal([stdout, stderr], [want, ''], `worker mode: files: ${name}`);
    };
    const refused = 'not granted';
    const all = [
        ['read', one, 'one'],
        ['read', 'two', 'two'],
        ['read', '../large', 'large'.repeat(20000)],
        ['read', './three', 'three'],
        ['read', at('link'), 'one'],
        ['read', at('nothing'), 'none'],
        ['read', folder, 'a folder'],
        ['read', one, 'one'],
    ];
    await used('those that are named', all, [
        ...['--creds', one, '--nkey=two', '--creds', '../large', '--nkey', './three'],
        ...[`--creds=${at('link')}`, '--nkey', at('nothing'), '--creds', folder],
    ]);
    const two = [['read', one, 'one'], ['read', 'two', 'two'], ['read', at('link'), refused]];
    await used('NATS_CREDS, NATS_NKEY', two, [], { NATS_CREDS: one, NATS_NKEY: 'two' });
    const others = [
        ['read', at('large'), refused],
        ['read', 'one', refused], // another one of that name
        ['read', `${one}/../large`, refused],
        ['read', `${at('in')}/../one`, refused],
        ['read', `${folder}//one`, refused],
        ['read', at('in/two'), refused], // in a folder that is named
        ['read', at('link'), refused],
        ['read', at('nothing'), refused],
        ['read', '/', refused],
        ['read', '.', refused],
        ['write', one, refused],
        ['both', one, refused],
        ['create', one, refused],
        ['put', one, 'onenot open'],
    ];
    await used('no others, and only to read', others, [
        ...['--creds', one, '--nkey', at('in'), '--user', at('large')],
        ...['--', '--creds', at('nothing')],
    ]);
    // The certificates that the system trusts are granted always, and nothing beside them.
    await used('none is named', [['read', one, refused]], []);
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
