// Agents in JavaScript: the same cases in Node and in a page, against a real nats-server.
//
// world: { createCell, headers, servers, place, guest (bytes), outage(body) }; outage() kills the
// server, calls body, and starts it again.
const WAIT_MS = 5000;
const MAILS = 10000;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

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

const codeOf = (promise) =>
    promise.then(
        () => 'ok',
        (error) => error.code ?? error.name,
    );

/** A cell, and what it told. */
class Rig {
    errors = [];
    lines = [];
    dead = [];

    constructor(world, prefix) {
        Object.assign(this, { world, prefix });
    }

    async open(options) {
        const { createCell, servers } = this.world;
        this.cell = await createCell({
            servers,
            reconnectTimeWait: 50,
            debug: (line) => this.lines.push(line),
            onError: (error) => this.errors.push(error.code ?? String(error)),
            onDeadLetter: ({ agent, reason, exit, count }) =>
                this.dead.push(`${agent}: ${reason}, ${exit}${count > 1 ? ` x${count}` : ''}`),
            ...options,
        });
        await this.cell.connected;
    }

    subject(name) {
        return `${this.prefix}.${name}`;
    }

    async info(id) {
        const trees = await this.cell.tree();
        return trees.flatMap(({ children }) => children).find((child) => child.id === id);
    }

    async restarts(ids) {
        const infos = await Promise.all(ids.map((id) => this.info(id)));
        return infos.map((info) => info?.restarts);
    }
}

/** An agent that does what its mail says, and writes down that it did. */
function obedient(id, log, options = {}) {
    return {
        id,
        init: () => {
            log.push(`${id} up`);
            return { seen: 0 };
        },
        onMessage(m, state) {
            state.seen++;
            const word = m.string();
            log.push(`${id} ${word}`);
            if (word === 'crash') {
                throw new Error('as told');
            }
            if (word === 'count') {
                m.respond(state.seen);
            }
            return word === 'stop' || word === 'reject' ? word : undefined;
        },
        terminate: ({ kind }) => log.push(`${id} ${kind}`),
        ...options,
    };
}

async function strategies(cases) {
    const expected = {
        one_for_one: [[0, 1, 0], ['b up']],
        one_for_all: [[1, 1, 1], ['c shutdown', 'a shutdown', 'a up', 'b up', 'c up']],
        rest_for_one: [[0, 1, 1], ['c shutdown', 'b up', 'c up']],
    };
    for (const [strategy, [counts, order]] of Object.entries(expected)) {
        await cases.test(`${strategy}: who is restarted, and in which order`, async (rig) => {
            const log = [];
            const ids = ['a', 'b', 'c'];
            await rig.cell.supervise({ strategy }, ids.map((id) => obedient(id, log)));
            const before = log.splice(0);
            await rig.cell.send('b', 'crash');
            await until(() => log.filter((line) => line === 'b up').length === 1, 'the restart');
            const restarts = await until(async () => {
                const now = await rig.restarts(ids);
                return JSON.stringify(now) === JSON.stringify(counts) && now;
            }, 'the count');
            await until(() => log.length === order.length + 2, 'all');
            return [
                [before, log, restarts, rig.dead],
                [['a up', 'b up', 'c up'], ['b crash', 'b error', ...order], counts, ['b: the agent crashed on it, error']],
            ];
        });
    }
    await cases.test('dynamic: added, terminated, forgotten, and at most so many', async (rig) => {
        const log = [];
        const { id: _, ...pattern } = obedient('x', log, { init: undefined, restart: 'transient' });
        const pool = await rig.cell.supervise({ strategy: 'dynamic', childrenMax: 2 }, [
            { ...pattern, init: (arg) => ({ seen: arg ?? 0 }) },
        ]);
        await pool.add({ id: 'one', arg: 10 });
        await pool.add({ id: 'two' });
        const tooMany = await codeOf(pool.add({ id: 'three' }));
        const counted = await rig.cell.call('one', 'count');
        await pool.terminate('one');
        const gone = await codeOf(rig.cell.send('one', 'x'));
        await pool.add({ id: 'three', arg: 5 });
        await rig.cell.send('two', 'crash');
        await until(async () => (await rig.info('two')).restarts === 1, 'the restart');
        const got = [tooMany, counted, gone, await rig.cell.call('three', 'count'), pool.children.map(({ name }) => name)];
        return [got, ['E_LIMIT', 11, 'E_NO_AGENT', 6, ['two', 'three']]];
    });
    await cases.test('a child is terminated, restarted and removed by hand', async (rig) => {
        const log = [];
        const tree = await rig.cell.supervise({}, [obedient('a', log), obedient('b', log)]);
        await tree.terminate('a');
        const isDown = (await rig.info('a')).state;
        await tree.restart('a');
        const again = await rig.cell.call('a', 'count');
        await tree.terminate('a');
        await tree.remove('a');
        await tree.add(obedient('a', log));
        return [
            [isDown, again, await rig.cell.call('a', 'count'), await codeOf(tree.restart('nobody'))],
            ['down', 1, 1, 'E_NOT_FOUND'],
        ];
    });
}

