// The libraries of nats.js on top of a connection of ours: natlet/compat.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from '../support/harness.mjs';

const OBJECT_BYTES = 5 << 20;
const text = (bytes) => new TextDecoder().decode(bytes);

function same(got, want) {
    const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
    if (a !== b) {
        throw new Error(`got ${a}, want ${b}`);
    }
}

async function publishAndConsume({ nc, jetstream, jetstreamManager, AckPolicy }) {
    const manager = await jetstreamManager(nc);
    await manager.streams.add({ name: 'ORDERS', subjects: ['orders.>'] });
    const js = jetstream(nc);
    for (let i = 1; i <= 50; i++) {
        same((await js.publish(`orders.${i % 3}`, `order ${i}`)).seq, i);
    }
    await manager.consumers.add('ORDERS', { durable_name: 'c', ack_policy: AckPolicy.Explicit });
    const consumer = await js.consumers.get('ORDERS', 'c');
    const messages = await consumer.consume({ max_messages: 10 });
    let next = 1;
    for await (const m of messages) {
        same(m.string(), `order ${next}`);
        m.ack();
        if (++next > 50) {
            break;
        }
    }
    await nc.flush();
    await until(async () => (await consumer.info()).num_ack_pending === 0, 2000, 'acks');
    same((await consumer.info()).num_pending, 0);
}

async function fetchNothing({ nc, jetstream }) {
    const consumer = await jetstream(nc).consumers.get('ORDERS', 'c');
    same(await consumer.next({ expires: 1000 }), null);
    const error = await jetstream(nc).publish('no.stream', '').catch((e) => e);
    same([error.name, error instanceof Error], ['JetStreamNotEnabled', true]);
}

async function ordered({ nc, jetstream }) {
    const consumer = await jetstream(nc).consumers.get('ORDERS', { filter_subjects: 'orders.1' });
    let count = 0;
    for await (const m of await consumer.fetch({ max_messages: 17, expires: 2000 })) {
        same(m.subject, 'orders.1');
        count++;
    }
    same(count, 17);
}

async function keyValue({ nc, Kvm }) {
    const kv = await new Kvm(nc).create('config', { history: 3 });
    await kv.put('a.b', 'one');
    const watch = await kv.watch({ key: 'a.>' });
    const seen = [];
    const watching = (async () => {
        for await (const entry of watch) {
            seen.push(`${entry.key} ${entry.operation} ${text(entry.value)}`);
            if (seen.length === 4) {
                break;
            }
        }
    })();
    await until(() => seen.length === 1, 2000, 'the first value');
    const revision = await kv.put('a.b', 'two');
    await kv.update('a.b', 'three', revision);
    const stale = await kv.update('a.b', 'four', revision).catch((e) => e.name);
    await kv.delete('a.b');
    await watching;
    same(seen, ['a.b PUT one', 'a.b PUT two', 'a.b PUT three', 'a.b DEL ']);
    same(stale, 'JetStreamApiError');
    const history = [];
    for await (const entry of await kv.history({ key: 'a.b' })) {
        history.push(entry.operation);
    }
    same(history, ['PUT', 'PUT', 'DEL']);
    const keys = [];
    await kv.put('k1', '');
    for await (const key of await kv.keys()) {
        keys.push(key);
    }
    same(keys, ['k1']);
}

async function objects({ nc, Objm }) {
    const store = await new Objm(nc).create('files');
    const data = new Uint8Array(OBJECT_BYTES).map((_, i) => (i * 31 + (i >> 8)) & 0xff);
    const stream = new ReadableStream({
        start(controller) {
            controller.enqueue(data);
            controller.close();
        },
    });
    const info = await store.put({ name: 'big' }, stream);
    same(info.size, OBJECT_BYTES);
    const back = await store.getBlob('big');
    same(Buffer.compare(Buffer.from(back), Buffer.from(data)), 0);
}

async function services({ nc, other, Svcm }) {
    const service = await new Svcm(nc).add({ name: 'math', version: '1.0.0', description: 'sums' });
    service.addEndpoint('sum', (err, m) => m.respond(String(m.json().reduce((a, b) => a + b))));
    service.addEndpoint('max', {
        subject: 'math.max',
        handler: (err, m) => m.respond(String(Math.max(...m.json()))),
    });
    await nc.flush();
    same((await other.request('sum', '[1,2,3]')).string(), '6');
    same((await other.request('math.max', '[1,7,3]')).string(), '7');
    const client = new Svcm(other).client();
    const all = [];
    for await (const found of await client.stats('math')) {
        all.push(found.endpoints.map(({ name, num_requests: count }) => `${name} ${count}`));
    }
    same(all, [['sum 1', 'max 1']]);
    await service.stop();
}

/** A library tries again when nobody answers yet, which it knows by the error's class. */
async function retry({ nc, other, jetstream, errors, RequestError }) {
    const js = jetstream(nc, { timeout: 2000 });
    const late = setTimeout(() => {
        other.subscribe('later', {
            callback: (_err, m) => m.respond(JSON.stringify({ stream: 'LATE', seq: 1 })),
        });
    }, 200);
    const ack = await js.publish('later', 'x', { retries: 10 });
    clearTimeout(late);
    same([ack.stream, ack.seq], ['LATE', 1]);
    const error = await nc.request('nobody', '').catch((e) => e);
    same([error instanceof RequestError, error.isNoResponders()], [true, true]);
    same(error instanceof errors.RequestError, true);
}

const cases = {
    'jetstream: publish with ack, consume': publishAndConsume,
    'jetstream: an empty fetch, a refused publish': fetchNothing,
    'jetstream: ordered consumer': ordered,
    'kv: put, update, watch, history, keys': keyValue,
    'obj: put and get 5 MB': objects,
    'services: two endpoints, statistics': services,
    'jetstream: a retry on no responders': retry,
};

/** Runs all cases over ws and nats.  where: { folder, require }. */
export async function compat(report, server, { folder, require }) {
    const ours = await import(pathToFileURL(path.join(folder, 'src/nats/compat-node.js')));
    const libraries = ['jetstream', 'kv', 'obj', 'services'].map((name) => require(`@nats-io/${name}`));
    for (const servers of [server.url, server.wsUrl]) {
        const way = servers.split(':')[0];
        const [nc, other] = await Promise.all([ours.connect({ servers }), ours.connect({ servers })]);
        const given = Object.assign({ nc, other, ...ours }, ...libraries);
        for (const [name, body] of Object.entries(cases)) {
            await report.test(`npm compat ${name} (${way})`, () => body(given));
        }
        const { streams } = await given.jetstreamManager(nc);
        for await (const { config } of streams.list()) {
            await streams.delete(config.name);
        }
        await Promise.all([nc.close(), other.close()]);
    }
}
