// Cells: a hub, its guests, and what becomes of them.  The same cases in Node and in a page,
// against a real nats-server through the hub's own client.
import { openCells } from '../../host-shims/js/src/cells.js';
import { foreignImports } from '../../host-shims/js/src/guest.js';

const WAIT_MS = 5000;
const TURN_MS = 300;
const LATE_MS = 2000; // of a machine that others use
const RATE_COUNT = 2000;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const text = (bytes) => new TextDecoder().decode(bytes);

async function until(probe, what) {
    for (const end = performance.now() + WAIT_MS; ; await sleep(5)) {
        const value = await probe();
        if (value) {
            return value;
        }
        if (performance.now() > end) {
            throw new Error(`${what} did not come true`);
        }
    }
}

/** A hub, and what it told. */
class Rig {
    errors = [];
    dead = [];
    logs = [];
    replaced = [];
    failed = [];

    constructor(world, prefix) {
        Object.assign(this, { world, prefix });
    }

    async open(options = {}) {
        const { natlet, host, servers } = this.world;
        this.cells = await openCells({
            ...{ module: natlet, host, servers, config: { reconnect_ms: 50 } },
            onError: (error) => this.errors.push(error.code ?? String(error)),
            onDeadLetter: ({ agent, reason, exit, count }) =>
                this.dead.push(`${agent}: ${reason}, ${exit}${count > 1 ? ` x${count}` : ''}`),
            onLog: (_level, agent, line) => this.logs.push(`${agent} ${line}`),
            onHubReplaced: (event) => this.replaced.push(event),
            onFailed: (error) => this.failed.push(error.code),
            ...options,
        });
        await this.cells.connected;
    }

    subject(name) {
        return `${this.prefix}.${name}`;
    }

    guest(name, options = {}) {
        return { name, module: this.world.guest, subject: this.subject(name), ...options };
    }

    async ask(name, words, timeoutMs = WAIT_MS) {
        return text((await this.cells.request(this.subject(name), words, { timeoutMs })).data);
    }

    tell(name, words) {
        this.cells.publish(this.subject(name), words);
    }

    async info(name) {
        const trees = await this.cells.tree();
        return trees.flatMap((tree) => tree.children).find((child) => child.name === name);
    }

    /** Waits until the hub counts so many restarts of a child; answers how it ended last. */
    async restarted(name, times = 1) {
        const info = await until(async () => {
            const now = await this.info(name);
            return now?.restarts >= times && now.state !== 'starting' && now;
        }, `restart ${times} of ${name}`);
        const { kind, code } = info.lastExit;
        return [info.restarts, kind, code];
    }
}

class Cases {
    results = [];
    #count = 0;

    constructor(world) {
        this.world = world;
    }

    /** body(rig) answers [got, want]. */
    async test(name, body, options) {
        const rig = new Rig(this.world, `cells.${this.world.place}${++this.#count}`);
        let wrong = '';
        try {
            if (options !== 'closed') {
                await rig.open(options);
            }
            const [got, want] = (await body(rig)).map((value) => JSON.stringify(value));
            wrong = got === want ? '' : `got  ${got}\nwant ${want}`;
        } catch (error) {
            wrong = `${error.stack}\n${rig.logs.join('\n')}\n${rig.errors.join()}`;
        }
        await Promise.race([rig.cells?.close(), sleep(WAIT_MS)]);
        this.results.push([name, wrong]);
    }
}