async function ends(cases) {
    await cases.test('more restarts than the intensity end the supervisor', async (rig) => {
        const log = [];
        const tree = await rig.cell.supervise({ intensity: 2, periodMs: 60000 }, [obedient('a', log)]);
        for (let i = 0; i < 3; i++) {
            await rig.cell.send('a', 'crash');
            await until(() => log.filter((line) => line === 'a error').length === i + 1, 'the crash');
            await sleep(5);
        }
        const { kind } = await tree.ended;
        return [[kind, log.filter((line) => line === 'a up').length, await rig.cell.tree()], ['shutdown', 3, []]];
    });
    await cases.test('a significant child that ends in order ends its supervisor', async (rig) => {
        const log = [];
        const tree = await rig.cell.supervise({ autoShutdown: 'any' }, [
            obedient('a', log),
            obedient('b', log, { restart: 'transient', significant: true }),
        ]);
        await rig.cell.send('b', 'stop');
        const { kind } = await tree.ended;
        return [[kind, log.slice(-3)], ['shutdown', ['b stop', 'b normal', 'a shutdown']]];
    });
    await cases.test('a child that cannot start stops those before it', async (rig) => {
        const log = [];
        const bad = { id: 'b', init: () => Promise.reject(new Error('no luck')), onMessage() {} };
        const error = await rig.cell.supervise({}, [obedient('a', log), bad]).catch((e) => e);
        const typed = await codeOf(rig.cell.supervise({}, [obedient('a', log, { mailbox: { overflow: 'x' } })]));
        return [[error.code, /no luck/.test(error.message), typed, await rig.cell.tree()], ['E_CANCELLED', true, 'E_CONFIG', []]];
    });
    await cases.test('links and monitors: each end is told, and nobody is noproc', async (rig) => {
        const log = [];
        const told = [];
        await rig.cell.supervise({}, [obedient('a', log, { restart: 'transient' })]);
        rig.cell.monitor('nobody', ({ kind }) => told.push(`nobody ${kind}`));
        const over = rig.cell.monitor('a', ({ kind }) => told.push(`never ${kind}`));
        over();
        rig.cell.monitor('a', ({ kind, text }) => told.push(`a ${kind} ${text ?? ''}`));
        const seen = rig.cell.agent('a');
        const before = seen.get();
        await rig.cell.send('a', 'crash');
        await until(() => seen.get().info.restarts === 1 && seen.get().info.state === 'running', 'the restart');
        await rig.cell.send('a', 'stop');
        await until(() => seen.get().down, 'the end');
        const { kind } = seen.get().down;
        return [
            [before.info.state, told, kind],
            ['running', ['nobody noproc', 'a error as told', 'a normal '], 'normal'],
        ];
    });
}

