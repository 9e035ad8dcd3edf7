// nginx and haproxy, as they stand before a nats-server in the world: they end TLS, and what
// comes under /prefix/nats goes to the server's WebSocket.
import { appendFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { freePort, start, tempFolder, tool, until } from './harness.mjs';

/** What both are told: port, target (a port of loopback), pem (certificate and key), idleMs
 *  (after so long without a byte they end a connection), folder. */
const nginx = ({ port, target, pem, idleMs, folder }) => `
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path ${folder}/body;
    proxy_temp_path ${folder}/proxy;
    fastcgi_temp_path ${folder}/fastcgi;
    uwsgi_temp_path ${folder}/uwsgi;
    scgi_temp_path ${folder}/scgi;
    server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${pem};
        ssl_certificate_key ${pem};
        location /prefix/nats {
            proxy_pass http://127.0.0.1:${target}/;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_set_header Host $http_host;
            proxy_read_timeout ${idleMs}ms;
            proxy_send_timeout ${idleMs}ms;
        }
        location / {
            return 404;
        }
    }
}
`;

const haproxy = ({ port, target, pem, idleMs }) => `
defaults
    mode http
    timeout connect 2s
    timeout client ${idleMs}ms
    timeout server ${idleMs}ms
    timeout tunnel ${idleMs}ms
frontend tls
    bind 127.0.0.1:${port} ssl crt ${pem}
    acl is_nats path_beg /prefix/nats
    http-request return status 404 unless is_nats
    http-request set-path /
    default_backend nats
backend nats
    retries 0
    server nats 127.0.0.1:${target}
`;

const KINDS = {
    nginx: {
        tool: 'NGINX',
        config: nginx,
        args: (file, folder) => ['-p', folder, '-e', 'stderr', '-c', file],
    },
    haproxy: { tool: 'HAPROXY', config: haproxy, args: (file) => ['-db', '-f', file] },
};

export const proxyKinds = Object.keys(KINDS);

/** Why there is no proxy of this kind, or undefined if there is one. */
export function missingProxy(kind) {
    try {
        tool(KINDS[kind].tool);
    } catch {
        return `there is no ${kind}: rm -f build/tools/proxies.ok && sh wasm/setup.sh proxies, or set ${KINDS[kind].tool}`;
    }
}

/** Calls body({ url, port, log(), stop(), restart() }) with a proxy as the test's own process:
 *  to `target`, with one of the certificates. */
export async function withTlsProxy(kind, { target, one, idleMs = 20000 }, body) {
    const folder = tempFolder(`natlet-${kind}-`);
    const [pem, file] = [path.join(folder, 'both.pem'), path.join(folder, 'proxy.conf')];
    const port = await freePort();
    writeFileSync(pem, one.cert);
    appendFileSync(pem, one.key);
    writeFileSync(file, KINDS[kind].config({ port, target, pem, idleMs, folder }));
    const program = tool(KINDS[kind].tool);
    let running;
    const restart = async () => {
        running = start(program, KINDS[kind].args(file, folder));
        let over;
        running.exit.then((how) => (over = how));
        await until(() => over ?? listens(port), 5000, kind);
        if (over) {
            throw new Error(`${kind} ended: ${running.stderr()}`);
        }
    };
    const stop = () => running.stop('SIGTERM', 500);
    await restart();
    try {
        const url = `wss://127.0.0.1:${port}/prefix/nats`;
        return await body({ url, port, log: () => running.stderr(), stop, restart });
    } finally {
        await stop();
    }
}

function listens(port) {
    return new Promise((done) => {
        const socket = net.connect(port, '127.0.0.1', () => done(true));
        socket.once('connect', () => socket.destroy()).once('error', () => done(false));
    });
}
