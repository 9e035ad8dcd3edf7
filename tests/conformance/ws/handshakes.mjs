// Answers to an upgrade, RFC 6455 section 4.1 and RFC 9112: most are wrong, some only odd.
//
// A case is { id, name, answer(key), status, http, refused, end }: `status` is what the client
// says of it, `http` the status of the answer that it names; with E_CLOSED it was upgraded, and
// a close of 1000 follows.  `refused` is the code for bytes that are no frame.  `end` says that
// the server ends the connection, `silent` that it never does: only the deadline helps.
import { acceptOf, goodAnswer } from './wire.mjs';

const all = [];

function add(group, status, cases) {
    cases.forEach(([name, answer, more], i) => {
        const id = `0.${group}.${i + 1}`;
        all.push({ id, name, answer, status, refused: 0, ...more });
    });
}

/** The good answer with other fields: undefined leaves one out, a list repeats it. */
function fields(changes) {
    return (key) => {
        const good = {
            Upgrade: 'websocket',
            Connection: 'Upgrade',
            'Sec-WebSocket-Accept': acceptOf(key),
        };
        const lines = Object.entries({ ...good, ...(changes(key) ?? {}) })
            .flatMap(([name, value]) => [value].flat().map((one) => [name, one]))
            .filter(([, value]) => value !== undefined)
            .map(([name, value]) => `${name}: ${value}\r\n`);
        return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`;
    };
}

const set = (changes) => fields(() => changes);
const accept = (change) => fields((key) => ({ 'Sec-WebSocket-Accept': change(acceptOf(key), key) }));
const line = (text) => (key) => goodAnswer(key).replace('HTTP/1.1 101 Switching Protocols', text);
const behind = (text) => (key) => goodAnswer(key).replace('\r\n\r\n', `\r\n${text}\r\n\r\n`);
const raw = (text) => () => Buffer.from(text, 'latin1');

// ---- odd, but right

add(1, 'E_CLOSED', [
    ['the answer of the RFC', goodAnswer],
    ['no reason phrase and no blank', line('HTTP/1.1 101')],
    ['no reason phrase behind the blank', line('HTTP/1.1 101 ')],
    ['another reason phrase', line('HTTP/1.1 101 Web Socket Protocol Handshake')],
    ['Upgrade in capitals', set({ Upgrade: 'WebSocket' })],
    ['Connection in small letters', set({ Connection: 'upgrade' })],
    ['Connection is a list', set({ Connection: 'keep-alive, Upgrade' })],
    ['Connection in two fields', set({ Connection: ['keep-alive', 'Upgrade'] })],
    ['Connection with empty elements', set({ Connection: ', ,Upgrade,' })],
    ['blanks around values', set({ Upgrade: ' \t websocket \t ' })],
    ['no blank behind the colon', (key) => goodAnswer(key).replaceAll(': ', ':')],
    ['names in small letters', (key) => goodAnswer(key).replace(/^[A-Z-]+:/gim, (name) => name.toLowerCase())],
    ['further fields', behind('Server: x\r\nDate: today\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d')],
    ['letters beyond ASCII in a value', behind('Server: \u00e9\u6f22')],
    ['an empty value', behind('Server:')],
    ['64 fields', behind(Array.from({ length: 61 }, (_, i) => `X-${i}: ${i}`).join('\r\n'))],
    ['a line of 4096 bytes', behind(`X: ${'v'.repeat(4091)}`)],
    ['frames in the same segment', goodAnswer, { early: true }],
]);

// ---- the status line

add(2, 'E_HANDSHAKE', [
    ['101 in HTTP/1.0', line('HTTP/1.0 101 Switching Protocols')],
    ['101 in HTTP/2', line('HTTP/2 101')],
    ['101 in HTTP/1.2', line('HTTP/1.2 101 Switching Protocols')],
    ['http in small letters', line('http/1.1 101 Switching Protocols')],
    ['two blanks before the status', line('HTTP/1.1  101 Switching Protocols')],
    ['a tab before the status', line('HTTP/1.1\t101 Switching Protocols')],
    ['no blank behind the status', line('HTTP/1.1 101Switching Protocols')],
    ['a status of two digits', line('HTTP/1.1 10 Switching Protocols')],
    ['a status of four digits', line('HTTP/1.1 1010 Switching Protocols')],
    ['a letter in the status', line('HTTP/1.1 1O1 Switching Protocols')],
    ['a status below 100', line('HTTP/1.1 099 Switching Protocols')],
    ['a blank before the status line', line(' HTTP/1.1 101 Switching Protocols')],
    ['an empty line before the status line', line('\r\nHTTP/1.1 101 Switching Protocols')],
    ['no status line', (key) => goodAnswer(key).split('\r\n').slice(1).join('\r\n')],
    ['no status', line('HTTP/1.1')],
    ['the INFO of a NATS port', raw('INFO {"server_id":"X"}\r\n')],
    ['the greeting of an SSH port', raw('SSH-2.0-OpenSSH_9.2\r\n')],
    ['the alert of a TLS port', raw('\x15\x03\x01\x00\x02\x02\x46')],
    ['ICY', line('ICY 101 OK')],
    ['an interim 100 first', (key) => `HTTP/1.1 100 Continue\r\n\r\n${goodAnswer(key)}`],
    ['an interim 103 first', (key) => `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${goodAnswer(key)}`],
    ['102', line('HTTP/1.1 102 Processing')],
]);

// ---- other answers of HTTP

const refusal = (status, text, more = '') =>
    raw(`HTTP/1.1 ${status} ${text}\r\nContent-Length: 2\r\n${more}\r\nno`);
add(3, 'E_UPGRADE', [
    ['200 with a page', refusal(200, 'OK'), { http: 200 }],
    ['200 with the fields of an upgrade', line('HTTP/1.1 200 OK'), { http: 200 }],
    ['204', refusal(204, 'No Content'), { http: 204 }],
    ['301 is not followed', refusal(301, 'Moved', 'Location: /other\r\n'), { http: 301 }],
    ['302 is not followed', refusal(302, 'Found', 'Location: ws://127.0.0.1:9/\r\n'), { http: 302 }],
    ['307 is not followed', refusal(307, 'Temporary', 'Location: /other\r\n'), { http: 307 }],
    ['400', refusal(400, 'Bad Request'), { http: 400 }],
    ['401', refusal(401, 'Unauthorized', 'WWW-Authenticate: Basic\r\n'), { http: 401 }],
    ['403', refusal(403, 'Forbidden'), { http: 403 }],
    ['404 in HTTP/1.0', raw('HTTP/1.0 404 Not Found\r\n\r\n'), { http: 404, end: true }],
    ['426', refusal(426, 'Upgrade Required', 'Sec-WebSocket-Version: 8\r\n'), { http: 426 }],
    ['500', refusal(500, 'Internal Server Error'), { http: 500 }],
    ['503', refusal(503, 'Service Unavailable', 'Retry-After: 9\r\n'), { http: 503 }],
    ['999', refusal(999, 'What'), { http: 999 }],
]);

// ---- Upgrade and Connection

add(4, 'E_HANDSHAKE', [
    ['no Upgrade', set({ Upgrade: undefined })],
    ['Upgrade is empty', set({ Upgrade: '' })],
    ['Upgrade to h2c', set({ Upgrade: 'h2c' })],
    ['Upgrade to websockets', set({ Upgrade: 'websockets' })],
    ['Upgrade to websocket/13', set({ Upgrade: 'websocket/13' })],
    ['Upgrade to two protocols', set({ Upgrade: 'websocket, h2c' })],
    ['Upgrade twice', set({ Upgrade: ['websocket', 'websocket'] })],
    ['Upgrade twice, in conflict', set({ Upgrade: ['websocket', 'h2c'] })],
    ['no Connection', set({ Connection: undefined })],
    ['Connection is empty', set({ Connection: '' })],
    ['Connection: close', set({ Connection: 'close' })],
    ['Connection: keep-alive', set({ Connection: 'keep-alive' })],
    ['Connection: upgraded', set({ Connection: 'upgraded' })],
    ['Connection: two words', set({ Connection: 'keep-alive upgrade' })],
    ['Connection: a word with a parameter', set({ Connection: 'Upgrade;q=1' })],
    ['nothing but the status line', raw('HTTP/1.1 101 Switching Protocols\r\n\r\n')],
]);

// ---- Sec-WebSocket-Accept

const ANOTHER = 'AAAAAAAAAAAAAAAAAAAAAA==';
add(5, 'E_HANDSHAKE', [
    ['no accept', set({ 'Sec-WebSocket-Accept': undefined })],
    ['the accept is empty', set({ 'Sec-WebSocket-Accept': '' })],
    ['the accept of another key', accept(() => acceptOf(ANOTHER))],
    ['the key itself', accept((_, key) => key)],
    ['the accept in small letters', accept((value) => value.toLowerCase())],
    ['the accept without its padding', accept((value) => value.slice(0, -1))],
    ['the accept with a letter more', accept((value) => `${value}=`)],
    ['the accept in quotes', accept((value) => `"${value}"`)],
    ['the first letter differs', accept((value) => (value[0] === 'A' ? 'B' : 'A') + value.slice(1))],
    ['the last letter differs', accept((value) => `${value.slice(0, -2)}${value.at(-2) === 'A' ? 'B' : 'A'}=`)],
    ['the accept in hexadecimal', accept((value) => Buffer.from(value, 'base64').toString('hex'))],
    ['the accept twice', accept((value) => [value, value])],
    ['two accepts, the first is right', accept((value) => [value, acceptOf(ANOTHER)])],
    ['two accepts, the last is right', accept((value) => [acceptOf(ANOTHER), value])],
    ['two accepts in one field', accept((value) => `${value}, ${value}`)],
]);

// ---- what was not offered, and bodies

add(6, 'E_HANDSHAKE', [
    ['permessage-deflate', set({ 'Sec-WebSocket-Extensions': 'permessage-deflate' })],
    [
        'permessage-deflate with a window of 99 bits',
        set({ 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=99' }),
    ],
    ['an extension nobody knows', set({ 'Sec-WebSocket-Extensions': 'x-unknown' })],
    ['an empty list of extensions', set({ 'Sec-WebSocket-Extensions': '' })],
    ['a subprotocol', set({ 'Sec-WebSocket-Protocol': 'chat' })],
    ['an empty subprotocol', set({ 'Sec-WebSocket-Protocol': '' })],
    ['a body of no bytes', set({ 'Content-Length': '0' })],
    ['a body', set({ 'Content-Length': '5' })],
    ['a chunked body', set({ 'Transfer-Encoding': 'chunked' })],
]);

// ---- syntax

const long = (count) => Array.from({ length: count }, (_, i) => `X-${i}: ${'v'.repeat(150)}`).join('\r\n');
add(7, 'E_HANDSHAKE', [
    ['bare line feeds', (key) => goodAnswer(key).replaceAll('\r\n', '\n')],
    ['one bare line feed', behind('X: y\nZ: z')],
    ['a bare line feed at the end', (key) => goodAnswer(key).replace(/\r\n$/, '\n')],
    ['a carriage return in a value', behind('X: a\rb')],
    ['a folded line', behind('X: a\r\n b')],
    ['a line folded with a tab', behind('X: a\r\n\tb')],
    ['a folded first field', (key) => goodAnswer(key).replace('\r\nUpgrade', '\r\n Upgrade')],
    ['NUL in a value', behind('X: a\0b')],
    ['DEL in a value', behind('X: a\x7fb')],
    ['an escape in a value', behind('X: a\x1bb')],
    ['a field without colon', behind('X')],
    ['a field without name', behind(': x')],
    ['a blank before the colon', (key) => goodAnswer(key).replace('Upgrade:', 'Upgrade :')],
    ['a tab before the colon', behind('X\t: y')],
    ['a blank in a name', behind('X Y: z')],
    ['parentheses in a name', behind('X(Y): z')],
    ['a letter beyond ASCII in a name', behind('\u00c9: z')],
    ['65 fields', behind(Array.from({ length: 62 }, (_, i) => `X-${i}: ${i}`).join('\r\n'))],
    ['a line of 4097 bytes', behind(`X: ${'v'.repeat(4092)}`)],
    ['more than 8192 bytes of fields', behind(long(60))],
    ['a line without end', raw(`HTTP/1.1 101 S\r\nX: ${'v'.repeat(100000)}`)],
    ['fields without end', raw(`HTTP/1.1 101 S\r\n${'X: y\r\n'.repeat(50000)}`)],
    ['a status line without end', raw(`HTTP/1.1 101 ${'s'.repeat(100000)}`)],
]);

// ---- ends

add(8, 'E_CLOSED', [
    ['FIN instead of an answer', raw(''), { end: true, cut: true }],
    ['FIN within the status line', raw('HTTP/1.1 1'), { end: true, cut: true }],
    ['FIN within the fields', raw('HTTP/1.1 101 S\r\nUpgrade: websocket\r\n'), { end: true, cut: true }],
    [
        'FIN before the empty line',
        (key) => goodAnswer(key).slice(0, -2),
        { end: true, cut: true },
    ],
]);
add(9, 'E_TIMEOUT', [
    ['no answer', raw(''), { silent: true, modes: ['whole'] }],
    ['an answer without end', (key) => goodAnswer(key).slice(0, -2), { silent: true, modes: ['whole'] }],
]);
add(10, 'E_FRAME', [
    ['behind the answer: text of HTTP', (key) => `${goodAnswer(key)}HTTP/1.1 500 Oops\r\n\r\n`, { refused: 1002 }],
    ['behind the answer: an empty line', (key) => `${goodAnswer(key)}\r\n`, { refused: 1002 }],
    ['behind the answer: a second answer', (key) => goodAnswer(key).repeat(2), { refused: 1002 }],
]);

export const handshakeCases = all.map((one) => ({ modes: ['whole', 'byte', 'random'], ...one }));
