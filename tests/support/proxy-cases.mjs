// Does the proxy do what it says?  An upstream server that echoes, or says much, and raw sockets.
import net from 'node:net';
import { sleep, until } from './harness.mjs';
import { withProxy } from './proxy.mjs';

const HELLO = 'hello, are you there?';
const STALLED_BYTES = 16 << 20; // more than the system's buffers on the way

function same(got, want, what) {
    if (got !== want) {
        throw new Error(`${what}: got ${got}, want ${want}`);
    }
}

function between(value, least, most, what) {
    if (value < least || value > most) {
        throw new Error(`${what}: ${value}, not ${least} to ${most}`);
    }
}

/** Echoes; what each connection sent and how it ended are in `peers`. */
async function startEcho() {
    const peers = [];
    const server = net.createServer((socket) =>
        peers.push(watch(socket.setNoDelay(), (bytes) => socket.write(bytes))),
    );
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    return {
        port: server.address().port,
        peers,
        stop() {
            server.close();
            peers.forEach((peer) => peer.socket.destroy());
        },
    };
}

/** { socket, text, reads, end }: `end` is 'end' or an error's code, once it is over. */
function watch(socket, onBytes = () => {}) {
    const seen = { socket, text: '', reads: 0, end: undefined };
    socket.on('data', (bytes) => {
        seen.text += bytes.toString('latin1');
        seen.reads += 1;
        onBytes(bytes);
    });
    socket.on('end', () => (seen.end ??= 'end'));
    socket.on('error', (error) => (seen.end ??= error.code));
    return seen;
}

const dial = (port) => watch(net.connect(port, '127.0.0.1').setNoDelay());
const hears = (seen, count) => until(() => seen.text.length >= count, 3000, `${count} bytes`);
const ends = (seen) => until(() => seen.end, 3000, 'the end');

/** A case: its plan, and what it does with (proxy, client, echo); the client is connection 0. */
const CASES = {
    'what is said arrives, and is counted': [
        {},
        async (proxy, client, echo) => {
            client.socket.write(HELLO);
            await hears(client, HELLO.length);
            same(client.text, HELLO, 'echo');
            same(
                JSON.stringify(proxy.stats()),
                `{"connections":1,"open":1,"up":${HELLO.length},"down":${HELLO.length}}`,
                'stats',
            );
            client.socket.end();
            await ends(client);
            await until(() => proxy.stats().open === 0, 1000, 'nothing open');
            same(echo.peers[0].end, 'end', 'the server');
        },
    ],
    'a reset of the client reaches the server': [
        {},
        async (proxy, client, echo) => {
            client.socket.write(HELLO);
            await hears(client, 1);
            client.socket.resetAndDestroy();
            await until(() => echo.peers[0].end, 1000, 'the end');
            same(echo.peers[0].end, 'ECONNRESET', 'the server');
        },
    ],
    'latency delays all, in order': [
        { down: { latencyMs: 150 } },
        async (proxy, client) => {
            const began = Date.now();
            client.socket.write('one ');
            await sleep(50);
            client.socket.write('two');
            client.socket.end();
            await hears(client, 4);
            between(Date.now() - began, 140, 400, 'first');
            await ends(client);
            same(client.text, 'one two', 'text');
            between(Date.now() - began, 190, 500, 'end');
        },
    ],
    'dribble passes single bytes': [
        { down: { dribble: true } },
        async (proxy, client) => {
            client.socket.write(HELLO);
            await hears(client, HELLO.length);
            between(client.reads, HELLO.length / 2, HELLO.length, 'reads');
        },
    ],
    'a bandwidth holds': [
        { down: { bytesPerSecond: 50000 } },
        async (proxy, client) => {
            const began = Date.now();
            client.socket.write(Buffer.alloc(20000));
            await hears(client, 20000);
            between(Date.now() - began, 300, 1500, '20000 bytes in ms');
        },
    ],
    'a byte is rewritten': [
        { down: { rewrite: { 1: 0x45, 6: 0x21 } } },
        async (proxy, client) => {
            client.socket.write(HELLO.slice(0, 5));
            await hears(client, 5);
            client.socket.write(HELLO.slice(5));
            await hears(client, HELLO.length);
            same(client.text, 'hEllo,!are you there?', 'text');
        },
    ],
    'accepted and never answered': [
        { accept: 'hold' },
        async (proxy, client, echo) => {
            client.socket.write(HELLO);
            await sleep(100);
            same([client.text, client.end, echo.peers.length].join(), ',,0', 'nothing');
        },
    ],
    'accepted and reset at once': [
        { accept: 'reset' },
        async (proxy, client) => same(await ends(client), 'ECONNRESET', 'end'),
    ],
    'accepted and ended at once': [
        { accept: 'end' },
        async (proxy, client) => same(await ends(client), 'end', 'end'),
    ],
    'silence comes and goes': [
        { down: { after: 5, then: 'silence' } },
        async (proxy, client, echo) => {
            client.socket.write(HELLO);
            await hears(client, 5);
            client.socket.write('lost');
            await until(() => echo.peers[0].text.length === HELLO.length + 4, 1000, 'the way up');
            await sleep(30);
            same(client.text, HELLO.slice(0, 5), 'text');
            proxy.links[0].down.rule = {};
            client.socket.write('back');
            await hears(client, 9);
            same(client.text, `${HELLO.slice(0, 5)}back`, 'text');
        },
    ],
    'a stall makes the sender stand, and loses nothing': [
        { up: { after: 0, then: 'stall' } },
        async (proxy, client, echo) => {
            client.socket.write(Buffer.alloc(STALLED_BYTES, 'x'));
            await sleep(200);
            between(client.socket.writableLength, 1, STALLED_BYTES, 'left to write');
            same(echo.peers[0]?.text ?? '', '', 'at the server');
            proxy.links[0].up.rule = {};
            await until(() => echo.peers[0].text.length === STALLED_BYTES, 15000, 'all of it');
        },
    ],
    'connections are refused, then accepted': [
        {},
        async (proxy, client) => {
            client.socket.write(HELLO);
            await hears(client, 1);
            proxy.refuse();
            same(await ends(dial(proxy.port)), 'ECONNREFUSED', 'refused');
            same(client.end, undefined, 'the old one goes on');
            await proxy.accept();
            const again = dial(proxy.port);
            again.socket.write(HELLO);
            await hears(again, HELLO.length);
            again.socket.destroy();
        },
    ],
    'all connections are cut by command': [
        {},
        async (proxy, client) => {
            client.socket.write(HELLO);
            await hears(client, 1);
            proxy.cutAll('reset');
            same(await ends(client), 'ECONNRESET', 'end');
            same(proxy.stats().open, 0, 'open');
        },
    ],
};

