// What a server may send after the upgrade, and what has to come of it: RFC 6455, with the
// bits of RFC 7692 that were not negotiated.
//
// With `deflate` compression was agreed on, and `compressed` echoes have to be.
//
// A case is { id, name, script, messages, pongs, closes, heard, refused, status }.  The script
// is a list of frames; WAIT among them says to wait for the answers to all before it, where
// answers may come late.  `messages` have to come back exactly and in order; `pongs` is 'each'
// ping's or only the 'last' one's; `closes` is the code of the client's close frame, undefined:
// none; `heard` and `refused` are what the client tells of the end.
import { BINARY, CLOSE, CONTINUE, PING, PONG, TEXT, closeFrame, deflated, frame } from './wire.mjs';

export const WAIT = Symbol('wait');
export const END = Symbol('end'); // FIN
export const RESET = Symbol('reset');

/** Bytes that differ from place to place. */
function bytes(length, from = 0) {
    const all = Buffer.alloc(length);
    for (let i = 0; i < length; i++) {
        all[i] = (from + i * 7 + (i >> 8) * 13) & 255;
    }
    return all;
}

const binary = (payload, options) => frame(BINARY, payload, options);
const start = (payload, options) => frame(BINARY, payload, { fin: false, ...options });
const middle = (payload, options) => frame(CONTINUE, payload, { fin: false, ...options });
const last = (payload, options) => frame(CONTINUE, payload, options);

const all = [];

/** Something that is borne: it ends with a close of 1000 in both directions. */
function good(id, name, script, { messages = [], pongs = [], ...rest } = {}) {
    const ends = { closes: 1000, heard: 1000, refused: 0, status: 'E_CLOSED' };
    const goodbye = [WAIT, closeFrame(1000, 'over')];
    all.push({ id, name, script: [...script, ...goodbye], messages, pongs, ...ends, ...rest });
}

/** Something that is refused with `code`. */
function bad(id, name, script, code = 1002, { messages = [], pongs = [], ...rest } = {}) {
    const status = code === 1009 ? 'E_TOO_LARGE' : 'E_FRAME';
    const ends = { closes: code, heard: 0, refused: code, status };
    all.push({ id, name, script, messages, pongs, ...ends, ...rest });
}

/** The server closes. */
function closing(id, name, script, code, status, { messages = [], pongs = [], ...rest } = {}) {
    const ends = { closes: code, heard: code, refused: 0, status };
    all.push({ id, name, script, messages, pongs, ...ends, ...rest });
}

// ---- 1: framing

const LENGTHS = [0, 1, 125, 126, 127, 65535, 65536, 65537];
LENGTHS.forEach((length, i) => {
    const payload = bytes(length);
    good(`1.1.${i + 1}`, `${length} bytes`, [binary(payload)], { messages: [payload] });
});
[
    [0, 16],
    [125, 16],
    [0, 64],
    [125, 64],
    [126, 64],
    [65535, 64],
].forEach(([length, form], i) => {
    const script = [binary(bytes(length), { form })];
    bad(`1.2.${i + 1}`, `${length} bytes, a length of ${form} bits`, script);
});
[2n ** 63n, 2n ** 63n + 5n, 2n ** 64n - 1n].forEach((says, i) => {
    bad(`1.3.${i + 1}`, `a length of ${says}`, [binary('', { says, form: 64 })]);
});
[2n ** 63n - 1n, 2n ** 32n, 2n ** 32n + 5n, 2n ** 31n, 2n ** 31n - 1n, 2n ** 28n + 1n].forEach(
    (says, i) => {
        bad(`1.4.${i + 1}`, `${says} bytes are announced`, [binary('', { says, form: 64 })], 1009);
    },
);
const MASK = [1, 2, 3, 4];
bad('1.5.1', 'a masked message', [binary('masked', { mask: MASK })]);
bad('1.5.2', 'a masked message without payload', [binary('', { mask: MASK })]);
bad('1.5.3', 'a masked message, the mask is 0', [binary('masked', { mask: [0, 0, 0, 0] })]);
bad('1.5.4', 'a masked ping', [frame(PING, 'p', { mask: MASK })]);
bad('1.5.5', 'a masked close', [closeFrame(1000, '', { mask: MASK })]);
bad('1.5.6', 'a masked message of 200 bytes', [binary(bytes(200), { mask: MASK })]);
bad('1.5.7', 'a masked message of 65536 bytes', [binary(bytes(65536), { mask: MASK })]);