async function guests(cases) {
    await cases.test('a guest imports the mailbox door and nothing else', async () => {
        const module = new WebAssembly.Module(cases.world.guest);
        const imports = WebAssembly.Module.imports(module);
        const names = ['call', 'log', 'next', 'now', 'open', 'send', 'settle', 'state_get', 'state_put'];
        return [
            [imports.map(({ module: from, name }) => `${from}.${name}`).sort(), foreignImports(module)],
            [names.map((name) => `natlet_mailbox1.${name}`), ''],
        ];
    }, 'closed');
    await cases.test('guests answer, count, ask the network and each other', async (rig) => {
        await rig.cells.supervise({}, [rig.guest('a'), rig.guest('b', { isolation: 'worker' })]);
        rig.cells.subscribe(rig.subject('other'), (m) => rig.cells.publish(m.reply, `<${text(m.data)}>`));
        rig.cells.subscribe(rig.subject('deaf'), () => {});
        const seconds = Number(await rig.ask('b', 'now'));
        rig.tell('a', `log hi`);
        rig.tell('b', 'tell a');
        const got = [
            [await rig.ask('a', 'echo hi'), await rig.ask('b', 'echo ')],
            [await rig.ask('a', 'count'), await rig.ask('a', 'count'), await rig.ask('b', 'count')],
            [await rig.ask('a', `ask ${rig.subject('other')}`), await rig.ask('b', 'fetch a')],
            [await rig.ask('b', `ask ${rig.subject('nobody')}`), await rig.ask('a', `ask ${rig.subject('deaf')}`)],
            [Math.abs(seconds - Date.now() / 1000) < 60, rig.logs, rig.dead, rig.errors],
        ];
        const want = [['hi', ''], ['1', '2', '1'], ['<echo fetched>', 'fetched'], ['45', '13']];
        return [got, [...want, [true, ['a hi'], [], []]]];
    });
    for (const isolation of ['instance', 'worker']) {
        await cases.test(`${isolation}: every import refuses what it must`, async (rig) => {
            const { hostile: module } = cases.world;
            rig.cells.subscribe('a.quiet', () => {}); // else 64 refusals are under way
            await rig.cells.supervise({}, [{ ...rig.guest('h', { isolation }), module }]);
            rig.cells.send('h', 'payload');
            await until(async () => (await rig.info('h')).handled === 1, 'the mail');
            const { restarts, lastExit } = await rig.info('h');
            return [[restarts, lastExit, rig.errors, rig.logs], [0, undefined, [], []]];
        });
    }
    await cases.test('a turn sends so much and no more', async (rig) => {
        let got = 0;
        rig.cells.subscribe('cells.chatter', () => got++);
        await rig.cells.supervise({}, [rig.guest('a')]);
        rig.tell('a', 'chatter');
        await rig.ask('a', 'echo ');
        return [[got, (await rig.info('a')).restarts], [1024, 0]];
    });
    await cases.test('a function is a child like others', async (rig) => {
        const seen = [];
        const behaviour = async (mail, { state, save }) => {
            const words = text(mail.data);
            seen.push(`${state ? text(state) : ''}>${words}`);
            save(mail.data);
            if (words === 'bad') {
                throw new Error('bad');
            }
            return words;
        };
        const child = { name: 'f', behaviour, subject: rig.subject('f'), restart: 'transient' };
        await rig.cells.supervise({}, [child]);
        ['one', 'bad', 'reject', 'stop'].forEach((words) => rig.tell('f', words));
        await until(async () => (await rig.info('f')).state === 'down', 'the stop');
        const dead = ['f: the agent crashed on it, error', 'f: rejected by the agent, normal'];
        return [[seen, rig.dead], [['>one', 'one>bad', 'one>reject', 'reject>stop'], dead]];
    });
}

/** What each way to crash leads to, with mail behind it and a neighbour. */
async function crashes(cases) {
    const ways = {
        trap: ['trap', -99],
        null: ['trap', -99],
        stack: ['trap', -99],
        smash: ['trap', -99],
        fail: ['error', -7],
        grow: ['mem', -4],
        greed: ['mem', -4],
    };
    for (const isolation of ['instance', 'worker']) {
        for (const [word, [kind, code]] of Object.entries(ways)) {
            await cases.test(`${isolation}: ${word} ends one guest, ${kind}`, async (rig) => {
                let never = 0;
                rig.cells.subscribe('cells.never', () => never++);
                const options = { isolation, memoryPages: 40 };
                await rig.cells.supervise({}, [rig.guest('a', options), rig.guest('b')]);
                const before = [await rig.ask('a', 'count'), await rig.ask('b', 'count')];
                rig.tell('a', word);
                if (word === 'smash') {
                    rig.tell('a', 'echo'); // this one finds the ruins
                }
                const behind = await Promise.all(['count', 'count', 'count'].map((w) => rig.ask('a', w)));
                const after = [await rig.restarted('a'), await rig.ask('b', 'count')];
                const b = await rig.info('b');
                const got = [before, behind, after, [b.restarts, b.handled, never], rig.dead, rig.errors];
                const dead = `a: the agent crashed on it, ${kind}`;
                const want = [['1', '1'], ['2', '3', '4'], [[1, kind, code], '2'], [0, 2, 0], [dead], []];
                return [got, want];
            });
        }
    }
    await cases.test('a compiled module is held to its memory after each turn', async (rig) => {
        const module = new WebAssembly.Module(cases.world.guest);
        await rig.cells.supervise({}, [rig.guest('a', { module, memoryPages: 1 })]);
        await rig.ask('a', 'count');
        rig.tell('a', 'more');
        return [[await rig.restarted('a'), await rig.ask('a', 'count')], [[1, 'mem', -4], '2']];
    });
    await cases.test('rejected mail is a dead letter; a stop ends a transient child', async (rig) => {
        await rig.cells.supervise({}, [rig.guest('a', { restart: 'transient' }), rig.guest('b')]);
        ['count', 'reject', 'stop', 'count'].forEach((word) => rig.tell('a', word));
        const a = await until(async () => {
            const now = await rig.info('a');
            return now.state === 'down' && rig.logs.length > 0 && now;
        }, 'the stop');
        const dead = ['a: rejected by the agent, normal', 'a: no such agent, normal'];
        return [[a.lastExit.kind, a.restarts, rig.dead, rig.logs], ['normal', 0, dead, ['a stopped']]];
    });
}

