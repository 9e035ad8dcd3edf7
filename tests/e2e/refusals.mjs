// What does not work says so in one line, with the right exit status.
import { freePort, startNats } from '../support/harness.mjs';
import { Cli } from './cli.mjs';

const ACCOUNTS = `
authorization {
    users: [
        { user: "anna", password: "p w", permissions: { publish: "ok.>", subscribe: ["ok.>", "_INBOX.>", "mine.>"] } }
    ]
}`;

/** Exit status and whether standard error is one line that matches. */
function check(report, name, how, code, pattern) {
    const isLine = how.stderr.split('\n').length === 2 && how.stderr.startsWith('natlet: ');
    report.ok(
        how.code === code && isLine && pattern.test(how.stderr),
        name,
        () => `exit ${how.code}, want ${code}; stderr, want ${pattern}: ${how.stderr}`,
    );
}

const USAGE = [
    [[], /say what to do/],
    [['fly'], /no verb fly/],
    [['pub'], /natlet pub SUBJECT/],
    [['sub', 'a', 'b'], /natlet sub SUBJECT/],
    [['sub', 'a', '--color'], /no option --color/],
    [['sub', 'a', '--count', '0'], /--count/],
    [['sub', 'a', '--count'], /value is missing/],
    [['sub', 'a', '--timeout', '5x'], /--timeout/],
    [['pub', 'a', 'b', '-H', 'no colon'], /--header/],
    [['pub', 'a', 'b', '-H', 'a b: c'], /--header/],
    [['reply', 'a'], /--echo/],
    [['rtt', '--queue', 'q'], /--queue does not go with rtt/],
    [['bench'], /bench pub SUBJECT, bench sub SUBJECT or bench request SUBJECT/],
    [['bench', 'fly', 'a'], /bench pub SUBJECT, bench sub SUBJECT or bench request SUBJECT/],
    [['subjects'], /natlet subjects check FILE/],
    [['subjects', 'check'], /natlet subjects check FILE/],
    [['subjects', 'check', 'a', '--server', 'b'], /--server does not go with subjects check/],
    [['bench', 'sub'], /natlet bench sub SUBJECT/],
    [['bench', 'pub', 'a', '--clients', '65'], /--clients takes a number from 1 to 64, not 65/],
    [['bench', 'pub', 'a', '--size', '65m'], /--size/],
    [['bench', 'pub', 'a', '--concurrency', '2'], /--concurrency does not go with bench pub/],
    [['events', 'a'], /natlet events/],
    [['sub', 'a', '--raw', '--json'], /--raw and --json/],
    [['sub', 'a', '--ws-header', 'X Y: 1'], /--ws-header/],
    [['pub', 'a', 'b', '--wait', '1s'], /--wait does not go with pub/],
    [['sub', 'a', '--max-reconnects', '2147483648'], /--max-reconnects/],
];

async function usage(report, form, closedUrl, openUrl) {
    const cli = new Cli(form);
    for (const [args, pattern] of USAGE) {
        check(report, `usage: natlet ${args.join(' ')} (${form})`, await cli.run(args), 2, pattern);
    }
    const help = await cli.run(['--help']);
    report.ok(
        help.code === 0 && help.stdout.includes('request SUBJECT'),
        `--help (${form})`,
        help.stderr,
    );
    const version = await cli.run(['--version']);
    report.ok(
        /^natlet \d+\.\d+\.\d+\n$/.test(version.stdout),
        `--version (${form})`,
        version.stdout,
    );
    const refused = await new Cli(form, closedUrl).run(['pub', 'a', 'b']);
    check(report, `no server (${form})`, refused, 1, /cannot connect to nats:.*--server/);
    const several = await new Cli(form, `${closedUrl},${openUrl}`).run(['rtt', '--count', '1']);
    report.equal([several.code, several.stderr], [0, ''], `the second server of two (${form})`);
    const benches = [
        [['bench', 'request', 'a'], /only 0 of 10000 replies came from a: nobody is subscribed/],
        [['bench', 'sub', 'a', '--timeout=200ms', '--no-progress'], /only 0 of 100000 messages/],
        [['bench', 'pub', 'a', '--size', '2m', '--no-progress'], /exceeds the size limit/],
    ];
    for (const [args, pattern] of benches) {
        const how = await new Cli(form, openUrl).run(args);
        how.stderr = how.stderr.replace('natlet: listening on a\n', '');
        check(report, `${args.join(' ')} (${form})`, how, 1, pattern);
    }
    const address = await new Cli(form, 'ftp://127.0.0.1').run(['pub', 'a', 'b']);
    check(report, `not a server address (${form})`, address, 1, /ws:\/\/host:port/);
}

