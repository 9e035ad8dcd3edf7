// What goes through a server whole: messages in both directions, requests, and
// what the server says about itself.
import net from 'node:net';
import { within } from '../support/harness.mjs';
import { documents } from './cli.mjs';
import { connectPeer, fieldsOf, headersOf, take } from './peer.mjs';

const assertEqual = (got, want, what) => {
    const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
    if (a !== b) {
        throw new Error(`${what}: got ${a.slice(0, 500)}, want ${b.slice(0, 500)}`);
    }
};

const assertExit = (how, code = 0) => {
    if (how.code !== code) {
        throw new Error(`exit status ${how.code}, want ${code}: ${how.stderr ?? ''}`);
    }
};

/** Payloads that are easy to get wrong, with how they appear in a JSON line. */
const PAYLOADS = [
    ['', { data: '' }],
    ['\u0000"\\\r\n\t\u001f\u007f', { data: '\u0000"\\\r\n\t\u001f\u007f' }],
    ['grüße \u{1f980}', { data: 'grüße \u{1f980}' }],
    [Uint8Array.of(0, 255, 128, 10), { data_base64: 'AP+ACg==' }],
    [Uint8Array.of(0xed, 0xa0, 0x80), { data_base64: '7aCA' }], // a surrogate, not UTF-8
    ['x'.repeat(1000000), { data: 'x'.repeat(1000000) }],
    [Buffer.alloc(1048576, 0xfe), { data_base64: Buffer.alloc(1048576, 0xfe).toString('base64') }],
];

/** A message that no client of good manners would send. */
async function publishRaw(port, subject, headers, payload) {
    const block = Buffer.from(`NATS/1.0\r\n${headers}\r\n\r\n`, 'latin1');
    const head = Buffer.from(
        `HPUB ${subject} ${block.length} ${block.length + payload.length}\r\n`,
        'latin1',
    );
    const socket = net.connect(port, '127.0.0.1');
    socket.write('CONNECT {"headers":true,"verbose":false}\r\n');
    socket.write(Buffer.concat([head, block, payload, Buffer.from('\r\nPING\r\n')]));
    for await (const bytes of socket) {
        if (bytes.includes('PONG')) {
            break;
        }
    }
}

let prefixes = 0;

