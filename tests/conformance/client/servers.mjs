// A pool of servers in a cluster: who is known, who is next, and how a client leaves a server
// that will shut down.
import { Program, assert, forms, runProgram } from './program.mjs';
import { withCluster } from '../../support/servers.mjs';
import { withProxy } from '../../support/proxy.mjs';

const PULSES = 6000; // more than the 5 s within which a client leaves

const urlOf = (server, scheme) => (scheme === 'ws' ? server.wsUrl : server.url);
const bare = (url) => url.replace(/\/$/, '');

const KINDS = forms.flatMap((form) =>
    ['ws', 'nats'].flatMap((scheme) => ['', ` ${form}${scheme}`].map((q) => [form, scheme, q])),
);

/** All subscribe at server 0 and leave it, while numbers come in through server 1. */
async function moveAll(servers) {
    const subscribers = KINDS.map(
        ([form, scheme, queue]) =>
            new Program(form, [
                `set servers ${urlOf(servers[0], scheme)}`,
                'connect',
                'servers 3',
                `census numbers${queue}`,
                'flush',
                'mark ready',
                `counted ${PULSES}`,
                'stats',
                'drain',
            ]),
    );
    await Promise.all(subscribers.map((one) => one.line(/^mark ready/)));
    const publisher = new Program('native', [
        `set servers ${servers[1].url}`,
        'connect',
        `pulse numbers ${PULSES} 1`,
        'flush',
    ]);
    await servers[0].lameDuck();
    await publisher.end(30000);
    return subscribers;
}

function judgeMove(subscriber, queue) {
    const [counted] = subscriber.about('counted');
    const shown = subscriber.lines.join('\n');
    assert(!queue || / repeated 0$/.test(counted), shown);
    assert(subscriber.about('migrated').length === 1, shown);
    assert(!/^state reconnecting/m.test(shown), shown);
    const { migrations, reconnects } = subscriber.stats;
    assert(migrations === 1 && reconnects === 0, shown);
}

export async function movingCases(report) {
    const shape = { lameDuck: { duration: '30s', grace: '8s' } };
    await withCluster(shape, async (servers) => {
        const subscribers = await moveAll(servers);
        for (const [i, [form, scheme, queue]] of KINDS.entries()) {
            const who = queue ? 'a queue subscriber' : 'a subscriber';
            await report.theme(
                'reconnect',
                `lame duck: ${who} moves and misses nothing`,
                `${form} ${scheme} newest`,
                async () => judgeMove(await subscribers[i].end(), queue),
            );
        }
    });
}

async function poolCases(report, place, form, scheme, servers) {
    const urls = servers.map((server) => bare(urlOf(server, scheme)));
    const test = (what, body) => report.theme('reconnect', what, place, body, 20000);

    await test('a cluster names its servers, with the scheme of the user', async () => {
        const program = await runProgram(form, [
            `set servers ${urls[0]}`,
            'connect',
            'servers 3',
            'pool',
        ]);
        const shown = program.about('server').map((line) => line.split(' ')[1]);
        assert(JSON.stringify(shown.sort()) === JSON.stringify([...urls].sort()), `${shown}`);
    });
    await test('with ignore_discovered only the servers of the user are known', async () => {
        const program = await runProgram(form, [
            `set servers ${urls[0]}`,
            'set ignore_discovered',
            'connect',
            'flush',
            'pool',
        ]);
        assert(program.about('server').length === 1, program.lines.join('\n'));
    });
    await test('the pool is replaced while connected', async () => {
        const program = await runProgram(form, [
            `set servers ${urls[0]}`,
            'set ignore_discovered',
            'connect',
            'sub a',
            `set-servers ${urls[1]}`,
            'flush',
            'pool',
            'reconnect',
            'connects 2',
            'pub a 1',
            'expect 1',
            'pool',
        ]);
        const shown = program.about('server');
        assert(shown[1] === `server ${urls[0]} current`, shown.join('\n'));
        assert(shown[2] === `server ${urls[1]} current` && shown.length === 3, shown.join('\n'));
    });
    await test('the program chooses which server is next', async () => {
        const program = await runProgram(form, [
            `set servers ${urls.join()}`,
            'set ignore_discovered',
            'choose-last',
            'connect',
            'pool',
        ]);
        const shown = program.about('server');
        assert(shown.length === 3 && / current/.test(shown[2]), shown.join('\n'));
    });
}

