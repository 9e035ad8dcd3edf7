// natlet's own JavaScript layer over the module as a peer of the benchmark.
import { readFileSync } from 'node:fs';
import { CLIENT_CONNECTED, Embedding, nodeHost } from '../../host-shims/js/src/node.js';
import { Counter, converse, readArguments } from './conversation.mjs';
import { hosted } from './places.mjs';

const PUBLISH_STEP = 1000; // then the event loop gets its turn

const { role, url, subject, payload } = readArguments();
const counter = new Counter();
let connected;
const isConnected = new Promise((done) => (connected = done));
const client = await Embedding.start(readFileSync(hosted('wasm/natlet-core.wasm')), {
    host: nodeHost(),
    config: { servers: url, no_reconnect: true },
    onState: (state) => state === CLIENT_CONNECTED && connected(),
});

async function publish(count) {
    for (let i = 1; i <= count; i++) {
        client.publish(subject, payload);
        if (i % PUBLISH_STEP === 0) {
            await new Promise(setImmediate);
        }
    }
    await client.flush(60000);
}

await isConnected;
if (role === 'receive') {
    client.subscribe(subject, ({ data }) => counter.note(data, payload));
    await client.flush();
}
await converse(role === 'receive' ? (count) => counter.receive(count) : publish);
await client.close();
