// natlet in Node: nats.js's names, over TCP and WebSocket, plain and with TLS.
import { readFile } from 'node:fs/promises';
import { signingAuthenticators } from '../authenticators.js';
import { ed25519 } from '../ed25519-node.js';
import { nodeHost } from '../host-node.js';
import { NatsConnectionImpl } from './connection.js';

export * from './common.js';
export const { nkeyAuthenticator, jwtAuthenticator, credsAuthenticator } =
    signingAuthenticators(ed25519);

const file = new URL('../../wasm/natlet-core.wasm', import.meta.url);
let compiled; // one for all connections

async function load(source) {
    return WebAssembly.compile(await readFile(source));
}

/** options: those of nats.js (README.md says where ours differ), and
 *  module   the module in place of the package's: WebAssembly.Module, bytes, or where to read
 *  offlineBytes, maxPendingBytes, log(level, text), config
 *
 *  Resolves when a server has accepted us; rejects with ConnectionError, AuthorizationError. */
export function connect(options = {}) {
    const { module = file } = options;
    const isPlace = module instanceof URL || typeof module === 'string';
    const source = module === file ? (compiled ??= load(file)) : isPlace ? load(module) : module;
    return NatsConnectionImpl.connect(options, { host: nodeHost(options), module: source });
}

/** The same: ws and wss need no other function here. */
export const wsconnect = connect;
