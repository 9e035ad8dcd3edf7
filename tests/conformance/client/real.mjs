// What a client promises, against real servers.
import { Program, assert, assertLines, runProgram } from './program.mjs';

const CONNECTED = /^state connected OK/;

/** A case: its theme and name, and what it does with `go(...steps)`, which runs a client. */
const CASES = {
    'connect: connect and close': async (go) => {
        const p = await go('connect', 'flush', 'close');
        assertLines(p.about('state'), [/^state connecting/, CONNECTED, /^state closed/]);
        assertLines(p.about('flush'), ['flush OK']);
        assert(p.lines.at(-1).startsWith('left '), 'memory is told');
    },

    'subscriptions: publish and receive its own': async (go) => {
        const p = await go(
            'connect',
            'sub own.*',
            'pub own.a one',
            'pub own.b',
            'pub other x',
            'flush',
        );
        assertLines(p.about('msg', 'pub'), ['msg 1 own.a "" "one"', 'msg 1 own.b "" ""']);
    },

    'subscriptions: no_echo': async (go) => {
        const p = await go('set no_echo', 'connect', 'sub quiet', 'pub quiet x', 'flush');
        assertLines(p.about('msg'), []);
    },

    'connect: verbose and pedantic': async (go) => {
        const p = await go('set verbose', 'set pedantic', 'connect', 'sub v', 'pub v x', 'flush');
        assertLines(p.about('msg'), ['msg 1 v "" "x"']);
    },

    'connect: headers': async (go) => {
        const p = await go(
            'connect',
            'sub head',
            'header A 1',
            'header b two  words',
            'header A 2',
            'pub head x',
            'flush',
        );
        const block = String.raw`NATS/1.0\x0d\x0aA: 1\x0d\x0ab: two  words\x0d\x0aA: 2\x0d\x0a\x0d\x0a`;
        assertLines(p.about('msg'), [`msg 1 head "${block}" "x"`]);
    },

    'requests: a request and its answer': async (go) => {
        const p = await go(
            'connect',
            'sub ask',
            'answer',
            'quiet',
            'request ask 2000 hello',
            'request ask 2000 again',
            'counts',
            'stats',
        );
        assertLines(p.about('reply', 'counts'), [
            'reply OK "" "hello"',
            'reply OK "" "again"',
            'counts 2',
        ]);
        assert(p.stats.requests === 0, 'no request is left');
    },

    'requests: no responders, and no answer': async (go) => {
        const p = await go(
            'connect',
            'request nobody 2000 x',
            'sub silent',
            'quiet',
            'request silent 150 x',
            'stats',
        );
        assertLines(p.about('reply'), ['reply E_NO_RESPONDERS', 'reply E_TIMEOUT']);
        assert(p.stats.requests === 0, 'no request is left');
    },

    'subscriptions: queue groups': async (go) => {
        const p = await go(
            'connect',
            'sub work 0 group',
            'quiet',
            'sub work 0 group',
            'quiet',
            'sub work',
            'quiet',
            'flood work 200 10',
            'flush',
            'counts',
        );
        const [a, b, all] = p.about('counts')[0].split(' ').slice(1).map(Number);
        assert(a + b === 200 && all === 200 && a > 0 && b > 0, p.about('counts')[0]);
    },

    'subscriptions: max ends a subscription by itself': async (go) => {
        const p = await go('connect', 'sub three 3', 'flood three 5 0', 'flush', 'stats');
        assertLines(p.about('msg', 'ended'), [...Array(3).fill('msg 1 three "" ""'), 'ended 1 OK']);
        assert(p.stats.subscriptions === 0, 'it is gone');
    },

    'subscriptions: unsubscribe at once and after a number': async (go) => {
        const p = await go(
            'connect',
            'sub now',
            'sub later',
            'flush',
            'pub now x',
            'unsub 1',
            'unsub 2 2',
            'flood later 4 0',
            'flush',
            'unsub 2',
        );
        assertLines(p.about('msg', 'ended', 'unsub'), [
            'ended 1 OK',
            'unsub OK',
            'unsub OK',
            'msg 2 later "" ""',
            'msg 2 later "" ""',
            'ended 2 OK',
            'unsub E_NOT_FOUND',
        ]);
    },

    'subscriptions: draining delivers what is on its way': async (go) => {
        const p = await go(
            'connect',
            'sub last',
            'quiet',
            'flood last 2000 100',
            'drain-sub 1',
            'counts',
            'sub all',
            'quiet',
            'flood all 2000 100',
            'drain',
            'counts',
        );
        assertLines(p.about('counts', 'drain', 'drain-sub', 'ended'), [
            'ended 1 OK',
            'drain-sub OK',
            'counts 2000',
            'ended 2 OK',
            'drain OK',
            'counts 2000 2000',
        ]);
        assertLines(p.about('state').slice(-2), [/^state draining/, /^state closed OK/]);
    },

    'subscriptions: bad subjects are refused': async (go) => {
        const p = await go(
            'connect',
            'pub a..b x',
            'pub a.* x',
            'pub .a x',
            'sub a.>.b',
            'sub a..b',
            'request a.> 100 x',
            'header a:b c',
            'flush',
        );
        assertLines(p.about('pub', 'sub', 'request', 'header'), [
            'pub E_SUBJECT',
            'pub E_SUBJECT',
            'pub E_SUBJECT',
            'sub E_SUBJECT',
            'sub E_SUBJECT',
            'request E_SUBJECT',
            'header E_HEADER',
        ]);
    },

    'connect: a message larger than the buffer takes one block': async (go) => {
        const p = await go(
            'set rx_bytes 4096',
            'connect',
            'sub big',
            'flood big 3 1000000',
            'flush',
            'stats',
        );
        const sums = new Set(p.about('msg').map((line) => /#1000000:(\w+)$/.exec(line)?.[1]));
        assert(sums.size === 3 && !sums.has(undefined), p.about('msg').join());
        assert(
            p.stats.rx_block_max >= 1000000 && p.stats.rx_block_max < 1050000,
            `${p.stats.rx_block_max}`,
        );
    },

    'flush: every byte is counted, and copied at most once more': async (go) => {
        const p = await go(
            'connect',
            'sub count',
            'quiet',
            'flood count 5000 128',
            'flush',
            'stats',
        );
        const n = p.stats;
        assert(n.in_messages === 5000 && n.in_bytes === 640000, 'in');
        assert(n.out_messages === 5000 && n.out_bytes === 640000, 'out');
        assert(
            n.recv_calls < 2500,
            `the host is called per read: ${n.recv_calls} for 5000 messages`,
        );
        // What recv wrote is moved again only when a read ended within a message.
        assert(
            n.copied_bytes <= n.recv_calls * 200,
            `${n.copied_bytes} copied in ${n.recv_calls} reads`,
        );
        assert(n.dropped + n.refused + n.errors + n.unrouted === 0, 'nothing went wrong');
    },

    'reconnect: a forced reconnect keeps the subscriptions': async (go) => {
        const p = await go(
            'set reconnect_ms 10',
            'connect',
            'sub again',
            'quiet',
            'sub max 3',
            'pub max 1',
            'flush',
            'reconnect',
            'connects 2',
            'settle again 100',
            'flood max 3 0',
            'flush',
            'counts',
        );
        assertLines(p.about('settled', 'counts'), ['settled 100', 'counts 100 3']);
    },
};

export async function realCases(report, place, form, url) {
    for (const [name, body] of Object.entries(CASES)) {
        const [theme, what] = name.split(': ');
        const go = (...steps) => runProgram(form, [`set servers ${url}`, ...steps]);
        await report.theme(theme, what, place, () => body(go));
    }
}

/** Killed and started again: what is published and flushed after that arrives whole. */
export async function restartCase(report, place, form, url, server) {
    await report.theme(
        'reconnect',
        'kill -9 and restart: all of a flush arrives',
        place,
        async () => {
            const p = new Program(form, [
                `set servers ${url}`,
                'set reconnect_ms 50',
                'connect',
                'sub own',
                'quiet',
                'settle own 1000',
                'mark ready',
                'lost',
                'connects 2',
                'settle own 10000',
                'stats',
                'drain',
            ]);
            await p.line(/^mark ready/);
            await server.kill();
            await p.line(/^state reconnecting/);
            await server.restart();
            await p.end(20000);
            assertLines(p.about('settled', 'drain'), ['settled 1000', 'settled 10000', 'drain OK']);
            assert(p.stats.reconnects === 1, `${p.stats.reconnects} reconnects`);
        },
        40000,
    );
}
