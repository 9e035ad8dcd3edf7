// Does each kind of server do what its shape says?  nats.js and raw connections look.
import { connectPeer, core, take } from '../e2e/peer.mjs';
import { makeUserKey, Operator } from './credentials.mjs';
import { until, within } from './harness.mjs';
import { dialRaw, readInfo, withCluster, withServer } from './servers.mjs';

const CONNECT = 'CONNECT {"verbose":false}\r\n';
const MS = 5000;

function same(got, want, what) {
    const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
    if (a !== b) {
        throw new Error(`${what}: got ${a}, want ${b}`);
    }
}

function holds(condition, what) {
    if (!condition) {
        throw new Error(what);
    }
}

/** A nats.js connection that does not come back by itself; `seen` are its events. */
async function withPeer(url, options, body) {
    const peer = await within(MS, connectPeer(url, { reconnect: false, ...options }), 'connect');
    const seen = [];
    const watch = async () => {
        for await (const event of peer.status()) {
            seen.push(event);
        }
    };
    watch();
    try {
        return await body(peer, seen);
    } finally {
        await peer.close();
    }
}

async function isRefused(url, options, pattern) {
    const outcome = await within(
        MS,
        connectPeer(url, { reconnect: false, ...options }).then(
            (peer) => peer.close().then(() => 'it logged in'),
            (error) => error.message,
        ),
        'the refusal',
    );
    holds(pattern.test(outcome), `${outcome}, not ${pattern}`);
}

const logsIn = (url, options) => withPeer(url, options, (peer) => peer.flush());

/** The first error among the events, as text. */
async function errorOf(seen) {
    const event = await until(() => seen.find((one) => one.type === 'error'), MS, 'an error');
    return event.error.message;
}

async function refusesTo(seen, pattern) {
    const message = await errorOf(seen);
    holds(pattern.test(message), `${message}, not ${pattern}`);
}

const bytes = (text) => new TextEncoder().encode(text);
const { credsAuthenticator, jwtAuthenticator, nkeyAuthenticator } = core;
const withCreds = (user) => ({ authenticator: credsAuthenticator(bytes(user.creds)) });

/** Does nothing with what a subscription that is going to be refused throws. */
const ignore = { callback: () => {} };

// ---- who may come in

const key = makeUserKey();

const ANNA = { user: 'anna', password: 'p w' };
const anna = { user: 'anna', pass: 'p w' };

const access = {
    'user and password': {
        shape: { users: [ANNA] },
        async body({ server, url }) {
            await withPeer(url, anna, async () => {
                const { connections } = await server.connz();
                same(connections[0].authorized_user, 'anna', 'connz');
            });
            await isRefused(url, { user: 'anna', pass: 'wrong' }, /Authorization Violation/i);
            await isRefused(url, {}, /Authorization Violation/i);
        },
    },
    token: {
        shape: { token: 's3cr3t' },
        async body({ url }) {
            await logsIn(url, { token: 's3cr3t' });
            await isRefused(url, { token: 'wrong' }, /Authorization Violation/i);
        },
    },
    'no_auth_user takes whoever says nothing': {
        shape: {
            users: [ANNA, { user: 'guest', password: 'g', publish: 'guest.>' }],
            noAuthUser: 'guest',
        },
        async body({ server, url }) {
            await withPeer(url, {}, async (peer, seen) => {
                same((await server.connz()).connections[0].authorized_user, 'guest', 'connz');
                peer.publish('other', 'x');
                await refusesTo(seen, /publish.*other/i);
            });
            await logsIn(url, anna);
        },
    },
    'a time to say who one is': {
        shape: { users: [ANNA], authTimeout: 0.2 },
        async body({ url }) {
            const line = await dialRaw(url);
            await line.heard(/-ERR 'Authentication Timeout'/, 1500); // the default is 2 s
            line.end();
        },
    },
    'an nkey': {
        shape: { users: [{ nkey: key.public }] },
        async body({ url }) {
            holds((await readInfo(url)).nonce?.length > 10, 'a nonce');
            await logsIn(url, { authenticator: nkeyAuthenticator(bytes(key.seed)) });
            const other = makeUserKey();
            const wrong = { authenticator: nkeyAuthenticator(bytes(other.seed)) };
            await isRefused(url, wrong, /Authorization Violation/i);
        },
    },
    'a kind of connection may be forbidden': {
        shape: { users: [{ ...ANNA, connectionTypes: ['WEBSOCKET'] }] },
        async body({ url, scheme }) {
            await (scheme === 'ws' ? logsIn(url, anna) : isRefused(url, anna, /Authorization/i));
        },
    },
};

