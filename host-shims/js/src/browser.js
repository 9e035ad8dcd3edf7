import { signingAuthenticators } from './authenticators.js';
import { ed25519 } from './ed25519-web.js';

export * from './common.js';
export { browserHost } from './host-browser.js';
export const { nkeyAuthenticator, jwtAuthenticator, credsAuthenticator } =
    signingAuthenticators(ed25519);
