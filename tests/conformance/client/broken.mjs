// Servers that break the rules, one case each: what a server does with a connection, and what
// the client must make of it.
//
//   name     what is wrong
//   greets   the connection works before it goes wrong
//   wsOnly   there is no such thing over plain TCP
//   play     (peer, isWs) => what the server does
//   expect   the status with which the client ends the connection; null: it must bear it
//   closes   the close code that the client sends over WebSocket
import { INFO, frame, upgradeAnswer } from './fake.mjs';
import { sleep } from '../../support/harness.mjs';

export const MESSAGE_MAX = 100000; // the client's limit in these cases

const MANY = 1000000;

// ---- control lines

const line = (name, bytes, expect = 'E_PROTOCOL', closes = 1002) => ({
    name,
    expect,
    closes,
    greets: true,
    play: (peer) => peer.say(bytes),
});

const bearable = (name, bytes) => line(name, bytes, null, null);

const SIZES = ['', '-5', '+5', '05', '5.0', '1e3', '0x5', '5 5 5 5', '2147483647', '4294967301'];
const DIGITS = [10, 19, 20, 40].map((count) => '9'.repeat(count));
const NESTED = '['.repeat(20000);
const SERVERS = Array.from({ length: 2000 }, (_, i) => `"192.0.2.${i & 255}:${4000 + i}"`);

const lines = [
    ...[...SIZES, ...DIGITS].map((size) => line(`size "${size}"`, `MSG a 1 ${size}\r\nhello\r\n`)),
    ...['', '012', '+12', ...DIGITS].map((size) =>
        line(`header size "${size}"`, `HMSG a 1 ${size} 20\r\nNATS/1.0\r\n\r\n01234567\r\n`),
    ),
    ...DIGITS.map((size) => line(`both sizes ${size}`, `HMSG a 1 ${size} ${size}\r\nNATS/1.0`)),
    line('header size below 12', 'HMSG a 1 11 20\r\nNATS/1.0\r\n\r\n01234567\r\n'),
    line('header size above the total', 'HMSG a 1 20 19\r\nNATS/1.0\r\n\r\n0123456\r\n'),
    line('a message over the limit', `MSG a 1 ${MESSAGE_MAX + 1}\r\n`, 'E_TOO_LARGE', 1009),
    line('no CRLF behind the payload', 'MSG a 1 5\r\nhelloPING\r\n'),
    line('CR without LF', 'PING\rPING\r\n'),
    line('LF without CR', 'PING\n'),
    line('an unknown operation', 'HELLO\r\n'),
    line('an empty line', '\r\n'),
    line('words behind PING', 'PING now\r\n'),
    line('words behind PONG', 'PONG 1\r\n'),
    line("the client's own operation", 'CONNECT {}\r\n'),
    line('bytes beyond ASCII', Buffer.from([0xff, 0xfe, 0, 13, 10])),
    line('a line without end', `MSG ${'a'.repeat(MANY)}`, 'E_LINE_TOO_LONG'),
    line('an -ERR without end', `-ERR '${'a'.repeat(MANY)}`, 'E_LINE_TOO_LONG'),
    line('a later INFO that is not JSON', 'INFO {"max_payload":\r\n', 'E_JSON'),
    line('a later INFO of a megabyte', `INFO {"a":"${'a'.repeat(MANY)}"}\r\n`, 'E_LINE_TOO_LONG'),
    line('a later INFO nested deep', `INFO {"a":${NESTED}\r\n`, 'E_JSON'),
    bearable('10 000 -ERR', "-ERR 'Unknown Protocol Operation'\r\n".repeat(10000)),
    bearable('messages of an unknown subscription', 'MSG a 4242 5\r\nhello\r\n'.repeat(1000)),
    bearable('PONG that nobody asked for', 'PONG\r\n'.repeat(1000)),
    bearable('10 000 +OK', '+OK\r\n'.repeat(10000)),
    bearable('headers that are none', 'HMSG a 1 22 22\r\nNATS/1.0 z\r\n:\r\n: :\r\n\r\n\r\n'),
    bearable('2 000 servers', `INFO {"connect_urls":[${SERVERS}]}\r\n`),
];

// ---- the first words

const first = (name, bytes, expect, closes = 1002) => ({
    name,
    expect,
    closes,
    async play(peer, isWs) {
        const request = await peer.request();
        if (isWs) {
            await peer.raw(upgradeAnswer(request));
        }
        await peer.say(bytes);
    },
});

