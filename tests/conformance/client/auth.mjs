// Who the client is: with C authenticators natively and as wasm, and, in an embedding, with
// those of JavaScript.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
    CLIENT_CONNECTED,
    CLIENT_EV_AUTH_EXPIRING,
    Embedding,
    credsAuthenticator,
    instantiate,
    jwtAuthenticator,
    mergeAuthenticators,
    nkeyAuthenticator,
    nodeHost,
    tokenAuthenticator,
    usernamePasswordAuthenticator,
} from '../../../host-shims/js/src/node.js';
import { Operator, makeUserKey } from '../../support/credentials.mjs';
import { npm, root, run, sleep, tool, until, within } from '../../support/harness.mjs';
import { withServer } from '../../support/servers.mjs';
import { Program, assert, assertLines, runProgram } from './program.mjs';

const build = path.resolve(root, process.env.B ?? 'build');
const TOKEN = 'to/ken-123456';
const LIFE_S = 6; // of a JWT: much more than a program takes to begin
const AT_ONCE = 8; // most of a case is waiting
const COOKIES = { user: 'who', pass: 'what' };

const key = makeUserKey();
const USERS = [
    { user: 'anna', password: 'r:ght@' },
    { nkey: key.public },
    { user: 'tcponly', password: 'pw', connectionTypes: ['STANDARD'] },
    { user: 'wsonly', password: 'pw', connectionTypes: ['WEBSOCKET'] },
];

const urlOf = (server, scheme) => (scheme === 'ws' ? server.wsUrl : server.url);
const withUser = (url, userinfo) => url.replace('://', `://${userinfo}@`);
const isIn = (p) => assertLines(p.about('flush', 'error'), ['flush OK']);
const isOut = (p) =>
    assert(/^state closed E_AUTH/.test(p.about('state').at(-1)), p.about('state').join('\n'));
const QUICK = ['set reconnect_ms 10', 'set retry_first_connect'];
const LOG_IN = ['connect', 'flush', 'close'];

/** Cases of one server: name -> (go(url, ...steps), url, scheme, form). */
const USER_CASES = {
    'user and password in the options': async (go, url) =>
        isIn(await go(url, 'set user anna', 'set password r:ght@', ...LOG_IN)),
    'user and password in the URL': async (go, url) =>
        isIn(await go(withUser(url, 'ann%61:r%3aght%40'), ...LOG_IN)),
    'an nkey': async (go, url) => isIn(await go(url, `nkey ${key.seed}`, ...LOG_IN)),
    'a wrong nkey': async (go, url) => isOut(await go(url, `nkey ${makeUserKey().seed}`, 'connect')),
    'nobody says anything': async (go, url) => isOut(await go(url, 'connect')),
    'a wrong password twice, then no more': async (go, url) => {
        const p = await go(url, 'set user anna', 'set password wrong', ...QUICK, 'connect');
        isOut(p);
        assert(p.about('error').length === 2, p.about('error').join('\n'));
    },
    'a wrong password for ever, if told so': async (go, url, scheme, form) => {
        const p = new Program(form, [
            `set servers ${url}`,
            'set user anna',
            'set password wrong',
            'set retry_auth_errors',
            ...QUICK,
            'connect',
        ]);
        await until(() => p.about('error').length >= 5, 5000, 'five refusals');
        p.running.child.kill('SIGKILL');
    },
    'allowed connection types': async (go, url, scheme) => {
        const tcp = await go(url, 'set user tcponly', 'set password pw', ...LOG_IN);
        const ws = await go(url, 'set user wsonly', 'set password pw', ...LOG_IN);
        (scheme === 'ws' ? isOut : isIn)(tcp);
        (scheme === 'ws' ? isIn : isOut)(ws);
    },
};

const TOKEN_CASES = {
    'a token in the options': async (go, url) =>
        isIn(await go(url, `set token ${TOKEN}`, ...LOG_IN)),
    'a token in the URL': async (go, url) =>
        isIn(await go(withUser(url, TOKEN.replace('/', '%2f')), ...LOG_IN)),
    'a wrong token': async (go, url) => isOut(await go(url, 'set token wrong', 'connect')),
};

const COOKIE_CASES = {
    'a page whose cookies say it: CONNECT says nothing': async (go, url) =>
        isIn(await go(url, 'set headers Cookie: who=anna; what=pw\r\n', ...LOG_IN)),
    'cookies that are wrong': async (go, url) =>
        isOut(await go(url, 'set headers Cookie: who=anna; what=no\r\n', 'connect')),
};

