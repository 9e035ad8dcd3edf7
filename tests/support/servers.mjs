// Real nats-servers of every kind that tests need, each on free ports of loopback: plain TCP,
// WebSocket and monitoring.  with...() ends what it started, however its body ends.
import http from 'node:http';
import net from 'node:net';
import { freePort, npm, startNats, until, within } from './harness.mjs';

/** What a server writes as an error of a client, but for what it may refuse to a good one. */
const COMPLAINT = /\[ERR\].*( - [cw]id:\d+ - |websocket handshake)/;
const REFUSAL = /authenti|authoriz|(publish|subscription) violation|stale|maximum .*(conn|subs)/i;

/** A user of the configuration: user and password or nkey, publish and subscribe (a subject, a
 *  list, or { allow, deny }; "subject group" is a queue permission), responses (true, or
 *  { max, expires }), connectionTypes. */
function userOf(user) {
    const { publish, subscribe, responses, connectionTypes } = user;
    const permissions = {
        ...(publish !== undefined && { publish }),
        ...(subscribe !== undefined && { subscribe }),
        ...(responses !== undefined && { allow_responses: responses }),
    };
    return {
        ...(user.nkey ? { nkey: user.nkey } : { user: user.user, password: user.password }),
        ...(Object.keys(permissions).length > 0 && { permissions }),
        ...(connectionTypes && { allowed_connection_types: connectionTypes }),
    };
}

function accessOf({ users, token, noAuthUser, authTimeout, operator }) {
    const authorization = {
        ...(users && { users: users.map(userOf) }),
        ...(token && { token }),
        ...(authTimeout && { timeout: authTimeout }),
    };
    return {
        ...(Object.keys(authorization).length > 0 && { authorization }),
        ...(noAuthUser && { no_auth_user: noAuthUser }),
        ...operator?.settings,
    };
}

/** Names of the server's settings for those of a shape that have one value. */
const SETTINGS = {
    name: 'server_name',
    mappings: 'mappings',
    maxPayload: 'max_payload',
    maxSubscriptions: 'max_subscriptions',
    maxConnections: 'max_connections',
    maxControlLine: 'max_control_line',
    maxPending: 'max_pending',
    writeDeadline: 'write_deadline',
    pingInterval: 'ping_interval',
    pingMax: 'ping_max',
    clientAdvertise: 'client_advertise',
};

function settingsOf(shape, monitorPort) {
    const named = Object.entries(SETTINGS).filter(([key]) => shape[key] !== undefined);
    const lameDuck = shape.lameDuck && {
        lame_duck_duration: shape.lameDuck.duration ?? '30s',
        lame_duck_grace_period: shape.lameDuck.grace ?? '100ms',
    };
    return {
        http: `127.0.0.1:${monitorPort}`,
        ...Object.fromEntries(named.map(([key, setting]) => [setting, shape[key]])),
        ...accessOf(shape),
        ...lameDuck,
        ...(shape.cluster && { cluster: clusterOf(shape.cluster) }),
        ...shape.settings,
    };
}

function clusterOf({ port, ports, noAdvertise = false }) {
    return {
        name: 'lab',
        listen: `127.0.0.1:${port}`,
        no_advertise: noAdvertise,
        routes: ports
            .filter((other) => other !== port)
            .map((other) => `nats-route://127.0.0.1:${other}`),
    };
}

function websocketOf({ cookies = {}, wsAdvertise, websocket }) {
    const named = Object.entries(cookies).map(([what, name]) => [`${what}_cookie`, name]);
    return {
        ...Object.fromEntries(named),
        ...(wsAdvertise && { advertise: wsAdvertise }),
        ...websocket,
    };
}

/** The server's language takes JSON for values, and quoted keys. */
function lines(settings) {
    const entries = Object.entries(settings);
    return entries.map(([key, value]) => `"${key}": ${JSON.stringify(value)}`).join('\n');
}

function optionsOf(shape, monitorPort) {
    return {
        old: shape.old,
        port: shape.port,
        wsPort: shape.wsPort,
        jetstream: shape.jetstream ?? false,
        config: lines(settingsOf(shape, monitorPort)),
        websocket: lines(websocketOf(shape)),
    };
}

/** Starts a server of a shape.  All of it is optional:
 *
 *  old (2.9 instead of the newest), port, wsPort, jetstream (true), name,
 *  users, token, noAuthUser, authTimeout (seconds), operator (of credentials.mjs),
 *  cookies ({ jwt, user, pass, token }: names of the upgrade request's cookies),
 *  mappings, maxPayload, maxSubscriptions, maxConnections, maxControlLine, maxPending,
 *  writeDeadline, pingInterval, pingMax, lameDuck ({ duration, grace }),
 *  clientAdvertise, wsAdvertise, settings and websocket (more of the server's own).
 *
 *  Returns what startNats() does and varz(), connz(), subsz(), routez(), reload(),
 *  lameDuck(), complaints(). */
