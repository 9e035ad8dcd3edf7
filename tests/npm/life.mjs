// What a connection of ours lives through: refusals, restarts, offline times, limits.
import { freePort, npm, sleep, startNats, until } from '../support/harness.mjs';

const USERS = `authorization {
    users: [
        { user: all, password: all }
        { user: few, password: few
          permissions: { publish: ["ok.>", "_INBOX.>"], subscribe: ["ok.>", "_INBOX.>"] } }
    ]
}`;

function same(got, want) {
    const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
    if (a !== b) {
        throw new Error(`got ${a}, want ${b}`);
    }
}

const nameOf = (promise) =>
    promise.then(
        () => 'ok',
        (error) => error.name,
    );

/** Collects the status events of a connection. */
function watch(nc) {
    const seen = [];
    (async () => {
        for await (const event of nc.status()) {
            seen.push(event);
        }
    })();
    return seen;
}

async function refusals({ nats, server }) {
    const how = (options) => nameOf(nats.connect({ servers: server.url, ...options }));
    same(await how({ user: 'all', pass: 'wrong' }), 'AuthorizationError');
    same(await how({}), 'AuthorizationError');
    same(await how({ token: 'x', reconnect: false }), 'AuthorizationError');
    same(await how({ servers: `nats://127.0.0.1:${await freePort()}` }), 'ConnectionError');
    same(await how({ reconnectToServer: () => null }), 'InvalidArgumentError');
    same(await how({ servers: ['a b'] }), 'InvalidArgumentError');
}

async function permissions({ nats, server }) {
    const nc = await nats.connect({ servers: server.url, user: 'few', pass: 'few' });
    const seen = watch(nc);
    const denied = nc.subscribe('not.mine');
    const reading = (async () => {
        for await (const m of denied) {
            throw new Error(m.subject);
        }
    })();
    same(await nameOf(reading), 'PermissionViolationError');
    const why = await denied.closed;
    same([why.operation, why.subject], ['subscription', 'not.mine']);
    nc.publish('not.mine');
    same(await nameOf(nc.request('not.mine', '', { timeout: 500 })), 'RequestError');
    await nc.flush();
    const told = seen.filter(({ type }) => type === 'error').map(({ error }) => error);
    same(
        told.some((error) => error.operation === 'publish' && error.subject === 'not.mine'),
        true,
    );
    same(nc.isClosed(), false);
    await nc.close();
}

