// What bench says beside what nats.js saw on the other side.
import assert from 'node:assert/strict';
import { within } from '../support/harness.mjs';
import { documents } from './cli.mjs';
import { connectPeer } from './peer.mjs';

let prefixes = 0;

function resultOf(how) {
    assert.equal(how.code, 0, how.stderr);
    const [result, ...more] = documents(how.stdout);
    assert.equal(more.length, 0, how.stdout);
    return result;
}

/** Rates are what counts and time say. */
function checkRates(result, messages, bytes) {
    assert.equal(result.messages, messages);
    assert.equal(result.bytes, bytes);
    assert.ok(result.elapsed_us > 0, 'elapsed_us');
    for (const [rate, amount] of [
        [result.messages_per_s, messages],
        [result.bytes_per_s, bytes],
    ]) {
        const want = (amount / result.elapsed_us) * 1e6;
        assert.ok(Math.abs(rate - want) <= 1 + want * 0.001, `rate ${rate}, want ${want}`);
    }
}

/** Answers only when `width` requests wait: fewer at a time would never be answered. */
function answerInRounds(peer, subject, width) {
    const seen = { count: 0, bytes: 0, most: 0 };
    let waiting = [];
    peer.subscribe(subject, {
        callback: (_, message) => {
            waiting.push(message);
            seen.count += 1;
            seen.bytes += message.data.length;
            seen.most = Math.max(seen.most, waiting.length);
            if (waiting.length === width) {
                waiting.forEach((m) => m.respond('ok'));
                waiting = [];
            }
        },
    });
    return seen;
}

export async function benchCases(report, name, cli, peerUrl) {
    const peer = await connectPeer(peerUrl);
    const top = `bench.${++prefixes}`;
    const running = [];
    const test = (what, body) => running.push(report.test(`${what} (${name})`, body));
    const common = ['--json', '--no-progress'];

    test('bench pub counts what nats.js received', async () => {
        const seen = { count: 0, bytes: 0 };
        peer.subscribe(`${top}.pub`, {
            callback: (_, message) => {
                seen.count += 1;
                seen.bytes += message.data.length;
            },
        });
        await peer.flush();
        const shape = ['--msgs', '5000', '--clients', '3', '--size', '1k'];
        const how = await cli.run(['bench', 'pub', `${top}.pub`, ...shape, ...common]);
        const result = resultOf(how);
        await peer.flush();
        assert.deepEqual(seen, { count: 5000, bytes: 5000 * 1024 });
        assert.deepEqual([result.bench, result.clients, how.stderr], ['pub', 3, '']);
        checkRates(result, 5000, 5000 * 1024);
    });

    test('bench sub counts what nats.js published', async () => {
        const args = ['bench', 'sub', `${top}.sub`, '--msgs', '3000', '--clients', '2', '--json'];
        const sub = await cli.listen(args);
        for (let i = 0; i < 3000; i++) {
            peer.publish(`${top}.sub`, 'x'.repeat(Math.floor(i / 30)));
        }
        const { code } = await within(5000, sub.exit, 'bench sub');
        const result = resultOf({ code, stdout: sub.stdout(), stderr: sub.stderr() });
        checkRates(result, 3000, 3000 * 49.5);
    });

    test('bench request keeps as many under way as asked for', async () => {
        const width = 2 * 7;
        const count = 21 * width;
        const seen = answerInRounds(peer, `${top}.ask`, width);
        await peer.flush();
        const shape = [`--msgs=${count}`, '--clients=2', '--concurrency=7', '--timeout=5s'];
        const how = await cli.run(['bench', 'request', `${top}.ask`, ...shape, ...common]);
        const result = resultOf(how);
        assert.deepEqual(seen, { count, bytes: count * 128, most: width });
        checkRates(result, count, count * 128);
        const trips = ['p50_us', 'p90_us', 'p99_us', 'p999_us', 'max_us'].map((k) => result[k]);
        assert.deepEqual(trips, trips.toSorted((a, b) => a - b));
        assert.ok(trips[0] > 1 && trips[4] <= result.elapsed_us, how.stdout);
        // Half of them took p50 or more, and no more than `width` of them at a time.
        assert.ok((count / 2) * trips[0] <= width * result.elapsed_us * 1.03, how.stdout);
    });

    test('bench request knows slow answers from fast ones', async () => {
        let count = 0;
        peer.subscribe(`${top}.slow`, {
            callback: (_, m) => setTimeout(() => m.respond(m.data), ++count % 5 === 0 ? 250 : 0),
        });
        await peer.flush();
        const shape = ['--msgs', '100', '--concurrency', '100', '--size', '0'];
        const how = await cli.run(['bench', 'request', `${top}.slow`, ...shape, ...common]);
        const result = resultOf(how);
        assert.equal(result.bytes, 0);
        for (const slow of [result.p90_us, result.p99_us, result.max_us, result.elapsed_us]) {
            assert.ok(slow > 240000 && slow < 5e6, how.stdout);
        }
    });

    test('sub --raw shows payloads alone', async () => {
        const sub = await cli.listen(['sub', `${top}.raw`, '--raw', '--count', '3']);
        ['one', '', 'two\nthree'].forEach((text) => peer.publish(`${top}.raw`, text));
        assert.deepEqual(await within(5000, sub.exit, 'sub'), { code: 0, signal: null });
        assert.equal(sub.stdout(), 'one\n\ntwo\nthree\n');
    });

    // None needs the other ones' results, and starting a command is most of the work.
    await Promise.all(running);
    await peer.close();
}
