// natlet/agents in a browser.
import { browserHost } from '../host-browser.js';
import { load } from '../nats/load-web.js';
import { Cell } from './cell.js';

export { Cell } from './cell.js';
export { AgentMessage } from './message.js';
export { headers } from '../nats/headers.js';
export { NatletError, Status } from '../status.js';

let compiled; // one for all cells

function loadDefault() {
    return load(new URL('../../wasm/natlet.wasm', import.meta.url));
}

/** Starts a hub, which begins to connect; agents need not wait for that.  README.md has the
 *  options. */
export async function createCell(options = {}) {
    const { module, host = browserHost() } = options;
    const isPlace = module instanceof URL || typeof module === 'string';
    const source = module === undefined ? (compiled ??= loadDefault()) : isPlace ? load(module) : module;
    return new Cell({ ...options, host, module: await source }, true).open();
}
