// Writes tests/peer/texts.h anew: certificates with which unit tests go through TLS.  They are
// valid from December 2025 on, as the clock of the test host begins with 2026.
//
//   node tests/tools/tls_texts.mjs >tests/peer/texts.h
import { issue } from '../support/certificates.mjs';

const days = (ms) => (ms - Date.now()) / 86400000;
const long = { from: days(Date.UTC(2025, 11, 1)), to: days(Date.UTC(2075, 0, 1)) };
const ca = issue({ ...long, common: 'test CA', isCa: true });
const otherCa = issue({ ...long, common: 'another CA', isCa: true });
const rsaCa = issue({ ...long, common: 'test RSA CA', isCa: true, key: 'rsa' });
const hosts = ['localhost', '127.0.0.1'];
const server = issue({ ...long, by: ca, hosts });
const rsa = issue({ ...long, by: rsaCa, hosts, key: 'rsa' });
const month = { from: long.from, to: days(Date.UTC(2026, 1, 1)) };
const brief = issue({ ...month, by: ca, hosts });
const client = issue({ ...long, by: ca, common: 'anna', usage: 'client' });

const literal = (text) => text.trimEnd().split('\n').map((line) => `    "${line}\\n"`).join(' \\\n');
const define = (name, text) => `#define ${name} \\\n${literal(text)}\n`;

console.log(`/* Certificates and keys for tests, made by tests/tools/tls_texts.mjs: no secrets. */
#ifndef TESTS_PEER_TEXTS_H
#define TESTS_PEER_TEXTS_H

/* clang-format off */

${define('TLS_CA', ca.cert)}
${define('TLS_OTHER_CA', otherCa.cert)}
${define('TLS_RSA_CA', rsaCa.cert)}
/* localhost and 127.0.0.1 */
${define('TLS_SERVER', server.cert)}
${define('TLS_SERVER_KEY', server.key)}
#define TLS_SERVER_PIN "${server.pin}"

${define('TLS_RSA', rsa.cert)}
${define('TLS_RSA_KEY', rsa.key)}
/* ... until 2026-02-01 */
${define('TLS_BRIEF', brief.cert)}
${define('TLS_BRIEF_KEY', brief.key)}
/* anna */
${define('TLS_CLIENT', client.cert)}
${define('TLS_CLIENT_KEY', client.key)}
/* clang-format on */

#endif`);
