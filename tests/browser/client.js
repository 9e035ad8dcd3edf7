// The embedding in a page.  run.mjs calls what hangs on `window` here; what comes back are
// plain values.
import {
    browserHost,
    CLIENT_CLOSED,
    CLIENT_CONNECTED,
    Embedding,
} from '/host-shims/js/src/browser.js';

const states = [];
const errors = [];
let client;
let stateChanged = () => {};

/** Message number i of a run: up to `max` bytes that tell a lost one from a torn one. */
function payloadOf(i, max) {
    const bytes = new Uint8Array(4 + ((i * 7919) % (max - 3)));
    new DataView(bytes.buffer).setUint32(0, i);
    for (let at = 4; at < bytes.length; at++) {
        bytes[at] = i + at;
    }
    return bytes;
}

function isPayload(bytes, i, max) {
    const want = payloadOf(i, max);
    return bytes.length === want.length && want.every((byte, at) => byte === bytes[at]);
}

async function reaches(count, state) {
    while (states.filter((one) => one === state).length < count) {
        await new Promise((done) => (stateChanged = done));
    }
}

window.states = states;
window.errors = errors;

window.start = async (moduleUrl, servers) => {
    const module = await WebAssembly.compileStreaming(fetch(moduleUrl));
    client = await Embedding.start(module, {
        host: browserHost(),
        config: { servers, reconnect_ms: 100, pending_bytes_max: 1048576 },
        onState: (state) => {
            states.push(state);
            stateChanged();
        },
        onError: (error) => errors.push(String(error)),
    });
    await reaches(1, CLIENT_CONNECTED);
};

window.connectedAgain = (count) => reaches(count, CLIENT_CONNECTED);

/** Publishes `count` messages to itself; resolves to how many arrived whole and in order. */
window.echo = async (subject, count, max) => {
    let good = 0;
    let next = 0;
    const all = new Promise((done) => {
        const subscription = client.subscribe(subject, ({ data }) => {
            good += isPayload(data, next, max) ? 1 : 0;
            if (++next === count) {
                subscription.unsubscribe();
                done();
            }
        });
    });
    for (let i = 0; i < count; i++) {
        client.publish(subject, payloadOf(i, max));
    }
    await client.flush();
    await all;
    return good;
};

/** Publishes for somebody else to check. */
window.send = async (subject, count, max) => {
    for (let i = 0; i < count; i++) {
        client.publish(subject, payloadOf(i, max));
    }
    return client.flush();
};

/** Subscribes; window.taken(subject) resolves to how many of `count` were whole and in order. */
const taken = new Map();
window.take = async (subject, count, max) => {
    let good = 0;
    let next = 0;
    taken.set(
        subject,
        new Promise((done) => {
            client.subscribe(subject, ({ data }) => {
                good += isPayload(data, next, max) ? 1 : 0;
                if (++next === count) {
                    done(good);
                }
            });
        }),
    );
    await client.flush();
};
window.taken = (subject) => taken.get(subject);

window.answer = async (subject) => {
    client.subscribe(subject, ({ reply, data, headers }) => {
        client.publish(reply, data, { headers: headers?.length ? headers : undefined });
    });
    await client.flush();
};

/** The answer as text, or the name of the failure. */
window.request = (subject, text, timeoutMs) =>
    client.request(subject, text, { timeoutMs }).then(
        ({ data }) => new TextDecoder().decode(data),
        (error) => error.code,
    );

window.memory = () => client.memory;

window.drain = async () => {
    await client.drain();
    return states.at(-1) === CLIENT_CLOSED;
};

window.isReady = true;
