// Every operation under every trouble of a network: it ends by its deadline, is told so once,
// and with the status that the trouble has.
import { Program, assert, forms, side, startMeter } from './program.mjs';
import { withProxy } from '../../support/proxy.mjs';
import { withServer } from '../../support/servers.mjs';

const CONNECT_MS = 500;
const PATIENT_MS = 12000; // for what ends long before, but not on every machine
const WAIT_MS = 250;
const LONGEST_MS = 30000; // of a program
const SETTLE_MS = 200; // for the trouble to be made, between two steps
const SLACK_MS = 50;

const both = (rule) => ({ up: rule, down: rule });
const down = (rule) => ({ down: rule });
const up = (rule) => ({ up: rule });

/** Late enough for a reader on libuv to see that it is no orderly end. */
const BY_RESET = { then: 'reset', pauseMs: 30 };

const WELL = { connect: 'OK', flush: 'OK', request: 'OK', reconnect: 'OK', drain: 'OK' };
const GONE = { flush: 'E_DISCONNECTED', request: 'E_DISCONNECTED', drain: 'E_DISCONNECTED' };
const SILENT = { flush: 'E_TIMEOUT', request: 'E_TIMEOUT', drain: 'E_TIMEOUT' };
const CUT = { connect: 'E_CLOSED', reconnect: 'E_CLOSED', ...GONE };
const RESET = { connect: 'E_IO', reconnect: 'E_IO', ...GONE };
const MUTE = { connect: 'E_TIMEOUT', reconnect: 'E_TIMEOUT', ...SILENT };

/** What it is; what happens to a connection from its first byte; what happens to one in
 *  service, `after` counted from there; how the operations end. */
const TROUBLES = [
    ['a cut at a byte', down({ after: 40, then: 'end' }), down({ after: 3, then: 'end' }), CUT],
    ['a reset', down({ after: 40, ...BY_RESET }), down({ after: 3, ...BY_RESET }), RESET],
    ['a silent server', down({ after: 40 }), down({ after: 0 }), MUTE],
    ['an unheard client', up({ after: 40 }), up({ after: 0 }), MUTE],
    ['half-open: accepted, never answered', { accept: 'hold' }, both({ after: 0 }), MUTE],
    ['latency', both({ latencyMs: 20 }), both({ latencyMs: 20 }), WELL],
    ['byte by byte', both({ dribble: true }), both({ dribble: true }), WELL],
];

/** Runs steps; at the mark, what is in service gets into trouble.  Once more, if that
 *  came too late, or the server's own PING came into it. */
async function inTrouble(form, proxy, plan, rules, steps) {
    let shown;
    for (let tries = 0; tries < 4; tries++) {
        proxy.plan = {};
        const from = proxy.connections();
        const program = new Program(form, steps);
        await program.line(/^mark ready/);
        proxy.plan = plan;
        for (const link of proxy.links.slice(from)) {
            for (const [way, rule] of Object.entries(rules)) {
                link[way].rule = { ...rule, after: link[way].passed + (rule.after ?? Infinity) };
            }
        }
        const isLate = program.about('mark').length > 1;
        await program.end(LONGEST_MS);
        const { lines } = program;
        shown = lines.join('\n');
        const isCalm = lines[lines.indexOf('mark ready') + 1] === 'mark begun';
        if (isCalm && !isLate && lines.includes('flush OK')) {
            return program;
        }
    }
    throw new Error(`this machine is too slow, four times\n${shown}`);
}

/** Each operation is over once, as it should be, and in time. */
function judge(program, want, { connectMs, waitMs }, slack) {
    const shown = program.lines.join('\n');
    const ended = program.about('ended-op').map((line) => line.split(' '));
    for (const [name, status] of Object.entries(want)) {
        const mine = ended.filter((one) => one[1] === name);
        assert(mine.length === 1 && mine[0][2] === status, `${name} not ${status}:\n${shown}`);
        const limit = name === 'connect' || name === 'reconnect' ? connectMs : waitMs;
        assert(mine[0][3] === '1', `${name} told ${mine[0][3]} times:\n${shown}`);
        assert(mine[0][4] <= limit + slack, `${name} took ${mine[0][4]} ms, slack ${slack}`);
    }
    assert(ended.length === Object.keys(want).length, shown);
}

