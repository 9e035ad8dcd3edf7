// A server that does as much of the protocol as a test wants, and writes down what it heard.
import net from 'node:net';

export class FakeServer {
    lines = []; // of all connections
    accepted = []; // times, in ms
    #sockets = new Set();
    #server;

    /** options: info (further fields of INFO), greets (false: says nothing), pongs (answers to
     *  PING on each connection, then none), answer(lines, socket) (called for each line that
     *  comes, before anything else), closes (at once). */
    constructor(options = {}) {
        this.options = { greets: true, pongs: Infinity, ...options };
        this.#server = net.createServer((socket) => this.#serve(socket));
    }

    async start(port = 0) {
        await new Promise((done) => this.#server.listen(port, '127.0.0.1', done));
        this.#server.unref(); // a test that failed leaves it behind
        this.port = this.#server.address().port;
        this.url = `nats://127.0.0.1:${this.port}`;
        return this;
    }

    /** No connection is left, and none can be made. */
    stop() {
        this.#server.close();
        for (const socket of this.#sockets) {
            socket.destroy();
        }
    }

    /** The document of the first CONNECT. */
    get connect() {
        return JSON.parse(this.heard('CONNECT ')[0].slice('CONNECT '.length));
    }

    heard(start) {
        return this.lines.filter((line) => line.startsWith(start));
    }

    #serve(socket) {
        this.accepted.push(performance.now());
        this.#sockets.add(socket.unref());
        socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
        if (this.options.closes) {
            socket.destroy();
            return;
        }
        if (this.options.greets) {
            const info = { server_id: 'FAKE', version: '2.10.0', max_payload: 1048576 };
            socket.write(`INFO ${JSON.stringify({ ...info, ...this.options.info })}\r\n`);
        }
        let { pongs } = this.options;
        let rest = '';
        socket.on('data', (bytes) => {
            const lines = (rest + bytes.toString('latin1')).split('\r\n');
            rest = lines.pop();
            for (const line of lines) {
                this.lines.push(line);
                this.options.answer?.(line, socket);
                if (line === 'PING' && pongs-- > 0) {
                    socket.write('PONG\r\n');
                }
            }
        });
    }
}
