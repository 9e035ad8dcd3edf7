// The options of `open`: a run of { u16 tag; u16 len; u8 bytes[len] }.
import * as N from './constants.js';
import { Status } from './status.js';

const decoder = new TextDecoder();

/** What a tag becomes: a member's name and how its bytes are read (undefined: malformed). */
const READERS = {
    [N.OPT_SNI]: ['serverName', readText],
    [N.OPT_CA_PEM]: ['ca', readText],
    [N.OPT_CONNECT_MS]: ['connectMs', readNumber],
    [N.OPT_TX_HIGH]: ['txHigh', readNumber],
    [N.OPT_RX_LIMIT]: ['rxLimit', readNumber],
    [N.OPT_NODELAY]: ['noDelay', (bytes) => (bytes.length === 1 ? bytes[0] !== 0 : undefined)],
    [N.OPT_KEEPALIVE]: ['keepAlive', readNumber],
};

function readText(bytes) {
    return decoder.decode(bytes);
}

function readNumber(bytes) {
    return bytes.length === 4
        ? new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
        : undefined;
}

/** Reads `bytes` into an object, or answers a status below 0.  `known` holds the tags that
 *  the host serves; another one is ignored unless the guest called it critical. */
export function parseOptions(bytes, known) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const options = {};
    for (let at = 0; at < bytes.length; ) {
        if (bytes.length - at < 4) {
            return Status.E_INVALID;
        }
        const tag = view.getUint16(at, true);
        const end = at + 4 + view.getUint16(at + 2, true);
        if (end > bytes.length) {
            return Status.E_INVALID;
        }
        const kind = tag & ~N.OPT_CRITICAL;
        if (known.includes(kind)) {
            const [name, read] = READERS[kind];
            options[name] = read(bytes.subarray(at + 4, end));
            if (options[name] === undefined) {
                return Status.E_INVALID;
            }
        } else if (tag & N.OPT_CRITICAL) {
            return Status.E_UNSUPPORTED;
        }
        at = end;
    }
    return options;
}
