// A server is killed again and again while a client publishes: what outbox.c is told of each
// publish is true, whatever dies in between.
import { sleep, startNats } from '../../support/harness.mjs';
import { Program, assert } from './program.mjs';

const LOAD_MS = 100; // from both connected to the kill, at most

async function killing(server, program, times) {
    for (let i = 1; i <= times; i++) {
        await program.line(new RegExp(`^ready ${i}$`));
        await sleep(Math.random() * LOAD_MS);
        await server.kill();
        await server.restart();
    }
}

/** `times` kills; returns what was counted. */
async function run(form, scheme, times) {
    const server = await startNats();
    const url = scheme === 'ws' ? server.wsUrl : server.url;
    try {
        const program = new Program(form, [url, `${times}`], 'outbox');
        await killing(server, program, times);
        await program.end();
        const faults = program.about('fault');
        assert(faults.length === 0, faults.join('\n'));
        assert(program.lines.at(-1) === 'left 0 bytes, 0 timers', program.lines.at(-1));
        return JSON.parse(program.about('counts')[0].slice('counts '.length));
    } finally {
        await server.stop();
    }
}

export async function outboxCase(report, name, form, scheme, times) {
    await report.test(
        `kill -9 ${times} times under load: what is told of publishes is true (${name})`,
        async () => {
            const n = await run(form, scheme, times);
            process.stdout.write(`# ${name}: ${JSON.stringify(n)}\n`);
            process.stdout.write(
                `# ${name}: ${n.lost} were accepted by a server that died before it passed them on\n`,
            );
            assert(n.connects === times + 1, `${n.connects} connects`);
            assert(n.sent > times && n.unknown > 0, 'there was load, and something was on its way');
            assert(n.full > 0 && n.offline_max > 0, 'the store was filled to its bound');
            assert(n.sent + n.unknown === n.published && n.refused === 0, 'each has one end');
            assert(
                n.memory_last <= n.memory_first + 4096,
                `memory grew from ${n.memory_first} to ${n.memory_last}`,
            );
        },
        60000,
    );
}
