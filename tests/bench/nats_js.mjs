// natlet_bench.c's conversation, held by nats.js.
import { createInterface } from 'node:readline';
import { npm } from '../support/harness.mjs';

const PUBLISH_STEP = 1000; // then the event loop gets its turn

const [role, url, subject, size] = process.argv.slice(2);
globalThis.WebSocket ??= npm('ws');
const connect = url.startsWith('ws')
    ? npm('@nats-io/nats-core').wsconnect
    : npm('@nats-io/transport-node').connect;
const connection = await connect({ servers: url, reconnect: false });
const payload = new Uint8Array(Number(size)).fill(0x78);
let left = 0;
let arrived = () => {};

async function publish(count) {
    for (let i = 1; i <= count; i++) {
        connection.publish(subject, payload);
        if (i % PUBLISH_STEP === 0) {
            await new Promise(setImmediate);
        }
    }
    await connection.flush();
}

function receive(count) {
    left = count;
    return new Promise((done) => (arrived = done));
}

if (role === 'receive') {
    connection.subscribe(subject, {
        callback: (error, message) => {
            if (error || message.data.length !== payload.length) {
                throw error ?? new Error('payload');
            }
            if (--left === 0) {
                arrived();
            }
        },
    });
    await connection.flush();
}
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
    await (role === 'receive' ? receive : publish)(Number(line));
    console.log('done');
}
await connection.close();
