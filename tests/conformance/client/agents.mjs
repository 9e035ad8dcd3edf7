// Agents against real servers: agents.c is a cell, nats.js and its services library are who
// talks to it.
import { connectPeer } from '../../e2e/peer.mjs';
import { npm, sleep, until } from '../../support/harness.mjs';
import { withServer } from '../../support/servers.mjs';
import { Program, assert, assertLines } from './program.mjs';

const { Svcm } = npm('@nats-io/services');

const PATIENCE = { timeout: 5000 };

/** What the tools see: PING, INFO and STATS of every kind. */
async function seen(nc) {
    const monitor = new Svcm(nc).client({ maxWait: 2000, strategy: 'stall', stall: 150 });
    const all = async (answers) => {
        const list = [];
        for await (const one of await answers) {
            list.push(one);
        }
        return list;
    };
    const [ping] = await all(monitor.ping());
    assert(ping.type === 'io.nats.micro.v1.ping_response', ping.type);
    assert(ping.name === 'natlet-conf' && ping.version === '1.0.0', JSON.stringify(ping));
    for (const names of [[], [ping.name], [ping.name, ping.id]]) {
        const [info] = await all(monitor.info(...names));
        const [stats] = await all(monitor.stats(...names));
        assert(info.id === ping.id && stats.id === ping.id, 'the same service');
        const list = info.endpoints.map((e) => `${e.name} ${e.subject} ${e.queue_group}`);
        assertLines(list, [
            'a work.plain ',
            'b work.plain ',
            'q1 work.queue pool',
            'q2 work.queue pool',
            'w agent.w ',
        ]);
        assert(!Number.isNaN(Date.parse(stats.started)), stats.started);
        assert(stats.endpoints.length === 5, 'each agent');
        assert(stats.endpoints[0].data.state === 'running', JSON.stringify(stats.endpoints[0]));
        assert(typeof stats.endpoints[0].data.mailbox.normal.free_min === 'number', 'low-water');
    }
    const other = await all(monitor.ping('other')).catch((error) => error.name);
    assert(/NoResponders/.test(other), `another name: ${other}`);
}

/** One SUB for two agents, and a queue group that takes turns. */
async function shared(nc, p, server) {
    nc.publish('work.plain', 'hi');
    await p.line(/^mail a hi$/);
    await p.line(/^mail b hi$/);
    const names = [];
    for (let i = 0; i < 10; i++) {
        const answer = await nc.request('work.queue', 'x', PATIENCE);
        assert(answer.headers.get('By') === 'natlet', 'headers of an answer');
        names.push(answer.string());
    }
    assert(names.filter((name) => name === 'q1').length === 5, names.join(' '));
    const { connections } = await server.connz();
    const agents = connections.find((one) => one.name === 'agents');
    const subs = agents.subscriptions_list_detail.map((one) => one.subject);
    for (const subject of ['work.plain', 'work.queue']) {
        assert(subs.filter((one) => one === subject).length === 1, subs.join(' '));
    }
}

/** Requests of agents: an answer, nobody, and silence. */
async function asked(nc, p) {
    const echo = nc.subscribe('peer.echo', {
        callback: (_, m) => m.respond(`${m.headers.get('From')}: ${m.string()}`, { headers: m.headers }),
    });
    const mute = nc.subscribe('peer.mute', { callback: () => {} });
    await nc.flush();
    nc.publish('work.a', 'ask  peer.echo');
    await p.line(/^reply OK agent: from an agent h=1$/);
    nc.publish('work.a', 'ask  peer.nobody');
    await p.line(/^reply E_NO_RESPONDERS /);
    nc.publish('work.a', 'ask  peer.mute');
    await p.line(/^reply E_TIMEOUT /);
    echo.unsubscribe();
    mute.unsubscribe();
}

/** Dead letters and crashes arrive; orders are obeyed. */
async function ruled(nc) {
    const letters = [];
    const crashes = [];
    nc.subscribe('conf.dlq.>', { callback: (_, m) => letters.push(m) });
    nc.subscribe('natlet.conf.ev.crash', { callback: (_, m) => crashes.push(m.json()) });
    const order = (verb, name) => nc.request(`natlet.conf.sys.n1.${verb}`, name, PATIENCE);
    await nc.flush();
    nc.publish('work.a', 'no thanks');
    nc.publish('work.a', 'boom');
    await until(() => letters.length === 2 && crashes.length === 1, 5000, 'two letters, a crash');
    const [rejected, crashed] = letters;
    assert(rejected.subject === 'conf.dlq.work.a' && rejected.string() === 'no thanks', 'payload');
    assert(rejected.headers.get('Natlet-Dlq-Reason') === 'rejected', 'reason');
    assert(rejected.headers.get('Natlet-Agent') === 'a', 'agent');
    assert(JSON.parse(crashed.headers.get('Natlet-Dlq-Error')).code === -7, 'error');
    assert(Date.now() - Date.parse(crashed.headers.get('Natlet-Orig-Time')) < 60000, 'time');
    assert(crashes[0].agent === 'a' && crashes[0].info.handled > 0, JSON.stringify(crashes[0]));
    const tree = (await order('tree', '')).json();
    assert(tree.children[0].children.length === 5 && tree.restarts === 1, JSON.stringify(tree));
    const before = (await order('info', 'b')).json().pid;
    assert((await order('kill', 'b')).json().status === 'OK', 'killed');
    const after = (await order('info', 'b')).json();
    assert(after.pid !== before && after.restarts === 1, JSON.stringify(after));
    assert((await order('info', 'nobody')).json().status === 'E_NO_AGENT', 'nobody');
    assert((await order('dead', '')).json().total === 2, 'dead letters');
}

/** Waits until somebody answers on `subject`. */
function answers(nc, subject) {
    const ask = () => nc.request(subject, 'again', { timeout: 500 });
    return until(() => ask().then(() => true, () => sleep(50)), 5000, `an answer on ${subject}`);
}

/** Signs of life, at about their interval. */
async function present(nc) {
    let beats = 0;
    const sub = nc.subscribe('work.beat', { callback: (_, m) => (beats += m.json().id === 'n1') });
    await until(() => beats >= 3, 5000, 'three beats');
    sub.unsubscribe();
}

async function one(form, server, url) {
    const p = new Program(form, [url], 'agents');
    const nc = await connectPeer(server.url, { reconnectTimeWait: 50 });
    try {
        await p.line(/^connection up 1 OK$/);
        await answers(nc, '$SRV.PING.natlet-conf');
        await seen(nc);
        await shared(nc, p, server);
        await asked(nc, p);
        await ruled(nc);
        await present(nc);
        await server.kill();
        await p.line(/^connection down 1 E_/);
        await server.restart();
        await p.line(/^connection up 2 OK$/);
        await answers(nc, 'work.plain');
        nc.publish('work.stop');
        await p.end();
    } finally {
        p.running.child.kill('SIGKILL');
        await nc.close();
    }
    const counts = JSON.parse(p.about('counts')[0].slice('counts '.length));
    assert(counts.subscriptions === 3 && counts.copies > counts.in, JSON.stringify(counts));
    assert(counts.dlq === 2, JSON.stringify(counts));
    assertLines(p.about('left'), ['left 0 bytes']);
}

export async function agentsCases(report, kinds) {
    for (const [form, scheme] of kinds) {
        await report.theme(
            'agents',
            'a cell that is seen, asked, ruled and cut off',
            `${form} ${scheme} newest`,
            () =>
                withServer({}, (server) =>
                    one(form, server, scheme === 'ws' ? server.wsUrl : server.url),
                ),
            30000,
        );
    }
}
