#!/usr/bin/env node
// The natlet command line: build/wasm/natlet-cli.wasm with the arguments given.
//
// NATLET_CLI_WASM names another module, NATLET_ALLOW the servers that it may reach
// (patterns separated by blanks, see host-shims/README.md).  The module can read the files that
// --creds, --nkey, --tlsca, --tlscert, --tlskey, their variables (NATS_CREDS ...) and `subjects
// check` name, the certificates of the CAs that the system trusts, and no others.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../src/command.js';

const places = ['../wasm/natlet-cli.wasm', '../../../build/wasm/natlet-cli.wasm'];
const file =
    process.env.NATLET_CLI_WASM ||
    places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(existsSync);

if (!file || !existsSync(file)) {
    console.error('natlet: natlet-cli.wasm is not there: run make wasm, or set NATLET_CLI_WASM');
    process.exit(1);
}

const FILE_OPTIONS = ['--creds', '--nkey', '--tlsca', '--tlscert', '--tlskey'];
const FILE_VARIABLES = ['NATS_CREDS', 'NATS_NKEY', 'NATS_CA', 'NATS_CERT', 'NATS_KEY', 'SSL_CERT_FILE'];
const SYSTEM_CA = [
    '/etc/ssl/certs/ca-certificates.crt',
    '/etc/pki/tls/certs/ca-bundle.crt',
    '/etc/ssl/cert.pem',
];

/** The operand of `subjects check`, which takes flags only beside it. */
function tableNamed(args) {
    const words = args.filter((word) => !word.startsWith('-'));
    return words[0] === 'subjects' && words[1] === 'check' ? words[2] : undefined;
}

/** Those of the command line first: they count before those of the environment. */
function filesNamed(args, env) {
    const end = args.includes('--') ? args.indexOf('--') : args.length;
    const named = args.slice(0, end).map((word, i) => {
        const [option, value = args[i + 1]] = word.split(/=(.*)/s);
        return FILE_OPTIONS.includes(option) ? value : undefined;
    });
    return [...named, tableNamed(args), ...FILE_VARIABLES.map((name) => env[name]), ...SYSTEM_CA].filter(Boolean);
}

const args = process.argv.slice(2);
const files = filesNamed(args, process.env);
const allow = process.env.NATLET_ALLOW?.split(/\s+/).filter(Boolean);
process.exit(await runCommand(file, args, { allow, files }));
