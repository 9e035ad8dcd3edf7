// Certificates for tests, made anew each time: X.509 (RFC 5280) written by hand, so that they may
// also be wrong in every way that a test wants, and no other tool is needed.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { tempFolder } from './harness.mjs';

const DAY_MS = 86400000;

// ---- DER (X.690), as far as certificates need it

function der(tag, ...parts) {
    const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
    if (body.length < 128) {
        return Buffer.concat([Buffer.from([tag, body.length]), body]);
    }
    const len = body.length < 256 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 255];
    return Buffer.concat([Buffer.from([tag, ...len]), body]);
}

const seq = (...parts) => der(0x30, ...parts);
const bits = (bytes) => der(0x03, [0], bytes);
const octets = (bytes) => der(0x04, bytes);
const explicit = (n, part) => der(0xa0 + n, part);
const yes = der(0x01, [255]);

function oid(text) {
    const [first, second, ...rest] = text.split('.').map(Number);
    const groups = (n) => (n < 128 ? [n] : [...groups(n >> 7).map((b) => b | 128), n & 127]);
    return der(0x06, [40 * first + second, ...rest.flatMap(groups)]);
}

/** UTCTime up to 2049, then GeneralizedTime (RFC 5280, 4.1.2.5). */
function time(ms) {
    const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
    return ms < Date.UTC(2050, 0) ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text));
}

const name = (common) =>
    seq(der(0x31, seq(oid('2.5.4.3'), der(0x0c, Buffer.from(common)))));

const ALGORITHMS = {
    ec: seq(oid('1.2.840.10045.4.3.2')), // ECDSA with SHA-256
    rsa: seq(oid('1.2.840.113549.1.1.11'), der(0x05)), // PKCS #1 with SHA-256
};

function alternative(host) {
    if (host.includes('@')) {
        return der(0x81, Buffer.from(host));
    }
    return net.isIPv4(host)
        ? der(0x87, host.split('.').map(Number))
        : der(0x82, Buffer.from(host));
}

function extensions({ isCa, hosts, usage }) {
    const one = (id, isCritical, value) => seq(oid(id), ...(isCritical ? [yes] : []), octets(value));
    const list = isCa
        ? [one('2.5.29.19', true, seq(yes)), one('2.5.29.15', true, der(0x03, [1, 0x06]))]
        : [one('2.5.29.37', false, seq(oid(`1.3.6.1.5.5.7.3.${usage === 'client' ? 2 : 1}`)))];
    if (hosts) {
        list.push(one('2.5.29.17', false, seq(...hosts.map(alternative))));
    }
    return explicit(3, seq(...list));
}

// ---- keys and certificates

const pem = (what, bytes) =>
    `-----BEGIN ${what}-----\n${bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END ${what}-----\n`;

function makeKey(kind) {
    return kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: kind === 'ec384' ? 'P-384' : 'P-256' });
}

/** A certificate: common, hosts (names, addresses, e-mail), key ('ec', 'ec384', 'rsa'), from and
 *  to (in days from now), usage ('server', 'client'), isCa, by (who signs; itself).
 *
 *  Returns { cert, key, ca (PEM of all three: itself, its key, who signed), der, pin }. */
export function issue(what = {}) {
    const { common = 'natlet test', key = 'ec', from = -1, to = 30, by } = what;
    const pair = makeKey(key);
    const spki = pair.publicKey.export({ type: 'spki', format: 'der' });
    const signer = by ?? { common, kind: key, private: pair.privateKey };
    const algorithm = ALGORITHMS[signer.kind === 'rsa' ? 'rsa' : 'ec'];
    const tbs = seq(
        explicit(0, der(0x02, [2])),
        der(0x02, [0x40, ...randomBytes(8)]),
        algorithm,
        name(signer.common),
        seq(time(Date.now() + from * DAY_MS), time(Date.now() + to * DAY_MS)),
        name(common),
        spki,
        extensions(what),
    );
    const bytes = seq(tbs, algorithm, bits(sign('sha256', tbs, signer.private)));
    return {
        common,
        kind: key,
        private: pair.privateKey,
        der: bytes,
        cert: pem('CERTIFICATE', bytes),
        key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }),
        pin: createHash('sha256').update(spki).digest('hex'),
    };
}

const HOSTS = ['localhost', '127.0.0.1'];

/** All that tests of TLS need, as files too: { NAME: { cert, key, pin, certFile, keyFile } }. */
export function makeCertificates() {
    const folder = tempFolder('natlet-tls-');
    const ca = issue({ common: 'natlet CA', isCa: true });
    const rsaCa = issue({ common: 'natlet RSA CA', isCa: true, key: 'rsa' });
    const otherCa = issue({ common: 'another CA', isCa: true });
    const all = {
        ca,
        rsaCa,
        otherCa,
        ec: issue({ by: ca, hosts: HOSTS }),
        ec384: issue({ by: ca, hosts: HOSTS, key: 'ec384' }),
        rsa: issue({ by: rsaCa, hosts: HOSTS, key: 'rsa' }),
        expired: issue({ by: ca, hosts: HOSTS, from: -30, to: -1 }),
        future: issue({ by: ca, hosts: HOSTS, from: 2, to: 30 }),
        elsewhere: issue({ by: ca, hosts: ['example.com', '10.0.0.1'] }),
        stranger: issue({ by: otherCa, hosts: HOSTS }),
        selfSigned: issue({ hosts: HOSTS }),
        wrongUsage: issue({ by: ca, hosts: HOSTS, usage: 'client' }),
        client: issue({ by: ca, common: 'anna', hosts: ['anna@example.com'], usage: 'client' }),
        otherClient: issue({ by: otherCa, common: 'anna', hosts: ['anna@example.com'], usage: 'client' }),
    };
    for (const [what, one] of Object.entries(all)) {
        one.certFile = path.join(folder, `${what}.pem`);
        one.keyFile = path.join(folder, `${what}.key`);
        writeFileSync(one.certFile, one.cert);
        writeFileSync(one.keyFile, one.key);
    }
    all.bothCas = path.join(folder, 'both.pem');
    writeFileSync(all.bothCas, ca.cert + rsaCa.cert);
    return all;
}
