// Options of the connection, each by what it changes for a server.
import assert from 'node:assert/strict';
import { freePort, until } from '../support/harness.mjs';
import { Cli, documents } from './cli.mjs';
import { FakeServer } from './fake.mjs';

/** Without being asked for it, nobody would wait that long before the second attempt. */
const ATTEMPTS = ['--max-reconnects', '2', '--reconnect-wait', '700ms'];

/** The run of a command against a fake server. */
async function against(form, options, args) {
    const fake = await new FakeServer(options).start();
    const begin = performance.now();
    const how = await new Cli(form, fake.url).run(args);
    fake.stop();
    return { ...how, fake, ms: performance.now() - begin };
}

/** What `events` showed by the time that `isEnough` is true of it. */
async function watch(form, url, args, isEnough) {
    const events = new Cli(form, url).start(['events', '--json', ...args]);
    // A line may be there in part only.
    const shown = () => documents(events.stdout().replace(/[^\n]*$/, ''));
    await until(() => isEnough(shown()), 10000, `events ${args.join(' ')}`).catch(async (error) => {
        await events.stop('SIGKILL');
        throw new Error(`${error.message}: ${events.stdout()} ${events.stderr()}`);
    });
    const { code } = await events.stop('SIGINT', 5000);
    assert.equal(code, 0, 'exit status after SIGINT');
    return shown();
}

const CASES = {
    'without options, a first attempt is the last': async (form) => {
        const how = await against(form, { closes: true }, ['rtt', ...ATTEMPTS]);
        assert.deepEqual([how.code, how.fake.accepted.length], [1, 1]);
    },

    '--retry-connect, --max-reconnects, --reconnect-wait': async (form) => {
        const how = await against(form, { closes: true }, ['rtt', '--retry-connect', ...ATTEMPTS]);
        const { accepted } = how.fake;
        assert.deepEqual([how.code, accepted.length], [1, 2], how.stderr);
        assert.ok(accepted[1] - accepted[0] > 680, `after ${accepted[1] - accepted[0]} ms`);
        const [first, second, none] = how.stderr.split('\n');
        assert.match(first, /^natlet: cannot connect to nats:.* yet, trying again: /);
        assert.match(second, /^natlet: cannot connect to any server: /);
        assert.equal(none, '');
    },

    '--connect-timeout': async (form) => {
        const args = ['rtt', '--timeout', '1m', '--connect-timeout', '200ms'];
        const how = await against(form, { greets: false }, args);
        assert.deepEqual([how.code, how.ms < 10000], [1, true], how.stderr);
        assert.match(how.stderr, /deadline passed/);
    },

    '--no-reconnect': async (form) => {
        const answer = (line, socket) => line.startsWith('SUB') && socket.end();
        const how = await against(form, { answer }, ['sub', 'a', '--no-reconnect']);
        assert.deepEqual([how.code, how.fake.accepted.length], [1, 1], how.stderr);
        assert.match(how.stderr, /cannot listen on a: /);
    },

    '--ping-interval, --max-pings': async (form) => {
        const args = ['sub', 'a', '--no-reconnect', '--ping-interval', '500ms', '--max-pings', '3'];
        const how = await against(form, { pongs: 2 }, args);
        assert.equal(how.code, 1, how.stderr);
        assert.match(how.stderr, /stopped answering/);
        // One to connect, one behind the subscription, three that got no answer.
        assert.equal(how.fake.heard('PING').length, 5);
    },

    '--no-echo': async (form) => {
        const plain = await against(form, {}, ['rtt', '--count', '1']);
        const how = await against(form, {}, ['rtt', '--count', '1', '--no-echo']);
        assert.deepEqual([plain.code, plain.fake.connect.echo ?? true], [0, true], plain.stderr);
        assert.deepEqual([how.code, how.fake.connect.echo], [0, false], how.stderr);
    },

    '--ws-header': async (form) => {
        const refuse = (line, socket) => line === '' && socket.end('HTTP/1.1 403 No\r\n\r\n');
        const fake = await new FakeServer({ greets: false, answer: refuse }).start();
        const cli = new Cli(form, fake.url.replace('nats:', 'ws:'));
        const how = await cli.run(['rtt', '--ws-header', 'X-One: 1 : 2', '--ws-header=Two:b']);
        fake.stop();
        assert.equal(how.code, 1);
        assert.match(how.stderr, /HTTP status 403/);
        assert.deepEqual([fake.heard('X-One'), fake.heard('Two')], [['X-One: 1 : 2'], ['Two: b']]);
    },

    '--no-randomize': async (form) => {
        const ports = await Promise.all(Array.from({ length: 7 }, freePort));
        const urls = ports.map((port) => `nats://127.0.0.1:${port}`);
        const args = ['events', '--no-randomize', '--json', '--count', '8'];
        const how = await new Cli(form, urls.join()).run(args);
        assert.equal(how.code, 0, how.stderr);
        const failed = documents(how.stdout).filter((e) => e.kind === 'error');
        assert.deepEqual(failed.map((e) => e.server), urls);
    },

    'servers that a server names, and --ignore-discovered': async (form) => {
        const other = await new FakeServer().start();
        const leave = (line, socket) => line === 'PING' && setTimeout(() => socket.destroy(), 20);
        for (const args of [[], ['--ignore-discovered']]) {
            const info = { connect_urls: [`127.0.0.1:${other.port}`] };
            const one = await new FakeServer({ info, answer: leave }).start();
            const isEnough = (shown) =>
                shown.filter((e) => e.state === 'connected' && e.kind === 'state').length > 2 ||
                shown.some((e) => e.state === 'connected' && e.server === other.url);
            const shown = await watch(form, one.url, ['--reconnect-wait', '20ms', ...args], isEnough);
            const found = shown.some((e) => e.server === other.url);
            const told = shown.some((e) => e.kind === 'servers');
            assert.deepEqual([found, told], args.length === 0 ? [true, true] : [false, false]);
            one.stop();
        }
        other.stop();
    },

    '--wait': async (form) => {
        const texts = ['one', '', 'three', 'four', 'five'];
        const answer = (line, socket) => {
            const sid = /^SUB a +(\d+)$/.exec(line)?.[1];
            const send = (text) => socket.write(`MSG a ${sid} ${text.length}\r\n${text}\r\n`);
            if (sid) { // for longer than the wait is, but never so long without a message
                texts.forEach((text, i) => setTimeout(send, 200 + 200 * i, text));
            }
        };
        const how = await against(form, { answer }, ['sub', 'a', '--raw', '--wait', '800ms']);
        assert.deepEqual([how.code, how.stdout], [0, `${texts.join('\n')}\n`], how.stderr);
    },

    '--drain-timeout': async (form) => {
        const fake = await new FakeServer({ pongs: 2 }).start(); // and no end of the drain
        const args = ['sub', 'a', '--timeout', '1m', '--drain-timeout', '200ms'];
        const sub = await new Cli(form, fake.url).listen(args);
        assert.equal((await sub.stop('SIGTERM', 8000)).code, 0, sub.stderr());
        fake.stop();
    },

    'bench pub fails when the server does not confirm': async (form) => {
        const times = ['--timeout', '500ms', '--connect-timeout', '10s'];
        const args = ['bench', 'pub', 'a', '--msgs', '10', ...times];
        const how = await against(form, { pongs: 1 }, args);
        assert.deepEqual([how.code, how.fake.heard('PUB a 128').length], [1, 10], how.stderr);
        assert.match(how.stderr, /^natlet: cannot publish to a: the deadline passed/);
    },

    'events waits for a server that is not there yet': async (form) => {
        const port = await freePort();
        const fake = new FakeServer();
        let starting;
        const isEnough = (shown) => {
            if (shown.filter((e) => e.kind === 'error').length >= 2) {
                starting ??= fake.start(port);
            }
            return shown.some((e) => e.state === 'connected');
        };
        const url = `nats://127.0.0.1:${port}`;
        const shown = await watch(form, url, ['--reconnect-wait', '50ms'], isEnough);
        await starting;
        fake.stop();
        assert.equal(shown[0].state, 'connecting');
        const reasons = new Set(shown.filter((e) => e.kind === 'error').map((e) => e.status));
        assert.deepEqual([...reasons], ['E_IO']);
        assert.equal(shown.at(-1).state, 'connected');
    },
};

