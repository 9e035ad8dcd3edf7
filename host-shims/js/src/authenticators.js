// Authenticators: functions that are asked at every connect who we are.
//
//     authenticator(nonce, { url }) -> fields of CONNECT, or a promise of them
//
// `nonce` is the text that the server wants signed, '' if it asked for none.  What takes a
// value also takes a function that returns one, which is asked anew each time.
import { base64url, readSeed, writePublic } from './nkeys.js';

const JWT_BLOCK = /-{3,}BEGIN NATS USER JWT-{3,}\s+([\w\-.=]+)\s+-{3,}END NATS USER JWT-{3,}/;
const SEED_BLOCK = /-{3,}BEGIN USER NKEY SEED-{3,}\s+(\w+)\s+-{3,}END USER NKEY SEED-{3,}/;

const encoder = new TextEncoder();

async function valueOf(value) {
    const given = typeof value === 'function' ? await value() : value;
    return given instanceof Uint8Array ? new TextDecoder().decode(given) : given;
}

export function tokenAuthenticator(token) {
    return async () => ({ auth_token: await valueOf(token) });
}

export function usernamePasswordAuthenticator(user, pass) {
    return async () => ({ user: await valueOf(user), pass: await valueOf(pass) });
}

/** Asks all of them; what a later one says wins. */
export function mergeAuthenticators(list) {
    return async (nonce, server) => {
        const answers = await Promise.all(list.map((ask) => ask(nonce, server)));
        return Object.assign({}, ...answers);
    };
}

/** The authenticators that sign.  ed25519(seed) resolves to { key, sign(bytes) }. */
export function signingAuthenticators(ed25519) {
    async function prove(text, nonce) {
        const { type, seed } = readSeed(text);
        const { key, sign } = await ed25519(seed);
        seed.fill(0);
        const proof = { nkey: writePublic(type, key) };
        if (nonce !== '') {
            proof.sig = base64url(await sign(encoder.encode(nonce)));
        }
        return proof;
    }

    function nkeyAuthenticator(seed) {
        return async (nonce) => prove(await valueOf(seed), nonce);
    }

    /** Without a seed the JWT has to be one of a bearer. */
    function jwtAuthenticator(jwt, seed) {
        return async (nonce) => {
            const proof = seed === undefined ? {} : await prove(await valueOf(seed), nonce);
            return { ...proof, nkey: undefined, jwt: await valueOf(jwt) };
        };
    }

    /** `creds` is the text of a creds file. */
    function credsAuthenticator(creds) {
        return async (nonce) => {
            const text = (await valueOf(creds)) ?? '';
            const jwt = JWT_BLOCK.exec(text)?.[1];
            const seed = SEED_BLOCK.exec(text)?.[1];
            if (jwt === undefined || seed === undefined) {
                const what = jwt === undefined ? 'NATS USER JWT' : 'USER NKEY SEED';
                throw new Error(`creds without a block ${what}: use the file that nsc wrote`);
            }
            return jwtAuthenticator(jwt, seed)(nonce);
        };
    }

    return { nkeyAuthenticator, jwtAuthenticator, credsAuthenticator };
}
