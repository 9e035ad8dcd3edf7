// Small programs on the themes of a NATS tutorial, written for nats.js.  Each runs twice, with
// its `nats` being @nats-io's package and ours, and has to print the same.
//
// A program gets { nats, open, url, print }: open(options) connects to the server of the test.
// What differs from run to run (inboxes, times) must not be printed.

const bytes = (string) => new TextEncoder().encode(string);

/** How something ends: its value, or the names of its error and of the error's cause. */
async function outcome(promise) {
    try {
        return await promise;
    } catch (error) {
        const cause = error.cause instanceof Error && error.name === 'RequestError';
        return cause ? `${error.name} by ${error.cause.name}` : error.name;
    }
}

/** What a call throws. */
function thrown(call) {
    try {
        call();
        return 'nothing';
    } catch (error) {
        return error.name;
    }
}

export const programs = {
    async 'publish and subscribe with an iterator'({ open, print }) {
        const nc = await open();
        const sub = nc.subscribe('greet.*', { max: 2 });
        const done = (async () => {
            for await (const m of sub) {
                print(m.subject, m.string(), sub.getProcessed(), m.reply);
            }
            print('over', sub.isClosed(), sub.getReceived());
        })();
        nc.publish('greet.joe', 'hello');
        nc.publish('greet.sue', bytes('hi'));
        nc.publish('greet.bob', 'not seen');
        await done;
        await nc.close();
    },

    async 'publish and subscribe with a callback'({ open, print }) {
        const nc = await open();
        const sub = nc.subscribe('cb', {
            callback: (err, m) => print(err, m.string(), m.data.length),
        });
        nc.publish('cb', 'one');
        nc.publish('cb');
        await nc.flush();
        print(sub.getReceived(), sub.getSubject(), sub.isClosed());
        sub.unsubscribe();
        print(sub.isClosed());
        nc.publish('cb', 'not seen');
        await nc.flush();
        await nc.close();
    },

    async 'wildcards'({ open, print }) {
        const nc = await open();
        const seen = [];
        for (const pattern of ['a.*.c', 'a.>', '*', '>']) {
            nc.subscribe(pattern, { callback: (_err, m) => seen.push(`${pattern} ${m.subject}`) });
        }
        for (const subject of ['a.b.c', 'a.b', 'a', 'x.y']) {
            nc.publish(subject);
        }
        await nc.flush();
        print(seen.sort().join('; '));
        await nc.close();
    },

    async 'unsubscribe after a number of messages'({ open, print }) {
        const nc = await open();
        const sub = nc.subscribe('some');
        sub.unsubscribe(3);
        for (let i = 0; i < 5; i++) {
            nc.publish('some', `${i}`);
        }
        for await (const m of sub) {
            print(m.string());
        }
        print(sub.getProcessed(), sub.getMax(), await sub.closed);
        await nc.close();
    },

    async 'queue groups'({ open, print }) {
        const [one, two] = await Promise.all([open(), open()]);
        let [a, b, all] = [0, 0, 0];
        one.subscribe('work', { queue: 'q', callback: () => a++ });
        two.subscribe('work', { queue: 'q', callback: () => b++ });
        one.subscribe('work', { callback: () => all++ });
        await Promise.all([one.flush(), two.flush()]);
        for (let i = 0; i < 100; i++) {
            two.publish('work', `${i}`);
        }
        await two.flush();
        await one.flush();
        await two.flush();
        print(a + b, all);
        await Promise.all([one.close(), two.close()]);
    },

    async 'request and reply'({ open, print, nats }) {
        const nc = await open();
        const sub = nc.subscribe('time');
        (async () => {
            for await (const m of sub) {
                print(m.respond(`12:00 for ${m.string()}`));
            }
        })();
        print((await nc.request('time', 'me', { timeout: 1000 })).string());
        print((await nc.request('time', nats.Empty)).string());
        await nc.drain();
    },

    async 'request without a responder, and without an answer'({ open, print, nats }) {
        const nc = await open();
        print(await outcome(nc.request('nobody', '', { timeout: 500 })));
        nc.subscribe('silent', { callback: () => {} });
        print(await outcome(nc.request('silent', '', { timeout: 50 })));
        print(await outcome(nc.request('nobody', '', { timeout: 500, noMux: true })));
        print(await outcome(nc.request('silent', '', { timeout: 50, noMux: true })));
        const error = await nc.request('nobody').catch((e) => e);
        print(error instanceof nats.RequestError, error.isNoResponders());
        print(error instanceof Error, error.cause instanceof nats.NoRespondersError);
        await nc.close();
    },

    async 'a request with a reply subject of its own'({ open, print }) {
        const nc = await open();
        nc.subscribe('own', { callback: (_err, m) => m.respond(m.reply) });
        print((await nc.request('own', '', { noMux: true, reply: 'back', timeout: 500 })).string());
        print(await outcome(nc.request('own', '', { reply: 'back', timeout: 500 })));
        await nc.close();
    },

    async 'many answers by count, stall, sentinel and time'({ open, print }) {
        const nc = await open();
        for (const name of ['x', 'y', 'z']) {
            nc.subscribe('many', { callback: (_err, m) => m.respond(name) });
        }
        nc.subscribe('stream', {
            callback: (_err, m) => ['1', '2', ''].forEach((part) => m.respond(part)),
        });
        const all = async (subject, options) => {
            const got = [];
            for await (const m of await nc.requestMany(subject, '', options)) {
                got.push(m.string());
            }
            return got.sort().join();
        };
        print(await all('many', { strategy: 'count', maxMessages: 2, maxWait: 1000 }).then((s) => s.length));
        print(await all('many', { strategy: 'stall', maxWait: 1000, stall: 100 }));
        print(await all('many', { strategy: 'timer', maxWait: 200 }));
        print(await all('many', { strategy: 'timer', maxWait: 200, noMux: true }));
        print((await all('stream', { strategy: 'sentinel', maxWait: 1000 })).replace(/^,/, ''));
        await nc.close();
    },

    async 'headers'({ open, print, nats }) {
        const nc = await open();
        const sub = nc.subscribe('h', { max: 2 });
        const h = nats.headers();
        h.append('id', '1234');
        h.append('id', '5678');
        h.set('Content-Type', 'text/plain');
        nc.publish('h', 'x', { headers: h });
        nc.publish('h', 'y');
        for await (const m of sub) {
            const { headers } = m;
            print(m.string(), headers === undefined);
            if (headers) {
                print(headers.get('id'), headers.values('id').join(), headers.last('id'));
                print(headers.has('ID'), headers.has('ID', nats.Match.IgnoreCase));
                print(headers.get('content-type', nats.Match.CanonicalMIME), headers.keys().join());
                print(headers.hasError, headers.code, headers.status);
                print([...headers].map(([k, v]) => `${k}=${v.join('|')}`).join());
            }
        }
        await nc.close();
    },

    async 'header rules'({ print, nats }) {
        const h = nats.headers();
        print(thrown(() => h.set('a b', 'x')), thrown(() => h.set('a', 'x\r\ny')));
        h.set('a', '1');
        h.set('A', '2');
        print(h.get('a'), h.get('A'), h.values('a', nats.Match.IgnoreCase).join());
        h.delete('a', nats.Match.IgnoreCase);
        print(h.keys().length, nats.canonicalMIMEHeaderKey('content-type'));
        const failure = nats.headers(503, 'no one');
        print(failure.hasError, failure.code, failure.description, failure.status);
    },

    async 'JSON'({ open, print }) {
        const nc = await open();
        const sub = nc.subscribe('json', { max: 2 });
        nc.publish('json', JSON.stringify({ n: 1, list: ['ä', null] }));
        nc.publish('json', 'not json');
        for await (const m of sub) {
            print(thrown(() => print(JSON.stringify(m.json()))));
        }
        await nc.close();
    },

    async 'publishMessage and respondMessage'({ open, print, nats }) {
        const nc = await open();
        const headers = nats.headers();
        headers.set('k', 'v');
        nc.subscribe('in', {
            callback: (_err, m) => {
                print(m.string(), m.headers.get('k'), nc.respondMessage(m));
            },
        });
        nc.subscribe('out', { callback: (_err, m) => print('out', m.string(), m.headers.get('k')) });
        nc.publishMessage({ subject: 'in', reply: 'out', data: bytes('msg'), headers });
        await nc.flush();
        await nc.flush();
        print(nc.respondMessage({ subject: 'in', data: bytes('no reply') }));
        await nc.close();
    },

    async 'drain a subscription'({ open, print }) {
        const nc = await open();
        let count = 0;
        const sub = nc.subscribe('drain', { callback: () => count++ });
        for (let i = 0; i < 500; i++) {
            nc.publish('drain');
        }
        print(sub.isDraining());
        const drained = sub.drain();
        print(sub.isDraining());
        await drained;
        print(count, sub.isClosed(), await outcome(sub.drain()));
        await nc.close();
    },

    async 'drain a connection'({ open, print }) {
        const nc = await open();
        let count = 0;
        nc.subscribe('drain', { callback: () => count++ });
        for (let i = 0; i < 500; i++) {
            nc.publish('drain');
        }
        const drained = nc.drain();
        print(nc.isDraining(), thrown(() => nc.subscribe('more')), await outcome(nc.drain()));
        await drained;
        print(count, nc.isClosed(), await nc.closed(), await outcome(nc.drain()));
    },

    async 'close'({ open, print }) {
        const nc = await open();
        const sub = nc.subscribe('x');
        const done = (async () => {
            for await (const m of sub) {
                print(m.subject);
            }
            return 'ended';
        })();
        print(nc.isClosed());
        await nc.close();
        print(nc.isClosed(), await nc.closed(), await done);
        print(thrown(() => nc.publish('x')), thrown(() => nc.subscribe('x')));
        print(await outcome(nc.request('x')), await outcome(nc.flush()), await outcome(nc.rtt()));
    },

    async 'bad subjects'({ open, print }) {
        const nc = await open();
        for (const subject of ['', 'a b', 'a\tb', 'a\r\nb']) {
            print(thrown(() => nc.publish(subject)), thrown(() => nc.subscribe(subject)));
            print(await outcome(nc.request(subject)));
        }
        await nc.close();
    },

    async 'no echo'({ open, print }) {
        const [quiet, other] = await Promise.all([open({ noEcho: true }), open()]);
        let [mine, theirs] = [0, 0];
        quiet.subscribe('e', { callback: () => mine++ });
        other.subscribe('e', { callback: () => theirs++ });
        await Promise.all([quiet.flush(), other.flush()]);
        quiet.publish('e');
        await quiet.flush();
        await other.flush();
        print(mine, theirs);
        await Promise.all([quiet.close(), other.close()]);
    },

    async 'connecting where nobody listens'({ nats, print }) {
        const error = await nats.connect({ servers: '127.0.0.1:1', reconnect: false }).catch((e) => e);
        print(error instanceof nats.ConnectionError, error instanceof Error);
        print(await outcome(Promise.resolve().then(() => nats.connect({ port: 1, servers: 'a' }))));
    },

    async 'the server as it says itself'({ open, print }) {
        const nc = await open({ name: 'who' });
        print(nc.getServer(), nc.info.max_payload, nc.info.headers, nc.info.proto);
        print(nc.info.client_id > 0, typeof nc.info.server_id);
        print(typeof (await nc.rtt()));
        await nc.close();
    },

    async 'statistics'({ open, print }) {
        const nc = await open();
        nc.subscribe('s', { callback: () => {} });
        nc.publish('s', 'four');
        nc.publish('s', bytes('ü'));
        await nc.flush();
        print(JSON.stringify(nc.stats(), ['inBytes', 'inMsgs', 'outBytes', 'outMsgs']));
        await nc.close();
    },

    async 'a subscription with a timeout'({ open, print }) {
        const nc = await open();
        const sub = nc.subscribe('late', { timeout: 50 });
        const wait = async () => {
            for await (const m of sub) {
                print(m.subject);
            }
        };
        print(await outcome(wait()));
        await new Promise((done) => {
            nc.subscribe('late', { timeout: 50, callback: (err) => done(print(err.name)) });
        });
        const early = nc.subscribe('early', { timeout: 1000, max: 1 });
        nc.publish('early', 'in time');
        for await (const m of early) {
            print(m.string());
        }
        await nc.close();
    },

    async 'breaking out of an iterator unsubscribes'({ open, print }) {
        const nc = await open();
        const sub = nc.subscribe('brk');
        for (let i = 0; i < 3; i++) {
            nc.publish('brk', `${i}`);
        }
        for await (const m of sub) {
            print(m.string());
            break;
        }
        await nc.flush();
        print(sub.isClosed(), sub.getProcessed());
        await nc.close();
    },

    async 'one message at a time'({ open, print, nats }) {
        const nc = await open();
        const sub = nc.subscribe('sync', { max: 2 });
        const iterator = nats.syncIterator(sub);
        nc.publish('sync', 'a');
        nc.publish('sync', 'b');
        print((await iterator.next()).string(), (await iterator.next()).string());
        print(await iterator.next());
        await nc.close();
    },

    async 'inboxes and ids'({ print, nats }) {
        print(nats.createInbox().startsWith('_INBOX.'), nats.createInbox('me.too').startsWith('me.too.'));
        print(new Set(Array.from({ length: 1000 }, () => nats.createInbox())).size);
        print(nats.nuid.next().length, thrown(() => nats.createInbox('a.*')));
    },

    async 'deferred, delay and deadline'({ print, nats }) {
        const d = nats.deferred();
        setTimeout(() => d.resolve('done'), 5);
        print(await d);
        const t = Date.now();
        await nats.delay(20);
        print(Date.now() - t >= 19);
        print(await outcome(nats.deadline(new Promise(() => {}), 20)), await nats.deadline(d, 20));
        print(nats.nanos(2), nats.millis(3000000));
    },

    async 'payloads of every size'({ open, print }) {
        const nc = await open();
        const sizes = [0, 1, 127, 65535, 65536, 70000, 1000000, nc.info.max_payload];
        const sub = nc.subscribe('size', { max: sizes.length });
        for (const size of sizes) {
            nc.publish('size', new Uint8Array(size).fill(size & 0xff));
        }
        for await (const m of sub) {
            print(m.data.length, m.data.every((byte) => byte === (m.data.length & 0xff)));
        }
        print(thrown(() => nc.publish('size', new Uint8Array(nc.info.max_payload + 1))));
        await nc.close();
    },

    async 'status events of a forced reconnect'({ open, print }) {
        const nc = await open({ reconnectTimeWait: 10, reconnectJitter: 0 });
        const seen = [];
        (async () => {
            for await (const s of nc.status()) {
                seen.push(s.type);
            }
            seen.push('end');
        })();
        let count = 0;
        nc.subscribe('again', { callback: () => count++ });
        await nc.flush();
        await nc.reconnect();
        await new Promise((done) => setTimeout(done, 300));
        nc.publish('again');
        await nc.flush();
        print(count, seen.includes('disconnect'), seen.includes('reconnect'));
        await nc.close();
        await new Promise((done) => setTimeout(done, 10));
        print(seen.includes('close'), seen.at(-1));
    },
};

