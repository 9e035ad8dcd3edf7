// Requests, subscriptions, flushes and statistics against real servers; nats.js is the
// other end where one is needed.
import { connectPeer } from '../../e2e/peer.mjs';
import { sleep, until } from '../../support/harness.mjs';
import { withServer } from '../../support/servers.mjs';
import { INFO, startFake } from './fake.mjs';
import { Program, assert, assertLines, runProgram } from './program.mjs';

/** A case: its theme and name, and what it does with `go(...steps)`, which runs a client. */
const CASES = {
    'requests: an answer without a body, and one that comes too late': async (go) => {
        const p = await go(
            'connect',
            'sub echo',
            'answer',
            'quiet',
            'request echo 2000',
            'request late 60 x',
            'request echo 2000 again',
            'many five 150',
            'stats',
        );
        assertLines(p.about('reply'), ['reply OK "" ""', 'reply E_TIMEOUT', 'reply OK "" "again"']);
        assert(p.stats.late_replies === 1, 'the late one is counted');
        assert(p.stats.requests === 0, 'no request is left');
    },

    'requests: many at once find their answers': async (go) => {
        const p = await go('connect', 'sub echo', 'answer', 'quiet', 'burst echo 500', 'stats');
        assertLines(p.about('burst'), ['burst 500']);
        assert(p.stats.requests === 0 && p.stats.subscriptions === 1, 'nothing is left');
        assert(p.stats.late_replies === 0, 'each was waited for');
    },

    'requests: cancelled, and closed with the client': async (go) => {
        const p = await go('connect', 'sub mute', 'quiet', 'cancel mute', 'stats', 'hang mute', 'close');
        assertLines(p.about('reply', 'cancel', 'close'), [
            'reply E_CANCELLED',
            'cancel OK',
            'cancel E_NOT_FOUND',
            'reply E_CLOSED',
            'close OK',
        ]);
        assert(p.stats.requests === 0, 'no request is left');
    },

    'requests: an inbox prefix of its own': async (go) => {
        const p = await go(
            'set inbox_prefix _MINE.x',
            'connect',
            'sub _MINE.x.>',
            'quiet',
            'sub echo',
            'answer',
            'quiet',
            'request echo 2000 a',
            'many echo 2000 count=2 stall=50 own',
            'counts',
        );
        assertLines(p.about('reply', 'more', 'many', 'counts'), [
            'reply OK "" "a"',
            'more "many"',
            'many OK',
            'counts 2 2',
        ]);
    },

    'requests: request-many by number, stall, sentinel, time, and without responders': async (go) => {
        const each = (own) => [
            `many five 2000 count=3${own}`,
            `many five 2000 stall=60${own}`,
            `many ends 2000 empty${own}`,
            `many jitter 2000 count=4${own}`,
            `many jitter 2000 stall=150${own}`,
            `many five 150${own}`,
            `many mute 100${own}`,
            `many nobody 2000${own}`,
            'settle own 1',
            'stats',
        ];
        const p = await go('connect', 'sub own', 'quiet', ...each(''), ...each(' own'));
        const more = (...texts) => texts.map((text) => `more "${text}"`);
        const want = [
            ...more(0, 1, 2),
            'many OK',
            ...more(0, 1, 2, 3, 4),
            'many OK',
            ...more(0, 1),
            'many OK',
            ...more(0, 1, 2, 3),
            'many OK',
            ...more(0, 1, 2, 3),
            'many OK',
            ...more(0, 1, 2, 3, 4),
            'many OK',
            'many E_TIMEOUT',
            'many E_NO_RESPONDERS',
        ];
        assertLines(p.about('more', 'many'), [...want, ...want]);
        assert(p.stats.requests === 0 && p.stats.subscriptions === 1, 'no inbox is left');
    },

    'subscriptions: a maximum may be raised, and ended twice': async (go) => {
        const p = await go(
            'connect',
            'sub up',
            'quiet',
            'unsub 1 3',
            'unsub 1 5',
            'flood up 8 0',
            'flush',
            'unsub 1',
            'sub twice',
            'unsub 2',
            'unsub 2',
            'counts',
        );
        assertLines(p.about('ended', 'unsub', 'counts'), [
            'unsub OK',
            'unsub OK',
            'ended 1 OK',
            'unsub E_NOT_FOUND',
            'ended 2 OK',
            'unsub OK',
            'unsub E_NOT_FOUND',
            'counts 5 0',
        ]);
    },

    'subscriptions: pulled one by one': async (go) => {
        const p = await go(
            'connect',
            'pull next 0 3',
            'take 1',
            'pub next a',
            'pub next b',
            'pub next c',
            'pub next d',
            'held 1 3',
            'take 1 2',
            'take 1 2',
        );
        assertLines(p.about('took', 'held', 'ended'), [
            'took EMPTY',
            'held 3 dropped 0 delivered 0 most 3',
            'took "a"',
            'took "b"',
            'took "c"',
            'ended 1 OK',
            'took E_NOT_FOUND',
        ]);
    },

    'subscriptions: a slow consumer is told once and drops what is too much': async (go) => {
        const p = await go(
            'connect',
            'pull slow 10',
            'flood slow 100 100',
            'held 1 100',
            'take 1 6',
            'flood slow 20 100',
            'held 1 110',
            'flush',
            'ready',
            'stats',
        );
        assertLines(p.about('slow', 'held', 'ready'), [
            /^slow E_FULL/,
            'held 10 dropped 90 delivered 0 most 10',
            /^slow E_FULL/,
            'held 10 dropped 104 delivered 6 most 10',
            'ready 1 connected',
        ]);
        assert(p.stats.dropped === 104, `${p.stats.dropped} dropped`);
    },

    'subscriptions: a drain stops what is new and waits for what is pulled': async (go) => {
        const p = await go(
            'connect',
            'pull last',
            'flood last 500 100',
            'drain-taking 1',
            'pub last x',
            'flush',
            'stats',
        );
        assertLines(p.about('taken', 'ended'), ['ended 1 OK', 'taken 500 OK OK']);
        assert(p.stats.unrouted === 0 && p.stats.subscriptions === 0, 'the server sends no more');
    },

    'subscriptions: requests are answered while all is drained': async (go) => {
        const p = await go('connect', 'sub echo', 'answer', 'quiet', 'hang echo', 'drain', 'ready');
        assertLines(p.about('reply', 'drain', 'ended', 'ready'), [
            'ended 1 OK',
            'reply OK "" ""',
            'drain OK',
            'ready 3 not',
        ]);
    },

    'subscriptions: bad queue names are refused': async (go) => {
        const p = await go('connect', 'sub ok 0 a\tb', 'sub ok 0 a\r\nb', 'sub ok 0 good', 'flush');
        assertLines(p.about('sub', 'flush'), ['sub E_SUBJECT', 'sub E_SUBJECT', 'sub OK', 'flush OK']);
    },

    'flush: the round trip, and a flush inside a callback': async (go) => {
        const p = await go('connect', 'ready', 'rtt', 'sub-flushing in', 'pub in x', 'done');
        assertLines(p.about('ready', 'rtt', 'msg'), [
            'ready 1 connected',
            'rtt OK measured',
            'msg 1 in "" "x"',
            'rtt OK measured',
        ]);
    },
};

