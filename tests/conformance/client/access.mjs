// Who may connect, and who may do what: typed, and said once.
import { startNats } from '../../support/harness.mjs';
import { assert, assertLines, runProgram } from './program.mjs';

const CONFIG = `
authorization {
    users: [
        { user: "anna", password: "right", permissions: { publish: "ok.>", subscribe: "ok.>" } }
    ]
}`;

export async function accessCases(report, kinds) {
    const server = await startNats({ config: CONFIG });
    for (const [form, scheme] of kinds) {
        const url = scheme === 'ws' ? server.wsUrl : server.url;
        const go = (user, password, ...steps) =>
            runProgram(form, [
                `set servers ${url}`,
                `set user ${user}`,
                `set password ${password}`,
                'set reconnect_ms 10',
                'connect',
                ...steps,
            ]);
        const place = `${form} ${scheme} newest`;
        const test = (what, body) => report.theme('auth', what, place, body);

        await test('a wrong password ends the client with E_AUTH', async () => {
            const p = await go('anna', 'wrong');
            assert(
                /^state closed E_AUTH/.test(p.about('state').at(-1)),
                p.about('state').join('\n'),
            );
            assert(!p.lines.join('').includes('wrong'), 'the password is not told');
        });

        await test('a refused subscription ends, the others go on', async () => {
            const p = await go(
                'anna',
                'right',
                'sub ok.a',
                'sub other',
                'flush',
                'pub ok.a x',
                'flush',
            );
            assertLines(p.about('ended', 'msg', 'flush'), [
                'ended 2 E_PERMISSION',
                'flush OK',
                'msg 1 ok.a "" "x"',
                'flush OK',
                'ended 1 E_CLOSED', // with the client
            ]);
            assert(
                p.about('error').some((line) => /E_PERMISSION/.test(line)),
                p.about('error').join('\n'),
            );
        });

        await test('a refused publish is an error that ends nothing', async () => {
            const p = await go('anna', 'right', 'sub ok.a', 'pub other x', 'pub ok.a y', 'flush');
            assertLines(p.about('error', 'msg', 'flush'), [
                /^error E_PERMISSION/,
                'msg 1 ok.a "" "y"',
                'flush OK',
            ]);
        });
    }
    await server.stop();
}