async function budgets(cases) {
    await cases.test('an endless loop is ended within its budget, and nobody waits for it', async (rig) => {
        const options = { isolation: 'worker', maxTurnMs: TURN_MS };
        await rig.cells.supervise({}, [rig.guest('a', options), rig.guest('b')]);
        await rig.ask('a', 'count');
        const began = performance.now();
        rig.tell('a', 'loop');
        const behind = [rig.ask('a', 'count'), rig.ask('a', 'count')];
        let neighbour = 0;
        for (; performance.now() - began < TURN_MS - 20; neighbour++) {
            await rig.ask('b', 'count');
        }
        const counts = await Promise.all(behind);
        const took = performance.now() - began;
        const [restarts, kind, code] = await rig.restarted('a');
        const b = await rig.info('b');
        const isInTime = took >= TURN_MS && took < TURN_MS + LATE_MS;
        return [
            [counts, restarts, kind, code, rig.dead, neighbour > 2, b.restarts, isInTime || took],
            [['2', '3'], 1, 'fuel', -13, ['a: the agent crashed on it, fuel'], true, 0, true],
        ];
    });
    await cases.test('who keeps a mail too long when it is stopped is killed', async (rig) => {
        const tree = await rig.cells.supervise({}, [rig.guest('a', { shutdownMs: 50 })]);
        rig.tell('a', 'hold');
        await until(async () => (await rig.info('a')).state === 'busy', 'the mail');
        const end = await tree.stop();
        return [[end.kind, tree.children[0].lastExit.kind, rig.logs], ['shutdown', 'killed', []]];
    });
    await cases.test('each loop costs one restart', async (rig) => {
        const options = { isolation: 'worker', maxTurnMs: TURN_MS };
        await rig.cells.supervise({ intensity: 1000, periodMs: 1000 }, [rig.guest('a', options)]);
        const times = 3;
        for (let i = 0; i < times; i++) {
            rig.tell('a', 'loop');
        }
        const [restarts, kind] = await rig.restarted('a', times);
        const answer = await rig.ask('a', 'echo ok');
        return [[restarts, kind, rig.dead.length, answer], [times, 'fuel', times, 'ok']];
    });
}