// ---- 2: ping and pong

const pinged = (...payloads) => payloads.map((payload) => frame(PING, payload));
good('2.1', 'a ping without payload', pinged(''), { pongs: 'each' });
good('2.2', 'a ping with text', pinged('hello'), { pongs: 'each' });
good('2.3', 'a ping with bytes that are no text', pinged(Buffer.from([0, 255, 254, 0, 129])), {
    pongs: 'each',
});
good('2.4', 'a ping of 125 bytes', pinged(bytes(125)), { pongs: 'each' });
bad('2.5', 'a ping of 126 bytes', [frame(PING, bytes(126))]);
bad('2.6', 'a ping of 125 bytes, a length of 16 bits', [frame(PING, bytes(125), { form: 16 })]);
bad('2.7', 'a ping that announces 2^62 bytes', [frame(PING, '', { says: 2n ** 62n, form: 64 })]);
good('2.8', 'a pong nobody asked for', [frame(PONG, '')]);
good('2.9', 'a pong with payload nobody asked for', [frame(PONG, 'unasked')]);
good('2.10', 'a pong, then a ping', [frame(PONG, 'unasked'), frame(PING, 'asked')], {
    pongs: 'each',
});
good(
    '2.11',
    'ten pings, each after the pong to the last',
    pinged(...'0123456789').flatMap((ping) => [ping, WAIT]),
    { pongs: 'each', waits: true },
);
good('2.12', 'ten pings at once: the last one counts', pinged(...'0123456789'), { pongs: 'last' });
bad('2.13', 'a pong of 126 bytes', [frame(PONG, bytes(126))]);
good('2.14', 'a ping between two messages', [binary('one'), frame(PING, 'x'), binary('two')], {
    messages: ['one', 'two'],
    pongs: 'each',
});
good(
    '2.15',
    '20000 pings at once: few pongs, the last one counts',
    [...Array(20000).fill(frame(PING, bytes(125))), ...pinged('end')],
    { pongs: 'last', modes: ['whole', 'random'] },
);

// ---- 3: reserved bits, of which no extension makes any use

[1, 2, 3, 4, 5, 6, 7].forEach((rsv) => {
    bad(`3.1.${rsv}`, `a message with reserved bits ${rsv}`, [binary('bits', { rsv })]);
});
bad('3.2', 'reserved bit 1 behind a good message', [binary('good'), WAIT, binary('x', { rsv: 4 })], 1002, {
    messages: ['good'],
});
bad('3.3', 'a ping with reserved bit 1', [frame(PING, 'bits', { rsv: 4 })]);
bad('3.4', 'a pong with reserved bit 2', [frame(PONG, '', { rsv: 2 })]);
bad('3.5', 'a close with reserved bit 3', [closeFrame(1000, '', { rsv: 1 })]);
bad('3.6', 'a continuation with reserved bit 1', [start('a'), last('b', { rsv: 4 })]);
const DEFLATED = Buffer.from('f248cdc9c90700', 'hex'); // "Hello" (RFC 7692, 7.2.3.1)
bad('3.7', 'a compressed message, which was not negotiated', [binary(DEFLATED, { rsv: 4 })]);
bad('3.8', 'a compressed message without payload', [binary('', { rsv: 4 })]);
bad('3.9', 'a compressed message in fragments', [start(DEFLATED.subarray(0, 3), { rsv: 4 }), last(DEFLATED.subarray(3))]);

// ---- 4: opcodes

