// What traps in agents lead to, in a real module and a real engine: the same cases in Node
// and in a page.  The module is tests/traps/traps.c.
import { Door } from '../../host-shims/js/src/door.js';

const AGENTS = 4;
const VICTIM = 1;
const HANDLED = 0;
const RESTARTS = 1;
const QUEUED = 2;
const LAST_EXIT = 3;
const CELL = [
    ...['pool', 'waits', 'agents', 'restarts', 'dead', 'crashed', 'delivered', 'handled'],
    ...['deadReason', 'deadExit', 'deadCode'],
];
const CRASHED = 4; // natlet_dead_reason
const EXIT_ERROR = 2;
const EXIT_TRAP = 3;
const E_TRAP = 99;
const E_POISONED = -100;
const BUDGET_US = 5000;

/** Every way to trap, and what the engine may say. */
const WAYS = {
    o: 'a read out of bounds',
    w: 'a write out of bounds',
    d: 'a division by zero',
    n: 'a call of null',
    c: 'a call by a wrong type',
    u: 'unreachable',
    s: "an overflow of the module's stack",
    r: "an overflow of the engine's stack",
};

/** One instance, driven by hand: what natlet_recover says is to be seen. */
class Rig {
    constructor(module, host) {
        const door = new Door(host, {});
        const instance = new WebAssembly.Instance(module, { natlet_host1: door.imports });
        this.exports = instance.exports;
        this.memory = instance.exports.memory;
        door.attach(this.memory);
        this.exports._initialize?.();
        this.started = this.exports.natlet_init(0, 0);
    }

    send(index, letters) {
        for (const letter of letters) {
            const status = this.exports.traps_send(index, letter.charCodeAt(0));
            if (status < 0) {
                throw new Error(`send: ${status}`);
            }
        }
    }

    /** Runs until nothing is left to do; answers what it caught. */
    run() {
        const traps = [];
        for (;;) {
            try {
                if (this.exports.natlet_run(BUDGET_US) !== 0) {
                    return traps;
                }
            } catch (trap) {
                const status = this.exports.natlet_recover();
                traps.push({ trap, status });
                if (status < 0) {
                    return traps;
                }
            }
        }
    }

    get cell() {
        return Object.fromEntries(CELL.map((name, i) => [name, this.exports.traps_cell(i) >>> 0]));
    }

    agent(index, what) {
        return this.exports.traps_agent(index, what) >>> 0;
    }

    state(index) {
        const at = this.exports.traps_state(index) >>> 0;
        return new Uint8Array(this.memory.buffer).slice(at, at + this.exports.traps_state_bytes());
    }

    counted(index) {
        return new DataView(this.state(index).buffer).getUint32(4, true);
    }

    /** All that must not change when a neighbour traps. */
    neighbours() {
        return others().map((index) => [
            ...this.state(index),
            ...[HANDLED, RESTARTS, QUEUED, LAST_EXIT].map((what) => this.agent(index, what)),
        ]);
    }
}

const others = () => Array.from({ length: AGENTS }, (_, i) => i).filter((i) => i !== VICTIM);

class Cases {
    results = [];

    constructor(module, host) {
        Object.assign(this, { module, host });
    }

    /** body(rig) answers [got, want]. */
    test(name, body) {
        let wrong = '';
        try {
            const [got, want] = body(new Rig(this.module, this.host)).map((v) => JSON.stringify(v));
            wrong = got === want ? '' : `got  ${got}\nwant ${want}`;
        } catch (error) {
            wrong = String(error.stack);
        }
        this.results.push([name, wrong]);
    }
}

const isTrap = (error) => error instanceof WebAssembly.RuntimeError || error instanceof RangeError;

/** Neighbours count before and after, the victim traps in between: with mail behind it. */
function trapOnce(rig, letters, trapsWanted) {
    for (const index of others()) {
        rig.send(index, '++');
    }
    rig.send(VICTIM, '+');
    rig.run();
    const before = rig.neighbours();
    const cell = rig.cell;
    rig.send(VICTIM, `+${letters}++`);
    const traps = rig.run();
    const after = rig.cell;
    const held = traps.every(({ trap, status }) => status === 0 && isTrap(trap));
    const untouched = JSON.stringify(rig.neighbours()) === JSON.stringify(before);
    for (const index of others()) {
        rig.send(index, '+');
    }
    rig.run();
    const counts = others().map((index) => rig.counted(index));
    return {
        got: [
            [traps.length, held, untouched, counts],
            [rig.counted(VICTIM), rig.agent(VICTIM, HANDLED), rig.agent(VICTIM, QUEUED)],
            [after.restarts - cell.restarts, after.dead - cell.dead, after.crashed - cell.crashed],
            [after.deadReason, after.deadExit, after.deadCode],
            [after.pool - cell.pool, after.waits, after.agents - cell.agents],
        ],
        want: (restarts, exit, code) => [
            [trapsWanted, true, true, [3, 3, 3]],
            [2, 4, 0], // a fresh state, and the two behind the bad one
            [restarts, 1, 1],
            [CRASHED, exit, code],
            [0, 0, 0],
        ],
    };
}

