// How a client comes back, in real time: when it dials, how often, and what it restores; and
// how it notices that a link is dead.
import { Program, assert, forms, runProgram, side, startMeter } from './program.mjs';
import { startFake } from './fake.mjs';
import { within } from '../../support/harness.mjs';
import { withProxy } from '../../support/proxy.mjs';
import { withServer } from '../../support/servers.mjs';

const WIDTH = 10; // cases at once: they wait, mostly

let meter;

/** What this machine adds to a wait of the client, at most. */
const late = () => 100 + 3 * meter.worst();

const shownBy = (program) => program.lines.join('\n');

/** A fake server whose n-th connection is played; when each came and went is in `times`. */
async function withFake(scheme, play, body) {
    const times = [];
    const fake = await startFake(scheme === 'ws', (peer, n) => {
        const time = { came: Date.now() };
        times.push(time);
        peer.closed.then(() => (time.gone = Date.now()));
        return play(peer, n);
    });
    try {
        return await body(fake.url, times);
    } finally {
        fake.stop();
    }
}

/** Between one connection and the next: the wait is at most the first, at least the second. */
const fromCome = (times) => times.slice(1).map((time, i) => time.came - times[i].came);
const fromGone = (times) => times.slice(1).map((time, i) => time.came - times[i].gone);

/** Serves for a moment, then drops: success alone must not make the waits short. */
const greetAndDrop = (peer) =>
    peer
        .greet()
        .then(() => peer.end())
        .catch(() => peer.destroy());

function backoffIsBounded(form, scheme) {
    return withFake(scheme, greetAndDrop, async (url, times) => {
        await runProgram(form, [`set servers ${url}`, 'connect', 'linger 3000', 'close']);
        const waits = fromGone(times);
        // U(0, 500) twice, then 1 s, 2 s ...: nine within 3 s are one run in four million.
        assert(waits.length >= 1 && waits.length < 9, `${waits}`);
        waits.forEach((ms, i) => {
            const bound = i === 0 ? 500 : 250 * 2 ** i;
            assert(ms <= bound + late(), `wait ${i} of ${waits}`);
        });
    });
}

function judgeWaits(times, want) {
    const [most, least] = [fromCome(times), fromGone(times)];
    const isRight = want.map((ms, i) => most[i] >= ms - 1 && least[i] < ms + late());
    assert(most.length === want.length && !isRight.includes(false), `${most}; ${least}`);
}

function fixedDelay(form, scheme) {
    return withFake(scheme, greetAndDrop, async (url, times) => {
        await runProgram(form, [
            `set servers ${url}`,
            'set reconnect_ms 150',
            'connect',
            'connects 5',
            'close',
        ]);
        judgeWaits(times, [150, 150, 150, 150]);
    });
}

function ownDelay(form, scheme) {
    return withFake(scheme, greetAndDrop, async (url, times) => {
        const program = await runProgram(form, [
            `set servers ${url}`,
            'delays 30 200 100',
            'connect',
            'connects 5',
            'close',
        ]);
        const asked = program.about('delay').slice(0, 4).join();
        assert(asked === 'delay 0,delay 1,delay 2,delay 3', shownBy(program));
        judgeWaits(times, [30, 200, 100, 100]);
    });
}

function attemptsAreLimited(form, scheme) {
    const play = (peer, n) => (n === 0 ? greetAndDrop(peer) : peer.end());
    return withFake(scheme, play, async (url, times) => {
        const program = await runProgram(form, [
            `set servers ${url}`,
            'set reconnect_ms 20',
            'attempts 3',
            'connect',
            'sub a',
            'connects 2', // which does not come
            'linger 200',
        ]);
        assert(times.length === 4, `${times.length} connections`);
        assert(program.about('state').at(-1).startsWith('state closed E_CLOSED'), shownBy(program));
        assert(program.about('ended').join() === 'ended 1 E_CLOSED', shownBy(program));
    });
}