const jwtCases = (operator) => ({
    'creds from memory': async (go, url) => {
        const { creds } = await operator.user();
        isIn(await go(url, `creds ${creds}`, ...LOG_IN));
    },
    'the JWT of a bearer': async (go, url) => {
        const { jwt } = await operator.user({ isBearer: true });
        isIn(await go(url, `creds ${jwt}`, ...LOG_IN));
    },
    'a JWT that is no bearer needs a signature': async (go, url) => {
        const { jwt } = await operator.user();
        isOut(await go(url, `creds ${jwt}`, 'connect'));
    },
    'several refusals are forgotten by one success': async (go, url) => {
        const [good, bad] = [await operator.user(), await operator.user({ expiresIn: -10 })];
        const list = [good, bad, good, bad, good].map(({ creds }) => `creds ${creds}`);
        const steps = ['reconnect', 'connects 2', 'reconnect', 'connects 3', 'flush'];
        const p = await go(url, ...list, 'set reconnect_ms 10', 'connect', ...steps);
        assertLines(p.about('flush'), ['flush OK']);
        assert(p.about('error').length === 2, p.about('error').join('\n'));
    },
    'a JWT is replaced before it expires': async (go, url) => {
        const [first, next] = [await operator.user({ expiresIn: LIFE_S }), await operator.user()];
        const steps = ['sub own', 'connects 2', 'settle own 10'];
        const list = [`creds ${first.creds}`, `creds ${next.creds}`];
        const p = await go(url, ...list, 'connect', ...steps);
        assertLines(p.about('error', 'auth_expiring', 'settled'), [
            /^auth_expiring OK/,
            'settled 10',
        ]);
    },
    'one that expired all the same is notified, and a fresh one helps': async (go, url) => {
        const [first, next] = [await operator.user({ expiresIn: LIFE_S }), await operator.user()];
        const list = [first, first, next].map(({ creds }) => `creds ${creds}`);
        const steps = ['sub own', 'connects 3', 'settle own 10'];
        const p = await go(url, ...list, 'set reconnect_ms 10', 'connect', ...steps);
        assertLines(p.about('error', 'auth_expiring', 'settled'), [
            /^auth_expiring OK/,
            /^error E_AUTH .*"User Authentication Expired"/,
            'settled 10',
        ]);
    },
});

const FILE_CASES = (operator) => ({
    'creds from a file': async (go, url) => {
        const { file } = await operator.user();
        isIn(await go(url, `creds-file ${file}`, ...LOG_IN));
        const p = await go(url, `creds-file ${file}x`, 'connect');
        assert(/^state closed E_NOT_FOUND/.test(p.about('state').at(-1)), 'no such file');
    },
});

/** Whoever is revoked while he is in is sent away, and refused from then on. */
async function revokedCases(report, kinds, version) {
    const operator = await Operator.make();
    const users = await Promise.all(kinds.map(() => operator.user()));
    await withServer({ operator }, async (server) => {
        const programs = kinds.map(
            ([form, scheme], i) =>
                new Program(form, [
                    `set servers ${urlOf(server, scheme)}`,
                    `creds ${users[i].creds}`,
                    'set reconnect_ms 10',
                    'connect',
                    'mark ready',
                    'connects 2',
                ]),
        );
        await Promise.all(programs.map((p) => p.line(/^mark ready/)));
        for (const user of users) {
            await operator.revoke(user);
        }
        await server.reload({ operator });
        for (const [i, [form, scheme]] of kinds.entries()) {
            const place = `${form} ${scheme} ${version}`;
            await report.theme('auth', 'a user who is revoked', place, async () => {
                const p = await programs[i].end();
                isOut(p);
                assert(/Revoked|Authorization/.test(p.about('error')[0]), p.lines.join('\n'));
            });
        }
    });
}

/** Every case everywhere at once: most of it is waiting. */
function everywhere(report, kinds, server, version, cases) {
    const one = ([form, scheme]) =>
        Object.entries(cases).map(([what, body]) => {
            const url = urlOf(server, scheme);
            const go = (to, ...steps) => runProgram(form, [`set servers ${to}`, ...steps]);
            const test = () => body(go, url, scheme, form);
            return [what, `${form} ${scheme} ${version}`, test];
        });
    return side(
        kinds.flatMap(one).map(([what, place, test]) => () => report.theme('auth', what, place, test)),
    );
}

/** Some at a time, of all that there is to do. */
const waiting = [];
let running = 0;

function inTurn(task) {
    return new Promise((done, fail) => {
        waiting.push(() => task().then(done, fail));
        work();
    });
}

async function work() {
    while (running < AT_ONCE && waiting.length > 0) {
        running++;
        waiting
            .shift()()
            .finally(() => {
                running--;
                work();
            });
    }
}

