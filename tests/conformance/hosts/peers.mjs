// The peers of the host conformance test: what a guest sends first says what its peer does.
//
//   echo             sends back what comes
//   say N close      sends N bytes of the pattern, then ends in order
//   reset            ends with RST
//   drip N           sends N bytes, one each 20 ms
//   flood N          sends N bytes as fast as it can
//   flooded          answers how many bytes of the last flood have left (8 bytes)
//   sink MS N        reads nothing for MS, then N bytes; answers how many were right (8 bytes)
//   text             sends a text frame (WebSocket)
import net from 'node:net';
import { npm } from '../../support/harness.mjs';

const CHUNK = 65536;

const patternAt = (at) => (at * 31 + Math.floor(at / 256) * 7) & 0xff;

// The pattern repeats after 65,536 bytes: 31 * 65536 and 7 * 256 are 0 modulo 256.
const PATTERN = Uint8Array.from({ length: 2 * CHUNK }, (_, at) => patternAt(at));
const pattern = (at, len) => PATTERN.subarray(at % CHUNK, (at % CHUNK) + len);

function number(value) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return bytes;
}

let flooded = 0;

/** Sends `total` bytes; a peer's send resolves when they have left. */
async function send(peer, total, sent = () => {}) {
    for (let at = 0; at < total; ) {
        const len = Math.min(CHUNK, total - at);
        await peer.send(pattern(at, len));
        at += len;
        sent(at);
    }
}

/** Compares what comes with the pattern, and answers when `total` bytes are there. */
function sink(peer, ms, total) {
    let at = 0;
    let right = 0;
    peer.pause();
    setTimeout(() => peer.resume(), ms);
    return (bytes) => {
        for (let from = 0; from < bytes.length; from += CHUNK) {
            const part = bytes.subarray(from, from + CHUNK);
            if (Buffer.compare(part, pattern(at, part.length)) === 0) {
                right += part.length;
            }
            at += part.length;
        }
        if (at >= total) {
            peer.send(number(right));
        }
    };
}

async function drip(peer, count) {
    for (let at = 0; at < count; at++) {
        await peer.send(pattern(at, 1));
        await new Promise((done) => setTimeout(done, 20));
    }
}

/** Starts what `command` asks for; returns what takes further bytes. */
function obey(peer, command) {
    const [verb, ...words] = command.split(' ');
    const [first, second] = words.map(Number);
    switch (verb) {
        case 'echo':
            return (bytes) => peer.send(bytes);
        case 'say':
            send(peer, first).then(() => peer.end(), ignore);
            break;
        case 'reset':
            peer.reset();
            break;
        case 'drip':
            drip(peer, first).catch(ignore);
            break;
        case 'flood':
            flooded = 0;
            send(peer, first, (at) => (flooded = at)).catch(ignore);
            break;
        case 'flooded':
            peer.send(number(flooded));
            break;
        case 'sink':
            return sink(peer, first, second);
        case 'text':
            peer.text('hello');
            break;
        default:
            throw new Error(`unknown command: ${command}`);
    }
    return () => {};
}

function ignore() {} // the guest went away

/** Feeds a peer's bytes to obey(): the first line, then the rest. */
function reader(peer) {
    let head = Buffer.alloc(0);
    let take;
    return (bytes) => {
        if (take) {
            take(bytes);
            return;
        }
        head = Buffer.concat([head, bytes]);
        const end = head.indexOf(10);
        if (end >= 0) {
            take = obey(peer, head.subarray(0, end).toString());
            if (end + 1 < head.length) {
                take(head.subarray(end + 1));
            }
        }
    };
}

function tcpPeer(socket) {
    const peer = {
        send: (bytes) =>
            new Promise((done, fail) => {
                socket.write(bytes, (error) => (error ? fail(error) : done()));
            }),
        end: () => socket.end(),
        reset: () => socket.resetAndDestroy(),
        pause: () => socket.pause(),
        resume: () => socket.resume(),
    };
    socket.on('data', reader(peer)).on('error', ignore);
}

function wsPeer(socket) {
    const peer = {
        send: (bytes) =>
            new Promise((done, fail) => {
                socket.send(bytes, (error) => (error ? fail(error) : done()));
            }),
        text: (text) => socket.send(text),
        end: () => socket.close(1001, 'bye'),
        reset: () => socket._socket.resetAndDestroy(),
        pause: () => socket.pause(),
        resume: () => socket.resume(),
    };
    socket.on('message', reader(peer)).on('error', ignore);
}

/** Starts both on loopback: { tcpPort, wsPort, stop() }. */
export async function startPeers() {
    const tcp = net.createServer(tcpPeer);
    const { WebSocketServer } = npm('ws');
    const ws = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    ws.on('connection', wsPeer);
    await Promise.all([
        new Promise((done) => tcp.listen(0, '127.0.0.1', done)),
        new Promise((done) => ws.once('listening', done)),
    ]);
    return {
        tcpPort: tcp.address().port,
        wsPort: ws.address().port,
        stop() {
            tcp.close();
            ws.close();
            ws.clients.forEach((client) => client.terminate());
        },
    };
}