/** Most of the time goes into waiting, so all of them do it together. */
export async function optionCases(report, form) {
    const cases = Object.entries(CASES);
    await Promise.all(
        cases.map(([name, body]) => report.test(`${name} (${form})`, () => body(form))),
    );
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const KEYS = ['time', 'kind', 'state', 'status', 'text', 'close_code', 'sid', 'server'];

function checkEvents(shown, url, scheme) {
    const states = shown.filter((e) => e.kind === 'state');
    assert.deepEqual(
        states.map((e) => e.state),
        ['connecting', 'connected', 'reconnecting', 'connected'],
    );
    const [lost] = states.filter((e) => e.state === 'reconnecting');
    // A server that ends says so in a close frame, and on TCP just goes.
    const want = scheme === 'ws' ? ['E_SERVER', 1001] : ['E_CLOSED', 0];
    assert.deepEqual([lost.status, lost.close_code], want, JSON.stringify(lost));
    for (const event of shown) {
        assert.deepEqual(Object.keys(event), KEYS);
        assert.match(event.time, TIME);
        assert.ok(Math.abs(Date.now() - Date.parse(event.time)) < 60000, event.time);
        assert.equal(event.server, url);
    }
}

async function restartUnder(watchers, server) {
    const shown = ({ running }) => documents(running.stdout().replace(/[^\n]*$/, ''));
    const isUp = (e) => e.kind === 'state' && e.state === 'connected';
    const isBack = (n) => watchers.every((w) => shown(w).filter(isUp).length >= n);
    await until(() => isBack(1), 10000, 'connected');
    await server.stop();
    await server.restart();
    await until(() => isBack(2), 10000, 'connected again');
    const ends = await Promise.all(watchers.map((w) => w.running.stop('SIGTERM', 5000)));
    assert.deepEqual(
        ends.map((end) => end.code),
        watchers.map(() => 0),
    );
    watchers.forEach((w) => checkEvents(shown(w), w.url, w.scheme));
}

/** events, both forms over both transports, while a server ends and comes back. */
export async function eventCase(report, generation, server, forms) {
    await report.test(`events shows a restart of the server (${generation})`, async () => {
        const watchers = forms.flatMap((form) =>
            ['ws', 'nats'].map((scheme) => {
                const url = scheme === 'ws' ? server.wsUrl : server.url;
                const args = ['events', '--json', '--reconnect-wait', '100ms'];
                return { scheme, url, running: new Cli(form, url).start(args) };
            }),
        );
        try {
            await restartUnder(watchers, server);
        } finally {
            watchers.forEach((w) => w.running.child.kill('SIGKILL'));
        }
    });
}
