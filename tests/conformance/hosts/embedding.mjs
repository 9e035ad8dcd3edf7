// The embedding API of the glue with the real module, in Node, against a real nats-server.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
    root,
    run,
    sleep,
    startNats,
    tempFolder,
    tool,
    until,
    within,
} from '../../support/harness.mjs';
import {
    OP_ORDER,
    OP_SETTLE,
    OP_SPAWN,
    OP_SUPERVISE,
    OP_UNSUB,
    SETTLE_REJECT,
} from '../../../host-shims/js/src/constants.js';
import { CLIENT_CONNECTED, Embedding, nodeHost } from '../../../host-shims/js/src/node.js';
import { NatletError, Status } from '../../../host-shims/js/src/status.js';
import { superviseOp } from '../../../host-shims/js/src/tree-ops.js';

const WAIT_MS = 5000;
const modules = path.resolve(root, process.env.B ?? 'build', 'wasm');
const file = process.env.NATLET_WASM ?? path.join(modules, 'natlet.wasm');

const text = (bytes) => Buffer.from(bytes).toString();
const bytesOf = (len, seed) => Uint8Array.from({ length: len }, (_, i) => (i * 7 + seed) & 0xff);
const isSame = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;

/** How a promise ends: 'ok', or the code of its error. */
const outcome = (promise) =>
    within(WAIT_MS, promise, 'it').then(
        () => 'ok',
        (error) => error.code ?? error.message,
    );

/** One case: what it needs is started before and ended after. */
class Bench {
    constructor(report, module, name, server, url) {
        Object.assign(this, { report, module, name, server, url });
    }

    /** body(client, server) throws, or returns what is wrong as a text. */
    async test(what, body, options = {}) {
        const { config, ...rest } = options;
        const errors = [];
        const test = async () => {
            const client = await Embedding.start(this.module, {
                host: nodeHost(),
                config: { servers: [this.url], reconnect_ms: 50, ...config },
                onError: (error) => errors.push(error.code),
                ...rest,
            });
            await within(WAIT_MS, client.connected, 'connect');
            const wrong = await body(client, errors, this.server);
            await within(WAIT_MS, client.close(), 'close');
            if (wrong) {
                throw new Error(wrong);
            }
        };
        await this.report.test(`embedding ${this.name}: ${what}`, test);
    }
}

async function messages(bench) {
    await bench.test('messages arrive with subject, reply, headers and data', async (client) => {
        const got = [];
        client.subscribe('a.>', (m) => got.push([m.subject, m.reply, m.headers, m.data]));
        const headers = Buffer.from('NATS/1.0\r\nK: v\r\n\r\n');
        client.publish('a.b', 'hello');
        client.publish('a.ü', bytesOf(3, 0), { reply: 'r', headers });
        client.publish('a.empty');
        await client.flush();
        const plain = got.map(([s, r, h, d]) => `${s}|${r}|${h ? text(h) : ''}|${text(d)}`);
        const want = ['a.b|||hello', `a.ü|r|${headers}|${text(bytesOf(3, 0))}`, 'a.empty|||'];
        return plain.join() === want.join() ? '' : plain.join();
    });
    await bench.test('data of every size arrives whole and in order', async (client) => {
        const sizes = Array.from({ length: 60 }, (_, i) => (i * 7919) % 70000);
        sizes.push(1000000, 0, 1, 300000);
        const got = [];
        client.subscribe('size', (m) => got.push(m.data));
        sizes.forEach((size, i) => client.publish('size', bytesOf(size, i)));
        await client.flush();
        const wrong = sizes.findIndex((size, i) => !got[i] || !isSame(got[i], bytesOf(size, i)));
        return wrong < 0 ? '' : `message ${wrong} of ${sizes[wrong]} bytes`;
    });
    await bench.test('data is viewed where it arrived, not copied', async (client) => {
        const got = [];
        client.subscribe('view', (m) => got.push(m.data));
        for (let i = 0; i < 100; i++) {
            client.publish('view', bytesOf(20, i));
        }
        await client.flush();
        const views = got.filter((data) => data.buffer.byteLength > 100).length;
        return got.length === 100 && views > 90 ? '' : `${views} views of ${got.length}`;
    });
    await bench.test('more than the submission area holds, in one go', async (client) => {
        const count = 50000;
        let next = 0;
        let wrong = '';
        client.subscribe('many', (m) => {
            wrong ||= text(m.data) === String(next) ? '' : `${text(m.data)} instead of ${next}`;
            next++;
        });
        for (let i = 0; i < count; i++) {
            client.publish('many', String(i));
        }
        await client.flush();
        return wrong || (next === count ? '' : `${next} arrived`);
    });
    const small = { completion_records: 16, rx_bytes: 4096 };
    await bench.test(
        'a full completion area ends the reading, and grows no further',
        async (client) => {
            const count = 20000;
            let next = 0;
            client.subscribe('flood', () => next++);
            for (let i = 0; i < count; i++) {
                client.publish('flood', '');
            }
            await client.flush();
            const { recordsMax } = client.memory;
            return next === count && recordsMax <= 256 ? '' : `${next}, ${recordsMax} records`;
        },
        { config: small },
    );
    await bench.test('handlers may publish', async (client) => {
        let hops = 0;
        const last = new Promise((done) => {
            client.subscribe('hop', (m) => {
                hops++;
                m.data.length < 100 ? client.publish('hop', bytesOf(m.data.length + 1, 0)) : done();
            });
        });
        client.publish('hop');
        await within(WAIT_MS, last, 'the last hop');
        return hops === 101 ? '' : `${hops} hops`;
    });
}