/** Answers of the other end: subjects, and what is said to a request. */
async function withPeer(url, body) {
    const peer = await connectPeer(url);
    const answer = (subject, say) =>
        peer.subscribe(subject, { callback: (_, msg) => void say((text) => msg.respond(text)) });
    answer('five', (say) => [0, 1, 2, 3, 4].forEach((n) => say(`${n}`)));
    answer('ends', (say) => ['0', '1', '', '2'].forEach(say));
    answer('jitter', async (say) => {
        for (const n of [0, 1, 2, 3]) {
            await sleep(10 + 15 * (n % 3));
            say(`${n}`);
        }
    });
    answer('mute', () => {});
    answer('late', (say) => setTimeout(() => say('late'), 90));
    await peer.flush();
    try {
        return await body(peer);
    } finally {
        await peer.close();
    }
}

export async function subsCases(report, place, form, url, server) {
    await withPeer(server.url, async () => {
        for (const [name, body] of Object.entries(CASES)) {
            const [theme, what] = name.split(': ');
            const go = (...steps) => runProgram(form, [`set servers ${url}`, ...steps]);
            await report.theme(theme, what, place, () => body(go));
        }
    });
    await report.theme('flush', 'what is counted is what the server counted', place, () =>
        countedAlike(form, url, server),
    );
}