async function mail(cases) {
    await cases.test('the five fields, JSON or raw, and an answer to the network', async (rig) => {
        const got = [];
        await rig.cell.supervise({}, [
            {
                id: 'a',
                subject: [rig.subject('a.*'), rig.subject('b')],
                onMessage(m) {
                    got.push(m.toJSON());
                    m.respond({ attempt: m.attempt, header: m.headers?.get('K') ?? '' });
                },
            },
        ]);
        const headers = rig.world.headers();
        headers.set('K', 'v');
        const answers = [
            await rig.cell.request(rig.subject('a.x'), { n: [1, null] }, { headers }),
            await rig.cell.request(rig.subject('b'), 'text'),
        ];
        const payloads = ['1e400', '"\\ud800"', '[1,]', '', ' 7 ', `${'['.repeat(128)}${']'.repeat(128)}`];
        for (const payload of payloads) {
            await rig.cell.request(rig.subject('b'), payload);
        }
        const [first, second, ...rest] = got;
        const isId = /^nats_\d{19}$/.test(first.id) && BigInt(first.id.slice(5)) < BigInt(second.id.slice(5));
        const isNow = Math.abs(first.timestamp - Date.now() / 1000) < 60;
        return [
            [answers, isId, isNow, first.from, first.to, first.payload, second.payload, rest.map(({ payload }) => typeof payload.raw)],
            [
                [{ attempt: 1, header: 'v' }, { attempt: 1, header: '' }],
                ...[true, true, 'nats', rig.subject('a.x'), { n: [1, null] }, { raw: 'dGV4dA==' }],
                ['string', 'string', 'string', 'string', 'undefined', 'string'],
            ],
        ];
    });
    await cases.test('an asynchronous handler keeps the order', async (rig) => {
        const got = [];
        await rig.cell.supervise({}, [
            {
                id: 'a',
                mailbox: { cap: 100 },
                async onMessage(m) {
                    const n = m.payload;
                    await sleep(n % 3);
                    got.push(n);
                },
            },
        ]);
        const sent = Array.from({ length: 50 }, (_, n) => n);
        await Promise.all(sent.map((n) => rig.cell.send('a', n)));
        await until(() => got.length === 50, 'all');
        return [got, sent];
    });
    await cases.test('what is put aside comes again, in order, ahead of other mail', async (rig) => {
        const got = [];
        await rig.cell.supervise({}, [
            {
                id: 'a',
                init: () => ({ isOpen: false }),
                mailbox: { stash: 2 },
                onMessage(m, state, self) {
                    const word = m.string();
                    if (word === 'open') {
                        state.isOpen = true;
                        self.unstash();
                        return undefined;
                    }
                    if (!state.isOpen) {
                        return 'stash';
                    }
                    got.push(word);
                    return undefined;
                },
            },
        ]);
        for (const word of ['1', '2', '3', 'open', '4']) {
            await rig.cell.send('a', word);
        }
        await until(() => got.length === 3, 'all');
        return [[got, rig.dead], [['1', '2', '4'], ['a: stash full, normal']]];
    });
    await cases.test('retries come later and later, and then the mail is dead', async (rig) => {
        const at = [];
        await rig.cell.supervise({}, [
            {
                id: 'a',
                retry: { baseMs: 40, tries: 2 },
                onMessage(m) {
                    at.push([m.attempt, performance.now()]);
                    return 'retry';
                },
            },
        ]);
        await rig.cell.send('a', 'x');
        await until(() => rig.dead.length === 1, 'the dead letter');
        const [first, second, third] = at.map(([, when]) => when);
        return [
            [at.map(([attempt]) => attempt), second - first >= 35, third - second >= 75, rig.dead],
            [[1, 2, 3], true, true, ['a: retried too often, normal']],
        ];
    });
    await cases.test('mail that crashes its agent twice is poison, and costs no restart of the intensity', async (rig) => {
        const log = [];
        const attempts = [];
        const tree = await rig.cell.supervise({ intensity: 1, periodMs: 60000 }, [
            {
                ...obedient('a', log),
                poisonAfter: 2,
                onMessage(m) {
                    if (m.string() === 'bad') {
                        attempts.push(m.attempt);
                        throw new Error('bad');
                    }
                    log.push(m.string());
                },
            },
        ]);
        await Promise.all(['m1', 'bad', 'm2'].map((word) => rig.cell.send('a', word)));
        await until(() => log.includes('m2'), 'the others');
        const isAlive = await Promise.race([tree.ended.then(() => false), sleep(20).then(() => true)]);
        return [
            [attempts, log.filter((line) => /^m/.test(line)), rig.dead, isAlive],
            [[1, 2], ['m1', 'm2'], ['a: the agent crashed on it too often, error'], true],
        ];
    });
    await cases.test('backoff: restarts wait longer and longer', async (rig) => {
        const ups = [];
        await rig.cell.supervise({ intensity: 10 }, [
            {
                id: 'a',
                backoff: { baseMs: 50, capMs: 1000 },
                init: () => void ups.push(performance.now()),
                onMessage() {
                    throw new Error('as told');
                },
            },
        ]);
        for (let n = 1; n < 3; n++) {
            await rig.cell.send('a', 'x');
            await until(() => ups.length === n + 1, 'the restart');
        }
        const [first, second, third] = ups;
        return [[second - first >= 45, third - second >= 90], [true, true]];
    });
    await cases.test('calls: answered, late, rejected, crashed on, for nobody, aborted', async (rig) => {
        const log = [];
        const slow = { id: 'slow', onMessage: () => sleep(100) };
        await rig.cell.supervise({}, [obedient('a', log), slow]);
        const abort = new AbortController();
        const aborted = codeOf(rig.cell.call('a', 'nothing', { signal: abort.signal, timeoutMs: 2000 }));
        abort.abort();
        const got = [
            await rig.cell.call('a', 'count'),
            await codeOf(rig.cell.call('slow', '', { timeoutMs: 20 })),
            await codeOf(rig.cell.call('a', 'reject')),
            await codeOf(rig.cell.call('a', 'crash')),
            await codeOf(rig.cell.call('nobody', '')),
            await aborted,
            await codeOf(rig.cell.request(rig.subject('nobody'), '')),
            await codeOf(rig.cell.request(rig.subject('x'), '', { signal: AbortSignal.abort() })),
        ];
        const want = [2, 'E_TIMEOUT', 'E_NO_AGENT', 'E_NO_AGENT', 'E_NO_AGENT', 20, 'E_NO_RESPONDERS', 20];
        return [got, want]; // 20: DOMException's code of AbortError
    });
}

