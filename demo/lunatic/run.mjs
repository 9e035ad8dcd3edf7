// A workflow of agents as the Lunatic project has them, in a wasm module: collectors, a
// summariser and a coordinator in a one_for_all group, and a model that often does not
// answer.  From here, through a real nats-server, the work is ordered, a collector is made
// to trap, and a task is sent that nobody can handle.  `make demo` builds and runs it;
// NATS_URL points it at a server of one's own.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { connect } from '../../host-shims/js/src/nats/node.js';
import { instantiate, nodeHost } from '../../host-shims/js/src/node.js';
import { root, run, sleep, startNats, until } from '../../tests/support/harness.mjs';

const TASKS = 100;
const CRITICAL_EACH = 10; // as the coordinator says
const PINGS = 5;
const POISON_AFTER = 3; // as the children's shield says
const ROUND_TRIPS = 200;
const DEADLINE_MS = 15000;
const BREAKER = ['closed', 'open', 'half open'];
const VICTIM = 'collector_1';

const agent = (id, agent_type) => ({
    id,
    agent_type,
    memory_backend_type: 'InMemory',
    nats_enabled: true,
    llm_enabled: agent_type === 'Summarizer',
});
const AGENTS = [
    agent('collector_1', 'DataCollector'),
    agent('collector_2', 'DataCollector'),
    agent('collector_3', 'DataCollector'),
    agent('summariser', 'Summarizer'),
    agent('coordinator', 'WorkflowCoordinator'),
];

const module = (name) => readFileSync(path.join(root, 'build/wasm', name));
const say = (who, text) => console.log(`  ${who.padEnd(6)} ${text}`);
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const mean = (values) => values.reduce((sum, n) => sum + n, 0) / values.length;

/** The module's log: what matters of it is shown.  A group that was restarted is running
 *  again when the last of its agents has started. */
class Log {
    restartMs; // from the first trap of VICTIM until it runs again
    traps = 0; // of VICTIM
    #trappedAt;
    #isStarted = false;

    line(text) {
        if (text === `${VICTIM} ended: trap`) {
            this.traps++;
            this.#trappedAt = performance.now();
        } else if (text === `${VICTIM} started` && this.traps > 0) {
            this.restartMs ??= performance.now() - this.#trappedAt;
        }
        if (!this.#isStarted || !/( started| ended: shutdown)$/.test(text)) {
            say('wasm', text);
        } else if (text === `${AGENTS.at(-1).id} started`) {
            say('wasm', 'the group was restarted');
        }
        this.#isStarted ||= text === 'supervisor started';
    }
}

async function startModule(url, log) {
    return instantiate(module('demo-lunatic.wasm'), {
        host: nodeHost(),
        config: {
            nats: { websocket_url: url, timeout: 5, max_reconnects: null, reconnect_delay: 1 },
            agents: AGENTS,
            model: { seed: 7, silent_percent: 30 },
        },
        log: (_level, text) => log.line(text),
    });
}

// ---- what is asked of agents

const ask = async (nc, subject, body = '') => (await nc.request(subject, body, { timeout: 2000 })).json();

/** A value of an agent's state; 0 if it is not there yet. */
async function recall(nc, id, key) {
    const answer = await ask(nc, `agent.${id}`, JSON.stringify({ Get: { key } }));
    return answer.ok ? answer.value : 0;
}

/** An envelope as every agent of Lunatic reads it. */
function post(nc, to, payload) {
    const timestamp = Math.floor(Date.now() / 1000);
    const id = `demo_${timestamp}`;
    nc.publish(`agent.${to}`, JSON.stringify({ id, from: 'demo', to, payload, timestamp }));
}

/** One write to the server: the order to trap, and messages that are queued behind it. */
async function trapOne(nc) {
    say('demo', `agent.${VICTIM} {"Store":{"key":"fault","value":1}} and ${PINGS} pings behind it`);
    nc.publish(`agent.${VICTIM}`, '{"Store":{"key":"fault","value":1}}');
    const pings = Array.from({ length: PINGS }, () => ask(nc, `agent.${VICTIM}`, '{"type":"ping"}'));
    return Promise.allSettled(pings);
}

