// Ed25519 (RFC 8032) of the Web Crypto API, which pages have in a secure context only.

// PrivateKeyInfo for Ed25519 (RFC 8410, section 7) up to the seed.
const PKCS8_HEAD = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

export async function ed25519(seed) {
    const { subtle } = globalThis.crypto;
    if (!subtle) {
        throw new Error('this page cannot sign: serve it over https or from localhost');
    }
    const der = Uint8Array.of(...PKCS8_HEAD, ...seed);
    const secret = await subtle.importKey('pkcs8', der, 'Ed25519', true, ['sign']);
    der.fill(0);
    // The private key's JWK (RFC 8037) names the public key as x.
    const { x } = await subtle.exportKey('jwk', secret);
    const text = atob(x.replaceAll('-', '+').replaceAll('_', '/'));
    return {
        key: Uint8Array.from(text, (c) => c.charCodeAt(0)),
        sign: async (bytes) => new Uint8Array(await subtle.sign('Ed25519', secret, bytes)),
    };
}