[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].forEach((opcode, i) => {
    bad(`4.1.${i + 1}`, `opcode ${opcode}`, [frame(opcode, 'x')]);
});
bad('4.2.1', 'opcode 3 without payload behind a good message', [binary('good'), WAIT, frame(3)], 1002, {
    messages: ['good'],
});
bad('4.2.2', 'opcode 11 within a message', [start('a'), frame(11), last('b')]);
bad('4.3.1', 'a text', [frame(TEXT, 'text')], 1003);
bad('4.3.2', 'a text without payload', [frame(TEXT)], 1003);
bad('4.3.3', 'a text in fragments', [frame(TEXT, 'te', { fin: false }), last('xt')], 1003);
bad('4.3.4', 'a text that is no UTF-8', [frame(TEXT, Buffer.from([0xff, 0xfe]))], 1003);
bad('4.3.5', 'a text behind a good message', [binary('good'), WAIT, frame(TEXT, 'text')], 1003, {
    messages: ['good'],
});

// ---- 5: fragments

good('5.1', 'two fragments', [start('frag'), last('ment')], { messages: ['fragment'] });
good('5.2', 'nine fragments of one byte', [start('f'), ...[...'ragment'].map((c) => middle(c)), last('s')], {
    messages: ['fragments'],
});
good('5.3', 'a ping between two fragments', [start('a'), frame(PING, 'p'), last('b')], {
    messages: ['ab'],
    pongs: 'each',
});
good('5.4', 'a pong between two fragments', [start('a'), frame(PONG, 'p'), last('b')], {
    messages: ['ab'],
});
good(
    '5.5',
    'pings between fragments, each answered before the message ends',
    [start('a'), frame(PING, '1'), WAIT, middle('b'), frame(PING, '2'), WAIT, last('c')],
    { messages: ['abc'], pongs: 'each', waits: true },
);
bad('5.6', 'a ping in two fragments', [frame(PING, 'a', { fin: false }), last('b')]);
bad('5.7', 'a pong in two fragments', [frame(PONG, 'a', { fin: false }), last('b')]);
bad('5.8', 'a close that is not final', [closeFrame(1000, '', { fin: false })]);
bad('5.9', 'a continuation of nothing', [last('x')]);
bad('5.10', 'a continuation of nothing that is not final', [middle('x')]);
bad('5.11', 'a continuation of nothing without payload', [last('')]);
bad('5.12', 'a continuation of a message that is over', [start('a'), last('b'), WAIT, last('c')], 1002, {
    messages: ['ab'],
});
bad('5.13', 'a new message within a message', [start('a'), binary('b')]);
bad('5.14', 'a new message in fragments within a message', [start('a'), start('b'), last('c')]);
bad('5.15', 'a text within a message', [start('a'), frame(TEXT, 'b')]);
good('5.16', 'the first fragment is empty', [start(''), last('b')], { messages: ['b'] });
good('5.17', 'the last fragment is empty', [start('a'), last('')], { messages: ['a'] });
good('5.18', 'a fragment between is empty', [start('a'), middle(''), last('b')], {
    messages: ['ab'],
});
good('5.19', 'three fragments, all empty', [start(''), middle(''), last('')], { messages: [''] });
good('5.20', '64 empty fragments and a last one', [start(''), ...Array(63).fill(middle('')), last('x')], {
    messages: ['x'],
});
bad('5.21', '65 empty fragments', [start(''), ...Array(64).fill(middle(''))], 1008);
bad('5.22', '1000000 empty fragments', [start(''), Buffer.alloc(2e6, middle(''))], 1008, {
    modes: ['whole', 'random'],
});
good(
    '5.23',
    'empty fragments are counted for each message',
    [1, 2, 3].flatMap(() => [start(''), ...Array(40).fill(middle('')), last('x')]),
    { messages: ['x', 'x', 'x'] },
);
bad('5.24', 'fragments that are too long together', [start('a'), last('', { says: 2n ** 28n, form: 64 })], 1009);
bad('5.25', 'fragments whose sum is beyond 2^63', [start('a'), last('', { says: 2n ** 63n - 1n, form: 64 })], 1009);
bad('5.26', 'a length that is not minimal in a later fragment', [start('a'), last('b', { form: 16 })]);
bad('5.27', 'a masked later fragment', [start('a'), last('b', { mask: MASK })]);