async function countedAlike(form, url, server) {
    const p = new Program(form, [
        'set name counted',
        `set servers ${url}`,
        'connect',
        'sub c.1',
        'quiet',
        'sub c.2',
        'quiet',
        'flood c.1 300 50',
        'flood c.2 200 10',
        'flood nobody 10 7',
        'flush',
        'stats',
        'mark counted',
        'pull wait',
        'held 3 1',
    ]);
    await p.line(/^mark counted/);
    const find = async () =>
        (await server.connz()).connections.find((one) => one.name === 'counted');
    const seen = await until(find, 3000, 'the connection');
    const n = p.stats;
    p.running.child.kill('SIGKILL');
    assert(n.out_messages === seen.in_msgs, `out ${n.out_messages}, there ${seen.in_msgs}`);
    assert(n.out_bytes === seen.in_bytes, `out ${n.out_bytes} bytes, there ${seen.in_bytes}`);
    assert(n.in_messages === seen.out_msgs, `in ${n.in_messages}, there ${seen.out_msgs}`);
    assert(n.in_bytes === seen.out_bytes, `in ${n.in_bytes} bytes, there ${seen.out_bytes}`);
    assert(n.subscriptions === 2, `${n.subscriptions} subscriptions`);
}

// ---- permissions ----

const USERS = [
    {
        user: 'anna',
        password: 'p w"\\ä',
        publish: ['ok.>', 'inbox.ask', '_INBOX.>'],
        subscribe: ['ok.>', 'group.* work', '_INBOX.>'],
    },
    { user: 'mute', password: 'x', publish: '>', subscribe: 'ok.>' },
];

/** What servers refuse, and to whom it is told: newest only, for what 2.9 says differs. */
export async function refusedCases(report, kinds) {
    await withServer(
        { users: USERS, mappings: { 'mapped.ask': 'ok.echo' }, maxSubscriptions: 10 },
        async (server) => {
            for (const [form, scheme] of kinds) {
                const url = scheme === 'ws' ? server.wsUrl : server.url;
                await refusedTo(report, `${form} ${scheme} newest`, form, url, server);
            }
        },
    );
    for (const [form, scheme] of kinds) {
        const place = `${form} ${scheme} newest`;
        await report.theme('subscriptions', 'a reload takes a permission away', place, () =>
            reloaded(form, scheme),
        );
    }
}

