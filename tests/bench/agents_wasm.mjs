// The cases of agents.c as a reactor module in Node:
//
//   node agents_wasm.mjs FILE.wasm ROUNDS CASE=COUNT...
//
// What it prints is what the native program prints.
import { readFileSync } from 'node:fs';
import { instantiate, nodeHost } from '../../host-shims/js/src/node.js';

const TURN_US = 1000;

const [file, rounds, ...words] = process.argv.slice(2);
const { exports, memory } = await instantiate(readFileSync(file), { host: nodeHost() });

function begin(name, count) {
    const text = new TextEncoder().encode(`${name}\0`);
    const at = exports.natlet_mem(text.length);
    new Uint8Array(memory.buffer).set(text, at);
    if (!exports.agents_begin(at, count)) {
        throw new Error(`${name} cannot begin`);
    }
}

/** Processor time, of V8's own threads as well. */
function nowNs() {
    const { user, system } = process.cpuUsage();
    return (user + system) * 1000;
}

/** Turns until nothing is left to do; a trap is a turn that left work. */
function work() {
    let wait;
    do {
        try {
            wait = exports.natlet_run(TURN_US);
        } catch (trap) {
            if (!(trap instanceof WebAssembly.RuntimeError) || exports.natlet_recover() < 0) {
                throw trap;
            }
            wait = 0;
        }
    } while (wait === 0);
}

for (let round = 0; round <= Number(rounds); round++) {
    for (const word of words) {
        const [name, count] = word.split('=');
        const began = nowNs();
        begin(name, Number(count));
        work();
        const ns = nowNs() - began;
        if (exports.agents_left() !== 0) {
            throw new Error(`${name} failed`);
        }
        if (round > 0) {
            console.log(name, count, ns, exports.agents_bytes());
        }
    }
}
process.exit();
