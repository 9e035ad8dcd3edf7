// natlet in a browser: nats.js's names, over the browser's WebSocket.
import { signingAuthenticators } from '../authenticators.js';
import { ed25519 } from '../ed25519-web.js';
import { browserHost } from '../host-browser.js';
import { NatsConnectionImpl } from './connection.js';
import { load } from './load-web.js';

export * from './common.js';
export const { nkeyAuthenticator, jwtAuthenticator, credsAuthenticator } =
    signingAuthenticators(ed25519);

let compiled; // one for all connections

function loadDefault() {
    return load(new URL('../../wasm/natlet-core.wasm', import.meta.url));
}

/** options: those of nats.js (README.md says where ours differ), and
 *  module   the module in place of the package's: WebAssembly.Module, bytes, or its URL
 *  offlineBytes, maxPendingBytes, log(level, text), config
 *
 *  Resolves when a server has accepted us; rejects with ConnectionError, AuthorizationError. */
export function connect(options = {}) {
    const { module } = options;
    const isPlace = module instanceof URL || typeof module === 'string';
    const source = module === undefined ? (compiled ??= loadDefault()) : isPlace ? load(module) : module;
    return NatsConnectionImpl.connect(options, { host: browserHost(), module: source, isWeb: true });
}

export const wsconnect = connect;
