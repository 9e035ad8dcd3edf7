// ws-echo with WebSocket servers of other people: each exchanges a thousand messages with it,
// from none to 65 KiB, some in fragments, with pings between, and closes.
//
//   node tests/conformance/ws/peers.mjs
//
// npm's ws is always there.  Debian's python3-websockets and libwebsockets-dev are used where
// they are installed, and named where they are not.
import path from 'node:path';
import { Report, npm, root, run, start, tempFolder, until } from '../../support/harness.mjs';
import { formOf, forms } from './programs.mjs';

const COUNT = 1000;
const WINDOW = 20;
const PEERS = path.join(root, 'tests/conformance/ws/peers');

function messageOf(i) {
    const size = i % 97 === 96 ? 65530 + (i % 20) : (i * 7919) % 3000;
    return Buffer.from({ length: size }, (_, at) => (i + at * 7) & 255);
}

function sayWith(socket, i) {
    const message = messageOf(i);
    if (i % 5 === 4) {
        const third = Math.floor(message.length / 3);
        socket.send(message.subarray(0, third), { fin: false });
        socket.send(message.subarray(third, 2 * third), { fin: false });
        socket.send(message.subarray(2 * third), { fin: true });
    } else {
        socket.send(message);
    }
    if (i % 50 === 49) {
        socket.ping(`ping ${i}`);
    }
}

/** npm's ws: { url, right }, the second when all came back. */
async function serveWithWs(perMessageDeflate = false) {
    const server = new (npm('ws').WebSocketServer)({ host: '127.0.0.1', port: 0, perMessageDeflate });
    await new Promise((done) => server.once('listening', done));
    const right = new Promise((done) => {
        server.once('connection', (socket) => {
            let [said, heard, same, pongs] = [0, 0, 0, 0];
            const say = () => {
                while (said < COUNT && said < heard + WINDOW) {
                    sayWith(socket, said++);
                }
            };
            socket.on('pong', () => pongs++);
            socket.on('message', (message, isBinary) => {
                same += isBinary && messageOf(heard).equals(message) ? 1 : 0;
                heard += 1;
                say();
                if (heard === COUNT) {
                    socket.close(1000);
                }
            });
            socket.on('close', (code) => {
                done(code === 1000 && pongs > 0 ? same : `${same} of them, close ${code}, ${pongs} pongs`);
                server.close();
            });
            say();
        });
    });
    return { url: `ws://127.0.0.1:${server.address().port}/`, right };
}

/** A program that prints its port, then how many came back right. */
async function serveWith(file, args) {
    const running = start(file, [...args, String(COUNT)]);
    const find = (pattern) => pattern.exec(running.stdout())?.[1];
    const port = await until(() => find(/^port (\d+)$/m), 5000, `the port of ${file}`);
    const right = until(() => find(/^(\d+) right$/m), 20000, 'the end').then(Number, () =>
        running.stderr(),
    );
    return { url: `ws://127.0.0.1:${port}/`, right };
}

/** The program on libwebsockets, compiled here; undefined without its headers. */
async function buildLws() {
    const flags = await run('pkg-config', ['--cflags', '--libs', 'libwebsockets']);
    const out = path.join(tempFolder('natlet-lws-'), 'lws_server');
    const args = ['-O1', '-o', out, path.join(PEERS, 'lws_server.c')];
    const words = flags.stdout.split(/\s+/).filter(Boolean);
    const built = flags.code === 0 && (await run(process.env.CC ?? 'cc', [...args, ...words]));
    return built && built.code === 0 ? out : undefined;
}

const python = await run('python3', ['-c', 'import websockets']);
const lws = await buildLws();
const peers = {
    "npm's ws": () => serveWithWs(),
    [`npm's ws, compressed`]: () => serveWithWs({ threshold: 0 }),
    'python3-websockets':
        python.code === 0 &&
        (() => serveWith('python3', [path.join(PEERS, 'websockets_server.py')])),
    libwebsockets: lws && (() => serveWith(lws, [])),
};

const report = new Report();
for (const [name, serve] of Object.entries(peers)) {
    if (!serve) {
        process.stdout.write(`# skipped: ${name} is not installed\n`);
        continue;
    }
    for (const form of forms) {
        await report.test(`ws-peers: ${COUNT} messages with ${name} (${form})`, async () => {
            const { url, right } = await serve();
            const [file, before, env] = formOf(form);
            const options = name.includes('compressed') ? ['--deflate'] : [];
            const { code, stdout } = await run(file, [...before, ...options, url], { env, timeoutMs: 30000 });
            const got = await right;
            const isRight = code === 0 && got === COUNT && /heard=1000 .*messages=1000 /.test(stdout);
            if (!isRight) {
                throw new Error(`exit status ${code}, right ${got}: ${stdout}`);
            }
        }, 60000);
    }
}
report.done();
process.exit();
