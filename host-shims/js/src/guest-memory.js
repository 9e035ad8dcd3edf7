// Gives a module a smaller maximum of memory: its section 5 is written anew.
import { NatletError, Status } from './status.js';

const MAGIC_BYTES = 8; // and the version
const SECTION_MEMORY = 5;
const HAS_MAXIMUM = 1;

/** Reads an unsigned LEB128 number at `at`: [value, index behind it]. */
function readNumber(bytes, at) {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
        const byte = bytes[at++];
        value += (byte & 0x7f) * 2 ** shift;
        if (!(byte & 0x80)) {
            return [value, at];
        }
    }
    throw new NatletError(Status.E_INVALID, 'not a WebAssembly module');
}

function writeNumber(value) {
    const bytes = [];
    do {
        bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value = Math.floor(value / 128);
    } while (value > 0);
    return bytes;
}

/** The section for one memory, of at most `pages`; the module's own maximum may be less. */
function limited(body, pages) {
    const [count, flagsAt] = readNumber(body, 0);
    const [flags, minAt] = readNumber(body, flagsAt);
    const [min, maxAt] = readNumber(body, minAt);
    if (count !== 1 || flags > HAS_MAXIMUM) {
        throw new NatletError(Status.E_UNSUPPORTED, 'a guest has one memory of its own, not shared');
    }
    if (min > pages) {
        throw new NatletError(Status.E_NO_MEMORY, `the guest starts with ${min} pages`);
    }
    const max = flags & HAS_MAXIMUM ? readNumber(body, maxAt)[0] : pages;
    const limits = [1, HAS_MAXIMUM, ...writeNumber(min), ...writeNumber(Math.min(max, pages))];
    return [SECTION_MEMORY, ...writeNumber(limits.length), ...limits];
}

/** The module `bytes` with a memory of at most `pages`.  Throws a NatletError: E_NO_MEMORY when
 *  it starts with more, E_UNSUPPORTED when its memory is not one of its own, E_INVALID. */
export function limitMemory(bytes, pages) {
    for (let at = MAGIC_BYTES; at < bytes.length; ) {
        const id = bytes[at];
        const [size, body] = readNumber(bytes, at + 1);
        const end = body + size;
        if (id === SECTION_MEMORY) {
            const section = limited(bytes.subarray(body, end), pages);
            const whole = new Uint8Array(at + section.length + bytes.length - end);
            whole.set(bytes.subarray(0, at));
            whole.set(section, at);
            whole.set(bytes.subarray(end), at + section.length);
            return whole;
        }
        at = end;
    }
    throw new NatletError(Status.E_UNSUPPORTED, 'a guest has one memory of its own, not shared');
}