// ---- operators and their tokens

const operators = {
    'creds log in, a bearer without a key too': {
        async body({ server, url, operator }) {
            const user = await operator.user({ name: 'anna' });
            await withPeer(url, withCreds(user), async (peer) => {
                await peer.flush();
                const [connection] = (await server.connz()).connections;
                same(connection.authorized_user, user.public, 'connz');
            });
            const system = await operator.user({ isSystem: true });
            await withPeer(url, withCreds(system), async (peer) => {
                const answer = await peer.request('$SYS.REQ.SERVER.PING', '', { timeout: MS });
                holds(answer.json().server.id === peer.info.server_id, 'the system account');
            });
            const bearer = await operator.user({ isBearer: true });
            await logsIn(url, { authenticator: jwtAuthenticator(bearer.jwt) });
            await isRefused(url, { authenticator: jwtAuthenticator(user.jwt) }, /Authorization/i);
        },
    },
    'expired is refused, expiring ends': {
        async body({ url, operator }) {
            const late = await operator.user({ expiresIn: -1 });
            await isRefused(url, withCreds(late), /Authorization|expired/i);
            const soon = await operator.user({ expiresIn: 2 });
            await withPeer(url, withCreds(soon), async (peer, seen) => {
                await refusesTo(seen, /Authentication Expired/i);
                await within(MS, peer.closed(), 'the end');
            });
        },
    },
    'a kind of connection, and permissions, stand in the token': {
        async body({ url, scheme, operator }) {
            const user = await operator.user({
                connectionTypes: ['WEBSOCKET'],
                publish: { allow: ['ok.>'] },
            });
            if (scheme === 'nats') {
                await isRefused(url, withCreds(user), /Authorization/i);
                return;
            }
            await withPeer(url, withCreds(user), async (peer, seen) => {
                peer.publish('ok.a', 'x');
                peer.publish('other', 'x');
                await refusesTo(seen, /publish.*other/i);
            });
        },
    },
    'a revoked user has to go': {
        async body({ server, url, operator }) {
            const user = await operator.user();
            await withPeer(url, withCreds(user), async (peer) => {
                await operator.revoke(user);
                await server.reload({ operator });
                await within(MS, peer.closed(), 'the end');
            });
            await isRefused(url, withCreds(user), /Authorization/i);
        },
    },
};

for (const one of Object.values(operators)) {
    one.shape = async () => ({ operator: await Operator.make() });
}

// ---- cookies

async function byCookie(url, cookie) {
    const line = await dialRaw(url, cookie ? { Cookie: cookie } : {});
    line.say(`${CONNECT}PING\r\n`);
    const [answer] = await line.heard(/PONG|-ERR .*/);
    line.end();
    return answer;
}

const cookies = {
    'a bearer token in a cookie': {
        schemes: ['ws'],
        shape: async () => ({ operator: await Operator.make(), cookies: { jwt: 'who' } }),
        async body({ url, operator }) {
            const { jwt } = await operator.user({ isBearer: true });
            same(await byCookie(url, `who=${jwt}`), 'PONG', 'with it');
            holds(/Authorization/.test(await byCookie(url)), 'without it');
        },
    },
    'user and password in cookies': {
        schemes: ['ws'],
        since: 'newest',
        shape: {
            users: [{ user: 'anna', password: 'pw' }],
            cookies: { user: 'u', pass: 'p' },
        },
        async body({ url }) {
            same(await byCookie(url, 'u=anna; p=pw'), 'PONG', 'with them');
            holds(/Authorization/.test(await byCookie(url, 'u=anna; p=no')), 'with a wrong one');
        },
    },
    'a token in a cookie': {
        schemes: ['ws'],
        since: 'newest',
        shape: { token: 's3cr3t', cookies: { token: 't' } },
        async body({ url }) {
            same(await byCookie(url, 't=s3cr3t'), 'PONG', 'with it');
            holds(/Authorization/.test(await byCookie(url)), 'without it');
        },
    },
};

