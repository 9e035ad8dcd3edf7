// A TLS server before another server: any certificate, version and cipher, and it remembers what
// it was told through TLS.
import net from 'node:net';
import tls from 'node:tls';
import { freePort } from '../../support/harness.mjs';

/** Calls body({ port, told(), protocols }) with a front to `target` (a port of loopback; none: it
 *  says nothing).  options: of tls.createServer, and cert and key of certificates.mjs. */
export async function withFront(target, options, body) {
    const told = [];
    const protocols = [];
    const sockets = new Set();
    const server = tls.createServer({ ...options }, (socket) => {
        protocols.push([socket.getProtocol(), socket.getCipher().name, socket.isSessionReused()]);
        socket.on('data', (bytes) => told.push(bytes));
        if (target) {
            const back = net.connect(target, '127.0.0.1');
            sockets.add(back);
            socket.pipe(back).pipe(socket);
            back.on('error', () => socket.destroy()).on('close', () => socket.end());
            socket.on('close', () => back.destroy());
        }
    });
    server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
    server.on('secureConnection', (socket) => socket.on('error', () => {}));
    const port = await freePort();
    await new Promise((done) => server.listen(port, '127.0.0.1', done));
    try {
        return await body({
            port,
            protocols,
            told: () => Buffer.concat(told).toString('latin1'),
            hangUp: () => sockets.forEach((socket) => socket.destroy()),
        });
    } finally {
        sockets.forEach((socket) => socket.destroy());
        await new Promise((done) => server.close(done));
    }
}

/** A TCP server that speaks `text` to whoever comes, then does what `more` says with the bytes. */
export async function withPlain(text, body) {
    const heard = [];
    const sockets = new Set();
    const server = net.createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {}).on('data', (bytes) => heard.push(bytes));
        socket.write(text);
    });
    const port = await freePort();
    await new Promise((done) => server.listen(port, '127.0.0.1', done));
    try {
        return await body({ port, heard: () => Buffer.concat(heard).toString('latin1') });
    } finally {
        sockets.forEach((socket) => socket.destroy());
        await new Promise((done) => server.close(done));
    }
}