async function refusedTo(report, place, form, url, server) {
    const as = (user, password, ...steps) =>
        runProgram(form, [
            `set servers ${url}`,
            `set user ${user}`,
            `set password ${password}`,
            'set name my "app"',
            'connect',
            ...steps,
        ]);
    const anna = (...steps) => as('anna', 'p w"\\ä', ...steps);

    await report.theme('subscriptions', 'refused for a queue, and beyond the number', place, async () => {
        const p = await anna(
            'sub group.a 0 work',
            'sub group.b 0 other',
            'sub group.c',
            'flush',
            ...Array(12).fill('sub ok.n'),
            'flush',
            'stats',
        );
        const ended = p.about('ended', 'flush');
        assertLines(ended.slice(0, 3), ['ended 2 E_PERMISSION', 'ended 3 E_PERMISSION', 'flush OK']);
        assertLines(ended.slice(3, 7), [
            'ended 15 E_PERMISSION',
            'ended 14 E_PERMISSION',
            'ended 13 E_PERMISSION',
            'flush OK',
        ]);
        assert(p.stats.subscriptions === 10, `${p.stats.subscriptions} are left`);
    });

    await report.theme('requests', 'refused: the subject, and the inbox', place, async () => {
        const p = await anna('request no 2000 x', 'many no 2000', 'many no 2000 own', 'ready', 'stats');
        assertLines(p.about('reply', 'many', 'ready'), [
            'reply E_PERMISSION',
            'many E_PERMISSION',
            'many E_PERMISSION',
            'ready 1 connected',
        ]);
        assert(p.stats.requests === 0 && p.stats.subscriptions === 0, 'nothing is left');
        const q = await as('mute', 'x', 'request ok.x 2000', 'many ok.x 2000', 'many ok.x 2000 own', 'stats');
        assertLines(q.about('reply', 'many'), [
            'reply E_PERMISSION',
            'many E_PERMISSION',
            'many E_PERMISSION',
        ]);
        assert(q.stats.requests === 0 && q.stats.subscriptions === 0, 'nothing is left');
    });

    await report.theme('requests', 'on a mapped subject', place, async () => {
        const q = await runProgram(form, [
            `set servers ${url}`,
            'set user mute',
            'set password x',
            'set inbox_prefix ok.box',
            'connect',
            'sub ok.echo',
            'answer',
            'quiet',
            'request mapped.ask 2000 through',
            'many mapped.ask 2000 count=2 stall=50',
        ]);
        assertLines(q.about('reply', 'more', 'many'), [
            'reply OK "" "through"',
            'more "many"',
            'many OK',
        ]);
    });

    await report.theme('connect', 'names and passwords arrive as they are', place, async () => {
        const p = new Program(form, [
            `set servers ${url}`,
            'set user anna',
            'set password p w"\\ä',
            'set name my "app" \\ ä',
            'connect',
            'pull ok.wait',
            'held 1 1',
        ]);
        await p.line(/^pull OK/);
        const named = async () =>
            (await server.connz()).connections.some((one) => one.name === 'my "app" \\ ä');
        await until(named, 3000, 'the name');
        p.running.child.kill('SIGKILL');
    });
}

async function reloaded(form, scheme) {
    const user = (subscribe) => [{ user: 'a', password: 'b', publish: '>', subscribe }];
    await withServer({ users: user(['one', 'two', '_INBOX.>']) }, async (server) => {
        const p = new Program(form, [
            `set servers ${scheme === 'ws' ? server.wsUrl : server.url}`,
            'set user a',
            'set password b',
            'connect',
            'sub one',
            'sub two 0 group',
            'sub one',
            'flush',
            'mark ready',
            'expect 2',
            'flush',
        ]);
        await p.line(/^mark ready/);
        await server.reload({ users: user(['one', '_INBOX.>']) });
        await p.line(/^ended 2 E_PERMISSION/);
        const peer = await connectPeer(server.url, { user: 'a', pass: 'b' });
        peer.publish('two', 'x');
        peer.publish('one', 'x');
        await peer.flush();
        await peer.close();
        await p.end();
        assertLines(p.about('msg', 'error', 'ended', 'state').slice(-7), [
            /^error E_PERMISSION .*sid=[1-9]/,
            'ended 2 E_PERMISSION',
            /^msg [13] one "" "x"/, // the server chooses the order
            /^msg [13] one "" "x"/,
            'ended 1 E_CLOSED',
            'ended 3 E_CLOSED',
            /^state closed OK/,
        ]);
    });
}

// ---- injection ----

const REFUSED = {
    subject: 'SSSSSSSSSSSSS',
    reply: 'SSSSSSS.SSSSS',
    request: 'SSSSSSSSSSSSS',
    interest: 'SSSSSSSSSSSS.',
    queue: 'SSSSSSS....SS',
    key: 'HHHHHHHH.....',
    value: 'HHHH.........',
    status: 'HHHH.........',
    prefix: 'CCCCCCC.CCCCC',
    name: 'CCCC.CC......',
    user: 'CCCC.CC......',
    token: 'CCCC.CC......',
};