export async function startServer(shape = {}) {
    const monitorPort = await freePort();
    const server = await startNats(optionsOf(shape, monitorPort));
    const read = (page) => monitor(monitorPort, page);
    const count = (pattern) => [...server.log().matchAll(pattern)].length;
    return {
        ...server,
        varz: () => read('varz'),
        connz: () => read('connz?subs=detail&auth=1'),
        subsz: () => read('subsz?subs=1'),
        routez: () => read('routez'),

        /** Changes some of the shape, and has the server take it over while it runs. */
        async reload(changes) {
            shape = { ...shape, ...changes };
            server.configure(optionsOf(shape, monitorPort));
            const before = count(/Reloaded server configuration/g);
            const failures = count(/Failed to reload/g);
            server.signal('SIGHUP');
            await until(
                () => count(/Reloaded server configuration|Failed to reload/g) > before + failures,
                5000,
                'the reload',
            );
            if (count(/Failed to reload/g) > failures) {
                throw new Error(server.log());
            }
        },

        /** Sends its clients away, one by one; the server ends when all are gone. */
        async lameDuck() {
            server.signal('SIGUSR2');
            await until(() => count(/Entering lame duck mode/g) > 0, 5000, 'lame duck mode');
        },

        /** Lines of the log that say that a client broke the protocol. */
        complaints: () =>
            server
                .log()
                .split('\n')
                .filter((line) => COMPLAINT.test(line) && !REFUSAL.test(line)),
    };
}

/** Starts servers that form a cluster, once each of them tells its clients of all the others.
 *  Further keys of the shape: size (3), noAdvertise, each (a function: what is more in the
 *  shape of server i).  Returns them as a list. */
export async function startCluster(shape = {}) {
    const { size = 3, noAdvertise, each = () => ({}), ...rest } = shape;
    const ports = [];
    for (let i = 0; i < size; i++) {
        ports.push(await freePort());
    }
    const starts = await Promise.allSettled(
        ports.map((port, i) =>
            startServer({
                ...rest,
                name: `lab${i}`,
                cluster: { port, ports, noAdvertise },
                ...each(i),
            }),
        ),
    );
    const servers = starts.filter((one) => one.status === 'fulfilled').map((one) => one.value);
    try {
        const failed = starts.find((one) => one.status === 'rejected');
        if (failed) {
            throw failed.reason;
        }
        await Promise.all(servers.map((server) => isJoined(server, servers, noAdvertise)));
    } catch (error) {
        await stopAll(servers);
        throw error;
    }
    return servers;
}

function isJoined(server, servers, noAdvertise) {
    const probe = async () => {
        const others = new Set((await server.routez()).routes.map((route) => route.remote_id));
        const told = noAdvertise ? [] : [await readInfo(server.url), await readInfo(server.wsUrl)];
        return (
            others.size === servers.length - 1 &&
            told.every((info) => info.connect_urls?.length === servers.length)
        );
    };
    return until(probe, 10000, 'the cluster');
}

function stopAll(servers) {
    return Promise.all(servers.map((server) => server.kill()));
}

/** Calls body(server) and ends the server. */
export async function withServer(shape, body) {
    const server = await startServer(shape);
    try {
        return await body(server);
    } finally {
        await server.kill();
    }
}

/** Calls body(servers) and ends the cluster. */
export async function withCluster(shape, body) {
    const servers = await startCluster(shape);
    try {
        return await body(servers);
    } finally {
        await stopAll(servers);
    }
}

/** A page of a server's monitoring. */
function monitor(port, page) {
    const options = { host: '127.0.0.1', port, path: `/${page}`, agent: false };
    const answer = new Promise((done, fail) => {
        const request = http.get(options, (response) => {
            const parts = [];
            response.on('data', (bytes) => parts.push(bytes));
            response.on('end', () => done(JSON.parse(Buffer.concat(parts).toString())));
        });
        request.on('error', fail);
    });
    return within(5000, answer, `/${page}`);
}

/** A connection that says what a test wants, over TCP or WebSocket: { say(text), text(), heard
 *  (pattern, ms), isOver(), end() }.  Over WebSocket, `headers` go with the upgrade request. */
export async function dialRaw(url, headers = {}) {
    let text = '';
    let over = false;
    const note = (bytes) => (text += bytes.toString('latin1'));
    const gone = (error) => {
        over = true;
        text += error instanceof Error ? `[${error.message}]` : '';
    };
    const line = url.startsWith('ws') ? rawWebSocket(url, headers, note) : rawSocket(url, note);
    line.socket.on('error', gone).on('close', () => gone());
    const heard = async (pattern, ms = 3000) => {
        await until(() => pattern.test(text) || over, ms, `${pattern} in ${JSON.stringify(text)}`);
        const match = pattern.exec(text);
        if (!match) {
            throw new Error(`${url} ended before ${pattern}: ${JSON.stringify(text)}`);
        }
        return match;
    };
    await heard(/^INFO .*\r\n/);
    return { ...line, heard, text: () => text, isOver: () => over };
}

function rawWebSocket(url, headers, note) {
    const WebSocket = npm('ws');
    const socket = new WebSocket(url, { headers });
    socket.on('message', note);
    return {
        socket,
        say: (bytes) => socket.send(Buffer.from(bytes)),
        end: () => socket.terminate(),
    };
}

function rawSocket(url, note) {
    const { hostname, port } = new URL(url);
    const socket = net.connect(Number(port), hostname).setNoDelay();
    socket.on('data', note);
    return { socket, say: (bytes) => socket.write(bytes), end: () => socket.destroy() };
}

/** The INFO that a server sends to whoever comes. */
export async function readInfo(url) {
    const line = await dialRaw(url);
    const [, json] = await line.heard(/^INFO (.*)\r\n/);
    line.end();
    return JSON.parse(json);
}