async function overflow(cases) {
    /** Sends n mails with a key to an agent that is busy, with room for 2; answers what became
     *  of each send, what was handled, and what is dead. */
    async function flood(rig, policy, more = {}) {
        const got = [];
        let go;
        const gate = new Promise((done) => (go = done));
        await rig.cell.supervise({ intensity: 10 }, [
            {
                id: 'a',
                mailbox: { cap: 2, overflow: policy, ...more },
                async onMessage(m) {
                    await gate;
                    got.push(m.string());
                },
            },
        ]);
        const headersOf = (key) => {
            const headers = rig.world.headers();
            headers.set('Key', key);
            return headers;
        };
        await rig.cell.send('a', '0');
        const sends = ['1', '2', '3', '4'].map((word, i) =>
            codeOf(rig.cell.send('a', word, { headers: headersOf(`k${i % 2}`) })),
        );
        const codes = await Promise.all(sends);
        go();
        await until(async () => (await rig.info('a')).queued === 0, 'empty');
        await sleep(10);
        return [codes.join(), got.join(), rig.dead.join()];
    }
    const full = 'a: mailbox full, normal';
    const expected = {
        reject: ['ok,ok,E_FULL,E_FULL', '0,1,2', ''],
        'drop-new': ['ok,ok,ok,ok', '0,1,2', `${full} x2`],
        'drop-old': ['ok,ok,ok,ok', '0,3,4', `${full} x2`],
        coalesce: ['ok,ok,ok,ok', '0,3,4', ''],
        pause: ['ok,ok,E_FULL,E_FULL', '0,1,2', ''],
    };
    for (const [policy, want] of Object.entries(expected)) {
        await cases.test(`overflow ${policy}`, async (rig) => {
            const got = await flood(rig, policy, policy === 'coalesce' ? { key: 'Key' } : {});
            return [got, want];
        });
    }
    await cases.test('overflow fail ends the agent', async (rig) => {
        const ends = [];
        rig.cell.monitor('a', ({ kind }) => ends.push(kind));
        await flood(rig, 'fail');
        return [ends.includes('overflow'), true];
    });
    await cases.test(`${MAILS} mails: handled + dead + refused = sent`, async (rig) => {
        let handled = 0;
        await rig.cell.supervise({ intensity: 1000, periodMs: 1000 }, [
            {
                id: 'a',
                mailbox: { cap: 500 },
                onMessage(m) {
                    const n = m.payload;
                    if (n % 1000 === 500) {
                        throw new Error('as told');
                    }
                    if (n % 100 === 7) {
                        return 'reject';
                    }
                    handled++;
                    return n % 2 ? undefined : sleep(0).then(() => undefined);
                },
            },
        ]);
        const told = [];
        for (let n = 0; n < MAILS; n += 250) {
            const some = Array.from({ length: 250 }, (_, i) => codeOf(rig.cell.send('a', n + i)));
            told.push(...some);
            await (n % 500 === 0 ? Promise.all(some) : sleep(5));
        }
        const codes = await Promise.all(told);
        await until(async () => {
            const { state, queued } = await rig.info('a');
            return state === 'running' && queued === 0;
        }, 'idle');
        const { sent, refused, dead } = rig.cell.stats;
        const isTold = refused === codes.filter((code) => code === 'E_FULL').length;
        return [[sent, handled + dead + refused, isTold, dead > 0, handled > 0], [MAILS, MAILS, true, true, true]];
    });
}

