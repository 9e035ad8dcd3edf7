// A server is killed again and again while a client publishes: what outbox.c is told of each
// publish is true, whatever dies in between.
import { sleep } from '../../support/harness.mjs';
import { withServer } from '../../support/servers.mjs';
import { Program, assert } from './program.mjs';

const LOAD_MS = 100; // from both connected to the kill, at most

/** `times` kills; returns what was counted. */
async function killing(server, form, scheme, times) {
    const url = scheme === 'ws' ? server.wsUrl : server.url;
    const program = new Program(form, [url, `${times}`], 'outbox');
    for (let i = 1; i <= times; i++) {
        await program.line(new RegExp(`^ready ${i}$`));
        await sleep(Math.random() * LOAD_MS);
        await server.kill();
        await server.restart();
    }
    await program.end();
    const faults = program.about('fault');
    assert(faults.length === 0, faults.join('\n'));
    assert(program.lines.at(-1) === 'left 0 bytes, 0 timers', program.lines.at(-1));
    return JSON.parse(program.about('counts')[0].slice('counts '.length));
}

function judge(n, times) {
    assert(n.connects === times + 1, `${n.connects} connects`);
    assert(n.sent > times && n.unknown > 0, 'there was load, and something was on its way');
    assert(n.full > 0 && n.offline_max > 0, 'what waits reached its bound');
    assert(n.sent + n.unknown === n.published && n.refused === 0, 'each has one end');
    const grown = n.memory_last - n.memory_first;
    assert(grown <= 4096, `memory grew by ${grown} bytes`);
}

export async function outboxCase(report, form, scheme, times) {
    const place = `${form} ${scheme}`;
    await report.theme(
        'reconnect',
        'kill -9 under load, again and again: what is told of publishes is true',
        place,
        async () => {
            const n = await withServer({}, (server) => killing(server, form, scheme, times));
            process.stdout.write(
                `# ${place}: ${times} kills, ${JSON.stringify(n)}\n` +
                    `# ${place}: ${n.lost} died with a server that had accepted them\n`,
            );
            judge(n, times);
        },
        60000,
    );
}