// ---- who may do what

const CARL = {
    user: 'carl',
    password: 'c',
    publish: { allow: ['ok.>', '_INBOX.>'], deny: 'ok.not' },
    subscribe: { allow: ['ok.>', '_INBOX.>', 'jobs workers'], deny: ['ok.secret'] },
};
const carl = { user: 'carl', pass: 'c' };

const permissions = {
    'publish: allowed and denied': {
        shape: { users: [CARL] },
        body: ({ url }) =>
            withPeer(url, carl, async (peer, seen) => {
                const ok = peer.subscribe('ok.a');
                peer.publish('ok.not', 'x');
                peer.publish('ok.a', 'x');
                same((await take(ok, 1))[0].subject, 'ok.a', 'allowed');
                await refusesTo(seen, /publish.*ok\.not/i);
            }),
    },
    'subscribe: allowed, denied, and only in a queue': {
        shape: { users: [CARL] },
        body: ({ url }) =>
            withPeer(url, carl, async (peer, seen) => {
                peer.subscribe('jobs', { queue: 'workers', ...ignore });
                await peer.flush();
                same(seen.length, 0, 'no error');
                for (const [subject, queue] of [['ok.secret'], ['jobs', 'others'], ['other']]) {
                    seen.length = 0;
                    peer.subscribe(subject, { queue, ...ignore });
                    await refusesTo(seen, new RegExp(`subscription.*${subject}`, 'i'));
                }
            }),
    },
    'answers are allowed to who was asked': {
        shape: {
            users: [
                ANNA,
                {
                    user: 'dora',
                    password: 'd',
                    publish: { deny: '>' },
                    subscribe: 'ask',
                    responses: { max: 1, expires: '1m' },
                },
            ],
        },
        body: ({ url }) =>
            withPeer(url, { user: 'dora', pass: 'd' }, async (dora, seen) => {
                const answer = (_, message) => {
                    message.respond('one');
                    message.respond('two');
                };
                dora.subscribe('ask', { callback: answer });
                await dora.flush();
                await withPeer(url, anna, async (peer) => {
                    same((await peer.request('ask', '', { timeout: MS })).string(), 'one', 'it');
                });
                await refusesTo(seen, /publish.*_INBOX/i);
            }),
    },
    'a reload takes a right away': {
        shape: { users: [ANNA] },
        body: ({ server, url }) =>
            withPeer(url, anna, async (peer, seen) => {
                const sub = peer.subscribe('news');
                peer.publish('news', 'x');
                same((await take(sub, 1)).length, 1, 'before');
                peer.subscribe('other', ignore);
                await peer.flush();
                await server.reload({ users: [{ ...ANNA, subscribe: { deny: 'other' } }] });
                await refusesTo(seen, /subscription.*other/i);
                await server.reload({ users: [{ ...ANNA, password: 'new' }] });
                await within(MS, peer.closed(), 'the end');
            }),
    },
    'a reload that is refused says so': {
        schemes: ['nats'],
        async body({ server }) {
            const outcome = await server.reload({ pingMax: 'many' }).then(
                () => 'ok',
                () => 'no',
            );
            same(outcome, 'no', 'reload');
        },
    },
};

// ---- limits and names