async function supervision(cases) {
    const names = ['a', 'b', 'c'];
    const startsAfter = async (rig, strategy) => {
        await rig.cells.supervise({ strategy }, names.map((name) => rig.guest(name)));
        rig.tell('b', 'trap');
        await rig.restarted('b');
        await rig.ask('c', 'echo ');
        const infos = await Promise.all(names.map((name) => rig.info(name)));
        return infos.map(({ counts }) => counts.starts);
    };
    const want = { one_for_one: [1, 2, 1], one_for_all: [2, 2, 2], rest_for_one: [1, 2, 2] };
    for (const [strategy, starts] of Object.entries(want)) {
        await cases.test(`${strategy} restarts guests`, async (rig) => [await startsAfter(rig, strategy), starts]);
    }
    await cases.test('too many restarts end the tree, the last child first', async (rig) => {
        const tree = await rig.cells.supervise({ intensity: 2 }, names.map((name) => rig.guest(name)));
        for (let i = 0; i < 3; i++) {
            rig.tell('b', 'trap');
        }
        const end = await tree.ended;
        const gone = await rig.cells.tree();
        return [[end, gone, rig.logs.filter((line) => / stopped/.test(line))], [
            { kind: 'shutdown', code: 0 }, [], ['c stopped', 'a stopped'],
        ]];
    });
    for (const isolation of ['instance', 'worker']) {
        await cases.test(`${isolation}: who cannot start again crashes, and costs no mail`, async (rig) => {
            const tree = await rig.cells.supervise({ intensity: 3 }, [rig.guest('a', { isolation })]);
            ['lame', 'trap', 'count', 'count'].forEach((word) => rig.tell('a', word));
            const end = await tree.ended;
            const { lastExit, counts } = tree.children[0];
            const dead = ['a: the agent crashed on it, trap', 'a: no such agent, normal x2'];
            return [[end.kind, lastExit.kind, lastExit.code, counts.starts, rig.dead], [
                'shutdown', 'error', -1, 4, dead,
            ]];
        });
    }
    await cases.test('intensity 0: the first crash is fatal; its names are free again', async (rig) => {
        const tree = await rig.cells.supervise({ intensity: 0 }, [rig.guest('a')]);
        rig.tell('a', 'trap');
        await tree.ended;
        await rig.cells.supervise({}, [rig.guest('a')]);
        return [[await rig.ask('a', 'echo again')], ['again']];
    });
    await cases.test('what is stopped is stopped in reverse', async (rig) => {
        const isolation = 'worker';
        const tree = await rig.cells.supervise({}, [rig.guest('a'), rig.guest('b', { isolation }), rig.guest('c')]);
        await rig.ask('a', 'count');
        const end = await tree.stop();
        await until(() => rig.logs.length === 3, 'the last words');
        const kinds = tree.children.map((child) => child.lastExit.kind);
        return [[end.kind, kinds, rig.logs.sort()], [
            'shutdown', ['shutdown', 'shutdown', 'shutdown'], ['a stopped', 'b stopped', 'c stopped'],
        ]];
    });
}

async function refusals(cases) {
    await cases.test('who cannot start leaves nothing behind', async (rig) => {
        const { natlet, hostile } = cases.world;
        const attempt = (...children) =>
            rig.cells.supervise({}, children).then(() => 'ok', (error) => error.code);
        const first = await attempt(rig.guest('a'), { ...rig.guest('b'), module: natlet });
        const got = [
            [first, [...rig.logs], await rig.cells.tree()],
            await attempt(rig.guest('a')),
            await attempt(rig.guest('c'), rig.guest('a')),
            await attempt(rig.guest('c'), rig.guest('d', { module: hostile, memoryPages: 4 })),
            await attempt(rig.guest('c', { module: new Uint8Array([1, 2, 3]) })),
            await attempt(rig.guest('c', { maxTurnMs: 5 })),
            await attempt(rig.guest('c', { isolation: 'planet' })),
            await attempt(rig.guest('c', { subject: 'a..b' })),
            await attempt({ name: 'c' }),
            await attempt(rig.guest('c')),
            await rig.ask('c', 'echo c'),
        ];
        return [got, [
            ['E_UNSUPPORTED', ['a stopped'], []], 'ok', 'E_NAME_TAKEN', 'E_NO_MEMORY', 'E_UNSUPPORTED', 'E_CONFIG',
            'E_CONFIG', 'E_SUBJECT', 'E_CONFIG', 'ok', 'c',
        ]];
    });
    await cases.test('specifications out of range are refused by the module', async (rig) => {
        const codes = [];
        for (const spec of [{ strategy: 'dynamic' }, { intensity: 1001 }, { autoShutdown: 'x' }]) {
            await rig.cells.supervise(spec, []).catch((error) => codes.push(error.code));
        }
        return [codes, ['E_CONFIG', 'E_CONFIG', 'E_CONFIG']];
    });
    await cases.test('agents alone, without a server', async (rig) => {
        const { natlet, host, guest } = cases.world;
        const cells = await openCells({ module: natlet, host });
        await cells.supervise({}, [{ name: 'a', module: guest }, { name: 'b', module: guest }]);
        cells.send('a', 'fetch b');
        rig.cells = cells;
        await until(async () => (await rig.info('a')).handled === 1, 'the call');
        const { handled } = await rig.info('b');
        await cells.close();
        return [[handled, cells.state], [1, 'closed']];
    }, 'closed');
}

/** Makes the kernel of the hub trap outside of any handler. */
function breakHub(instance) {
    const { natlet_areas: areas, memory } = instance.exports;
    const words = new Uint32Array(memory.buffer);
    words[(areas() >>> 2) + 4] = 0xfffffff8; // more taken than submitted
}

