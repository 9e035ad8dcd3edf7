// Who the command is: creds files and nkeys, read anew whenever the command connects.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeUserKey, Operator } from '../support/credentials.mjs';
import { npm, sleep, tempFolder, until } from '../support/harness.mjs';
import { withServer } from '../support/servers.mjs';
import { Cli, forms } from './cli.mjs';

const { createAccount } = npm('@nats-io/nkeys');

const LIFE_S = 5; // of a JWT: much more than a command takes to begin
const LARGEST = 65536;
const QUICK = ['--reconnect-wait', '50ms'];

const key = makeUserKey();
const KEYS = { users: [{ nkey: key.public }, { user: 'anna', password: 'pw' }] };

const folder = tempFolder();
mkdirSync(path.join(folder, 'in'));
let files = 0;

/** A new file in `folder`. */
function put(text) {
    const file = path.join(folder, `file${files++}`);
    writeFileSync(file, text);
    return file;
}

/** As whoever renews a file does it: at no time is it there in part. */
function replace(file, text) {
    renameSync(put(text), file);
}

const rtt = (cli, args, env = {}, cwd = folder) =>
    cli.run(['rtt', '--count', '1', ...args], { env, cwd });

function succeeds({ code, stderr }) {
    assert.deepEqual([code, stderr], [0, '']);
}

/** One line, with nothing of a secret in it. */
function fails({ code, stderr }, pattern) {
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^natlet: cannot connect to [^\n]*\n$/);
    assert.match(stderr, pattern);
    assert.doesNotMatch(stderr, /S[AU][A-Z2-7]{8}|eyJ/);
}

/** A message goes from one command to another. */
async function passes(cli, subject, args) {
    const sub = await cli.listen(['sub', subject, '--raw', '--count', '1', ...args]);
    succeeds(await cli.run(['pub', subject, 'word', ...args]));
    assert.equal((await sub.exit).code, 0);
    assert.equal(sub.stdout(), 'word\n');
}

/** The text with two letters of the seed in it swapped. */
const damaged = (text) =>
    text.replace(/(SU[A-Z2-7]{20}(.))\2*([A-Z2-7])/, (all, head) => {
        const at = head.length - 1;
        return all.slice(0, at) + all.at(-1) + all.slice(at + 1, -1) + all[at];
    });

/** Over both transports: name -> ({ cli, keyCli, operator }, subject), commands for a server with
 *  an operator and for one with nkeys. */
const PASSING = {
    '--nkey': ({ keyCli }, subject) => passes(keyCli, subject, ['--nkey', put(`${key.seed}\n`)]),

    '--creds': async ({ cli, operator }, subject) =>
        passes(cli, subject, ['--creds', (await operator.user()).file]),
};

/** Over TCP only, for the transport has no part in it. */
const READING = {
    'NATS_NKEY, and what is given wins': async ({ keyCli }) => {
        const file = put(key.seed);
        const wrong = { NATS_NKEY: '/nowhere', NATS_CREDS: '/nowhere', NATS_USER: 'nobody' };
        const anna = { NATS_USER: 'anna', NATS_PASSWORD: 'pw' };
        succeeds(await rtt(keyCli, [], { NATS_NKEY: file, NATS_TOKEN: 'wrong' }));
        succeeds(await rtt(keyCli, ['--nkey', path.basename(file)], wrong));
        succeeds(await rtt(keyCli, ['--user', 'anna', '--password', 'pw'], wrong));
        succeeds(await rtt(keyCli, [], { ...wrong, ...anna }));
    },

    'NATS_CREDS, and paths of every kind': async ({ cli, operator }) => {
        const { file, creds } = await operator.user();
        const own = path.basename(put(creds));
        succeeds(await rtt(cli, [], { NATS_CREDS: file, NATS_NKEY: '/nowhere' }));
        succeeds(await rtt(cli, [`--creds=${own}`], { NATS_CREDS: '/nowhere' }));
        succeeds(await rtt(cli, ['--creds', `./${own}`], { NATS_USER: 'nobody' }));
        succeeds(await rtt(cli, ['--creds', `../${own}`], {}, path.join(folder, 'in')));
    },

    'files that cannot be read': async ({ cli }) => {
        const none = await rtt(cli, ['--creds', 'no.creds']);
        fails(none, /: cannot read no\.creds: there is no such file: check --creds \(NATS_CREDS\)/);
        fails(await rtt(cli, ['--nkey', folder]), /: cannot read \/[^:]*: it is a folder: check/);
        const large = await rtt(cli, ['--creds', put(' '.repeat(LARGEST + 1))]);
        fails(large, /: cannot read \/[^:]*: it is larger than 64 KiB: check/);
        const blank = await rtt(cli, ['--creds', put(' '.repeat(LARGEST))]);
        fails(blank, /: cannot use \/[^:]*: a creds file needs .* NATS USER JWT/);
    },

    'nkeys that are none': async ({ keyCli }) => {
        const use = (text) => rtt(keyCli, ['--nkey', put(text)]);
        const account = Buffer.from(createAccount().getSeed()).toString();
        const wrong = await use(damaged(key.seed));
        fails(wrong, /: cannot use \/[^:]*: the nkey has a wrong letter[^:]*: put the seed into/);
        fails(await use(key.seed.slice(1)), /: cannot use \/[^:]*: not an nkey: .*: put the seed/);
        fails(await use(account), /: cannot use \/[^:]*: the wrong kind of nkey[^:]*: put the seed/);
        fails(await use(makeUserKey().seed), /refused the credentials .*--creds or --nkey/);
    },

    'creds files that are none': async ({ cli, operator }) => {
        const { creds } = await operator.user();
        const use = (text) => rtt(cli, ['--creds', put(text)]);
        const [jwt, seed] = creds.split(/(?=-+BEGIN USER NKEY)/);
        fails(await use(jwt), /: cannot use \/[^:]*: a creds file .* USER NKEY SEED .*: get the creds/);
        fails(await use(seed), /: cannot use \/[^:]*: a creds file .* NATS USER JWT .*: get the creds/);
        fails(await use(damaged(creds)), /: cannot use \/[^:]*: the nkey has a wrong letter/);
    },

    '--creds and --nkey at once': async ({ cli }) => {
        const how = await rtt(cli, ['--creds', 'a', '--nkey', 'b']);
        assert.equal(how.code, 2);
        assert.match(how.stderr, /^natlet: --creds and --nkey exclude each other: [^\n]*\n$/);
    },
};

