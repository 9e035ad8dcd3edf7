// Client conformance: one C program, natively and as wasm in Node, against real
// servers, a proxy that breaks connections, and servers that break the rules.
import { Report } from '../support/harness.mjs';
import { withServer } from '../support/servers.mjs';
import { accessCases } from './client/access.mjs';
import { agentsCases } from './client/agents.mjs';
import { authCases } from './client/auth.mjs';
import { comebackCases } from './client/comeback.mjs';
import { deadlineTable } from './client/deadlines.mjs';
import { faultCases } from './client/faults.mjs';
import { malformedCases } from './client/malformed.mjs';
import { outboxCase } from './client/outbox.mjs';
import { assertLines, forms, side } from './client/program.mjs';
import { realCases, restartCase } from './client/real.mjs';
import { movingCases, serversCases } from './client/servers.mjs';
import { injectionCase, refusedCases, subsCases, toldCases } from './client/subs.mjs';

const only = process.argv.slice(2); // words that a group's name must have
const wants = (name) => only.every((word) => name.split(' ').includes(word));

const report = new Report();
const kinds = forms.flatMap((form) => [
    [form, 'ws'],
    [form, 'nats'],
]);

async function group(name, body) {
    if (wants(name)) {
        await body(name);
    }
}

/** A server for each of them: they use the same subjects. */
async function againstServer(form, scheme, old) {
    const where = `${form} ${scheme} ${old ? '2.9' : 'newest'}`;
    if (!['real', 'subs', 'faults', 'restart'].some((kind) => wants(`${kind} ${where}`))) {
        return;
    }
    await withServer({ old }, async (server) => {
        const isWs = scheme === 'ws';
        const [url, port] = isWs ? [server.wsUrl, server.wsPort] : [server.url, server.port];
        await group(`real ${where}`, () => realCases(report, where, form, url));
        await group(`subs ${where}`, () => subsCases(report, where, form, url, server));
        await group(`subs ${where}`, () => injectionCase(report, where, form, url, server));
        await group(`faults ${where}`, () => faultCases(report, where, form, scheme, port));
        await group(`restart ${where}`, () => restartCase(report, where, form, url, server));
        await report.theme('connect', 'the server finds no fault with what is sent', where, () => {
            assertLines(server.complaints(), []);
        });
    });
}

await side(
    [false, true].flatMap((old) =>
        kinds.map(
            ([form, scheme]) =>
                () =>
                    againstServer(form, scheme, old),
        ),
    ),
);
await side(
    kinds.map(
        ([form, scheme]) =>
            () =>
                group(`malformed ${form} ${scheme}`, (name) =>
                    malformedCases(report, name, form, scheme === 'ws'),
                ),
    ),
);
await Promise.all([
    group('moving', () => movingCases(report)),
    group('servers newest', () => serversCases(report, false)),
    group('servers 2.9', () => serversCases(report, true)),
]);
await Promise.all([
    group('deadlines', () => deadlineTable(report)),
    group('comeback', () => comebackCases(report)),
]);
await group('outbox native', () => outboxCase(report, 'native', 'nats', 50));
await group('outbox wasm', () => outboxCase(report, 'wasm', 'ws', 10));
await group('agents', () => side(kinds.map((kind) => () => agentsCases(report, [kind]))));
await group('access', () => accessCases(report, kinds));
await group('auth', () => authCases(report, kinds));
await side([
    () => group('refused', () => refusedCases(report, kinds)),
    () => group('told', () => toldCases(report, kinds)),
]);
report.done();
