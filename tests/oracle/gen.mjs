// Writes the random scenarios: node tests/oracle/gen.mjs >tests/oracle/random.txt
// and: node tests/oracle/gen.mjs signals >tests/oracle/random-signals.txt
//
// The same ones each time.  tests/oracle/README.md has the grammar.

let state = 20251;
/** A whole number from `low` to `high` (mulberry32). */
function int(low, high) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return low + (((t ^ (t >>> 14)) >>> 0) % (high - low + 1));
}
const pick = (...choices) => choices[int(0, choices.length - 1)];
const chance = (percent) => int(1, 100) <= percent;
const times = (count, make) => Array.from({ length: count }, (_, i) => make(i));
const tuple = (...parts) => `{${parts.join(',')}}`;
const list = (parts) => `[${parts.join(',')}]`;

/** What a child has in common: restart type, whether it is significant. */
function rank(auto) {
    const restart = pick(0, 0, 1, 2);
    return [restart, auto && restart ? int(0, 1) : 0];
}

/** Restarts that fail: from which start to which. */
function failures(percent) {
    const from = chance(percent) ? int(2, 4) : 0;
    return [from, from && from + int(0, 2)];
}

// A stop takes 50 ms, or 100 ms if it ends by a kill, or 400 or 800 ms more: up to three of them never end
// near a tick of 400 ms, at which acts happen.
const haste = () => pick([0, 1000], [0, 0], [0, -1]);
const slowness = () => pick([50, 200], [450, 100], [450, 2000], [50, -1], [450, 0]);
const slower = () => pick([1250, -1], [1250, 900]);

function worker(auto, failing = 35) {
    return tuple(...rank(auto), ...failures(failing));
}

const kill = (workers) => tuple(int(0, workers - 1), pick(1, 1, 2, 3, 4));
const scenario = (strategy, intensity, auto, children, acts) =>
    console.log(`${tuple(strategy, intensity, auto, list(children), list(acts))}.`);

function plain() {
    const auto = pick(0, 0, 1, 2);
    const count = int(2, 5);
    const children = times(count, () => worker(auto));
    scenario(int(0, 2), int(0, 5), auto, children, times(int(1, 7), () => kill(count)));
}

function slow() {
    const auto = pick(0, 0, 1, 2);
    const count = int(2, 5);
    let left = 3;
    const children = times(count, () => {
        const [ms, shutdown] = left > 0 && chance(50) ? (chance(25) ? slower() : slowness()) : haste();
        left -= ms > 0;
        return tuple(...rank(auto), 0, 0, ms, shutdown);
    });
    const ends = () => tuple(int(0, count - 1), pick(1, 1, 2, 3, 5));
    const acts = times(int(1, 6), () => (chance(20) ? tuple('wait', int(1, 3)) : ends()));
    scenario(int(0, 2), int(1, 5), auto, children, chance(50) ? [...acts, 'stop', '{wait,9}'] : acts);
}

function timed() {
    const count = int(2, 3);
    const children = times(count, () => worker(0, 10));
    const acts = times(int(4, 8), () => (chance(20) ? tuple('wait', int(1, 2)) : kill(count)));
    scenario(int(0, 2), tuple(int(1, 3), int(1, 3)), 0, children, acts);
}

function nested() {
    let workers = 0;
    const tree = (depth) => {
        const auto = pick(0, 0, 1, 2);
        const children = times(int(1, 3), () => {
            if (depth < 3 && chance(45)) {
                return tuple('sup', ...rank(auto), tree(depth + 1));
            }
            workers++;
            return worker(auto, 15);
        });
        return tuple(int(0, 2), int(0, 3), auto, list(children));
    };
    const whole = tree(1);
    const acts = workers ? times(int(2, 8), () => kill(workers)) : ['{which,0}'];
    const end = chance(30) ? ['stop'] : [];
    console.log(`${whole.slice(0, -1)},${list([...acts, ...end])}}.`);
}

