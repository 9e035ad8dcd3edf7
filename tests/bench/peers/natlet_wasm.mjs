// natlet as a WASI command in Node: the module in a worker, its sockets on the main thread.
import path from 'node:path';
import { root, tool } from '../../support/harness.mjs';
import { hosted } from '../places.mjs';

export default {
    name: 'natlet wasm',
    command: (role, { url, subject, size }) => [
        tool('NODE'),
        [path.join(root, 'host-shims/js/bin/natlet.mjs'), role, url, subject, size],
        { NATLET_CLI_WASM: hosted('wasm/tests/bench/natlet_bench.wasm') },
    ],
};