function limitsOf(want) {
    const isMute = want === MUTE;
    return { connectMs: isMute ? CONNECT_MS : PATIENT_MS, waitMs: isMute ? WAIT_MS : PATIENT_MS };
}

/** Three programs: one that never gets there, one in service, one that leaves. */
async function underTrouble(form, scheme, port, [, plan, rules, want]) {
    const { connect, flush, request, reconnect, drain } = want;
    const limits = limitsOf(want);
    const { connectMs, waitMs } = limits;
    await withProxy(port, {}, (serving) =>
        withProxy(port, {}, (leaving) =>
            withProxy(port, plan, async (joining) => {
                const start = (proxy, ...more) => [
                    `set servers ${scheme}://127.0.0.1:${proxy.port}`,
                    'set ignore_discovered',
                    `set connect_ms ${connectMs}`,
                    'attempts 1',
                    'set reconnect_ms 5000', // the program reconnects, not the client
                    ...more,
                ];
                const inService = ['connect', 'sub me', 'quiet', 'answer', 'flush', 'mark ready'];
                const begun = [`linger ${SETTLE_MS}`, 'mark begun'];
                const meter = startMeter();
                const programs = await Promise.all([
                    new Program(form, start(joining, 'begin connect', 'ended')).end(LONGEST_MS),
                    inTrouble(form, serving, plan, rules, [
                        ...start(serving, ...inService, ...begun),
                        `begin flush ${waitMs}`,
                        `begin request ${waitMs} me`,
                        'ended',
                        'begin reconnect',
                        'ended',
                    ]),
                    inTrouble(form, leaving, plan, rules, [
                        ...start(leaving, ...inService, ...begun),
                        `begin drain ${waitMs}`,
                        'ended',
                    ]),
                ]).finally(() => meter.stop());
                const slack = SLACK_MS + 2 * meter.stop();
                judge(programs[0], { connect }, limits, slack);
                judge(programs[1], { flush, request, reconnect }, limits, slack);
                judge(programs[2], { drain }, limits, slack);
            }),
        ),
    );
}

/** The second connection is served before the first, which comes to life when it is no one's. */
function reordered(form, scheme, port) {
    let release;
    const served = new Promise((done) => (release = done));
    const plan = (n) => (n === 0 ? { ready: served } : {});
    return withProxy(port, plan, async (proxy) => {
        const program = new Program(form, [
            `set servers ${scheme}://127.0.0.1:${proxy.port}`,
            'set ignore_discovered',
            `set connect_ms ${CONNECT_MS}`,
            'set retry_first_connect',
            'set reconnect_ms 20',
            'connect',
            'sub me',
            'quiet',
            'answer',
            'mark ready',
            `linger ${SETTLE_MS}`,
            `begin flush ${PATIENT_MS}`,
            `begin request ${PATIENT_MS} me`,
            'ended',
            'stats',
            `begin drain ${PATIENT_MS}`,
            'ended',
        ]);
        await program.line(/^mark ready/);
        release();
        await program.end();
        judge(program, { flush: 'OK', request: 'OK', drain: 'OK' }, limitsOf(WELL), SLACK_MS);
        assert(program.stats.connects === 1 && proxy.connections() === 2, program.lines.join('\n'));
    });
}

async function troublesAt(report, form, scheme, server) {
    const port = scheme === 'ws' ? server.wsPort : server.port;
    const place = `${form} ${scheme} newest`;
    const test = (what, body) => report.theme('reconnect', what, place, body, 2 * LONGEST_MS);
    await side([
        ...TROUBLES.map((trouble) => () => {
            const what = `${trouble[0]}: each operation ends once, in time`;
            return test(what, () => underTrouble(form, scheme, port, trouble));
        }),
        () =>
            test('the second connection is served before the first', () =>
                reordered(form, scheme, port),
            ),
    ]);
}

export async function deadlineTable(report) {
    const kinds = forms.flatMap((form) => ['ws', 'nats'].map((scheme) => [form, scheme]));
    await Promise.all(
        kinds.map(([form, scheme]) =>
            withServer({}, (server) => troublesAt(report, form, scheme, server)),
        ),
    );
}
