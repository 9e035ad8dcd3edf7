// The command beside nats.js, through real servers.
//
// Every case runs for the newest server and 2.9, over ws:// and nats://, with the
// native command and with the module in Node: eight times.  nats.js speaks the
// other transport where it can, so that a fault common to both ends shows.
import { Report, startNats } from '../support/harness.mjs';
import { benchCases } from './bench.mjs';
import { Cli, forms } from './cli.mjs';
import { compressCases } from './compress.mjs';
import { identityCases } from './identity.mjs';
import { messageCases } from './messages.mjs';
import { eventCase, optionCases } from './options.mjs';
import { refusalCases } from './refusals.mjs';
import { restartCase } from './restart.mjs';
import { subjectCases } from './subjects.mjs';

const report = new Report();

async function withServer(old) {
    const server = await startNats({ old });
    const generation = old ? '2.9' : 'newest';
    for (const form of forms) {
        for (const scheme of ['ws', 'nats']) {
            const [url, peerUrl] =
                scheme === 'ws' ? [server.wsUrl, server.url] : [server.url, server.wsUrl];
            const name = `${form} ${scheme} ${generation}`;
            await messageCases(report, name, new Cli(form, url), server, peerUrl);
            await benchCases(report, name, new Cli(form, url), peerUrl);
        }
    }
    await restartCase(report, generation, server);
    await eventCase(report, generation, server, forms);
    await server.stop();
}

await withServer(false);
await withServer(true);
await compressCases(report, forms);
for (const form of forms) {
    await refusalCases(report, form);
    await subjectCases(report, form);
}
await Promise.all(forms.map((form) => optionCases(report, form)));
await identityCases(report);
report.done();