/** What a drain of one subscription has stopped stays so on the next connection. */
async function drainingIsNotRestored(form, scheme) {
    let next;
    const second = new Promise((done) => (next = done));
    const play = async (peer, n) => {
        if (n > 0) {
            await peer.greet();
            next(peer);
            return;
        }
        await peer.greet();
        const [, sid] = await peer.heard(/SUB held (\d+)\r\n/);
        await peer.say(`MSG held ${sid} 1\r\nx\r\n`);
        await peer.heard(/UNSUB [^]*UNSUB [^]*PING\r\n/);
        peer.destroy();
    };
    await withFake(scheme, (peer, n) => play(peer, n).catch(() => peer.destroy()), async (url) => {
        const running = new Program(form, [
            `set servers ${url}`,
            'set reconnect_ms 20',
            'connect',
            'sub drained',
            'sub kept',
            'pull held',
            'held 3 1',
            'begin drain-sub 5000 1',
            'begin drain-sub 5000 3',
            'connects 2',
            'take 3',
            'ended',
            'close',
        ]);
        const peer = await within(8000, second, 'the second connection');
        await peer.heard(/SUB kept /);
        const program = await running.end();
        assert(!/SUB (drained|held) /.test(peer.text), peer.text);
        const ends = program.about('ended-op').map((line) => line.split(' ')[3]);
        assert(ends.join() === '1,1', shownBy(program));
        const gone = program.about('ended').map((line) => line.split(' ')[1]);
        assert(gone.join() === '1,3,2', shownBy(program));
    });
}

function loneDrop(form, scheme, port) {
    return withProxy(port, {}, async (proxy) => {
        const program = new Program(form, [
            `set servers ${scheme}://127.0.0.1:${proxy.port}`,
            'set ignore_discovered',
            'connect',
            'flush',
            'mark ready',
            'connects 2',
            'mark back',
            'flush',
        ]);
        await program.line(/^mark ready/);
        const before = Date.now();
        proxy.cutAll('end');
        await program.line(/^mark back/);
        const ms = Date.now() - before;
        await program.end();
        assert(ms <= 500 + late(), `${ms} ms`);
    });
}

/** Two of five came before: the server is told three, and no more are delivered. */
function maximumIsRestored(form, scheme, port) {
    return withProxy(port, {}, async (proxy) => {
        const subject = `five.${form}.${scheme}`;
        const program = new Program(form, [
            `set servers ${scheme}://127.0.0.1:${proxy.port}`,
            'set ignore_discovered',
            'connect',
            `sub ${subject} 5`,
            `pub ${subject} 1`,
            `pub ${subject} 2`,
            'expect 2',
            'flush',
            'mark ready',
            'connects 2',
            ...[3, 4, 5, 6, 7].map((n) => `pub ${subject} ${n}`),
            'flush',
            'counts',
            'stats',
        ]);
        await program.line(/^mark ready/);
        proxy.cutAll('reset');
        await program.end();
        assert(program.about('counts').join() === 'counts 5', shownBy(program));
        assert(program.about('ended').join() === 'ended 1 OK', shownBy(program));
        assert(program.stats.unrouted === 0, 'the server sent more than it was to');
    });
}

/** Two members of a group: each message still comes to one of them. */
function queueIsRestored(form, scheme, port) {
    return withProxy(port, {}, async (proxy) => {
        const subject = `shared.${form}.${scheme}`;
        const program = new Program(form, [
            `set servers ${scheme}://127.0.0.1:${proxy.port}`,
            'set ignore_discovered',
            'connect',
            `sub ${subject} 0 group`,
            'quiet',
            `sub ${subject} 0 group`,
            'quiet',
            'flush',
            'mark ready',
            'connects 2',
            `flood ${subject} 40 8`,
            'flush',
            'counts',
        ]);
        await program.line(/^mark ready/);
        proxy.cutAll('end');
        await program.end();
        const [one, other] = program.about('counts')[0].split(' ').slice(1).map(Number);
        assert(one + other === 40 && one > 0 && other > 0, `${one} and ${other}`);
    });
}

function firstConnect(form, scheme, port) {
    return withProxy(port, {}, async (proxy) => {
        const steps = [`set servers ${scheme}://127.0.0.1:${proxy.port}`, 'set reconnect_ms 50'];
        proxy.refuse();
        const given = await runProgram(form, [...steps, 'connect']);
        assert(given.about('state').at(-1).startsWith('state closed E_IO'), shownBy(given));
        const kept = new Program(form, [...steps, 'set retry_first_connect', 'connect', 'flush']);
        await kept.line(/^error E_IO/);
        await proxy.accept();
        await kept.end();
        assert(kept.about('flush')[0] === 'flush OK', shownBy(kept));
    });
}

