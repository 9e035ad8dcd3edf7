// proto-dump against the golden transcripts, as a program: what it prints and how it exits,
// for several cuts of its input.
//
//   node tests/conformance/proto_dump.mjs [PROGRAM ARG...]      default: build/tests/proto-dump
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Report, root } from '../support/harness.mjs';

const folder = path.join(root, 'tests/conformance/transcripts');
const [program = path.join(root, 'build/tests/proto-dump'), ...args] = process.argv.slice(2);

/** The bytes that adjacent C string literals stand for. */
function unquote(literals) {
    const plain = { n: 10, r: 13, t: 9, '"': 34, '\\': 92 };
    const bytes = [];
    for (const [, text] of literals.matchAll(/"((?:[^"\\]|\\.)*)"/g)) {
        for (const [part, hex, octal, letter] of text.matchAll(/\\x([0-9a-f]+)|\\([0-7]{1,3})|\\(.)|[^\\]/g)) {
            const code = hex ? parseInt(hex, 16) : octal ? parseInt(octal, 8) : plain[letter];
            bytes.push(code ?? part.charCodeAt(0));
        }
    }
    return Buffer.from(bytes);
}

/** CASE("name", "bytes"..., "log"...): the parts end with a comma, the case with ")". */
function readTranscripts(file) {
    const literals = String.raw`((?:\s*"(?:[^"\\]|\\.)*")+)`;
    const pattern = new RegExp(String.raw`^CASE\(${literals},${literals},${literals}\)$`, 'gm');
    const text = readFileSync(path.join(folder, file), 'utf8');
    return [...text.matchAll(pattern)].map(([, name, bytes, log]) => ({
        name: unquote(name).toString(),
        bytes: unquote(bytes),
        log: unquote(log).toString(),
    }));
}

function complaint({ bytes, log }, cut) {
    const { stdout, status } = spawnSync(program, [...args, ...cut], { input: bytes });
    const want = log.includes('fail ') ? 1 : 0;
    if (String(stdout) !== log) {
        return `it printed ${JSON.stringify(String(stdout))}`;
    }
    return status === want ? '' : `exit status ${status}, not ${want}`;
}

const report = new Report();
const transcripts = readdirSync(folder).flatMap(readTranscripts);
report.ok(transcripts.length > 150, 'proto-dump: transcripts are found', transcripts.length);
for (const cut of [[], ['--cut', '1'], ['--cut', '2'], ['--cut', '7']]) {
    const bad = transcripts
        .map((transcript) => [transcript.name, complaint(transcript, cut)])
        .filter(([, reason]) => reason !== '');
    report.equal(bad, [], `proto-dump ${cut.join(' ') || 'with whole input'}`);
}
const usage = spawnSync(program, [...args, '--cut', '0'], { input: '' });
report.ok(usage.status === 2 && String(usage.stderr).includes('usage'), 'proto-dump: wrong usage');
report.done();
