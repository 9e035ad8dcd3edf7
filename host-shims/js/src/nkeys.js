// NKeys: Ed25519 keys in base32 with a type and a checksum (nats-io/nkeys).
//
//     public key   base32( type, key[32], CRC-16 little endian )
//     seed         base32( S | type >> 5, (type & 31) << 3, seed[32], CRC-16 little endian )

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const SEED = 18 << 3; // 'S'
const PREFIXES = { U: 20 << 3, A: 0, N: 13 << 3, C: 2 << 3, O: 14 << 3 };
const SEED_BYTES = 36; // two of type, the seed, the checksum

// CRC-16/XMODEM.
function checksum(bytes) {
    let crc = 0;
    for (const byte of bytes) {
        crc ^= byte << 8;
        for (let bit = 0; bit < 8; bit++) {
            crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1;
        }
    }
    return crc;
}

/** Without padding; undefined if it is not base32 or has bits left over that are not 0. */
function readBase32(text) {
    const out = new Uint8Array((text.length * 5) >>> 3);
    let bits = 0;
    let value = 0;
    let at = 0;
    for (const letter of text) {
        const digit = ALPHABET.indexOf(letter);
        if (digit < 0) {
            return undefined;
        }
        value = ((value << 5) | digit) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            out[at++] = value >>> bits;
        }
    }
    return (value & ((1 << bits) - 1)) === 0 && bits < 5 ? out : undefined;
}

function writeBase32(bytes) {
    let text = '';
    let bits = 0;
    let value = 0;
    for (const byte of bytes) {
        value = ((value << 8) | byte) & 0x1fff;
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            text += ALPHABET[(value >>> bits) & 31];
        }
    }
    return bits > 0 ? text + ALPHABET[(value << (5 - bits)) & 31] : text;
}

function withChecksum(bytes) {
    const crc = checksum(bytes);
    return Uint8Array.of(...bytes, crc & 0xff, crc >>> 8);
}

/** The type and the 32 bytes of a seed's text; throws a text that says what is wrong. */
export function readSeed(text) {
    const bytes = text.length === 58 ? readBase32(text) : undefined;
    const end = SEED_BYTES - 2;
    if (bytes?.length !== SEED_BYTES || (bytes[0] & 0xf8) !== SEED) {
        throw new Error('not an nkey seed: 58 characters of base32 that begin with S');
    }
    if (checksum(bytes.subarray(0, end)) !== (bytes[end] | (bytes[end + 1] << 8))) {
        throw new Error('an nkey seed whose checksum is wrong: copy it again');
    }
    const type = ((bytes[0] & 7) << 5) | (bytes[1] >>> 3);
    if (!Object.values(PREFIXES).includes(type) || (bytes[1] & 7) !== 0) {
        throw new Error('an nkey seed of a type that cannot sign');
    }
    return { type, seed: bytes.subarray(2, end) };
}

/** The text of a public key. */
export function writePublic(type, key) {
    return writeBase32(withChecksum(Uint8Array.of(type, ...key)));
}

export function base64url(bytes) {
    const text = btoa(String.fromCharCode(...bytes));
    return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