const side = (tasks) => Promise.all(tasks.map(inTurn));

// ---- by an embedding

let module;
const start = async (url, authenticator, options = {}) => {
    module ??= await WebAssembly.compile(await readFile(path.join(build, 'wasm/natlet-core.wasm')));
    const { config, ...handlers } = options;
    return Embedding.start(module, {
        host: nodeHost(),
        authenticator,
        config: { servers: [url], reconnect_ms: 10, ...config },
        onError: () => {},
        ...handlers,
    });
};

async function logsIn(url, authenticator, options) {
    const client = await start(url, authenticator, options);
    await within(5000, client.connected, 'connect');
    await client.flush();
    await client.close();
}

async function isRefused(url, authenticator) {
    let asked = 0;
    const client = await start(
        url,
        async (...args) => {
            asked++;
            return authenticator(...args);
        },
        { config: { retry_first_connect: true } },
    );
    const how = await within(5000, client.connected, 'the end').then(
        () => 'connected',
        (error) => error.message,
    );
    assert(how !== 'connected' && asked === 2, `${how}, asked ${asked} times`);
}

const EMBEDDED_USERS = {
    'the host says user and password': (url) =>
        logsIn(url, usernamePasswordAuthenticator('anna', () => 'r:ght@')),
    'the host says an nkey': (url) => logsIn(url, nkeyAuthenticator(key.seed)),
    'the host says several things': (url) =>
        logsIn(
            url,
            mergeAuthenticators([
                async () => ({ user: 'anna', pass: 'wrong' }),
                async () => ({ pass: 'r:ght@' }),
            ]),
        ),
    'the host says what is wrong: twice': (url) =>
        isRefused(url, usernamePasswordAuthenticator('anna', 'wrong')),
    'the host says nothing, the options do': (url) =>
        logsIn(url, async () => ({}), { config: { user: 'anna', password: 'r:ght@' } }),
    'an authenticator of the host that throws is asked again': async (url) => {
        let asked = 0;
        const fails = async () => {
            if (++asked < 4) {
                throw new Error('not yet');
            }
            return { user: 'anna', pass: 'r:ght@' };
        };
        await logsIn(url, fails, { config: { retry_first_connect: true } });
    },
    'an authenticator of the host that is too slow for the server': async (url) => {
        let asked = 0;
        const errors = [];
        const slow = async () => {
            await sleep(++asked < 3 ? 900 : 0);
            return { user: 'anna', pass: 'r:ght@' };
        };
        await logsIn(url, slow, {
            config: { retry_first_connect: true },
            onError: (error) => errors.push(error.message),
        });
        assert(asked >= 3 && /Timeout/i.test(errors.join()), errors.join());
    },
};

const EMBEDDED_TOKEN = {
    'the host says a token': (url) => logsIn(url, tokenAuthenticator(async () => TOKEN)),
};

const embeddedJwts = (operator) => ({
    'the host says creds of a file, read at every connect': async (url) => {
        const { file } = await operator.user();
        await logsIn(url, credsAuthenticator(() => readFile(file)));
    },
    'the host says the JWT of a bearer': async (url) => {
        const { jwt } = await operator.user({ isBearer: true });
        await logsIn(url, jwtAuthenticator(jwt));
    },
    'the host is asked anew before a JWT expires': async (url) => {
        const list = [await operator.user({ expiresIn: LIFE_S }), await operator.user()];
        const events = [];
        const states = [];
        const client = await start(url, credsAuthenticator(() => (list.shift() ?? {}).creds), {
            onEvent: (kind) => events.push(kind),
            onState: (state) => states.push(state),
        });
        const count = () => states.filter((state) => state === CLIENT_CONNECTED).length;
        await until(() => count() === 2, LIFE_S * 1000, 'the second connection');
        await client.flush();
        await client.close();
        assert(events.join() === `${CLIENT_EV_AUTH_EXPIRING}`, events.join());
    },
    'no secret is left in the memory of a module that has ended': (url) =>
        nothingIsLeft(url, operator),
});

const STATE = 9; // word of natlet_embed_areas