/** Whatever a connection does, each operation ends by its deadline. */
const TROUBLES = [
    ['a connection that nobody answers', { accept: 'hold' }],
    ['silence of the server from the first byte', { down: { after: 0, then: 'silence' } }],
    ['silence in the greeting', { down: { after: 40, then: 'silence' } }],
    ['silence of the client before its CONNECT', { up: { after: 0, then: 'silence' } }],
];

async function deadlineCases(report, place, form, scheme, server) {
    const port = scheme === 'ws' ? server.wsPort : server.port;
    const test = (what, body) => report.theme('reconnect', what, place, body, 20000);

    for (const [what, plan] of TROUBLES) {
        await test(`${what}: the connect ends by its deadline`, () =>
            withProxy(port, plan, async (proxy) => {
                const before = Date.now();
                const program = await runProgram(form, [
                    `set servers ${scheme}://127.0.0.1:${proxy.port}`,
                    'set ignore_discovered',
                    'set connect_ms 300',
                    'connect',
                ]);
                const ms = Date.now() - before;
                assert(/^state closed E_TIMEOUT/m.test(program.lines.join('\n')), program.lines.join('\n'));
                assert(ms >= 300 && ms < 5000, `${ms} ms`);
            }));
    }
    await test('silence in service: request, flush and drain end by their deadlines', () =>
        withProxy(port, {}, async (proxy) => {
            const program = new Program(form, [
                `set servers ${scheme}://127.0.0.1:${proxy.port}`,
                'connect',
                'flush',
                'mark ready',
                'pulse nobody 300 1',
                'flush 400',
                'request nobody 200 x',
                'set-servers nats://127.0.0.1:1',
                'drain 300',
            ]);
            await program.line(/^mark ready/);
            for (const link of proxy.links) {
                link.down.rule = { after: 0, then: 'silence' };
            }
            const before = Date.now();
            await program.end();
            assert(Date.now() - before < 5000, 'in time');
            assert(program.about('reply')[0] === 'reply E_TIMEOUT', program.lines.join('\n'));
            assert(program.about('drain')[0] === 'drain E_TIMEOUT', program.lines.join('\n'));
        }));
    await test('latency and single bytes: everything works, only later', () =>
        withProxy(
            port,
            { up: { dribble: true }, down: { dribble: true, latencyMs: 20 } },
            async (proxy) => {
                const program = await runProgram(form, [
                    `set servers ${scheme}://127.0.0.1:${proxy.port}`,
                    'connect',
                    'sub echo',
                    'answer',
                    'flush',
                    'request echo 5000 hello',
                    'reconnect',
                    'connects 2',
                    'request echo 5000 again',
                    'drain',
                ]);
                assert(program.about('reply').length === 2, program.lines.join('\n'));
                assert(program.about('drain')[0] === 'drain OK', program.lines.join('\n'));
            },
        ));
}

/** One cluster for the cases that leave it as it is. */
export async function serversCases(report, old) {
    const where = old ? '2.9' : 'newest';
    await withCluster({ old }, async (servers) => {
        const kinds = forms.flatMap((form) => [
            [form, 'ws'],
            [form, 'nats'],
        ]);
        await Promise.all(
            kinds.map(async ([form, scheme]) => {
                const place = `${form} ${scheme} ${where}`;
                await poolCases(report, place, form, scheme, servers);
                await deadlineCases(report, place, form, scheme, servers[0]);
            }),
        );
    });
}
