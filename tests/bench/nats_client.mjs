// A peer of the benchmark with the interface of nats.js, whoever made it.
import { Counter, converse, readArguments } from './conversation.mjs';

const PUBLISH_STEP = 1000; // then the event loop gets its turn

/** connect() is that of the package. */
export async function publishOrReceive(connect) {
    const { role, url, subject, payload } = readArguments();
    const connection = await connect({ servers: url, reconnect: false });
    const counter = new Counter();
    const publish = async (count) => {
        for (let i = 1; i <= count; i++) {
            connection.publish(subject, payload);
            if (i % PUBLISH_STEP === 0) {
                await new Promise(setImmediate);
            }
        }
        await connection.flush();
    };
    if (role === 'receive') {
        const callback = (_error, message) => counter.note(message.data, payload);
        connection.subscribe(subject, { callback });
        await connection.flush();
    }
    await converse(role === 'receive' ? (count) => counter.receive(count) : publish);
    await connection.close();
}
