// One tab of the room: who is there, their cursors, builds, and the log of the runtime.
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { wsconnect } from 'natlet';
import bytes from 'natlet/wasm/natlet-core.wasm';
import { SlateProvider, useAssetEvents, useBuildEvents, useCollaborators, useCursor, useCursors, useFileEvents, useLog, useMessaging, useProjectEvents } from '../src/index.ts';

const place = document.getElementById('root');
const asked = new URLSearchParams(location.search);
const projectId = 'lumines';
const fileId = 'board';
const sessionId = 'player';
const userId = asked.get('name') ?? `guest-${crypto.randomUUID().slice(0, 4)}`;
const presenceMs = Number(asked.get('presence') ?? 5000);
const CODE = `export function drop(board, block) {
    const column = board.columns[block.column];
    while (column.hasRoomBelow(block)) {
        block.row++;
    }
    column.settle(block);
    return board.clearSquares();
}`;

/** What the check reads. */
window.seen = { builds: [], activity: [], cursorRenders: 0, total: 0, counts: {}, invalid: [] };
window.actions = {};

const connect = () =>
    wsconnect({
        servers: place.dataset.nats,
        module: bytes,
        name: `slate ${userId}`,
        inboxPrefix: 'slate.inbox', // within the permissions slate.>
        maxReconnectAttempts: -1,
        reconnectTimeWait: 200,
    });

function Header() {
    const { status } = useMessaging();
    return <header><b>SLATE</b>{projectId} · {userId}<span className={`status ${status}`}>{status}</span></header>;
}

function People() {
    const peers = useCollaborators(projectId, userId, presenceMs);
    return (
        <section>
            <h2>Here now: <span id="present">{peers.length + 1}</span></h2>
            <ul><li>{userId} (you)</li>{peers.map((peer) => <li key={peer}>{peer}</li>)}</ul>
        </section>
    );
}

function Editor() {
    const move = useCursor(fileId, userId);
    const cursors = useCursors(fileId, userId);
    window.actions.move = move;
    window.seen.cursorRenders++;
    const onMouseMove = ({ clientX, clientY, currentTarget }) => {
        const { left, top } = currentTarget.getBoundingClientRect();
        move({ line: Math.max(0, Math.floor((clientY - top) / 20)), column: Math.max(0, Math.floor((clientX - left) / 8)) });
    };
    return (
        <section>
            <h2>{fileId}.js</h2>
            <div className="editor" onMouseMove={onMouseMove}>
                {CODE}
                {[...cursors].map(([who, { line, column }]) => (
                    <div className="cursor" key={who} style={{ left: column * 8, top: line * 20 }}><span>{who}</span></div>
                ))}
            </div>
        </section>
    );
}

/** What happened to the project, its files and assets. */
function Activity() {
    const [last, setLast] = useState([]);
    window.actions.publish = useMessaging().publish;
    const note = (what) => (event) => {
        window.seen.activity.push([what, event.type, event.projectId].join(' '));
        setLast((now) => [...now.slice(-3), `${what} ${event.type}`]);
    };
    useProjectEvents({ projectId }, note('project'));
    useFileEvents(projectId, note('file'));
    useAssetEvents(projectId, note('asset'));
    return <p>{last.join(', ') || 'Nothing happened yet.'}</p>;
}

/** Publishes a build of `steps` events between its first and its last. */
async function build(publish, steps, everyMs) {
    const of = { projectId, buildId: crypto.randomUUID() };
    let sequence = 0;
    publish({ type: 'started', ...of, sequence: ++sequence });
    for (let i = 1; i <= steps; i++) {
        await new Promise((done) => setTimeout(done, everyMs));
        publish({ type: 'progress', ...of, sequence: ++sequence, data: { percent: (100 * i) / steps } });
    }
    publish({ type: 'completed', ...of, sequence: ++sequence });
}

function Builds() {
    const { publishBuildEvent } = useMessaging();
    const [now, setNow] = useState({ type: 'none yet', percent: 0 });
    const counts = useBuildEvents(projectId, ({ type, sequence, data }) => {
        window.seen.builds.push(sequence);
        setNow(({ percent }) => ({ type, percent: data?.percent ?? (type === 'started' ? 0 : percent) }));
    });
    window.seen.counts = counts;
    window.actions.build = (...how) => build(publishBuildEvent, ...how);
    return (
        <section>
            <h2>Build</h2>
            <progress max="100" value={now.percent} />
            <div>{now.type}, {Math.round(now.percent)} %; {counts.recovered} recovered, {counts.lost} lost</div>
            <button onClick={() => window.actions.build(100, 50)}>Build</button>
            <Activity />
        </section>
    );
}

async function run(publish, count, batch) {
    for (let i = 1; i <= count; i++) {
        const level = i % 97 === 0 ? 'error' : i % 23 === 0 ? 'warn' : 'info';
        publish({ type: 'log', sessionId, data: { level, message: `frame ${i}: 60 blocks, 2 squares cleared` } });
        if (i % batch === 0) {
            await new Promise((done) => setTimeout(done, 20));
        }
    }
}

function Log() {
    const { publishRuntimeEvent } = useMessaging();
    const { lines, total } = useLog(sessionId);
    window.seen.total = total;
    window.actions.run = (...how) => run(publishRuntimeEvent, ...how);
    return (
        <section className="log">
            <h2>Runtime log: {total} lines, the last {lines.length} kept</h2>
            <div className="lines">{lines.slice(-12).map(({ number, level, message }) => <div key={number} className={level}>{number}  {message}</div>)}</div>
            <button id="run" onClick={() => window.actions.run(200, 5)}>Run</button>
        </section>
    );
}

createRoot(place).render(
    <StrictMode>
        <SlateProvider connect={connect} onInvalid={(invalid) => window.seen.invalid.push(invalid)}>
            <Header />
            <main><People /><Editor /><Builds /><Log /></main>
        </SlateProvider>
    </StrictMode>,
);
