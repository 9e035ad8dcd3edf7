// natlet/agents in Node.
import { readFile } from 'node:fs/promises';
import { nodeHost } from '../host-node.js';
import { Cell } from './cell.js';

export { Cell } from './cell.js';
export { AgentMessage } from './message.js';
export { headers } from '../nats/headers.js';
export { NatletError, Status } from '../status.js';

const file = new URL('../../wasm/natlet.wasm', import.meta.url);
let compiled; // one for all cells

async function load(source) {
    return WebAssembly.compile(await readFile(source));
}

/** Starts a hub, which begins to connect; agents need not wait for that.  README.md has the
 *  options. */
export async function createCell(options = {}) {
    const { module = file, host = nodeHost(options) } = options;
    const isPlace = module instanceof URL || typeof module === 'string';
    const source = module === file ? (compiled ??= load(file)) : isPlace ? load(module) : module;
    return new Cell({ ...options, host, module: await source }, false).open();
}