async function hubs(cases) {
    const instances = [];
    const real = WebAssembly.instantiate;
    WebAssembly.instantiate = async (...args) => {
        const instance = await real.apply(WebAssembly, args);
        instances.push(instance);
        return instance;
    };
    const ruin = async (rig, times) => {
        breakHub(instances.at(-1));
        rig.cells.send('a', 'x');
        await until(() => rig.replaced.length === times, 'the replacement');
        await rig.cells.connected;
    };
    await cases.test('a hub that is poisoned is replaced; what it held is counted', async (rig) => {
        let heard = 0;
        rig.cells.subscribe(rig.subject('heard'), () => heard++);
        const options = { isolation: 'worker' };
        await rig.cells.supervise({}, [rig.guest('a'), rig.guest('b', options)]);
        await rig.cells.supervise({}, [rig.guest('t', { restart: 'transient' })]);
        rig.tell('t', 'stop');
        await until(async () => (await rig.info('t')).state === 'down', 'the stop');
        const before = [await rig.ask('a', 'count'), await rig.ask('b', 'count')];
        ['hold', 'count', 'count', 'count'].forEach((word) => rig.tell('a', word));
        await rig.cells.flush();
        await until(async () => (await rig.info('a')).queued === 3, 'the queue');
        await ruin(rig, 1);
        rig.tell('heard', '1');
        const after = [await rig.ask('a', 'count'), await rig.ask('b', 'count')];
        const [{ error, lostMail, replacements }] = rig.replaced;
        const t = await rig.info('t');
        const got = [before, after, [error.code, lostMail, replacements, heard], t.state, rig.cells.stats];
        return [got, [['1', '1'], ['2', '2'], ['E_POISONED', 4, 1, 1], 'gone', { replacements: 1, lostMail: 4 }]];
    });
    await cases.test('a hub that breaks too often is given up', async (rig) => {
        const tree = await rig.cells.supervise({}, [rig.guest('a')]);
        await ruin(rig, 1);
        await ruin(rig, 2);
        breakHub(instances.at(-1));
        rig.cells.send('a', 'x');
        const end = await tree.ended;
        const refused = await rig.cells.supervise({}, []).catch((error) => error.code);
        return [[rig.failed, rig.cells.state, end.kind, refused], [['E_POISONED'], 'failed', 'killed', 'E_STATE']];
    }, { hub: { intensity: 2, periodMs: 60000 } });
    WebAssembly.instantiate = real;
}

/** Restarts of an instance that traps, through the hub, a second. */
async function rates(cases) {
    let rate = 0;
    await cases.test(`${RATE_COUNT} traps in guests leak nothing in the hub`, async (rig) => {
        const spec = { intensity: 1000, periodMs: 1 };
        await rig.cells.supervise(spec, [rig.guest('a', { mailbox: { messages: 100 } }), rig.guest('b')]);
        await rig.ask('b', 'count');
        let trapped = 0;
        const trap = async (count) => {
            for (; count > 0; count -= 100) {
                for (let i = 0; i < 100; i++) {
                    rig.cells.send('a', 'trap');
                }
                trapped += 100;
                const dead = () => rig.dead.reduce((sum, line) => sum + Number(/x(\d+)$/.exec(line)?.[1] ?? 1), 0);
                while (dead() < trapped) {
                    await sleep(0);
                }
            }
        };
        await trap(100);
        const before = rig.cells.hub.memory.heapBytes;
        const began = performance.now();
        await trap(RATE_COUNT);
        rate = (1000 * RATE_COUNT) / (performance.now() - began);
        await rig.restarted('a', trapped);
        const grown = rig.cells.hub.memory.heapBytes - before;
        const [a, b] = [await rig.info('a'), await rig.info('b')];
        return [
            [a.restarts, a.counts.dead, grown, b.restarts, await rig.ask('b', 'count')],
            [RATE_COUNT + 100, RATE_COUNT + 100, 0, 0, '2'],
        ];
    });
    return rate;
}

/** world: natlet, guest, hostile (bytes), host, servers, place (a letter).  Resolves to
 *  { results: [[name, what is wrong or '']], rate }. */
export async function runCells(world) {
    const cases = new Cases(world);
    for (const part of [guests, crashes, budgets, supervision, refusals, hubs]) {
        await part(cases);
    }
    const rate = await rates(cases);
    return { results: cases.results, rate };
}