/** FIN and RST behind byte n of either direction: exactly n bytes arrive. */
for (const [then, want] of Object.entries({ end: 'end', reset: 'ECONNRESET' })) {
    for (const way of ['up', 'down']) {
        CASES[`${then} behind byte 7 of the way ${way}`] = [
            { [way]: { after: 7, then, pauseMs: 20 } },
            async (proxy, client, echo) => {
                client.socket.write(HELLO);
                same(await ends(client), want, 'the client');
                await ends(echo.peers[0]);
                const cut = way === 'up' ? echo.peers[0] : client;
                same(cut.text, HELLO.slice(0, 7), 'text');
                same(proxy.links[0][way].passed, 7, 'passed');
            },
        ];
    }
}

/** A later connection is served before an earlier one. */
async function reordered(echo) {
    let open;
    const ready = new Promise((done) => (open = done));
    await withProxy(
        echo.port,
        (n) => (n === 0 ? { ready } : {}),
        async (proxy) => {
            const first = dial(proxy.port);
            first.socket.write('first');
            await until(() => proxy.connections() === 1, 1000, 'the first');
            const second = dial(proxy.port);
            second.socket.write('second');
            await hears(second, 6);
            same(first.text, '', 'the first waits');
            open();
            await hears(first, 5);
            first.socket.destroy();
            second.socket.destroy();
        },
    );
}

export function proxyCases(report) {
    const cases = Object.entries(CASES).map(([what, [plan, body]]) => [
        what,
        (echo) =>
            withProxy(echo.port, plan, async (proxy) => {
                const client = dial(proxy.port);
                try {
                    await body(proxy, client, echo);
                } finally {
                    client.socket.destroy();
                }
            }),
    ]);
    cases.push(['a later connection is taken up first', reordered]);
    return cases.map(([what, body]) => async () => {
        const echo = await startEcho();
        await report.test(`proxy: ${what}`, () => body(echo));
        echo.stop();
    });
}