// ---- 7: close

closing('7.1.1', 'a message, then a close', [binary('m'), WAIT, closeFrame(1000)], 1000, 'E_CLOSED', {
    messages: ['m'],
});
closing('7.1.2', 'two closes', [closeFrame(1000), closeFrame(1001)], 1000, 'E_CLOSED');
closing('7.1.3', 'a ping after the close', [closeFrame(1000), frame(PING, 'late')], 1000, 'E_CLOSED');
closing('7.1.4', 'a message after the close', [closeFrame(1000), binary('late')], 1000, 'E_CLOSED');
closing('7.1.5', 'no frame after the close', [closeFrame(1000), Buffer.alloc(500, 0x7f)], 1000, 'E_CLOSED');
closing('7.1.6', 'a close within a message', [start('a'), closeFrame(1001), last('b')], 1001, 'E_SERVER');
closing('7.1.7', '256 KiB after the close', [closeFrame(1000), binary(bytes(262144))], 1000, 'E_CLOSED', {
    modes: ['whole', 'random'],
});
closing('7.1.8', 'a ping, then a close at once', [frame(PING, 'p'), WAIT, closeFrame(1000)], 1000, 'E_CLOSED', {
    pongs: 'each',
});
closing('7.1.9', 'the server keeps the connection after the close', [closeFrame(1000)], 1000, 'E_CLOSED', {
    keeps: true,
    modes: ['whole'],
});
closing('7.2.1', 'a close without payload', [closeFrame()], 1005, 'E_CLOSED');
bad('7.2.2', 'a close with one byte', [frame(CLOSE, 'x')]);
closing('7.2.3', 'a close with a reason', [closeFrame(1000, 'so it is')], 1000, 'E_CLOSED', {
    text: 'so it is',
});
const LONGEST = 'r'.repeat(123);
closing('7.2.4', 'a close with 123 bytes of reason', [closeFrame(1000, LONGEST)], 1000, 'E_CLOSED', {
    text: LONGEST,
});
bad('7.2.5', 'a close with 124 bytes of reason', [closeFrame(1000, `${LONGEST}r`)]);
bad('7.2.6', 'a close with a length of 16 bits', [closeFrame(1000, 'r', { form: 16 })]);
bad('7.2.7', 'a close with one byte, and what looks like the second in a ping before', [
    frame(PING, [0, 1000 & 255]),
    WAIT,
    frame(CLOSE, [1000 >> 8]),
]);
closing('7.3.1', 'a reason in many scripts', [closeFrame(1000, 'κόσμε 漢字 🜚')], 1000, 'E_CLOSED', {
    text: 'κόσμε 漢字 🜚',
});
Object.entries({
    'a byte that never is': [0xff],
    'a continuation alone': [0x80],
    'a cut character': [0xe2, 0x82],
    'an overlong slash': [0xc0, 0xaf],
    'a surrogate': [0xed, 0xa0, 0x80],
    'a character beyond U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
}).forEach(([name, reason], i) => {
    bad(`7.3.${i + 2}`, `a reason with ${name}`, [closeFrame(1000, [0x61, ...reason])], 1007);
});
const MEANING = { 1001: 'E_SERVER', 1002: 'E_PROTOCOL', 1007: 'E_PROTOCOL', 1008: 'E_SERVER', 1009: 'E_TOO_LARGE' };
[
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
].forEach((code, i) => {
    closing(`7.7.${i + 1}`, `a close with ${code}`, [closeFrame(code)], code, MEANING[code] ?? 'E_CLOSED');
});
[
    0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535,
].forEach((code, i) => bad(`7.9.${i + 1}`, `a close with ${code}`, [closeFrame(code)]));

