// What tests/npm/browser.mjs calls in a page: connections of the package, as bundlers make them.
import * as theirs from '@nats-io/nats-core';
import * as ours from 'natlet';
import { createCell, headers } from 'natlet/agents';
import 'natlet/panel';
import bytes from 'natlet/wasm/natlet-core.wasm';
import cellBytes from 'natlet/wasm/natlet.wasm';
import { runAgents } from '../agents.mjs';
import { programs } from '../programs.mjs';
import { hooks } from './hooks.js';

const COUNT = 10000;
const libraries = { ours, theirs };
let nc;
const events = [];

function connectOf(nats) {
    return (options) => nats.wsconnect({ ...options, ...(nats === ours && { module: bytes }) });
}

/** As outputOf of run.mjs, in this page. */
window.runProgram = async (name, library, servers) => {
    const nats = libraries[library];
    const lines = [];
    const connections = [];
    const connect = connectOf(nats);
    const open = async (options) => {
        connections.push(await connect({ servers, ...options }));
        return connections.at(-1);
    };
    const print = (...parts) => void lines.push(parts.map(String).join(' '));
    try {
        await programs[name]({ nats: { ...nats, connect }, open, url: servers, print });
    } catch (error) {
        lines.push(`threw ${error.stack}`);
    }
    await Promise.all(connections.map((connection) => connection.close().catch(() => {})));
    return lines.join('\n');
};

window.names = () => Object.keys(programs);

window.open = async (servers) => {
    nc = await connectOf(ours)({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    (async () => {
        for await (const { type } of nc.status()) {
            events.push(type);
        }
    })();
};

/** Sends COUNT messages to itself and says how many were right, and in order. */
window.echo = async (subject) => {
    let right = 0;
    const sub = nc.subscribe(subject, {
        callback: (_error, m) => {
            right += m.string() === `${right} ${'x'.repeat(right % 300)}` ? 1 : 0;
        },
    });
    for (let i = 0; i < COUNT; i++) {
        nc.publish(subject, `${i} ${'x'.repeat(i % 300)}`);
    }
    await nc.flush();
    sub.unsubscribe();
    return right;
};

window.ask = async (subject, text) => (await nc.request(subject, text)).string();
window.events = () => events;
window.say = (subject, text) => nc.publish(subject, text);
window.finish = () => nc.drain();

/** A connection in a worker: echoes what it is asked. */
window.inWorker = (servers) =>
    new Promise((resolve, reject) => {
        const worker = new Worker('/pages/worker.js', { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage(servers);
    });

const newCell = (options) => createCell({ module: cellBytes, ...options });

/** The cases of agents.mjs in this page; the server is restarted by whoever drives it. */
window.agents = async (servers) => {
    const guest = new Uint8Array(await (await fetch('/modules/cells/guest.wasm')).arrayBuffer());
    const outage = async (body) => {
        await window.driveServer('kill');
        await body();
        await window.driveServer('restart');
    };
    return runAgents({ createCell: newCell, headers, servers, place: 'b', guest, outage });
};

/** What a panel shows of a cell, open, with a dead letter, and closed. */
window.panelOf = async (servers) => {
    const cell = await newCell({ servers });
    await cell.connected;
    await cell.supervise({}, [{ id: '<b>a', onMessage: () => 'reject' }]);
    const panel = document.createElement('natlet-status');
    panel.cell = cell;
    document.body.append(panel);
    const shown = async (text) => {
        for (let i = 0; i < 300 && !panel.shadowRoot.textContent.includes(text); i++) {
            await new Promise((done) => setTimeout(done, 10));
        }
        return panel.shadowRoot.textContent.includes(text);
    };
    const seen = [await shown('connection: open'), await shown('<b>a: running')];
    const color = getComputedStyle(panel.shadowRoot.querySelector('.open')).color;
    await cell.send('<b>a', 'x');
    seen.push(await shown('rejected by the agent'), panel.shadowRoot.querySelector('b') === null);
    await cell.close();
    seen.push(await shown('connection: closed'));
    panel.remove();
    return [...seen, color];
};

window.hooks = hooks;
window.isReady = true;
