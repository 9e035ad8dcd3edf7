// Who we are, as the guest wants to hear it: the answer to CTL_SIGN.
import * as N from './constants.js';

/** Members of an identity and the fields of CONNECT that they become. */
const TAGS = {
    user: N.SIGNED_USER,
    pass: N.SIGNED_PASSWORD,
    auth_token: N.SIGNED_TOKEN,
    nkey: N.SIGNED_NKEY,
    jwt: N.SIGNED_JWT,
    sig: N.SIGNED_SIGNATURE,
    expires: N.SIGNED_EXPIRES,
};

/** "exp" of a JWT in seconds since 1970, as text; undefined if it cannot be read. */
function expiryOf(jwt = '') {
    try {
        const claims = jwt.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
        const { exp } = JSON.parse(atob(claims));
        return Number.isSafeInteger(exp) && exp > 0 ? String(exp) : undefined;
    } catch {
        return undefined;
    }
}

/** { user, pass, auth_token, nkey, jwt, sig } as a run of { u16 tag; u16 len; u8 bytes[len] }.
 *  Other members, and those that are undefined or empty, are left out. */
export function encodeSigned(identity) {
    const known = { ...identity, expires: expiryOf(identity.jwt) };
    const fields = Object.entries(TAGS)
        .filter(([name]) => (known[name] ?? '') !== '')
        .map(([name, tag]) => [tag, new TextEncoder().encode(known[name])]);
    const out = new Uint8Array(fields.reduce((sum, [, bytes]) => sum + 4 + bytes.length, 0));
    const view = new DataView(out.buffer);
    let at = 0;
    for (const [tag, bytes] of fields) {
        if (bytes.length > 0xffff) {
            throw new RangeError('a credential is longer than 65535 bytes');
        }
        view.setUint16(at, tag, true);
        view.setUint16(at + 2, bytes.length, true);
        out.set(bytes, at + 4);
        bytes.fill(0);
        at += 4 + bytes.length;
    }
    return out;
}