// ---- 8: ends without a close frame

const gone = { closes: undefined, heard: 0, refused: 0, messages: [], pongs: [] };
all.push(
    { id: '8.1', name: 'FIN behind the upgrade', script: [END], ...gone, status: 'E_CLOSED' },
    {
        id: '8.2',
        name: 'FIN within a head',
        script: [Buffer.from([0x82]), END],
        ...gone,
        status: 'E_CLOSED',
    },
    {
        id: '8.3',
        name: 'FIN within a payload',
        script: [binary('x', { says: 10 }), END],
        ...gone,
        status: 'E_CLOSED',
    },
    {
        id: '8.4',
        name: 'FIN within a close frame',
        script: [closeFrame(1000, 'cut').subarray(0, 3), END],
        ...gone,
        status: 'E_CLOSED',
    },
    { id: '8.5', name: 'a reset', script: [RESET], ...gone, status: 'E_IO', isReset: true },
    {
        id: '8.6',
        name: 'FIN behind a message',
        script: [binary('m'), WAIT, END],
        ...gone,
        messages: ['m'],
        waits: true,
        status: 'E_CLOSED',
    },
    {
        id: '8.7',
        name: 'FIN behind the head of the largest message that is allowed',
        script: [binary('m'), WAIT, binary('', { says: 2n ** 28n, form: 64 }), END],
        ...gone,
        messages: ['m'],
        waits: true,
        status: 'E_CLOSED',
    },
);

// ---- 9: sizes

const KIB = 1024;
const SOME = ['whole', 'random'];
[256, 1024, 4096, 16384].forEach((kib, i) => {
    const payload = bytes(kib * KIB);
    good(`9.1.${i + 1}`, `${kib} KiB`, [binary(payload)], {
        messages: [payload],
        waits: true,
        modes: kib > 1024 ? ['whole'] : SOME,
    });
});
/** A message in fragments of `size` bytes. */
function cut(payload, size) {
    const parts = [];
    for (let at = 0; at < payload.length; at += size) {
        const fin = at + size >= payload.length;
        parts.push(frame(at === 0 ? BINARY : CONTINUE, payload.subarray(at, at + size), { fin }));
    }
    return parts;
}
[
    [256, 65536],
    [1024, 4096],
    [256, 1000],
    [64, 125],
].forEach(([kib, size], i) => {
    const payload = bytes(kib * KIB, i);
    good(`9.2.${i + 1}`, `${kib} KiB in fragments of ${size} bytes`, cut(payload, size), {
        messages: [payload],
        waits: true,
        modes: SOME,
    });
});
good('9.3', '16 KiB in fragments of one byte', cut(bytes(16 * KIB), 1), {
    messages: [bytes(16 * KIB)],
    waits: true,
});
const thousand = Array.from({ length: 1000 }, (_, i) => bytes(i % 300, i));
good('9.4', '1000 messages at once', thousand.map((one) => binary(one)), {
    messages: thousand,
    waits: true,
});
good('9.5', '300 messages with pings between', thousand.slice(0, 300).flatMap((one) => [binary(one), frame(PING, one.subarray(0, 9))]), {
    messages: thousand.slice(0, 300),
    pongs: 'last',
    waits: true,
});
good('9.6', 'a message of 65536 bytes in segments of 1300', cut(bytes(65536), 1300), {
    messages: [bytes(65536)],
    waits: true,
    modes: SOME,
});

// ---- 12: permessage-deflate (RFC 7692)