function dynamic() {
    const auto = pick(0, 0, 1, 2);
    const slowly = chance(40);
    const pattern = slowly
        ? tuple(...rank(auto), 0, 0, ...slowness())
        : tuple(...rank(auto), ...failures(40), ...haste());
    let next = 0;
    const s = chance(50) ? 0 : 1;
    const add = () => tuple('add', s, next++);
    const calls = [() => tuple('which', s), () => tuple('count', s), () => tuple('restart', s, 'pattern'),
        () => tuple('delete', s, 'pattern')];
    const acts = [add(), add()];
    times(int(2, 8), () => {
        if (chance(25)) {
            acts.push(add());
        } else if (chance(25)) {
            acts.push(pick(...calls)(), ...(slowly ? ['{wait,4}'] : []));
        } else if (chance(15)) {
            acts.push(tuple('end_d', s, int(0, next - 1)), ...(slowly ? ['{wait,4}'] : []));
        } else {
            acts.push(tuple('d', int(0, next - 1), pick(1, 1, 2, 3, 5)));
        }
    });
    if (chance(50)) {
        acts.push('stop', '{wait,4}');
    }
    const sup = [3, int(0, 4), auto, list([pattern])];
    if (s === 0) {
        console.log(`${tuple(...sup, list(acts))}.`);
    } else {
        const children = [worker(0, 0), tuple('sup', pick(0, 1), 0, tuple(...sup)), worker(0, 0)];
        scenario(int(0, 2), int(1, 3), 0, children, acts.flatMap((act) => (chance(15) ? [act, kill(2)] : [act])));
    }
}

function calls() {
    const auto = pick(0, 0, 0, 1, 2);
    const count = int(2, 4);
    const inner = chance(40);
    const slowly = chance(30); // then all starts succeed: OTP queues what is asked while it stops
    const failing = slowly ? 0 : 35;
    const children = times(count, () => (slowly ? tuple(...rank(auto), 0, 0, ...slowness()) : worker(auto)));
    if (inner) {
        children.push(tuple('sup', ...rank(auto), tuple(int(0, 2), int(0, 2), 0, list([worker(0, failing)]))));
    }
    const ids = [...times(count + 2, (i) => `c${i}`), ...(inner ? ['s1', 's1'] : [])];
    const act = () => {
        // The worker inside has the number `count`: names are unique in a cell.
        const what = pick('terminate', 'terminate', 'restart', 'restart', 'delete', 'which', 'count', 'grow');
        if (what === 'which' || what === 'count') {
            return tuple(what, 0);
        }
        return what === 'grow'
            ? tuple(what, 0, pick(int(0, count - 1), count + 1, count + 2), tuple(...rank(auto), ...failures(failing)))
            : tuple(what, 0, pick(...ids));
    };
    const acts = times(int(4, 10), () => (chance(40) ? [kill(count)] : slowly ? [act(), '{wait,4}'] : [act()]));
    scenario(int(0, 2), int(1, 5), auto, children, [...acts.flat(), '{which,0}', '{count,0}']);
}

/** Links, monitors, exit signals.  Where the supervisor stops several, an agent is linked with one partner
 * only, for in a chain it is chance whether the end of the second or the supervisor's order comes first; and only
 * who traps exits monitors, for the order ends others before they read what they were told. */
function signals() {
    const strategy = pick(0, 0, 0, 1, 2);
    const stops = chance(25);
    const paired = strategy || stops;
    const count = paired ? pick(2, 4, 6) : int(2, 6);
    const traps = times(count, () => int(0, 1));
    const agents = times(count, (i) => tuple(pick(0, 0, 1, 2), traps[i]));
    const one = () => int(0, count - 1);
    const pair = () => {
        const i = one();
        return paired ? [i, i ^ 1] : [i, one()];
    };
    const watch = () => {
        const [i, j] = pair();
        const [a, b] = paired && !traps[i] ? [j, i] : [i, j];
        return paired && !traps[a] ? tuple('demonitor', a, b) : tuple('monitor', a, b);
    };
    const trap = () => (paired ? tuple('unlink', ...pair()) : tuple('trap', one(), int(0, 1)));
    const makes = [
        () => tuple('link', ...pair()), () => tuple('link', ...pair()), () => tuple('link', ...pair()),
        () => tuple('unlink', ...pair()), watch, watch,
        () => tuple('demonitor', ...pair()), trap,
        () => tuple('exit', one(), one(), pick(1, 1, 2, 3, 5)),
        () => tuple(one(), pick(1, 1, 1, 2, 3, 5)), () => tuple(one(), pick(1, 1, 1, 2, 3, 5)),
    ];
    const acts = times(int(6, 20), () => pick(...makes)());
    console.log(`${tuple('signals', strategy, 1000, list(agents), list(stops ? [...acts, 'stop'] : acts))}.`);
}

const all = [[500, plain], [200, slow], [60, timed], [300, nested], [200, dynamic], [240, calls]];
for (const [count, make] of process.argv[2] === 'signals' ? [[700, signals]] : all) {
    times(count, make);
}