/** PINGs come at their interval; two unanswered, and after a third interval it is over. */
function pingsAndStale(form, scheme) {
    const pings = [];
    const play = async (peer, n) => {
        await peer.greet();
        for (let i = 0; n === 0; i++) {
            const isPing = new RegExp(`^(?:[^]*?PING\\r\\n){${i + 2}}`);
            if (!(await peer.heard(isPing))) {
                return;
            }
            pings.push(Date.now());
            if (i === 0) {
                await peer.say('PONG\r\n');
            }
        }
    };
    return withFake(scheme, (peer, n) => play(peer, n).catch(() => peer.destroy()), async (url) => {
        const program = new Program(form, [
            `set servers ${url}`,
            'set ping_ms 300',
            'set reconnect_ms 20',
            'connect',
            'lost',
            'mark stale',
            'connects 2',
            'close',
        ]);
        await program.line(/^state reconnecting/);
        const over = Date.now();
        await program.end();
        const ms = over - pings[0];
        assert(/^state reconnecting E_STALE/m.test(shownBy(program)), shownBy(program));
        assert(pings.length === 3 && ms > 600 && ms < 900 + late(), `${pings.length} in ${ms} ms`);
    });
}

/** After a sleep the link is asked: one that lives stays, one that died is left within 5 s. */
function resumeHint(form, scheme, port) {
    return withProxy(port, {}, async (proxy) => {
        const program = new Program(form, [
            `set servers ${scheme}://127.0.0.1:${proxy.port}`,
            'set ignore_discovered',
            'connect',
            'flush',
            'resume',
            'linger 100',
            'stats',
            'flush',
            'mark ready',
            'linger 500',
            'resume',
            'lost',
            'mark lost',
            'connects 2',
            'flush',
        ]);
        await program.line(/^mark ready/);
        for (const way of [proxy.links[0].up, proxy.links[0].down]) {
            way.rule = { after: way.passed, then: 'silence' };
        }
        const before = Date.now();
        await program.line(/^state reconnecting/);
        const ms = Date.now() - before;
        await program.end();
        assert(/^state reconnecting E_STALE/m.test(shownBy(program)), shownBy(program));
        assert(program.stats.probes === 1 && program.stats.reconnects === 0, shownBy(program));
        assert(ms > 4500 && ms <= 500 + 5000 + late(), `${ms} ms`);
    });
}

function drainDeadline(form, scheme, port) {
    return withProxy(port, {}, async (proxy) => {
        const program = new Program(form, [
            `set servers ${scheme}://127.0.0.1:${proxy.port}`,
            'set ignore_discovered',
            'connect',
            'sub a',
            'flush',
            'mark ready',
            'linger 500',
            'begin drain 1000',
            'ended',
        ]);
        await program.line(/^mark ready/);
        proxy.links[0].down.rule = { after: 0, then: 'silence' };
        await program.end();
        const [, , status, times, ms] = program.about('ended-op')[0].split(' ');
        assert(status === 'E_TIMEOUT' && times === '1', shownBy(program));
        assert(ms >= 1000 && ms < 1000 + late(), shownBy(program));
        assert(program.about('ended').length === 1, shownBy(program));
        assert(/^state closed E_TIMEOUT/m.test(shownBy(program)), shownBy(program));
    });
}

const CASES = [
    ['after a resume, a dead link is noticed within 5 s', resumeHint],
    ['waits grow within their bounds, also where a server accepts and drops', backoffIsBounded],
    ['PINGs at their interval, and what is stale', pingsAndStale],
    ['a drain ends by its deadline', drainDeadline],
    ['a fixed delay', fixedDelay],
    ['a delay of the program', ownDelay],
    ['attempts are limited', attemptsAreLimited],
    ['a draining subscription is not restored', drainingIsNotRestored],
    ['a lone drop: back within 500 ms', loneDrop],
    ['what is left of a maximum is restored', maximumIsRestored],
    ['a queue group is restored', queueIsRestored],
    ['the first connect is retried if told so', firstConnect],
];

export async function comebackCases(report) {
    const kinds = forms.flatMap((form) => ['ws', 'nats'].map((scheme) => [form, scheme]));
    meter = startMeter();
    await withServer({}, (server) => {
        const test = ([what, body], form, scheme) => {
            const port = scheme === 'ws' ? server.wsPort : server.port;
            const place = `${form} ${scheme} newest`;
            return report.theme('reconnect', what, place, () => body(form, scheme, port), 40000);
        };
        const tasks = CASES.flatMap((one) =>
            kinds.map(
                ([form, scheme]) =>
                    () =>
                        test(one, form, scheme),
            ),
        );
        return side(tasks, WIDTH);
    }).finally(() => meter.stop());
}