const started = [];
const count = (running, text) => running.stderr().split(text).length - 1;
const says = (running, text, times = 1) =>
    until(() => count(running, text) >= times, 1000 * LIFE_S + 5000, text).catch((error) => {
        throw new Error(`${error.message}: ${running.stderr()}`);
    });

/** A subscriber whose JWT expires soon: { sub, file, check(), old, creds }. */
async function subscribe({ cli, operator }, subject, ...more) {
    const { file, creds: old } = await operator.user({ expiresIn: LIFE_S });
    const expires = Date.now() + 1000 * LIFE_S;
    const { creds } = await operator.user();
    const sub = await cli.listen(['sub', subject, '--raw', '--creds', file, ...QUICK, ...more]);
    started.push(sub);
    const check = async () => {
        succeeds(await cli.run(['pub', subject, 'word', '--creds', put(creds)]));
        await until(() => sub.stdout() === 'word\n', 5000, 'the message');
        assert.equal((await sub.stop('SIGTERM', 5000)).code, 0, sub.stderr());
    };
    return { sub, file, check, expires, old, creds };
}

const EXPIRED = {
    'a fresh file after the JWT expired, and --retry-auth': async (servers, subject) => {
        const one = await subscribe(servers, subject, '--retry-auth');
        const { sub, file, check, expires, creds } = one;
        await says(sub, 'yet, trying again: the server refused the credentials');
        await sleep(expires + 1200 - Date.now()); // in its last second it is let in, and sent away
        const before = count(sub, 'connected again');
        replace(file, creds);
        await says(sub, 'natlet: connected again to ', before + 1);
        await check();
        assert.ok(count(sub, 'trying again') <= before + 1, sub.stderr()); // once each time
    },
};

/** Over TCP only. */
const EXPIRING = {
    'a fresh file before the JWT expires': async (servers, subject) => {
        const { sub, file, check, expires, creds } = await subscribe(servers, subject);
        replace(file, creds);
        await says(sub, 'natlet: connected again to ');
        assert.match(sub.stderr(), /\nnatlet: the JWT for .* expires soon, reading the file anew\n/);
        await sleep(expires + 500 - Date.now());
        await check();
        assert.equal(count(sub, '\n'), 3, sub.stderr());
    },

    'no fresh file': async (servers, subject) => {
        const { sub } = await subscribe(servers, subject);
        await says(sub, 'natlet: cannot listen on ');
        assert.equal((await sub.exit).code, 1);
        assert.match(sub.stderr(), /: the server refused the credentials .*--creds or --nkey\n$/);
    },

    'a damaged file in between': async (servers, subject) => {
        const { sub, file, check, old, creds } = await subscribe(servers, subject);
        replace(file, damaged(old));
        await says(sub, ` yet, trying again: cannot use ${file}: the nkey has a wrong letter`);
        replace(file, creds);
        await says(sub, 'natlet: connected again to ');
        await check();
        assert.equal(count(sub, 'trying again'), 1, sub.stderr());
    },
};

/** What waits begins first. */
async function casesOf(report, { keys, users, operator }) {
    const one = (form, scheme) => {
        const url = (server) => (scheme === 'ws' ? server.wsUrl : server.url);
        const [cli, keyCli] = [new Cli(form, url(users)), new Cli(form, url(keys))];
        const servers = { cli, keyCli, operator };
        const test = ([name, body]) =>
            report.test(`${name} (${form} ${scheme})`, () =>
                body(servers, `${form}.${scheme}.${name.replace(/\W/g, '')}`),
            );
        return { test, scheme };
    };
    const kinds = forms.flatMap((form) => ['ws', 'nats'].map((scheme) => one(form, scheme)));
    const both = (scheme, everywhere, once) =>
        Object.entries(scheme === 'nats' ? { ...everywhere, ...once } : everywhere);
    const expiring = kinds.flatMap(({ test, scheme }) => both(scheme, EXPIRED, EXPIRING).map(test));
    await sleep(1000);
    const inTurn = async ({ test, scheme }) => {
        for (const entry of both(scheme, PASSING, READING)) {
            await test(entry);
        }
    };
    await Promise.all([...kinds.map(inTurn), ...expiring]);
    started.forEach((sub) => sub.child.kill('SIGKILL')); // what a failed case left
}

export async function identityCases(report) {
    const operator = await Operator.make();
    await withServer({ operator }, (users) =>
        withServer(KEYS, (keys) => casesOf(report, { keys, users, operator })),
    );
}