export async function messageCases(report, name, cli, server, peerUrl) {
    const peer = await connectPeer(peerUrl);
    const top = `e2e.${++prefixes}`;
    const test = (what, body) => report.test(`${what} (${name})`, body);

    await test('sub --json shows what nats.js publishes', async () => {
        const sub = await cli.listen(['sub', `${top}.>`, '--json', '--count', '2']);
        const headers = { 'X-One': ['1', 'two words'], lower: ['ü'] };
        peer.publish(`${top}.a`, 'hello', { headers: headersOf(headers), reply: `${top}.reply` });
        peer.publish(`${top}.b.c`, '{"n":1}');
        assertExit(await within(5000, sub.exit, 'sub'));
        const lines = [
            { subject: `${top}.a`, reply: `${top}.reply`, headers, data: 'hello' },
            { subject: `${top}.b.c`, data: '{"n":1}' },
        ];
        assertEqual(sub.stdout(), lines.map((l) => `${JSON.stringify(l)}\n`).join(''), 'lines');
    });

    await test('sub --json shows every payload exactly', async () => {
        const sub = await cli.listen(['sub', `${top}.p`, '--json', `--count=${PAYLOADS.length}`]);
        PAYLOADS.forEach(([payload]) => peer.publish(`${top}.p`, payload));
        assertExit(await within(15000, sub.exit, 'sub'));
        const want = PAYLOADS.map(([, data]) => ({ subject: `${top}.p`, ...data }));
        assertEqual(documents(sub.stdout()), want, 'documents');
    });

    await test('subjects of UTF-8 pass both ways', async () => {
        const subject = `${top}.städte.\u{1f980}`;
        const sub = await cli.listen(['sub', subject, '--json', '--count', '1']);
        assertExit(await cli.run(['pub', subject, 'dort']));
        assertExit(await within(5000, sub.exit, 'sub'));
        assertEqual(documents(sub.stdout()), [{ subject, data: 'dort' }], 'documents');
    });

    await test('a line is JSON whatever bytes came', async () => {
        const sub = await cli.listen(['sub', `${top}.raw.*`, '--json', '--count', '1']);
        const headers = 'bad: \xff"\r\n"quoted": a\r\nbad: \\\tb';
        await publishRaw(server.port, `${top}.raw.\xfe\x80`, headers, Buffer.from([0xc3, 0x28]));
        assertExit(await within(5000, sub.exit, 'sub'));
        const want = {
            subject: `${top}.raw.??`,
            headers: { bad: ['?"', '\\\tb'], '"quoted"': ['a'] },
            data_base64: 'wyg=',
        };
        assertEqual(documents(sub.stdout()), [want], 'documents');
    });

    await test('pub reaches nats.js with headers, reply and every byte', async () => {
        const arrived = take(peer.subscribe(`${top}.out`), 3);
        await peer.flush();
        const bytes = Buffer.from(Array.from({ length: 70000 }, (_, i) => (i * 7) & 0xff));
        const args = ['pub', `${top}.out`];
        assertExit(
            await cli.run([
                ...args,
                'text',
                '-H',
                'A: 1',
                '--header=A:2',
                '-H',
                'b:',
                '--reply',
                `${top}.r`,
            ]),
        );
        assertExit(await cli.run([...args, '-'], { input: bytes }));
        assertExit(await cli.run(args, { input: '' }));
        const [text, binary, empty] = await within(5000, arrived, 'three messages');
        assertEqual(text.string(), 'text', 'payload');
        assertEqual(fieldsOf(text), { A: ['1', '2'], b: [''] }, 'headers');
        assertEqual(text.reply, `${top}.r`, 'reply');
        assertEqual(Buffer.compare(Buffer.from(binary.data), bytes), 0, 'binary payload');
        assertEqual([empty.data.length, empty.headers ?? null], [0, null], 'empty payload');
    });

    await test('pub --count publishes so many', async () => {
        const arrived = take(peer.subscribe(`${top}.many`), 20000);
        await peer.flush();
        assertExit(await cli.run(['pub', `${top}.many`, 'x'.repeat(100), '--count', '20000']));
        const messages = await within(10000, arrived, '20000 messages');
        assertEqual(
            messages.every((m) => m.data.length === 100),
            true,
            'each whole',
        );
    });

    await test('request is answered by nats.js', async () => {
        const responder = peer.subscribe(`${top}.ask`, {
            callback: (_, m) =>
                m.respond(`${m.string()}, ${m.headers.get('Who')}`, {
                    headers: headersOf({ K: ['v'] }),
                }),
        });
        await peer.flush();
        const args = ['request', `${top}.ask`, 'hello', '-H', 'Who:you'];
        const plain = await cli.run(args);
        assertExit(plain);
        assertEqual(plain.stdout, 'hello, you\n', 'answer');
        const json = await cli.run([...args, '--json', '--count', '2']);
        assertExit(json);
        const lines = documents(json.stdout);
        assertEqual(
            lines.map((l) => [l.data, l.headers]),
            Array(2).fill(['hello, you', { K: ['v'] }]),
            'lines',
        );
        responder.unsubscribe();
    });

    await test('request collects several answers', async () => {
        const answers = ['one', 'two', 'three'];
        const sub = peer.subscribe(`${top}.many`, {
            callback: (_, msg) => answers.forEach((text) => msg.respond(text)),
        });
        await peer.flush();
        const two = await cli.run(['request', `${top}.many`, 'x', '--replies', '2']);
        assertEqual([two.code, two.stdout], [0, 'one\ntwo\n'], two.stderr);
        const args = ['request', `${top}.many`, 'x', '--replies', '9', '--reply-timeout', '300ms'];
        const all = await cli.run(args);
        assertEqual([all.code, all.stdout], [0, 'one\ntwo\nthree\n'], all.stderr);
        sub.unsubscribe();
    });

    await test('request ends with 1 when nobody is there or answers', async () => {
        const nobody = await cli.run(['request', `${top}.nobody`, 'x']);
        assertExit(nobody, 1);
        assertEqual(nobody.stderr.split('\n').length, 2, `one line: ${nobody.stderr}`);
        assertEqual(/nobody is subscribed/.test(nobody.stderr), true, nobody.stderr);
        const silent = peer.subscribe(`${top}.silent`);
        await peer.flush();
        const late = await cli.run(['request', `${top}.silent`, 'x', '--timeout', '200ms']);
        assertExit(late, 1);
        assertEqual(/deadline passed/.test(late.stderr), true, late.stderr);
        silent.unsubscribe();
    });

    await test('reply answers nats.js', async () => {
        const args = ['reply', `${top}.time`, 'noon', '-H', 'K:v', '--count', '2', '--json'];
        const reply = await cli.listen(args);
        const first = await peer.request(`${top}.time`, 'a', { timeout: 3000 });
        const second = await peer.request(`${top}.time`, 'b', { timeout: 3000 });
        assertEqual([first.string(), second.string()], ['noon', 'noon'], 'answers');
        assertEqual(fieldsOf(first), { K: ['v'] }, 'headers');
        assertExit(await within(5000, reply.exit, 'reply'));
        assertEqual(
            documents(reply.stdout()).map((l) => l.data),
            ['a', 'b'],
            'requests shown',
        );
    });

    await test('reply --echo in a queue group answers each request once', async () => {
        const args = ['reply', `${top}.echo`, '--echo', '--queue', 'group', '--json'];
        const replies = await Promise.all([cli.listen(args), cli.listen(args)]);
        const bytes = Buffer.from([0, 255, 13, 10]);
        for (let i = 0; i < 20; i++) {
            const answer = await peer.request(`${top}.echo`, bytes, { timeout: 3000 });
            assertEqual(Buffer.compare(Buffer.from(answer.data), bytes), 0, 'echo');
        }
        const ends = await Promise.all(replies.map((r) => r.stop('SIGTERM', 5000)));
        assertEqual(
            ends.map((end) => end.code),
            [0, 0],
            'exit status',
        );
        const shown = replies.map((r) => documents(r.stdout()).length);
        assertEqual(shown[0] + shown[1], 20, `requests, ${shown}`);
    });

    await test('sub drains and ends with 0 on SIGTERM', async () => {
        const sub = await cli.listen(['sub', `${top}.last`, '--json']);
        for (let i = 0; i < 1000; i++) {
            peer.publish(`${top}.last`, String(i));
        }
        await peer.flush();
        assertExit(await sub.stop('SIGTERM', 5000));
        const data = documents(sub.stdout()).map((l) => l.data);
        assertEqual(
            data,
            Array.from({ length: 1000 }, (_, i) => String(i)),
            'messages',
        );
    });

    await test('rtt and server info', async () => {
        const rtt = await cli.run(['rtt', '--json', '--count', '3']);
        assertExit(rtt);
        const [trips] = documents(rtt.stdout);
        assertEqual([trips.count, trips.server.startsWith(cli.url)], [3, true], rtt.stdout);
        const isSane =
            trips.min_us > 0 && trips.min_us <= trips.avg_us && trips.avg_us <= trips.max_us;
        assertEqual(isSane && trips.max_us < 2e6, true, rtt.stdout);
        const people = await cli.run(['rtt']);
        assertEqual(
            /5 round trips, min \d+\.\d{3} ms, avg /.test(people.stdout),
            true,
            people.stdout,
        );
        for (const verb of [['server', 'info'], ['info']]) {
            const info = await cli.run([...verb, '--json']);
            assertExit(info);
            assertEqual(JSON.parse(info.stdout).server_id, peer.info.server_id, 'server_id');
        }
        const plain = await cli.run(['info']);
        assertEqual(plain.stdout.includes(`\nversion: ${peer.info.version}\n`), true, plain.stdout);
    });

    await peer.close();
}