async function network(cases) {
    await cases.test('status, and a subscription, through a restart of the server', async (rig) => {
        const seen = [];
        const got = [];
        rig.cell.status.subscribe((status) => seen.push(status));
        const log = [];
        await rig.cell.supervise({}, [obedient('a', log, { subject: rig.subject('a') })]);
        const end = rig.cell.subscribe(rig.subject('s'), (m) => got.push(m.payload));
        await rig.world.outage(async () => {
            await until(() => rig.cell.status.get() === 'reconnecting', 'the loss');
            rig.cell.publish(rig.subject('s'), { offline: true });
        });
        await until(() => rig.cell.status.get() === 'open', 'the return');
        await until(() => got.length === 1, 'what was published meanwhile');
        const counted = await rig.cell.request(rig.subject('a'), 'count');
        end();
        rig.cell.publish(rig.subject('s'), 'never');
        await rig.cell.flush();
        const isTold = rig.lines.some((line) => /^connection open -> reconnecting/.test(line));
        return [[seen, got, counted, isTold], [['reconnecting', 'open'], [{ offline: true }], 1, true]];
    });
    await cases.test('coalesced: the newest of a frame', async (rig) => {
        const got = [];
        rig.cell.subscribe(rig.subject('s'), (m) => got.push(m.payload), { coalesce: true });
        for (let n = 0; n < 100; n++) {
            rig.cell.publish(rig.subject('s'), n);
        }
        await rig.cell.flush();
        await until(() => got.at(-1) === 99, 'the last');
        return [got.length < 100, true];
    });
    await cases.test('debug lines: one for each change', async (rig) => {
        const log = [];
        await rig.cell.supervise({}, [obedient('a', log)]);
        await rig.cell.send('a', 'crash');
        await until(() => log.filter((line) => line === 'a up').length === 2, 'the restart');
        await rig.cell.tree();
        return [
            rig.lines.filter((line) => /^(agent|dead)/.test(line)),
            ['agent a started', 'dead letter for a: the agent crashed on it', 'agent a ended: error, as told', 'agent a restarted (1)'],
        ];
    });
}

