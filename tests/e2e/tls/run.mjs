// TLS of the module's own, natively and as wasm in Node, with real servers and with fronts that
// are wrong in one way each.
import { Report } from '../../support/harness.mjs';
import { makeCertificates } from '../../support/certificates.mjs';
import { forms } from '../cli.mjs';
import { browserCases } from './browser.mjs';
import { embeddingCases } from './embedding.mjs';
import { hostCases } from './host.mjs';
import { proxyCases } from './proxies.mjs';
import { refusalCases } from './refusals.mjs';
import { serverCases } from './servers.mjs';
import { sessionCases } from './sessions.mjs';

const report = new Report();
const certificates = makeCertificates();

const all = [false, true].map((old) => serverCases(report, forms, old, certificates));
for (const form of forms) {
    all.push(refusalCases(report, form, certificates), sessionCases(report, form, certificates));
}
await Promise.all(all);
await hostCases(report, certificates);
await embeddingCases(report, certificates);
await proxyCases(report, certificates);
await browserCases(report, certificates);
report.done();
