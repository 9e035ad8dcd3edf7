// nats.js, over either transport.
import { npm } from '../support/harness.mjs';

export const core = npm('@nats-io/nats-core');
const { connect } = npm('@nats-io/transport-node');
const WebSocket = npm('ws');

/** The client finds a WebSocket of the platform's by this name; Node 20 has none. */
globalThis.WebSocket ??= WebSocket;

export function connectPeer(url, options = {}) {
    const all = { servers: url, reconnectTimeWait: 100, maxReconnectAttempts: -1, ...options };
    return url.startsWith('ws') ? core.wsconnect(all) : connect(all);
}

/** Headers from { key: [values] }. */
export function headersOf(fields) {
    const block = core.headers();
    for (const [key, values] of Object.entries(fields)) {
        values.forEach((value) => block.append(key, value));
    }
    return block;
}

/** { key: [values] } of a received message. */
export function fieldsOf(message) {
    const keys = message.headers?.keys() ?? [];
    return Object.fromEntries(keys.map((key) => [key, message.headers.values(key)]));
}

/** The next `count` messages of a subscription. */
export async function take(subscription, count) {
    const messages = [];
    for await (const message of subscription) {
        if (messages.push(message) === count) {
            break;
        }
    }
    return messages;
}