const limits = {
    'subjects are mapped': {
        shape: { mappings: { 'old.*': 'new.$1' } },
        body: ({ url }) =>
            withPeer(url, {}, async (peer) => {
                const sub = peer.subscribe('new.*');
                peer.publish('old.a', 'x');
                same((await take(sub, 1))[0].subject, 'new.a', 'subject');
            }),
    },
    max_payload: {
        shape: { maxPayload: 1000 },
        async body({ url }) {
            same((await readInfo(url)).max_payload, 1000, 'INFO');
            const line = await dialRaw(url);
            line.say(`${CONNECT}PUB a 1001\r\n`);
            await line.heard(/-ERR 'Maximum Payload Violation'/);
            await until(line.isOver, MS, 'the end');
        },
    },
    max_subscriptions: {
        shape: { maxSubscriptions: 2 },
        async body({ url }) {
            const line = await dialRaw(url);
            line.say(`${CONNECT}SUB a 1\r\nSUB b 2\r\nPING\r\n`);
            await line.heard(/PONG/);
            line.say('SUB c 3\r\n');
            await line.heard(/-ERR 'maximum subscriptions exceeded'/i);
            line.end();
        },
    },
    max_connections: {
        shape: { maxConnections: 1 },
        body: ({ url }) =>
            withPeer(url, {}, async () => {
                const line = await dialRaw(url);
                await line.heard(/-ERR 'maximum connections exceeded'/i);
                line.end();
            }),
    },
    'a short ping interval finds who is silent': {
        shape: { pingInterval: '100ms', pingMax: 4 },
        async body({ url }) {
            const line = await dialRaw(url);
            line.say(CONNECT);
            await line.heard(/-ERR 'Stale Connection'/, MS);
            same(line.text().match(/PING/g).length, 4, 'pings without an answer');
            line.end();
        },
    },
};

// ---- a server's life

const IN = 'CONNECT {"verbose":false,"user":"carl","pass":"c"}\r\n';
const WRONG = [
    `${IN}HELLO\r\n`,
    'CONNECT {"verbose":\r\n',
    `${IN}PUB ok.a -5\r\n`,
    `${IN}PUB ok.a 2\r\nhello\r\n`,
    `${IN}PUB ok.a ${'9'.repeat(5000)}\r\n`,
    `${IN}PUB ok.a 2000000\r\n`,
];

const life = {
    'kill -9, and again on the same ports': {
        async body({ server, url }) {
            const options = { reconnect: true, reconnectTimeWait: 20, reconnectJitter: 0 };
            await withPeer(url, options, async (peer, seen) => {
                const before = server.pid();
                await server.kill();
                await until(() => seen.some((e) => e.type === 'disconnect'), MS, 'disconnect');
                await isRefused(url, {}, /refused|ECONNREFUSED/i);
                await server.restart();
                await until(() => seen.some((e) => e.type === 'reconnect'), MS, 'reconnect');
                await peer.flush();
                holds(server.pid() !== before, 'another process');
            });
        },
    },
    'lame duck mode': {
        shape: { lameDuck: { grace: '50ms' } },
        body: ({ server, url }) =>
            withPeer(url, {}, async (peer, seen) => {
                await server.lameDuck();
                await until(() => seen.some((event) => event.type === 'ldm'), MS, 'ldm');
                await within(MS, peer.closed(), 'the end');
            }),
    },
    'monitoring counts': {
        body: ({ server, url, old }) =>
            withPeer(url, { name: 'lab peer' }, async (peer) => {
                peer.subscribe('count.*', ignore);
                peer.publish('count.a', 'four');
                await peer.flush();
                const varz = await server.varz();
                same([varz.in_msgs, varz.in_bytes, varz.connections], [1, 4, 1], 'varz');
                holds(varz.version.startsWith('2.9.') === Boolean(old), varz.version);
                const [connection] = (await server.connz()).connections;
                same([connection.name, connection.subscriptions], ['lab peer', 1], 'connz');
                const { subscriptions_list: list } = await server.subsz();
                holds(
                    list.some((sub) => sub.subject === 'count.*'),
                    'subsz',
                );
            }),
    },
    'broken protocol stands in the log, a good client leaves none': {
        shape: { users: [CARL], pingInterval: '100ms' },
        async body({ server, url }) {
            await withPeer(url, carl, async (peer, seen) => {
                peer.publish('other', 'x');
                await refusesTo(seen, /publish.*other/i);
            });
            await isRefused(url, {}, /Authorization Violation/i);
            same(server.complaints(), [], 'a good client');
            for (const [i, wrong] of WRONG.entries()) {
                const line = await dialRaw(url);
                line.say(wrong);
                await until(() => server.complaints().length > i, MS, `a complaint of ${wrong}`);
                line.end();
            }
        },
    },
    'a frame without a mask stands in the log': {
        schemes: ['ws'],
        async body({ server, url }) {
            const line = await dialRaw(url);
            line.socket._socket.write(Buffer.from([0x82, 1, 0x50]));
            await until(() => server.complaints().length > 0, MS, 'a complaint');
            line.end();
        },
    },
};