/** Nothing that a program fills in becomes an operation of its own. */
export async function injectionCase(report, place, form, url, server) {
    await report.theme('connect', 'nothing is injected by what is published or named', place, async () => {
        const canary = await connectPeer(server.url);
        const seen = [];
        canary.subscribe('>', { callback: (_, msg) => seen.push(msg) });
        await canary.flush();
        const p = await runProgram(form, [`set servers ${url}`, 'connect', 'inject', 'pub over x', 'flush']);
        await until(() => seen.some((msg) => msg.subject === 'over'), 3000, 'the last one');
        await canary.close();
        assertLines(
            p.about('inject'),
            Object.entries(REFUSED).map(([name, outcome]) => `inject ${name} ${outcome}`),
        );
        const legal = /^(legal\.(reply|header|status)|over)$/;
        const strange = seen.filter((msg) => !legal.test(msg.subject)).map((msg) => msg.subject);
        assertLines(strange, []);
        const values = seen.filter((msg) => msg.headers?.has('Key')).map((msg) => msg.headers.get('Key'));
        assert(values.includes('a b') && values.includes('a\tb'), `values arrive: ${values}`);
        assertLines(server.complaints(), []);
    });
}

// ---- what only a server that says what a test wants can show ----

export async function toldCases(report, kinds) {
    for (const [form, scheme] of kinds) {
        const place = `${form} ${scheme}`;
        await report.theme('connect', 'INFO right behind the first PONG, and later ones', place, () =>
            told(form, scheme === 'ws'),
        );
        await report.theme('connect', 'a server without headers', place, () =>
            headerless(form, scheme === 'ws'),
        );
        await report.theme('flush', 'a flush ends with the connection', place, () =>
            flushLost(form, scheme === 'ws'),
        );
    }
}

const infoOf = (fields) => `INFO ${JSON.stringify({ ...JSON.parse(INFO.slice(5)), ...fields })}\r\n`;

async function withFake(isWs, play, body) {
    const fake = await startFake(isWs, play);
    try {
        await body(fake.url);
    } finally {
        fake.stop();
    }
}

async function greetWith(peer, info, after) {
    const say = peer.say.bind(peer);
    peer.say = (bytes) => say(bytes === 'PONG\r\n' ? `PONG\r\n${after}` : bytes);
    await peer.greet(info);
    peer.say = say;
}

async function told(form, isWs) {
    const play = async (peer) => {
        await greetWith(peer, INFO, infoOf({ connect_info: true, max_payload: 5000 }));
        await peer.heard(/PUB go/);
        await peer.say(infoOf({ max_payload: 100, connect_urls: ['127.0.0.1:1'] }));
        await peer.say('PONG\r\n');
    };
    await withFake(isWs, play, async (url) => {
        const p = await runProgram(form, [
            `set servers ${url}`,
            'connect',
            'pub go x',
            'flush',
            'info',
            'flood big 1 101',
            'flood small 1 100',
            'close',
        ]);
        assertLines(p.about('state', 'servers', 'info', 'flood'), [
            /^state connecting/,
            /^state connected/,
            /^servers OK/,
            /^info 100 \{.*"max_payload":100/,
            'flood E_TOO_LARGE',
            'flood OK',
            /^state closed OK/,
        ]);
    });
}

async function headerless(form, isWs) {
    const play = async (peer) => {
        await peer.greet(infoOf({ headers: false }));
        await peer.heard(/PUB plain 1\r\nx\r\nPING\r\n/);
        await peer.say('PONG\r\n');
        assert(/"no_responders":false/.test(peer.text), 'no_responders needs headers');
    };
    await withFake(isWs, play, async (url) => {
        const p = await runProgram(form, [
            `set servers ${url}`,
            'connect',
            'header A b',
            'pub fancy x',
            'pub plain x',
            'flush',
        ]);
        assertLines(p.about('pub', 'flush'), ['pub E_HEADERS_UNSUPPORTED', 'flush OK']);
    });
}

async function flushLost(form, isWs) {
    const play = async (peer) => {
        await peer.greet();
        await peer.heard(/PUB go/);
        peer.destroy();
    };
    await withFake(isWs, play, async (url) => {
        const p = await runProgram(form, [
            `set servers ${url}`,
            'set no_reconnect',
            'connect',
            'pub go x',
            'flush',
            'rtt',
        ]);
        assertLines(p.about('flush', 'rtt'), [/^flush E_(DISCONNECTED|CLOSED)/]);
    });
}
