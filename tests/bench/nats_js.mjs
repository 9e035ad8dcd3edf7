// nats.js as a peer of the benchmark.
import { npm } from '../support/harness.mjs';
import { Counter, converse, readArguments } from './conversation.mjs';

const PUBLISH_STEP = 1000; // then the event loop gets its turn

const { role, url, subject, payload } = readArguments();
globalThis.WebSocket ??= npm('ws');
const connect = url.startsWith('ws')
    ? npm('@nats-io/nats-core').wsconnect
    : npm('@nats-io/transport-node').connect;
const connection = await connect({ servers: url, reconnect: false });
const counter = new Counter();

async function publish(count) {
    for (let i = 1; i <= count; i++) {
        connection.publish(subject, payload);
        if (i % PUBLISH_STEP === 0) {
            await new Promise(setImmediate);
        }
    }
    await connection.flush();
}

if (role === 'receive') {
    const callback = (_error, message) => counter.note(message.data, payload);
    connection.subscribe(subject, { callback });
    await connection.flush();
}
await converse(role === 'receive' ? (count) => counter.receive(count) : publish);
await connection.close();
