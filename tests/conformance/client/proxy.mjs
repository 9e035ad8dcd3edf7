// A TCP proxy that breaks connections where a test wants.
import net from 'node:net';

/** plan(n) says what happens to connection n: { down, up } are the bytes that pass from and to
 *  the server before it breaks, by `how`: 'end', 'reset' or 'hang'; `dribble` passes them one
 *  by one. */
export async function startProxy(port, plan) {
    let count = 0;
    const sockets = new Set();
    const server = net.createServer((client) => {
        const what = plan(count++) ?? {};
        const upstream = net.connect(port, '127.0.0.1');
        for (const socket of [client, upstream]) {
            sockets.add(socket);
            socket
                .setNoDelay()
                .on('error', () => {})
                .on('close', () => sockets.delete(socket));
        }
        const stop = () => {
            if (what.how === 'reset') {
                client.resetAndDestroy();
            } else if (what.how !== 'hang') {
                client.end();
            }
            upstream.destroy();
        };
        pass(upstream, client, what.down, what.dribble, stop);
        pass(client, upstream, what.up, what.dribble, stop);
        client.on('close', () => upstream.destroy());
        upstream.on('close', () => what.how !== 'hang' && client.end());
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    return {
        port: server.address().port,
        connections: () => count,
        stop() {
            server.close();
            sockets.forEach((socket) => socket.destroy());
        },
    };
}

/** Passes `budget` bytes on, all if that is undefined, then calls stop(). */
function pass(from, to, budget = Infinity, dribble, stop) {
    let left = budget;
    if (left === 0) {
        from.once('connect', stop);
        from.once('data', stop);
    }
    from.on('data', (bytes) => {
        const part = bytes.subarray(0, left);
        left -= part.length;
        if (dribble) {
            part.forEach((_, i) => to.write(part.subarray(i, i + 1)));
        } else {
            to.write(part);
        }
        if (left === 0) {
            to.write('', stop);
        }
    });
}