function sendPoison(nc) {
    say('demo', 'agent.collector_2 a scraping_task with 0 pages');
    post(nc, 'collector_2', { message_type: 'scraping_task', task: 0, pages: 0 });
}

// ---- what is seen

function collect(nc) {
    const seen = { summaries: [], letters: [] };
    nc.subscribe('results.summaries', { callback: (_e, m) => seen.summaries.push(m.json()) });
    nc.subscribe('lunatic.dlq.>', {
        callback: (_e, m) => {
            const letter = {
                subject: m.subject,
                reason: m.headers?.get('Natlet-Dlq-Reason'),
                attempts: m.headers?.get('Natlet-Attempts'),
                agent: m.headers?.get('Natlet-Agent'),
            };
            say('dlq', `${letter.subject}: ${letter.reason}, ${letter.attempts} attempts, ${letter.agent}`);
            seen.letters.push(letter);
        },
    });
    return seen;
}

async function showProgress(nc, done) {
    const breaker = await recall(nc, 'model', 'breaker');
    const bar = '#'.repeat(Math.round((30 * done) / TASKS)).padEnd(30, '.');
    say('demo', `results.summaries ${bar} ${done}/${TASKS}  breaker ${BREAKER[breaker]}`);
}

async function watch(nc, seen) {
    const end = Date.now() + DEADLINE_MS;
    let pings;
    let isPoisoned = false;
    while (seen.summaries.length < TASKS && Date.now() < end) {
        await sleep(250);
        const done = seen.summaries.length;
        await showProgress(nc, done);
        if (done >= TASKS / 4 && !pings) {
            pings = await trapOne(nc);
        } else if (done >= TASKS / 2 && !isPoisoned) {
            isPoisoned = true;
            sendPoison(nc);
        }
    }
    await sleep(100); // for one too many
    return (pings ?? []).filter(({ status }) => status === 'fulfilled').map(({ value }) => value);
}

async function measureRoundTrips(nc) {
    const times = [];
    for (let i = 0; i < ROUND_TRIPS; i++) {
        const began = performance.now();
        await recall(nc, 'coordinator', 'done');
        times.push(performance.now() - began);
    }
    return Math.round(1000 * median(times));
}

/** How much earlier than asked for a task's summary came, in places, on average. */
function overtaking(summaries, isMeant) {
    const gained = summaries.map(({ task }, place) => ({ task, places: task - 1 - place }));
    return mean(gained.filter(({ task }) => isMeant(task)).map(({ places }) => places));
}

/** What the command line of any machine sees. */
async function readStats(url) {
    const args = ['request', '$SRV.STATS.natlet-lunatic', '', '--server', url, '--timeout', '2s'];
    const { code, stdout, stderr } = await run(path.join(root, 'build/natlet'), args);
    if (code !== 0) {
        throw new Error(`$SRV.STATS: ${stderr.trim()}`);
    }
    return JSON.parse(stdout).endpoints;
}

async function measure(nc, url, reactor) {
    const keys = ['asked', 'silent', 'opened', 'probed', 'closed', 'breaker'];
    const values = await Promise.all(keys.map((key) => recall(nc, 'model', key)));
    return {
        ...Object.fromEntries(keys.map((key, i) => [key, values[i]])),
        roundTripUs: await measureRoundTrips(nc),
        endpoints: await readStats(url),
        tree: await ask(nc, 'natlet.lunatic.sys.demo.tree'),
        memory: reactor.memory.buffer.byteLength,
    };
}

// ---- what it comes to

function printAgents(endpoints) {
    console.log('\n  $SRV.STATS.natlet-lunatic\n');
    console.log(`  ${'agent'.padEnd(13)}${'subject'.padEnd(20)}${'handled'.padStart(8)}${'restarts'.padStart(10)}  last exit`);
    for (const { name, subject, num_requests: handled, num_errors: restarts, data } of endpoints) {
        const counts = `${String(handled).padStart(8)}${String(restarts).padStart(10)}`;
        console.log(`  ${name.padEnd(13)}${subject.padEnd(20)}${counts}  ${data.last_exit.kind}`);
    }
}

function printTable(rows) {
    const width = Math.max(...rows.map(([name]) => name.length));
    console.log();
    for (const [name, value] of rows) {
        console.log(`  ${name.padEnd(width)}  ${value}`);
    }
}