function eachWay(cases) {
    for (const [letter, name] of Object.entries(WAYS)) {
        cases.test(`${name} crashes one agent`, (rig) => {
            const { got, want } = trapOnce(rig, letter, 1);
            return [got, want(1, EXIT_TRAP, E_TRAP)];
        });
    }
    cases.test("the engine's stack ends as a RangeError or a trap, the module's as a trap", (rig) => {
        const names = [];
        for (const letter of 'sr') {
            rig.send(VICTIM, letter);
            names.push(rig.run()[0].trap.constructor.name);
        }
        return [names[0] === 'RuntimeError' && /^R(unt|ang)/.test(names[1]), true];
    });
    cases.test('traps in two inits are two more restarts', (rig) => {
        const { got, want } = trapOnce(rig, 'i', 2);
        return [got, want(3, EXIT_ERROR, 2)];
    });
    cases.test('a trap in terminate is no second crash', (rig) => {
        const { got, want } = trapOnce(rig, 't', 1);
        return [got, want(1, EXIT_ERROR, 2)];
    });
    cases.test('traps while the tree is stopped do not keep it up', (rig) => {
        const empty = rig.cell.agents - AGENTS - 1;
        rig.exports.traps_stop(2);
        const traps = rig.run();
        const { agents, pool } = rig.cell;
        return [[traps.map(({ status }) => status), agents, pool], [[0, 0], empty, 0]];
    });
    cases.test('four agents that trap in one turn are four crashes', (rig) => {
        for (let index = 0; index < AGENTS; index++) {
            rig.send(index, '+u+');
        }
        const traps = rig.run();
        const counts = Array.from({ length: AGENTS }, (_, i) => rig.counted(i));
        return [[traps.length, counts, rig.cell.crashed], [4, [1, 1, 1, 1], 4]];
    });
}

function poisons(cases) {
    cases.test('a trap inside a natlet function poisons the instance', (rig) => {
        rig.send(VICTIM, 'k');
        const [first] = rig.run();
        return [
            [isTrap(first.trap), first.status, rig.exports.natlet_recover()],
            [true, E_POISONED, E_POISONED],
        ];
    });
    cases.test('a poisoned instance does nothing any more', (rig) => {
        rig.send(VICTIM, 'k');
        rig.run();
        const before = rig.neighbours();
        rig.send(0, '+');
        const wait = rig.exports.natlet_run(BUDGET_US) >>> 0;
        const queued = rig.agent(0, QUEUED);
        return [[wait, rig.neighbours()[0].length === before[0].length, queued], [0xffffffff, true, 1]];
    });
}

/** `count` traps in a row; resolves to the rate a second. */
function many(cases, count, options) {
    const { heapBytes = () => 0, letters = 'u' } = options;
    let rate = 0;
    cases.test(`${count} traps in a row leak nothing`, (rig) => {
        const trap = (times) => {
            for (let i = 0; i < times; i++) {
                rig.send(VICTIM, letters[i % letters.length]);
                if (rig.run().length !== 1) {
                    throw new Error(`trap ${i}`);
                }
            }
        };
        rig.send(0, '+++');
        trap(Math.min(count, 2000)); // what warms up has its memory
        const before = rig.cell;
        const neighbours = JSON.stringify(rig.neighbours());
        const pages = rig.memory.buffer.byteLength;
        const heap = heapBytes();
        const began = performance.now();
        trap(count);
        rate = (1000 * count) / (performance.now() - began);
        const after = rig.cell;
        const grown = heapBytes() - heap;
        return [
            [
                ...[after.pool - before.pool, after.waits, rig.memory.buffer.byteLength - pages],
                ...[after.restarts, after.dead, after.crashed].map((n) => n - before.restarts),
                JSON.stringify(rig.neighbours()) === neighbours,
                grown < 1 << 20 || grown,
            ],
            [0, 0, 0, count, count, count, true, true],
        ];
    });
    return rate;
}

/** Runs all cases: { results: [[name, what is wrong or '']], rates }.  options: count of
 *  traps, heapBytes() of the engine. */
export function runTraps(module, host, options) {
    const cases = new Cases(module, host);
    eachWay(cases);
    poisons(cases);
    const rate = many(cases, options.count, options);
    const mixed = many(cases, Math.ceil(options.count / 10), { ...options, letters: 'owdncus' });
    return { results: cases.results, rates: { unreachable: rate, mixed } };
}
