// nats.js as a peer of the benchmark.
import { npm } from '../support/harness.mjs';
import { publishOrReceive } from './nats_client.mjs';

globalThis.WebSocket ??= npm('ws');
await publishOrReceive((options) =>
    options.servers.startsWith('ws')
        ? npm('@nats-io/nats-core').wsconnect(options)
        : npm('@nats-io/transport-node').connect(options),
);