async function restart({ nats }) {
    const server = await startNats();
    const nc = await nats.connect({ servers: server.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
    const seen = watch(nc);
    const got = [];
    nc.subscribe('r.>', { callback: (_err, m) => got.push(m.string()) });
    nc.publish('r.1', 'before');
    await nc.flush();
    await server.kill();
    await until(() => seen.some(({ type }) => type === 'reconnecting'), 5000, 'the loss');
    nc.publish('r.2', 'offline 1');
    nc.publish('r.3', 'offline 2');
    await server.restart();
    await until(() => seen.some(({ type }) => type === 'reconnect'), 5000, 'the return');
    nc.publish('r.4', 'after');
    await nc.flush();
    same(got, ['before', 'offline 1', 'offline 2', 'after']);
    same(seen.map(({ type }) => type).filter((type) => type !== 'error').slice(0, 3), [
        'disconnect',
        'reconnecting',
        'reconnect',
    ]);
    await nc.close();
    await server.stop();
}

async function givingUp({ nats }) {
    const server = await startNats();
    const nc = await nats.connect({
        servers: server.url,
        reconnectTimeWait: 20,
        maxReconnectAttempts: 2,
    });
    let told;
    nc.addCloseListener({ connectionClosedCallback: (error) => (told = error) });
    const sub = nc.subscribe('x');
    const reading = (async () => {
        for await (const m of sub) {
            throw new Error(m.subject);
        }
        return 'ended';
    })();
    await server.kill();
    const error = await nc.closed();
    same([error.name, told === error, nc.isClosed()], ['ConnectionError', true, true]);
    same(await reading, 'ended');
    same(await nameOf(nc.flush()), 'ClosedConnectionError');
}

async function closedByServer({ nats, server }) {
    const nc = await nats.connect({ servers: server.url, user: 'all', pass: 'all', reconnect: false });
    const other = await nats.connect({ servers: server.url, user: 'all', pass: 'all' });
    const pending = nameOf(other.request('never', '', { timeout: 2000 }));
    nc.subscribe('never', { callback: () => {} });
    await other.close();
    same(['RequestError', 'NoResponders'].includes(await pending), true);
    await nc.close();
    same(await nc.closed(), undefined);
}

async function limits({ nats, server }) {
    const nc = await nats.connect({
        servers: server.url,
        user: 'all',
        pass: 'all',
        maxPendingBytes: 1 << 20,
    });
    const data = new Uint8Array(1000);
    let thrown;
    let count = 0;
    try {
        for (; count < 1e5; count++) {
            nc.publish('much', data);
        }
    } catch (error) {
        thrown = error;
    }
    same([thrown?.code, count > 500], ['E_FULL', true]);
    await nc.flush();
    nc.publish('much', data);
    await nc.close();
}

/** Data are views of what arrived: what comes later must not change them. */
async function views({ nats, server }) {
    const nc = await nats.connect({ servers: server.url, user: 'all', pass: 'all' });
    const kept = [];
    nc.subscribe('v', { callback: (_err, m) => kept.push(m.data) });
    for (let i = 0; i < 5000; i++) {
        nc.publish('v', String(i).padStart(1 + (i % 50), '0'));
    }
    await nc.flush();
    const before = kept.map((data) => data.slice());
    for (let i = 0; i < 20000; i++) {
        nc.publish('v', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx');
    }
    nc.publish('v', new Uint8Array(900000).fill(1));
    await nc.flush();
    same(kept.length, 25001);
    const changed = before.findIndex((data, i) => Buffer.compare(data, kept[i]) !== 0);
    same(changed, -1);
    same(Number(Buffer.from(kept[4999]).toString()), 4999);
    await nc.close();
}

async function slow({ nats, server }) {
    const nc = await nats.connect({ servers: server.url, user: 'all', pass: 'all' });
    const seen = watch(nc);
    const sub = nc.subscribe('slow', { slow: 10 });
    for (let i = 0; i < 30; i++) {
        nc.publish('slow');
    }
    await nc.flush();
    await sleep(10);
    const told = seen.filter(({ type }) => type === 'slowConsumer');
    same([told.length, told[0]?.sub === sub, told[0]?.pending], [1, true, 11]);
    await nc.close();
}

async function pool({ nats }) {
    const [one, two] = await Promise.all([startNats(), startNats()]);
    const nc = await nats.connect({ servers: one.url, reconnectTimeWait: 20 });
    nc.setServers([two.url]);
    same(nc.getServers().map(({ listen }) => listen), [`127.0.0.1:${two.port}`]);
    await nc.reconnect();
    await until(() => nc.getServer() === `127.0.0.1:${two.port}`, 3000, 'the other server');
    await nc.flush();
    await nc.close();
    await Promise.all([one.stop(), two.stop()]);
}

async function authenticators({ nats }) {
    const { createUser } = npm('@nats-io/nkeys');
    const user = createUser();
    const config = `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }`;
    const server = await startNats({ config });
    const nc = await nats.connect({
        servers: server.wsUrl,
        authenticator: nats.nkeyAuthenticator(user.getSeed()),
    });
    await nc.flush();
    await nc.close();
    await server.stop();
}

const cases = {
    'connects that are refused, by name': refusals,
    'permissions': permissions,
    'a server that restarts: what was published meanwhile arrives, in order': restart,
    'giving up after so many attempts': givingUp,
    'requests under way when the connection is closed': closedByServer,
    'more than may be pending throws': limits,
    'data keeps its bytes': views,
    'a slow iterator is told once': slow,
    'setServers and reconnect': pool,
    'an nkey': authenticators,
};

export async function life(report, nats) {
    const server = await startNats({ config: USERS });
    for (const [name, body] of Object.entries(cases)) {
        await report.test(`npm life: ${name}`, () => body({ nats, server }));
    }
    await server.stop();
}
