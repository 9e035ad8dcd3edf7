// `natlet subjects check`: what does not hold is said with its line and why, and nothing else is.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { root } from '../support/harness.mjs';
import { Cli, documents } from './cli.mjs';

const FORM = 'a line is "subject PATTERN" or "claim PATTERN covers [each] PATTERN"';

/** Tables and the problems in them: line, pattern, subject, why. */
const TABLES = {
    'what holds': ['subject a.{x}\nsubject b\n\n# claim\nclaim a.* covers a.{x} # yes\nclaim > covers each >', []],
    'an empty table': ['', []],
    'blanks, CRLF and no end of the last line': ['\tsubject  a.b \r\n\r\n claim a.> covers a.b', []],
    'wildcards on the right': [
        'claim a.> covers a.*\nclaim a.* covers a.>\nclaim a.*.b covers a.*.*',
        [
            [2, 'a.*', 'a.>', 'token 2 is * in the pattern and > in the subject'],
            [3, 'a.*.b', 'a.*.*', 'token 3 is b in the pattern and * in the subject'],
        ],
    ],
    'lengths': [
        'subject a.b\nsubject a.b.c\nclaim a.* covers a.b.c\nclaim a.b.* covers a.b\nclaim a.b.> covers a.b',
        [
            [3, 'a.*', 'a.b.c', 'the pattern ends after token 2'],
            [4, 'a.b.*', 'a.b', 'the subject ends after token 2'],
            [5, 'a.b.>', 'a.b', 'the subject ends after token 2'],
        ],
    ],
    'placeholders': [
        'subject a.{x}\nclaim a.{x} covers a.{x}\nclaim a.{y} covers a.{x}\nclaim a.x covers a.{x}',
        [
            [3, 'a.{y}', 'a.{x}', 'token 2 is {y} in the pattern and {x} in the subject'],
            [4, 'a.x', 'a.{x}', 'token 2 is x in the pattern and {x} in the subject'],
        ],
    ],
    'declarations': [
        'subject a\nsubject b\nsubject a\nclaim > covers c\nclaim > covers each c.>',
        [
            [3, 'a', '', 'it is declared twice'],
            [4, 'c', '', 'no line declares it as a subject'],
            [5, 'c.>', '', 'no subject is declared under it'],
        ],
    ],
    'what is not well-formed': [
        'subject a..b\nsubject a.>.b\nsubject a.x{y}\nsubject {}\nclaim a. covers a\nclaim > covers {a',
        [
            [1, 'a..b', '', 'a token between dots is empty'],
            [2, 'a.>.b', '', "'>' is not the last token"],
            [3, 'a.x{y}', '', 'a placeholder is a whole token, {name}'],
            [4, '{}', '', 'a placeholder is a whole token, {name}'],
            [5, 'a.', '', 'a token between dots is empty'],
            [6, '{a', '', 'a placeholder is a whole token, {name}'],
        ],
    ],
    'what is not understood': [
        'subject\nsubject a b\nclaim a covers\nclaim a holds b\nclaim a covers every b\nclaim a covers each b c\nSubject a',
        [1, 2, 3, 4, 5, 6, 7].map((line) => [line, '', '', FORM]),
    ],
};

/** The patterns of SLATE's documents that do not reach what they are said to; nothing else is wrong. */
const SLATE = [
    ['slate.project.*', 'slate.project.created.{userId}'],
    ['slate.project.*', 'slate.project.updated.{projectId}'],
    ['slate.project.*', 'slate.project.deleted.{projectId}'],
    ['slate.file.*.{projectId}', 'slate.file.updated.{fileId}'],
    ['slate.file.*.{projectId}', 'slate.file.deleted.{fileId}'],
    ['slate.asset.*.{assetId}', 'slate.asset.component.added.{assetId}'],
    ['slate.project.created.{userId}', 'slate.project.updated.{projectId}'],
];

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** One table in a file, both ways to show it. */
async function checkTable(report, name, cli, file, wanted) {
    const shown = await cli.run(['subjects', 'check', '--json', file]);
    const problems = documents(shown.stdout).map((p) => [p.line, p.pattern, p.subject, p.why]);
    const code = wanted.length > 0 ? 1 : 0;
    report.ok(same(problems, wanted) && shown.code === code, name, () => `exit ${shown.code}: ${shown.stdout}`);
    const text = await cli.run(['subjects', 'check', file]);
    const lines = wanted.map(([line, pattern, subject, why]) => {
        const what = pattern && `${pattern}${subject && ` does not cover ${subject}`}: `;
        return `${file}:${line}: ${what}${why}\n`;
    });
    const stdout = wanted.length > 0 ? lines.join('') : /^\d+ subjects, \d+ claims: all of them hold\n$/;
    const isRight = wanted.length > 0 ? text.stdout === stdout : stdout.test(text.stdout);
    report.ok(
        isRight && text.code === code && text.stderr.split('\n').length === code + 1,
        `${name}, as text`,
        () => `exit ${text.code}: ${text.stdout}${text.stderr}`,
    );
}

async function slate(report, form, cli) {
    const file = path.join(root, 'tests/e2e/slate.subjects');
    const { code, stdout } = await cli.run(['subjects', 'check', '--json', file]);
    const found = documents(stdout).map((p) => [p.pattern, p.subject]);
    report.ok(code === 1 && same(found, SLATE), `subjects: SLATE's table (${form})`, () => stdout);
}

export async function subjectCases(report, form) {
    const cli = new Cli(form);
    const folder = mkdtempSync(path.join(os.tmpdir(), 'natlet-subjects-'));
    for (const [name, [text, wanted]] of Object.entries(TABLES)) {
        const file = path.join(folder, 'table');
        writeFileSync(file, text);
        await checkTable(report, `subjects: ${name} (${form})`, cli, file, wanted);
    }
    await slate(report, form, cli);
    const large = path.join(folder, 'large');
    writeFileSync(large, '#'.repeat(131073));
    for (const [file, why] of [[`${folder}/none`, /no such file|not allowed/], [large, /larger than 128 KiB/]]) {
        const how = await cli.run(['subjects', 'check', file]);
        report.ok(how.code === 1 && why.test(how.stderr), `subjects: ${path.basename(file)} (${form})`, how.stderr);
    }
    rmSync(folder, { recursive: true });
}
