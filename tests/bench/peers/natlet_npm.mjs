// natlet's npm package through its connect(), which is what nats.js is compared with.
import { fileURLToPath } from 'node:url';
import { tool } from '../../support/harness.mjs';

export default {
    name: 'natlet npm',
    command: (role, { url, subject, size }) => [
        tool('NODE'),
        [fileURLToPath(new URL('../natlet_npm.mjs', import.meta.url)), role, url, subject, size],
        {},
    ],
};
