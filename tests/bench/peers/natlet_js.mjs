// natlet as a JavaScript library: the reactor module in Node's own event loop.
import { fileURLToPath } from 'node:url';
import { tool } from '../../support/harness.mjs';

export default {
    name: 'natlet js',
    command: (role, { url, subject, size }) => [
        tool('NODE'),
        [fileURLToPath(new URL('../natlet_js.mjs', import.meta.url)), role, url, subject, size],
        {},
    ],
};