const firsts = [
    first('INFO is not JSON', 'INFO hello\r\n', 'E_JSON'),
    first('INFO is an array', 'INFO []\r\n', 'E_JSON'),
    first('INFO is empty', 'INFO \r\n', 'E_JSON'),
    first('INFO without end', `INFO {"a":"${'a'.repeat(MANY)}`, 'E_LINE_TOO_LONG'),
    first('INFO nested 20 000 deep', `INFO {"a":${NESTED}\r\n`, 'E_JSON'),
    first(
        '100 000 servers',
        `INFO {"connect_urls":["",${'"a:1",'.repeat(100000)}`,
        'E_LINE_TOO_LONG',
    ),
    first('a message before INFO', 'MSG a 1 5\r\nhello\r\n', 'E_PROTOCOL'),
    first('PONG before INFO', 'PONG\r\n', 'E_PROTOCOL'),
    first('an empty line before INFO', '\r\n', 'E_PROTOCOL'),
    { name: 'silence', expect: 'E_TIMEOUT', play: () => {} },
    { name: 'the end at once', expect: 'E_CLOSED', play: (peer) => peer.end() },
];

// ---- every -ERR of a server, and one that is none of them

const error = (text, expect) => ({
    name: `-ERR ${text}`,
    expect,
    greets: true,
    async play(peer) {
        await peer.say(`-ERR '${text}'\r\n`);
        peer.end();
    },
});

const noted = (text) => bearable(`-ERR ${text}`, `-ERR '${text}'\r\n`);

const errors = [
    error('Authorization Violation', 'E_AUTH'),
    error('User Authentication Expired', 'E_AUTH'),
    error('Account Authentication Expired', 'E_AUTH'),
    error('User Authentication Revoked', 'E_AUTH'),
    error('Authentication Timeout', 'E_TIMEOUT'),
    error('Stale Connection', 'E_STALE'),
    error('maximum connections exceeded', 'E_SERVER'),
    error('maximum account active connections exceeded', 'E_SERVER'),
    error('Connection throttling is active. Please try again later.', 'E_SERVER'),
    error('Maximum Payload Violation', 'E_TOO_LARGE'),
    error('Unknown Protocol Operation', 'E_SERVER'),
    error('maximum control line exceeded', 'E_SERVER'),
    error('Parser Error', 'E_SERVER'),
    error('Secure Connection - TLS Required', 'E_TLS'),
    error('attempted to connect to route port', 'E_CONFIG'),
    error('attempted to connect to leaf node port', 'E_CONFIG'),
    error('something new', 'E_SERVER'),
    { ...error('something new, and the server stays', 'E_SERVER'), play: sayNew },
    noted('Permissions Violation for Publish to "x"'),
    noted('Permissions Violation for Publish with Reply of "x"'),
    noted('Permissions Violation for Subscription to "x"'),
    noted('Permissions Violation for Subscription to "x" using queue "q"'),
    noted('Permissions Violation for Publish to "x", too many tokens'),
    noted('Permissions Violation for Subscription to "x" (sid "9")'),
    noted('Invalid Subject'),
    noted('Invalid Publish Subject'),
    noted('maximum subscriptions exceeded'),
];

function sayNew(peer) {
    return peer.say("-ERR 'something new'\r\n");
}

// ---- the answer to the upgrade request, made from the right one

const answer = (name, change, expect = 'E_HANDSHAKE') => ({
    name,
    expect,
    wsOnly: true,
    async play(peer) {
        const request = await peer.request();
        const bytes =
            typeof change === 'function' ? change(request) : upgradeAnswer(request, change);
        await peer.raw(bytes);
    },
});

const withField = (name, value) => ({ fields: { [name]: value } });
const withLines = (request, more) =>
    upgradeAnswer(request).replace(/\r\n\r\n$/, () => `\r\n${more}\r\n\r\n`);