const RSV1 = { rsv: 4 };
const HELLO = Buffer.from('Hello');
const hex = (text) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const deflate = true;
const packed = (payload, options) => binary(deflated(payload, options), RSV1);
[
    ['a fixed block', 'f2 48 cd c9 c9 07 00'],
    ['a stored block', '00 05 00 fa ff 48 65 6c 6c 6f 00'],
    ['a block that says it is the last', 'f3 48 cd c9 c9 07 00 00'],
    ['two blocks', 'f2 48 05 00 00 00 ff ff ca c9 c9 07 00'],
].forEach(([name, payload], i) => {
    const script = [binary(hex(payload), RSV1)];
    good(`12.1.${i + 1}`, name, script, { messages: [HELLO], deflate });
});
good('12.1.5', 'an example in two fragments', [start(hex('f248cd'), RSV1), last(hex('c9c90700'))], {
    messages: [HELLO],
    deflate,
});
good('12.1.6', 'a ping between fragments', [start(hex('f248cd'), RSV1), frame(PING, 'a'), last(hex('c9c90700'))], {
    messages: [HELLO],
    pongs: 'each',
    deflate,
});
good('12.1.7', 'empty fragments around it', [start('', RSV1), middle(hex('f248cdc9c90700')), middle(''), last('')], {
    messages: [HELLO],
    deflate,
});
good('12.1.8', 'an empty message', [packed('')], { messages: [Buffer.alloc(0)], deflate });
good('12.1.9', 'a plain message where compression is on', [binary(HELLO), packed(HELLO), binary(HELLO)], {
    messages: [HELLO, HELLO, HELLO],
    deflate,
});
good('12.1.10', 'an empty plain one', [binary(''), packed(HELLO)], { messages: [Buffer.alloc(0), HELLO], deflate });
[64, 1000, 4096, 65535, 65536, 200000].forEach((length, i) => {
    const payload = Buffer.from(Array.from({ length }, (_, at) => 97 + ((at * at) % 7)));
    const compressed = length > 65535 ? 0 : 1; // of ours none is longer, but for this program's
    const how = { messages: [payload], deflate, compressed, waits: true, modes: SOME };
    good(`12.2.${i + 1}`, `${length} bytes`, [packed(payload)], how);
    good(`12.3.${i + 1}`, `${length} bytes in fragments`, cutPacked(payload, 77), how);
});
function cutPacked(payload, size) {
    const [first, ...rest] = cut(deflated(payload), size);
    first[0] |= 0x40;
    return [first, ...rest];
}
[
    ['no stream', [binary('Hello', RSV1)], 1007],
    ['a stream that ends early', [binary(hex('f248cd'), RSV1)], 1007],
    ['... in a last fragment', [start(hex('f248cd'), RSV1), last('')], 1007],
    ['no payload at all', [binary('', RSV1)], 1007],
    ['block type 3', [binary(hex('06'), RSV1)], 1007],
    ['context that was given up', [packed(HELLO), binary(hex('f200110000'), RSV1)], 1007, [HELLO]],
    ['RSV1 in the second fragment', [start(hex('f248cd')), last(hex('c9c90700'), RSV1)], 1002],
    ['RSV1 in both', [start(hex('f248cd'), RSV1), last(hex('c9c90700'), RSV1)], 1002],
    ['RSV1 in a ping', [frame(PING, '', RSV1)], 1002],
    ['RSV1 in a close', [frame(CLOSE, '', RSV1)], 1002],
    ['RSV2', [binary(deflated(HELLO), { rsv: 6 })], 1002],
    ['RSV3', [binary(deflated(HELLO), { rsv: 5 })], 1002],
    ['text', [frame(TEXT, deflated(HELLO), RSV1)], 1003],
    ['a bomb of 100 MB', [packed(Buffer.alloc(100 << 20), { level: 9 })], 1009, [], { modes: ['whole'] }],
].forEach(([name, script, code, messages = [], rest = {}], i) => {
    bad(`12.4.${i + 1}`, name, messages.length > 0 ? [script[0], WAIT, script[1]] : script, code, { messages, deflate, waits: true, ...rest });
});

export const MODES = ['whole', 'byte', 'random'];
export const frameCases = all.map((one) => ({
    modes: MODES,
    ...one,
    messages: one.messages.map((payload) => Buffer.from(payload)),
}));
