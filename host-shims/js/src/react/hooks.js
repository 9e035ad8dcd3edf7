// Hooks for React.  They are safe under StrictMode, and their callbacks may be written inline:
// a render never subscribes again, only another subject does.
import {
    createContext,
    createElement,
    useCallback,
    useContext,
    useEffect,
    useMemo,
    useRef,
    useState,
    useSyncExternalStore,
} from 'react';
import { NatsStore } from './store.js';

const REQUEST_MS = 1000;
const PRESENCE_MS = 5000;
const PEER_GONE = 3; // intervals without a sign of life

const Context = createContext(null);

/** Gives the hooks below it a connection.  connect() makes it, once, when the first of them is
 *  there, and it is drained when the last one has gone. */
export function NatsProvider({ connect, children }) {
    const [store] = useState(() => new NatsStore(connect));
    useEffect(() => store.retain(), [store]);
    return createElement(Context.Provider, { value: store }, children);
}

function useStore() {
    const store = useContext(Context);
    if (!store) {
        throw new Error('a hook of natlet/react needs a <NatsProvider> above it');
    }
    return store;
}

/** The value of the last render, for callbacks that must not be subscribed anew. */
function useNewest(value) {
    const newest = useRef(value);
    useEffect(() => {
        newest.current = value;
    });
    return newest;
}

export function useNatsStatus() {
    const store = useStore();
    return useSyncExternalStore(store.onStatus, store.getStatus, store.getStatus);
}

/** The connection; undefined while there is none. */
export function useNats() {
    const store = useStore();
    useNatsStatus();
    return store.connection;
}

/** The cell, if the provider's connect() makes one; undefined while there is none. */
export function useCell() {
    const store = useStore();
    return useSyncExternalStore(store.onStatus, store.getCell, store.getCell);
}

const NOTHING = {};
const NOBODY = { get: () => NOTHING, subscribe: () => () => {} };

/** { info, down } of an agent of the cell: as it is now, and why it is down, if it is. */
export function useAgent(id) {
    const watched = useCell()?.agent(id) ?? NOBODY;
    return useSyncExternalStore(watched.subscribe, watched.get, watched.get);
}

/** Calls `each` once in a frame, with the last arguments. */
function coalescing(each) {
    const frame = globalThis.requestAnimationFrame ?? ((run) => setTimeout(run, 16));
    let last;
    return (...args) => {
        if (!last) {
            frame(() => {
                const now = last;
                last = undefined;
                each(...now);
            });
        }
        last = args;
    };
}

/** callback(message) for each message of `subject`; null: of none.  options: coalesce (at most
 *  one call in a frame, with the newest message), onError(error). */
export function useSubject(subject, callback, options = {}) {
    const store = useStore();
    const newest = useNewest({ callback, ...options });
    const { coalesce = false } = options;
    useEffect(() => {
        if (subject === null || subject === undefined) {
            return undefined;
        }
        let isOver = false;
        const deliver = (error, message) => {
            if (!isOver) {
                error ? newest.current.onError?.(error) : newest.current.callback(message);
            }
        };
        const end = store.subscribe(subject, coalesce ? coalescing(deliver) : deliver);
        return () => {
            isOver = true;
            end();
        };
    }, [store, subject, coalesce, newest]);
}

/** The newest message of `subject`; undefined before the first. */
export function useLatest(subject) {
    const [latest, setLatest] = useState({});
    useSubject(subject, (message) => setLatest({ subject, message }), { coalesce: true });
    return latest.subject === subject ? latest.message : undefined;
}

/** { request(data), data, error, isPending }: request() resolves to the answer, and the last
 *  one that was asked for is in the others. */
export function useRequest(subject, { timeout = REQUEST_MS } = {}) {
    const store = useStore();
    const [state, setState] = useState({ isPending: false });
    const round = useRef(0);
    useEffect(() => () => void round.current++, []); // nothing is set after the end
    const request = useCallback(
        async (data) => {
            const mine = ++round.current;
            const settle = (next) => mine === round.current && setState(next);
            settle({ isPending: true });
            try {
                if (!store.connection) {
                    throw new Error('there is no connection');
                }
                const answer = await store.connection.request(subject, data, { timeout });
                settle({ isPending: false, data: answer });
                return answer;
            } catch (error) {
                settle({ isPending: false, error });
                throw error;
            }
        },
        [store, subject, timeout],
    );
    return { request, ...state };
}

/** Who is in `room`: a Map of what the others say of themselves, by their id, as `me` is said
 *  to them every interval.  `me` needs an `id`.  Who is silent for three intervals is gone. */
export function usePresence(room, me, intervalMs = PRESENCE_MS) {
    const nats = useNats();
    const [peers, setPeers] = useState(() => new Map());
    const newest = useNewest(me);
    useEffect(() => {
        if (!nats) {
            return undefined;
        }
        const say = (extra) => nats.publish(room, JSON.stringify({ ...newest.current, ...extra }));
        const beat = setInterval(() => {
            say();
            setPeers(withoutSilent(Date.now() - PEER_GONE * intervalMs));
        }, intervalMs);
        say();
        return () => {
            clearInterval(beat);
            if (!nats.isClosed()) {
                say({ left: true });
            }
        };
    }, [nats, room, intervalMs, newest]);
    useSubject(room, (message) => setPeers(withPeer(message, newest.current.id)));
    return useMemo(() => new Map([...peers].map(([id, { said }]) => [id, said])), [peers]);
}

/** Makes of a table of peers another one, or the same if nothing changes. */
function withPeer(message, myId) {
    return (peers) => {
        const said = parsed(message);
        if (!said || said.id === myId) {
            return peers;
        }
        const next = new Map(peers);
        if (said.left) {
            next.delete(said.id);
        } else {
            next.set(said.id, { said, at: Date.now() });
        }
        return next;
    };
}

function withoutSilent(since) {
    return (peers) => {
        const next = new Map([...peers].filter(([, { at }]) => at >= since));
        return next.size === peers.size ? peers : next;
    };
}

/** An object with an id, or undefined: anybody may publish into a room. */
function parsed(message) {
    try {
        const said = message.json();
        return said !== null && typeof said === 'object' && said.id !== undefined ? said : undefined;
    } catch {
        return undefined;
    }
}