async function subscriptions(bench) {
    await bench.test('unsubscribe ends at once, and a maximum by itself', async (client) => {
        const got = [];
        const ended = [];
        const options = (name, max) => ({ max, ended: (status) => ended.push(`${name}${status}`) });
        const first = client.subscribe(
            's',
            () => {
                got.push('a');
                first.unsubscribe();
            },
            options('a', 0),
        );
        client.subscribe('s', () => got.push('b'), options('b', 2));
        const third = client.subscribe('s', () => got.push('c'), options('c', 0));
        third.unsubscribe(1);
        for (let i = 0; i < 5; i++) {
            client.publish('s');
        }
        await client.flush();
        await client.flush();
        const seen = `${got.sort().join('')} ${ended.sort().join()}`;
        return seen === 'abbc a0,b0,c0' ? '' : seen;
    });
    await bench.test('a queue group shares', async (client) => {
        const got = [0, 0];
        client.subscribe('q', () => got[0]++, { queue: 'g' });
        client.subscribe('q', () => got[1]++, { queue: 'g' });
        for (let i = 0; i < 200; i++) {
            client.publish('q');
        }
        await client.flush();
        return got[0] + got[1] === 200 && got[0] > 0 && got[1] > 0 ? '' : String(got);
    });
    await bench.test('draining delivers what is on the way', async (client) => {
        let got = 0;
        const subscription = client.subscribe('d', () => got++);
        for (let i = 0; i < 1000; i++) {
            client.publish('d');
        }
        await subscription.drain();
        client.publish('d');
        await client.flush();
        return got === 1000 ? '' : `${got} arrived`;
    });
    await bench.test('what has ended does nothing to the next with its number', async (client) => {
        const got = [];
        const first = client.subscribe('n', () => first.unsubscribe(), { max: 1 });
        client.publish('n');
        await client.flush();
        const second = client.subscribe('n', (m) => got.push(text(m.data)));
        first.unsubscribe();
        first.unsubscribe(1);
        await within(WAIT_MS, first.drain(), 'draining what has ended');
        client.publish('n', 'a');
        client.publish('n', 'b');
        await client.flush();
        const seen = `${first.id === second.id} ${got}`;
        return seen === 'true a,b' ? '' : seen;
    });
    await bench.test('draining is answered to all who asked, and to no other', async (client) => {
        const got = [];
        const first = client.subscribe('n', () => {}, {
            ended: () => got.push(client.subscribe('n', () => {})),
        });
        const drains = [first.drain(), first.drain()];
        first.unsubscribe(); // ends it before the drain does
        await until(() => got.length > 0, WAIT_MS);
        drains.push(got[0].drain(), got[0].drain());
        await client.flush();
        const seen = (await Promise.all(drains.map(outcome))).join();
        return seen === 'ok,ok,ok,ok' ? '' : seen;
    });
    await bench.test('a refused operation ends no subscription of its number', async (client) => {
        const got = [];
        const { id } = client.subscribe('n', () => got.push('n'), {
            ended: (status) => got.push(status),
        });
        client.submit(OP_SETTLE, { id, payload: bytesOf(4, 0) });
        client.submit(OP_SPAWN, { id });
        client.submit(OP_UNSUB, { id: id + 1 });
        client.publish('n');
        await client.flush();
        return got.join() === 'n' ? '' : got.join();
    });
    await bench.test('what is refused is told', async (client, errors) => {
        let ended;
        client.subscribe('a..b', () => {}, { ended: (status) => (ended = status) });
        client.publish('a b', 'x');
        await client.flush();
        const seen = `${ended} ${errors}`;
        return seen === '-36 E_SUBJECT' ? '' : seen;
    });
}

