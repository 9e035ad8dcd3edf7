// A network that breaks: whatever the byte at which a connection ends, the next
// one carries on, and a flush that succeeds has lost nothing.
import { Program, assert, assertLines, runProgram } from './program.mjs';
import { withProxy } from '../../support/proxy.mjs';

const COUNT = 50;

/** Every byte of the greeting matters more than every byte of the thousand behind it. */
const CUTS = [
    0,
    1,
    2,
    4,
    5,
    6,
    50,
    100,
    129,
    130,
    131,
    200,
    300,
    400,
    401,
    402,
    403,
    404,
    405,
    ...Array.from({ length: 25 }, (_, i) => 410 + 67 * i),
];

const steps = (url, more = []) => [
    `set servers ${url}`,
    'set reconnect_ms 2',
    'set retry_first_connect',
    ...more,
    'connect',
    'sub fault',
    'quiet',
];

function through(scheme, port, plan, body) {
    return withProxy(port, plan, (proxy) => body(`${scheme}://127.0.0.1:${proxy.port}`, proxy));
}

export async function faultCases(report, place, form, scheme, port) {
    const test = (what, body) => report.theme('reconnect', what, place, body, 30000);

    for (const how of ['end', 'reset']) {
        for (const way of ['down', 'up']) {
            await test(`cut ${way}stream at many bytes, by ${how}`, () =>
                through(
                    scheme,
                    port,
                    (n) => n < CUTS.length && { [way]: { after: CUTS[n], then: how } },
                    async (url, proxy) => {
                        const p = await runProgram(form, [
                            ...steps(url),
                            `settle fault ${COUNT}`,
                            'stats',
                        ]);
                        assertLines(p.about('settled'), [`settled ${COUNT}`]);
                        assert(proxy.connections() > 10, `${proxy.connections()} connections`);
                        assert(p.stats.connects > 1, `${p.stats.connects} successful ones`);
                    },
                ));
        }
    }

    await test('one byte at a time', () =>
        through(
            scheme,
            port,
            () => ({ up: { dribble: true }, down: { dribble: true } }),
            async (url) => {
                const p = await runProgram(form, [
                    ...steps(url),
                    `settle fault ${COUNT}`,
                    'flood fault 3 10000',
                    'flush',
                    'counts',
                    'drain',
                ]);
                assertLines(p.about('settled', 'counts', 'drain'), [
                    `settled ${COUNT}`,
                    `counts ${COUNT + 3}`,
                    'drain OK',
                ]);
            },
        ));

    await test('a connection that hangs is found stale', () =>
        through(
            scheme,
            port,
            (n) => (n === 0 ? { down: { after: 1500, then: 'silence' } } : {}),
            async (url) => {
                const p = new Program(form, [
                    ...steps(url, ['set ping_ms 100']),
                    'settle fault 1',
                    'settle fault 200',
                    'drain',
                ]);
                await p.end();
                assert(
                    p.about('state').some((line) => /reconnecting E_STALE/.test(line)),
                    p.about('state').join('\n'),
                );
                assertLines(p.about('settled'), ['settled 1', 'settled 200']);
            },
        ));
}