const answers = [
    answer('404', { status: '404 Not Found' }, 'E_UPGRADE'),
    answer('200', { status: '200 OK' }, 'E_UPGRADE'),
    answer('a redirect', { status: '302 Found', fields: { Location: '/' } }, 'E_UPGRADE'),
    answer('100 first', (r) => `HTTP/1.1 100 Continue\r\n\r\n${upgradeAnswer(r)}`),
    answer('HTTP/1.0', { version: 'HTTP/1.0' }),
    answer('not HTTP', () => INFO),
    answer('another key', withField('Sec-WebSocket-Accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')),
    answer('no accept', withField('Sec-WebSocket-Accept', undefined)),
    answer('two accepts', (r) => withLines(r, 'Sec-WebSocket-Accept: x')),
    answer('no Upgrade', withField('Upgrade', undefined)),
    answer('no Connection', withField('Connection', 'keep-alive')),
    answer('a protocol nobody asked for', withField('Sec-WebSocket-Protocol', 'nats')),
    answer('an extension', withField('Sec-WebSocket-Extensions', 'permessage-deflate')),
    answer('a folded header', (r) => upgradeAnswer(r).replace('Upgrade: ', 'Upgrade:\r\n ')),
    answer('lines that end in LF', (r) => upgradeAnswer(r).replaceAll('\r\n', '\n')),
    answer('a header without end', (r) => withLines(r, `X: ${'a'.repeat(MANY)}`)),
    answer('headers without end', (r) => withLines(r, 'A: b\r\n'.repeat(50000))),
];

// ---- frames

const framed = (name, bytes, expect = 'E_FRAME', closes = 1002) => ({
    name,
    expect,
    closes,
    wsOnly: true,
    greets: true,
    play: (peer) => peer.raw(Buffer.concat([bytes].flat())),
});

const bytesOf = (text) => Buffer.from(text, 'latin1');

function headOf(length) {
    const head = bytesOf('\x82\x7f\0\0\0\0\0\0\0\0');
    head.writeBigUInt64BE(length, 2);
    return head;
}

function closeFrame(code, reason = '') {
    return frame(Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]), 8);
}

const pingFlood = {
    name: 'pings while nobody reads the answers',
    expect: null,
    wsOnly: true,
    greets: true,
    async play(peer) {
        peer.pause();
        const flood = peer.raw(Buffer.concat(Array(20000).fill(frame(Buffer.alloc(125), 9))));
        await Promise.race([flood, sleep(300)]);
        peer.resume();
        await flood;
    },
};

const frames = [
    framed('length 2^63', headOf(1n << 63n)),
    framed('length 2^64 - 1', headOf((1n << 64n) - 1n)),
    ...[(1n << 63n) - 1n, 1n << 32n, (1n << 32n) + 5n, (1n << 31n) - 1n].map((length) =>
        framed(`length ${length}`, headOf(length), 'E_TOO_LARGE', 1009),
    ),
    framed('length 6 in 16 bits', bytesOf('\x82\x7e\0\x06PING\r\n')),
    framed('length 6 in 64 bits', [headOf(6n), bytesOf('PING\r\n')]),
    ...[0x40, 0x20, 0x10].map((bit) =>
        framed(`reserved bit ${bit}`, frame('PING\r\n', 2, 0x82 | bit)),
    ),
    ...[3, 7, 11, 15].map((opcode) => framed(`opcode ${opcode}`, frame('', opcode))),
    framed('a masked frame', bytesOf('\x82\x86\0\0\0\0PING\r\n')),
    framed('a text frame', frame('PING\r\n', 1), 'E_FRAME', 1003),
    framed('a ping of 126 bytes', frame(Buffer.alloc(126), 9)),
    framed('a ping in fragments', frame('x', 9, 0x09)),
    framed('a continuation of nothing', frame('PING\r\n', 0)),
    framed('a message within a message', [frame('PI', 2, 0x02), frame('PING\r\n', 2)]),
    framed('a million empty fragments', [frame('', 2, 0x02), Buffer.alloc(2 * MANY)], /E_/, /./),
    framed('a close of one byte', frame('x', 8)),
    ...[0, 999, 1004, 1005, 1006, 1016, 2999, 5000].map((code) =>
        framed(`close code ${code}`, closeFrame(code)),
    ),
    framed('a reason that is not UTF-8', closeFrame(1000, [0xff]), 'E_FRAME', 1007),
    framed('close 1000', closeFrame(1000), 'E_CLOSED', 1000),
    framed('close 1001', closeFrame(1001, 'Server Shutdown'), 'E_SERVER', 1001),
    framed('a close without code', frame('', 8), 'E_CLOSED', 1005),
    framed(
        'fragments with a ping between',
        [frame('PI', 2, 0x02), frame('x', 9), frame('NG\r', 0, 0x00), frame('\n', 0)],
        null,
        null,
    ),
    pingFlood,
];

export const CASES = [...lines, ...errors, ...firsts, ...answers, ...frames];
