// Ed25519 (RFC 8032) of node:crypto.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';

// PrivateKeyInfo for Ed25519 (RFC 8410, section 7) up to the seed.
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

export async function ed25519(seed) {
    const der = Buffer.concat([PKCS8_HEAD, seed]);
    const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    der.fill(0);
    const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' });
    return { key: spki.subarray(-32), sign: async (bytes) => sign(null, bytes, secret) };
}