async function requests(bench) {
    await bench.test('requests end with the answer, or say why not', async (client) => {
        client.subscribe('echo', (m) => client.publish(m.reply, m.data));
        client.subscribe('mute', () => {});
        const answers = await Promise.all(
            ['x', 'y', 'z'].map((word) => client.request('echo', word)),
        );
        const seen = [
            answers.map((answer) => text(answer.data)).join(''),
            await outcome(client.request('nobody', '')),
            await outcome(client.request('mute', '', { timeoutMs: 50 })),
        ].join();
        return seen === 'xyz,E_NO_RESPONDERS,E_TIMEOUT' ? '' : seen;
    });
    await bench.test('a request gets several answers, and an end', async (client) => {
        client.subscribe('three', (m) =>
            ['1', '2', '', '3'].forEach((word) => client.publish(m.reply, word)),
        );
        client.subscribe('mute', () => {});
        const seen = [];
        const note = (m) => seen.push(`${text(m.data)};`);
        const many = async (subject, options) =>
            seen.push(await outcome(client.requestMany(subject, '', note, options)));
        await many('three', { max: 2 });
        await many('three', { untilEmpty: true, ownInbox: true });
        await many('three', { stallMs: 40, ownInbox: true });
        await many('three', { timeoutMs: 60 });
        await many('mute', { timeoutMs: 50, ownInbox: true });
        await many('nobody');
        const want = '1;,2;,ok,1;,2;,ok,1;,2;,;,3;,ok,1;,2;,;,3;,ok,E_TIMEOUT,E_NO_RESPONDERS';
        return seen.join() === want ? '' : seen.join();
    });
    await bench.test('close ends what is pending', async (client) => {
        client.subscribe('mute', () => {});
        const pending = outcome(client.request('mute', ''));
        await client.flush();
        await client.close();
        const seen = `${await pending} ${await outcome(client.request('mute', ''))}`;
        return seen === 'E_CLOSED E_CLOSED' ? '' : seen;
    });
}

async function connections(bench) {
    const states = [];
    const onState = (state) => states.push(state);
    const body = async (client, _errors, server) => {
        let got = 0;
        client.subscribe('again', () => got++);
        await client.flush();
        await server.kill();
        await server.restart();
        await until(() => states.at(-1) === CLIENT_CONNECTED && states.length > 3, WAIT_MS);
        client.publish('again');
        await client.flush();
        return got === 1 ? '' : `${got} arrived`;
    };
    await bench.test('a restarted server is found, and subscriptions are there', body, { onState });

    const told = [];
    const published = async (client, errors, server) => {
        const got = [];
        client.subscribe('kept', (m) => got.push(text(m.data)));
        client.publish('kept', '1');
        await client.flush();
        await server.kill();
        await until(() => client.state !== CLIENT_CONNECTED, WAIT_MS);
        client.publish('kept', '2');
        client.publish('kept', '3');
        await server.restart();
        await until(() => got.length === 3 && told.length === 3, WAIT_MS);
        const seen = `${got} ${told} ${errors}`;
        return seen === '1,2,3 0,0,0 ' ? '' : seen;
    };
    await bench.test('publishes wait for a server, and are told', published, {
        config: { offline_bytes_max: 65536, offline_ms: 10000, report_publishes: 1 },
        onPublished: (count, status) => told.push(...Array(count).fill(status)),
    });

    const denied = async () => {
        const client = await Embedding.start(bench.module, {
            host: nodeHost(),
            allow: ['nats://127.0.0.1:1'],
            config: { servers: [bench.url], no_reconnect: true },
        });
        const how = await outcome(client.connected);
        await client.close();
        if (how !== 'E_CLOSED') {
            throw new Error(how);
        }
    };
    await bench.report.test(`embedding ${bench.name}: the allow-list is kept`, denied);
}