async function credentials(report, form, server) {
    const anna = ['--user', 'anna', '--password', 'p w'];
    const cli = new Cli(form, server.url);
    const port = new URL(server.url).host;
    const given = await cli.run(['pub', 'ok.a', 'x', ...anna]);
    report.equal([given.code, given.stderr], [0, ''], `user and password (${form})`);
    const env = { NATS_URL: server.wsUrl, NATS_USER: 'anna', NATS_PASSWORD: 'p w' };
    const fromEnv = await new Cli(form).run(['pub', 'ok.a', 'x'], { env });
    report.equal(
        [fromEnv.code, fromEnv.stderr],
        [0, ''],
        `NATS_URL, NATS_USER, NATS_PASSWORD (${form})`,
    );
    const inUrl = await new Cli(form, `nats://anna:p%20w@${port}`).run(['pub', 'ok.a', 'x']);
    report.equal([inUrl.code, inUrl.stderr], [0, ''], `credentials in the address (${form})`);
    const wrong = await cli.run(['pub', 'ok.a', 'x', '--user', 'anna', '--password', 'secret']);
    check(report, `wrong password (${form})`, wrong, 1, /refused the credentials.*--password/);
    report.ok(
        !wrong.stderr.includes('secret'),
        `no password in the message (${form})`,
        wrong.stderr,
    );
    const publish = await cli.run(['pub', 'other', 'x', ...anna]);
    check(report, `publish permission (${form})`, publish, 1, /cannot publish to other.*permit/);
    const subscribe = await cli.run(['sub', 'other', ...anna]);
    check(report, `subscribe permission (${form})`, subscribe, 1, /cannot listen on other.*permit/);
    const prefix = await cli.run(['request', 'ok.none', 'x', '--inbox-prefix', 'mine', ...anna]);
    check(report, `inbox prefix (${form})`, prefix, 1, /nobody is subscribed/);
}

async function token(report, form, server) {
    const cli = new Cli(form, server.wsUrl);
    const given = await cli.run(['pub', 'a', 'x', '--token', 's3cr3t']);
    report.equal([given.code, given.stderr], [0, ''], `token (${form})`);
    const fromEnv = await cli.run(['pub', 'a', 'x'], { env: { NATS_TOKEN: 's3cr3t' } });
    report.equal([fromEnv.code, fromEnv.stderr], [0, ''], `NATS_TOKEN (${form})`);
    const large = await cli.run(['pub', 'a', '-', '--token', 's3cr3t'], {
        input: Buffer.alloc(5000),
    });
    check(report, `a payload beyond max_payload (${form})`, large, 1, /exceeds the size limit/);
    const subject = await cli.run(['pub', 'a..b', 'x', '--token', 's3cr3t']);
    check(
        report,
        `a subject that is not one (${form})`,
        subject,
        1,
        /a token between dots is empty/,
    );
    const wildcard = await cli.run(['pub', 'a.*', 'x', '--token', 's3cr3t']);
    check(report, `a wildcard to publish to (${form})`, wildcard, 1, /wildcard is not allowed/);
}

export async function refusalCases(report, form) {
    const open = await startNats();
    await usage(report, form, `nats://127.0.0.1:${await freePort()}`, open.url);
    await open.stop();
    const accounts = await startNats({ config: ACCOUNTS });
    await credentials(report, form, accounts);
    await accounts.stop();
    const tokens = await startNats({
        config: 'authorization { token: "s3cr3t" }\nmax_payload: 4096',
    });
    await token(report, form, tokens);
    await tokens.stop();
}