async function isolation(cases) {
    const guest = (rig, id, options) => ({
        ...{ id, module: rig.world.guest, subject: rig.subject(id), ...options },
    });
    const ask = (rig, id, word) => rig.cell.request(rig.subject(id), word, { timeoutMs: WAIT_MS });
    await cases.test('a trap in an instance, an endless loop in a worker: both replaced', async (rig) => {
        const log = [];
        await rig.cell.supervise({ intensity: 5 }, [
            obedient('f', log),
            guest(rig, 'i', { isolation: 'instance', memoryPages: 32 }),
            guest(rig, 'w', { isolation: 'worker', maxTurnMs: 300 }),
        ]);
        const before = [await ask(rig, 'i', 'count'), await ask(rig, 'w', 'count')];
        rig.cell.publish(rig.subject('i'), 'trap');
        rig.cell.publish(rig.subject('w'), 'loop');
        await until(async () => String(await rig.restarts(['i', 'w'])) === '1,1', 'the restarts');
        const { lastExit: i } = await rig.info('i');
        const { lastExit: w, isolation: where } = await rig.info('w');
        const echo = [await ask(rig, 'i', 'echo 1'), await ask(rig, 'w', 'echo 2')];
        return [
            [before, i.kind, w.kind, where, echo, await rig.cell.call('f', 'count')],
            [[1, 1], 'trap', 'fuel', 'worker', [1, 2], 1],
        ];
    });
    await cases.test('a handler that does not settle is ended after maxTurnMs', async (rig) => {
        let times = 0;
        await rig.cell.supervise({}, [
            { id: 'a', maxTurnMs: 30, onMessage: () => (times++ ? undefined : new Promise(() => {})) },
        ]);
        const called = await codeOf(rig.cell.call('a', 'x', { timeoutMs: 2000 }));
        await until(async () => (await rig.info('a')).restarts === 1, 'the restart');
        await rig.cell.send('a', 'y');
        await until(() => times === 2, 'the next');
        return [[called, (await rig.info('a')).lastExit.kind], ['E_NO_AGENT', 'fuel']];
    });
}

async function closing(cases) {
    await cases.test('close handles what is queued, then stops in reverse', async (rig) => {
        const log = [];
        await rig.cell.supervise({}, [obedient('a', log), obedient('b', log)]);
        for (let n = 0; n < 10; n++) {
            rig.cell.send('a', `m${n}`);
        }
        await rig.cell.close(2000);
        const [status, refused] = [rig.cell.status.get(), await codeOf(rig.cell.supervise({}, []))];
        return [
            [log.filter((line) => /^a m/.test(line)).length, log.slice(-2), status, refused],
            [10, ['b shutdown', 'a shutdown'], 'closed', 'E_STATE'],
        ];
    });
    await cases.test('close is over at its deadline, whatever hangs', async (rig) => {
        await rig.cell.supervise({}, [
            { id: 'a', shutdownMs: Infinity, onMessage: () => new Promise(() => {}) },
        ]);
        await rig.cell.send('a', 'x');
        const start = performance.now();
        await rig.cell.close(300);
        const ms = performance.now() - start;
        return [[ms >= 100, ms < 1500], [true, true]];
    });
    await cases.test('agents without a network', async (rig) => {
        const log = [];
        const cell = await rig.world.createCell({});
        await cell.supervise({}, [obedient('a', log)]);
        const counted = await cell.call('a', 'count');
        const typed = await codeOf(cell.supervise({}, [obedient('b', log, { subject: 'x' })]));
        await cell.close(500);
        return [[counted, cell.status.get(), typed], [1, 'closed', 'E_UNSUPPORTED']];
    });
}

/** Answers [[name, what was wrong or ''], ...]. */
export async function runAgents(world) {
    const results = [];
    let count = 0;
    const cases = {
        async test(name, body, options) {
            const rig = new Rig(world, `agents.${world.place}${++count}`);
            let wrong = '';
            try {
                await rig.open(options);
                const [got, want] = (await body(rig)).map((value) => JSON.stringify(value));
                wrong = got === want ? '' : `got  ${got}\nwant ${want}`;
            } catch (error) {
                wrong = `${error.stack}\n${rig.lines.join('\n')}\n${rig.errors.join()}`;
            }
            await Promise.race([rig.cell?.close(1000), sleep(WAIT_MS)]);
            results.push([name, wrong]);
        },
    };
    for (const group of [strategies, ends, mail, overflow, network, isolation, closing]) {
        await group(cases);
    }
    return results;
}
