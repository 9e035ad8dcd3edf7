// nats.js: @nats-io/nats-core over npm's ws, @nats-io/transport-node over TCP.
import { fileURLToPath } from 'node:url';
import { tool } from '../../support/harness.mjs';

export default {
    name: 'nats.js',
    command: (role, { url, subject, size }) => [
        tool('NODE'),
        [fileURLToPath(new URL('../nats_js.mjs', import.meta.url)), role, url, subject, size],
        {},
    ],
};
