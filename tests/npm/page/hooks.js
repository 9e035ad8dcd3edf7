// Components with each hook, and what becomes of them.
import { createElement as h, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { wsconnect } from 'natlet';
import { createCell } from 'natlet/agents';
import {
    NatsProvider,
    useAgent,
    useCell,
    useLatest,
    useNats,
    useNatsStatus,
    usePresence,
    useRequest,
    useSubject,
} from 'natlet/react';
import bytes from 'natlet/wasm/natlet-core.wasm';
import cellBytes from 'natlet/wasm/natlet.wasm';

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(condition, what) {
    for (let i = 0; i < 200; i++) {
        if (condition()) {
            return;
        }
        await wait(10);
    }
    throw new Error(`${what} did not come: ${document.body.innerText}`);
}

function connectTo(servers, made) {
    return async () => {
        const nc = await wsconnect({ servers, module: bytes });
        made.push(nc);
        return nc;
    };
}

/** Renders `element` under StrictMode with a connection of its own. */
function mount(servers, element, made = [], connect = connectTo(servers, made)) {
    const place = document.createElement('div');
    document.body.append(place);
    const root = createRoot(place);
    root.render(h(StrictMode, null, h(NatsProvider, { connect }, element)));
    return {
        place,
        made,
        unmount() {
            root.unmount();
            place.remove();
        },
    };
}

const texts = [];

function Panel() {
    const [count, setCount] = useState(0);
    const nats = useNats();
    const status = useNatsStatus();
    const latest = useLatest('hooks.latest');
    const { request, data, error, isPending } = useRequest('hooks.echo', { timeout: 500 });
    useSubject('hooks.echo', (m) => m.respond(`echo ${m.string()}`));
    useSubject('hooks.count', (m) => { // inline on purpose: a new function at each render
        texts.push(m.string());
        setCount((n) => n + 1);
    });
    useSubject(null, () => texts.push('never'));
    const said = [status, count, latest?.string(), isPending, data?.string(), error?.name];
    return h('button', { onClick: () => request('x').catch(() => {}) }, said.join('|'), nats ? '' : '!');
}

async function panel(servers) {
    const { place, made, unmount } = mount(servers, h(Panel));
    const shows = (text) => place.innerText.includes(text);
    await until(() => shows('open|0|'), 'open');
    const [nc] = made;
    nc.publish('hooks.latest', 'first');
    for (let i = 0; i < 20; i++) {
        nc.publish('hooks.count', String(i));
        await wait(1);
    }
    await nc.flush();
    await until(() => shows('open|20|first'), 'twenty');
    place.querySelector('button').click();
    await until(() => shows('echo x'), 'the answer');
    unmount();
    await wait(50);
    return [made.length, texts.length, new Set(texts).size, nc.isClosed()];
}

function Leaf({ subject }) {
    useSubject(subject, () => {});
    useLatest(`${subject}.latest`);
    return null;
}

/** Mounts and unmounts a thousand times in one provider; what is left on the connection. */
async function mounts(servers) {
    const made = [];
    let setShown;
    function Host() {
        const [shown, set] = useState(-1);
        setShown = set;
        return shown >= 0 ? h(Leaf, { key: shown, subject: `leaf.${shown % 7}` }) : null;
    }
    const { unmount } = mount(servers, h(Host), made);
    await until(() => made.length === 1, 'the connection');
    for (let i = 0; i < 1000; i++) {
        setShown(i);
        await Promise.resolve();
        if (i % 10 === 0) {
            await wait(0);
        }
    }
    setShown(-1);
    await wait(50);
    await made[0].flush();
    const left = made[0].subscriptionCount;
    unmount();
    await wait(50);
    return [made.length, left, made[0].isClosed()];
}

/** Unmounted before the connection is there. */
async function early(servers) {
    const made = [];
    const { unmount } = mount(servers, h(Leaf, { subject: 'early' }), made);
    await wait(0);
    unmount();
    await wait(300);
    return made.every((nc) => nc.isClosed());
}

function Room({ id, onPeers }) {
    onPeers(usePresence('hooks.room', { id, mood: 'fine' }, 100));
    return null;
}

async function presence(servers) {
    const rooms = ['a', 'b', 'c'].map((id) => {
        const room = { id, peers: new Map() };
        const onPeers = (peers) => (room.peers = peers);
        return Object.assign(room, mount(servers, h(Room, { id, onPeers })));
    });
    const [a, b, c] = rooms;
    await until(() => rooms.every(({ peers }) => peers.size === 2), 'all three');
    const mood = a.peers.get('b').mood;
    c.unmount();
    await until(() => a.peers.size === 1 && b.peers.size === 1, 'two');
    b.made[0].close(); // without a word
    await until(() => a.peers.size === 0, 'silence');
    a.unmount();
    b.unmount();
    return mood;
}

function Watch({ id }) {
    const cell = useCell();
    const { info, down } = useAgent(id);
    const status = useNatsStatus();
    const latest = useLatest('hooks.cell');
    const said = [status, info?.state, info?.restarts, down?.kind, latest?.payload.n];
    return h('p', null, cell ? said.join('|') : 'none');
}

/** A cell in place of a connection. */
async function agents(servers) {
    const made = [];
    const connect = async () => {
        const cell = await createCell({ servers, module: cellBytes });
        made.push(cell);
        return cell;
    };
    const { place, unmount } = mount(servers, h(Watch, { id: 'a' }), [], connect);
    const shows = (text) => until(() => place.innerText === text, text);
    await shows('open||||');
    const [cell] = made;
    const onMessage = (m) => {
        if (m.string() === 'crash') {
            throw new Error('as told');
        }
        return 'stop';
    };
    await cell.supervise({}, [{ id: 'a', restart: 'transient', onMessage }]);
    await shows('open|running|0||');
    await cell.send('a', 'crash');
    await shows('open|running|1||');
    cell.publish('hooks.cell', { n: 7 });
    await shows('open|running|1||7');
    await cell.send('a', 'stop');
    await shows('open|down|1|normal|7');
    unmount();
    await until(() => cell.state === 'closed' && made.length === 1, 'the end');
    return 'fine';
}

export const hooks = { panel, mounts, early, presence, agents };