async function nothingIsLeft(url, operator) {
    const user = await operator.user();
    const secrets = ['s3cret"pass', 's3crettoken', 'urls3cret', user.seed, user.jwt];
    const [pass, token] = secrets;
    const source = await readFile(path.join(build, 'wasm/natlet-core.wasm'));
    const reactor = await instantiate(source, {
        host: nodeHost(),
        authenticator: mergeAuthenticators([
            async () => ({ pass, auth_token: token }),
            credsAuthenticator(user.creds),
        ]),
        config: {
            servers: [withUser(url, 'u:urls3cret')],
            user: 'u',
            password: pass,
            token,
            host_auth: true,
            tx_bytes: 512,
        },
    });
    const memory = () => Buffer.from(reactor.memory.buffer);
    assert(memory().includes('urls3cret'), 'the test sees what is there');
    const areas = reactor.exports.natlet_areas() >>> 2;
    const state = () => new Uint32Array(reactor.memory.buffer)[areas + STATE];
    await until(() => state() === CLIENT_CONNECTED, 5000, 'the connection');
    assert(!memory().includes(user.jwt), 'CONNECT is wiped when it was sent');
    reactor.finish();
    const left = secrets.filter((secret) => memory().includes(secret));
    assert(left.length === 0, left.join());
}

function embedded(report, server, cases) {
    return side(
        ['ws', 'nats'].flatMap((scheme) =>
            Object.entries(cases).map(
                ([what, body]) =>
                    () =>
                        report.theme('auth', what, `wasm ${scheme} newest`, () =>
                            body(urlOf(server, scheme)),
                        ),
            ),
        ),
    );
}

// ---- what the official packages make of keys and tokens

async function dump(...lines) {
    const { stdout } = await run(path.join(build, 'tests/auth-dump'), [], {
        input: lines.map((line) => `${line}\n`).join(''),
    });
    return stdout.trimEnd().split('\n');
}

async function agreesWithOfficial(operator) {
    const { createAccount, createOperator, createUser, fromPublic, fromSeed } =
        npm('@nats-io/nkeys');
    const { decode } = npm('@nats-io/jwt');
    const bytes = (text) => new TextEncoder().encode(text);
    for (let i = 0; i < 20; i++) {
        const pair = [createAccount, createOperator, createUser][i % 3]();
        const seed = new TextDecoder().decode(pair.getSeed());
        const nonce = `nonce-${i}-${'x'.repeat(i)}`;
        const [said, signature] = await dump(`public ${seed}`, `sign ${seed} ${nonce}`);
        const kind = pair.getPublicKey()[0];
        assertLines([said], [`${kind} seed ${pair.getPublicKey()}`]);
        const raw = new Uint8Array(Buffer.from(signature, 'base64url'));
        assert(fromPublic(pair.getPublicKey()).verify(bytes(nonce), raw), 'the signature');
        const theirs = Buffer.from(fromSeed(bytes(seed)).sign(bytes(nonce))).toString('base64url');
        assert(theirs === signature, 'both signatures');
    }
    for (const options of [{}, { isBearer: true, name: 'who' }, { expiresIn: 1000 }]) {
        const user = await operator.user(options);
        const claims = decode(user.jwt);
        const kind = claims.nats.bearer_token ? 'bearer' : 'signs';
        const [jwt, creds] = await dump(`jwt ${user.jwt}`, `creds ${user.file}`);
        assertLines(
            [jwt, creds],
            [`${claims.exp ?? 0} ${kind} ${claims.sub} ${claims.name}`, `${user.seed} ${user.jwt}`],
        );
    }
}

// ---- all of it

const shapes = (old) => ({
    users: { old, users: USERS, authTimeout: 0.5 },
    token: { old, token: TOKEN },
    cookies: { old, users: [{ user: 'anna', password: 'pw' }], cookies: COOKIES },
});

function casesOfVersion(report, kinds, operator, old) {
    const version = old ? '2.9' : 'newest';
    const { users, token, cookies } = shapes(old);
    const natively = kinds.filter(([form]) => form === 'native');
    const all = old ? natively : kinds;
    const cookieKinds = natively.filter(([, scheme]) => scheme === 'ws');
    const on = (shape, kindsOf, cases, more = {}) =>
        withServer(shape, (server) =>
            Promise.all([
                everywhere(report, kindsOf, server, version, cases),
                old || embedded(report, server, more),
            ]),
        );
    return [
        on(users, all, USER_CASES, EMBEDDED_USERS),
        on(token, all, TOKEN_CASES, EMBEDDED_TOKEN),
        on({ old, operator }, all, jwtCases(operator), embeddedJwts(operator)),
        on({ old, operator }, natively, FILE_CASES(operator)),
        old || on(cookies, cookieKinds, COOKIE_CASES),
        old || revokedCases(report, kinds, version),
    ];
}

export async function authCases(report, kinds) {
    const operator = await Operator.make();
    const official = () => agreesWithOfficial(operator);
    await Promise.all([
        ...casesOfVersion(report, kinds, operator, false),
        ...casesOfVersion(report, kinds, operator, true),
        report.theme('auth', 'keys and tokens as the official packages have them', 'native', official),
    ]);
}