function conclude(expectations) {
    const broken = expectations.filter(([held]) => !held).map(([, text]) => text);
    const all = expectations.map(([, text]) => text).join(', ');
    console.log(
        broken.length === 0
            ? `\nAll ${expectations.length} expectations held: ${all}.`
            : `\nNot held: ${broken.join(', ')}.`,
    );
    return broken.length === 0 ? 0 : 1;
}

function judge(seen, pongs, figures, log) {
    const { summaries, letters } = seen;
    const { asked, silent, opened, probed, closed, breaker, endpoints, tree } = figures;
    const critical = overtaking(summaries, (task) => task % CRITICAL_EACH === 0);
    const others = overtaking(summaries, (task) => task % CRITICAL_EACH !== 0);
    const of = (id) => endpoints.find(({ name }) => name === id) ?? {};
    const dead = Object.values(tree.dead).reduce((sum, n) => sum + n, 0);
    const restarts = AGENTS.map(({ id }) => of(id).num_errors);
    printAgents(endpoints);
    printTable([
        ['summaries, different tasks', `${summaries.length}, ${new Set(summaries.map(({ task }) => task)).size}`],
        ['restarts', `${tree.restarts}: ${AGENTS.length} agents, the group ${restarts[0]} times`],
        ['dead letters', `${dead}, on ${letters.map(({ subject }) => subject).join(' ')}`],
        ['a trapped collector was away', `${Math.round(1000 * (log.restartMs ?? 0))} us`],
        ['calls of the model, without an answer', `${asked}, ${silent}`],
        ['breaker opened, half opened, closed', `${opened}, ${probed}, ${closed} times`],
        ['critical tasks came earlier, others', `${critical.toFixed(1)}, ${others.toFixed(1)} places`],
        [`round trip to an agent's state (median of ${ROUND_TRIPS})`, `${figures.roundTripUs} us`],
        ['memory of the module', `${Math.round(figures.memory / 1024)} KiB`],
    ]);
    return conclude([
        [summaries.length === TASKS, `${TASKS} summaries on results.summaries`],
        [new Set(summaries.map(({ task }) => task)).size === TASKS, 'each task once'],
        [log.traps === 1 && log.restartMs !== undefined, 'a collector trapped once and came back'],
        [
            pongs.length === PINGS && pongs.some(({ attempt }) => attempt === 2),
            'what was in its mailbox was answered',
        ],
        [
            letters.length === 1 && letters[0].reason === 'poison' && letters[0].attempts === `${POISON_AFTER}`,
            'the poisoned task is a dead letter after its third crash',
        ],
        [
            restarts.every((n) => n === 1 + POISON_AFTER),
            'each of these crashes restarted the whole group',
        ],
        [dead === 1, 'nothing else was lost'],
        [silent >= 0.2 * asked && silent <= 0.4 * asked, 'the model left about 30 % unanswered'],
        [opened > 0 && probed >= opened && breaker === 0, 'its breaker opened, tried again and closed'],
        [of('model').num_errors === 0, 'no agent outside the group was touched'],
        [critical > others + 3, 'critical tasks overtook the others'],
        [endpoints.length === AGENTS.length + 1, '$SRV.STATS shows every agent'],
    ]);
}

async function main() {
    const server = process.env.NATS_URL ? undefined : await startNats();
    const url = process.env.NATS_URL || server.wsUrl;
    console.log(`\nserver ${url}`);
    const log = new Log();
    const nc = await connect({ servers: url, module: module('natlet-core.wasm'), name: 'lunatic demo' });
    const seen = collect(nc);
    const reactor = await startModule(url, log);
    await until(() => recall(nc, 'coordinator', 'done').then(() => true, () => false), 10000, 'the coordinator');

    say('demo', `agent.coordinator {"llm_task":"plan_workflow","tasks":${TASKS}}`);
    post(nc, 'coordinator', { llm_task: 'plan_workflow', tasks: TASKS });
    const pongs = await watch(nc, seen);
    const figures = await measure(nc, url, reactor);
    const status = judge(seen, pongs, figures, log);
    reactor.finish();
    await nc.close();
    await server?.stop();
    return status;
}

main().then(
    (status) => process.exit(status),
    (error) => {
        console.error(`demo: ${error.message}`);
        process.exit(1);
    },
);
