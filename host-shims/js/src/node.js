import { signingAuthenticators } from './authenticators.js';
import { ed25519 } from './ed25519-node.js';

export * from './common.js';
export { nodeHost } from './host-node.js';
export const { nkeyAuthenticator, jwtAuthenticator, credsAuthenticator } =
    signingAuthenticators(ed25519);