// ---- clusters

const urlsOf = (servers, scheme) =>
    servers.map((server) => `127.0.0.1:${scheme === 'ws' ? server.wsPort : server.port}`).sort();
const told = async (url) => ((await readInfo(url)).connect_urls ?? []).sort();

const clusters = {
    'three servers tell of each other, and pass messages on': {
        async body({ servers, scheme, urls }) {
            for (const url of urls) {
                same(await told(url), urlsOf(servers, scheme), 'connect_urls');
            }
            await withPeer(urls[0], {}, (first) =>
                withPeer(urls[2], {}, async (last) => {
                    const sub = first.subscribe('far');
                    await first.flush();
                    const arrived = take(sub, 1);
                    const nudge = setInterval(() => last.publish('far', 'x'), 20);
                    await within(MS, arrived, 'the message').finally(() => clearInterval(nudge));
                }),
            );
        },
    },
    'one that dies is no longer told of, and told of when it is back': {
        async body({ servers, scheme, urls }) {
            await servers[1].kill();
            const left = urlsOf([servers[0], servers[2]], scheme);
            await until(async () => (await told(urls[0])).length === 2, MS, 'two servers');
            same(await told(urls[0]), left, 'connect_urls');
            await servers[1].restart();
            await until(async () => (await told(urls[0])).length === 3, 10000, 'three servers');
        },
    },
    'no_advertise tells of none': {
        shape: { size: 2, noAdvertise: true },
        async body({ urls }) {
            same(await told(urls[0]), [], 'connect_urls');
        },
    },
    'advertised names are told instead': {
        shape: {
            size: 2,
            each: (i) => ({ clientAdvertise: `tcp${i}.test:4222`, wsAdvertise: `ws${i}.test:443` }),
        },
        async body({ scheme, urls }) {
            const [a, b] = scheme === 'ws' ? ['ws0', 'ws1'] : ['tcp0', 'tcp1'];
            const port = scheme === 'ws' ? 443 : 4222;
            same(await told(urls[0]), [`${a}.test:${port}`, `${b}.test:${port}`], 'connect_urls');
        },
    },
};

/** Tasks that report one case each, for both servers where they have the feature. */
export function labCases(report, scheme) {
    const singles = { ...access, ...operators, ...cookies, ...permissions, ...limits, ...life };
    const tasks = [];
    const add = (what, one, run) => {
        for (const old of [false, true]) {
            const isThere = !(old && one.since) && (one.schemes ?? [scheme]).includes(scheme);
            const name = `${what} (${scheme} ${old ? '2.9' : 'newest'})`;
            if (isThere) {
                tasks.push(() => report.test(name, () => run(old)));
            }
        }
    };
    for (const [what, one] of Object.entries(clusters)) {
        add(`cluster: ${what}`, one, (old) =>
            withCluster({ ...one.shape, old }, (servers) => {
                const urls = servers.map((server) => (scheme === 'ws' ? server.wsUrl : server.url));
                return one.body({ servers, scheme, urls });
            }),
        );
    }
    for (const [what, one] of Object.entries(singles)) {
        add(`server: ${what}`, one, async (old) => {
            const shape = typeof one.shape === 'function' ? await one.shape() : one.shape;
            await withServer({ ...shape, old }, (server) => {
                const url = scheme === 'ws' ? server.wsUrl : server.url;
                return one.body({ server, url, scheme, old, operator: shape?.operator });
            });
        });
    }
    return tasks;
}