async function agents(bench) {
    await bench.test('agents get mail one by one, and are restarted', async (client, errors) => {
        const log = [];
        client.spawn(
            'worker',
            async (mail) => {
                log.push(`+${text(mail.data)}`);
                await sleep(5);
                log.push(`-${text(mail.data)}`);
                if (text(mail.data) === 'bad') {
                    throw new Error('bad mail');
                }
            },
            { subject: 'work' },
        );
        await client.flush();
        client.send('worker', 'one');
        client.publish('work', 'two');
        client.send('worker', 'bad');
        client.publish('work', 'three');
        await until(() => log.includes('-three') && log.includes('-two'), WAIT_MS, log.join());
        const pairs = log.every((line, i) => i % 2 === 0 || line.slice(1) === log[i - 1].slice(1));
        return pairs && log.includes('-bad') && errors.length > 0 ? '' : log.join();
    });
    await bench.test('a settlement that finds no room is sent later', async (client) => {
        const log = [];
        const submit = client.submit.bind(client);
        let refusals = 2;
        client.submit = (kind, op) => {
            if (kind === OP_SETTLE && refusals-- > 0) {
                throw new NatletError(Status.E_FULL);
            }
            submit(kind, op);
        };
        client.spawn('slow', (mail) => log.push(text(mail.data)));
        client.send('slow', 'one');
        client.send('slow', 'two');
        for (let i = 0; i < 4; i++) {
            await client.flush();
        }
        return log.join() === 'one,two' ? '' : log.join();
    });
    await bench.test('children, trees and orders that are not well-formed are refused', async (client) => {
        const { slot } = await client.supervise(superviseOp());
        const child = (words, at = 0, byte = 0) => {
            const bytes = new Uint8Array(56);
            new Uint32Array(bytes.buffer).set([slot, ...words]);
            bytes[at] ||= byte;
            return bytes;
        };
        const tree = (strategy) => new Uint8Array(new Uint32Array([0, 0, strategy, 0, 0]).buffer);
        const spawn = (payload, more) => [OP_SPAWN, { subject: 'bad', payload, ...more }];
        const asked = [
            spawn(child([]).subarray(0, 55)),
            spawn(child([]), { arg: 3 }),
            spawn(child([], 22, 6)), // no such overflow
            spawn(child([0, 0, 0, 0, 1 << 24], 54, 101)), // more jitter than there is
            spawn(child([0, 0, 0, 0, 1 << 26, 0, 0, 0, 0, 0, 0, 0xffff])), // no end of retries
            spawn(child([]), { reply: 'a  b' }),
            spawn(child([]), { reply: 'a b..c' }),
            spawn(child([0, 0xffffffff])),
            [OP_SUPERVISE, { payload: tree(0).subarray(0, 19) }],
            [OP_SUPERVISE, { payload: tree(4) }],
            [OP_SUPERVISE, { payload: tree(3) }], // dynamic, without a pattern
            [OP_ORDER, { subject: 'bad', arg: slot }],
            [OP_ORDER, { subject: 'bad', arg: slot, flags: 3 }],
            [OP_ORDER, { subject: 'bad', arg: 12345 }],
        ];
        const codes = [];
        for (const [kind, op] of asked) {
            codes.push(await client.ask(kind, op).then(() => 'ok', ({ code }) => code));
        }
        const want = [
            ...['E_INVALID', 'E_INVALID', 'E_CONFIG', 'E_CONFIG', 'E_CONFIG', 'E_SUBJECT', 'E_SUBJECT'],
            ...['E_CONFIG', 'E_INVALID', 'E_CONFIG', 'E_INVALID', 'E_NOT_FOUND', 'E_INVALID', 'E_NO_AGENT'],
        ];
        const left = await client.list(slot);
        return codes.join() === want.join() && left.length === 0 ? '' : `${codes} ${left.length}`;
    });
    await bench.test('mail for an agent nobody knows is rejected', async (client, errors) => {
        const settled = [];
        const submit = client.submit.bind(client);
        client.submit = (kind, op) => {
            kind === OP_SETTLE && settled.push(op.arg);
            submit(kind, op);
        };
        client.submit(OP_SPAWN, { id: 1, subject: 'stranger' });
        client.send('stranger', 'hello');
        await until(() => settled.length > 0, WAIT_MS);
        const seen = `${settled} ${errors}`;
        return seen === `${SETTLE_REJECT} E_NOT_FOUND` ? '' : seen;
    });
}

/** The program of the README that uses the embedding, as it stands there. */
async function checkExample(report, url) {
    const readme = await readFile(path.join(root, 'host-shims/js/README.md'), 'utf8');
    const glue = pathToFileURL(path.join(root, 'host-shims/js/src/node.js'));
    const programs = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, program]) => program);
    const program = programs
        .find((text) => text.includes('Embedding.start'))
        .replace("'natlet/embedding'", `'${glue}'`)
        .replace("'build/wasm/natlet.wasm'", `'${path.resolve(file)}'`);
    const script = path.join(tempFolder(), 'example.mjs');
    await writeFile(script, program);
    const { stdout, stderr, code } = await run(tool('NODE'), [script], { env: { NATS_URL: url } });
    const seen = [code, stdout, stderr];
    report.equal(seen, [0, 'hello world\ncounted 42\n', ''], 'embedding: the README is right');
}

export async function checkEmbedding(report) {
    const code = await readFile(file);
    const module = await WebAssembly.compile(code);
    const server = await startNats();
    for (const [name, url] of [
        ['nats', server.url],
        ['ws', server.wsUrl],
    ]) {
        const bench = new Bench(report, module, name, server, url);
        await messages(bench);
        await subscriptions(bench);
        await requests(bench);
        await connections(bench);
        if (!file.includes('core')) {
            await agents(bench);
        }
    }
    await checkExample(report, server.wsUrl);
    await server.stop();
}
