#!/usr/bin/env node
// The natlet command line: build/wasm/natlet-cli.wasm with the arguments given.
//
// NATLET_CLI_WASM names another module, NATLET_ALLOW the servers that it may reach
// (patterns separated by blanks, see host-shims/README.md).
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
const allow = process.env.NATLET_ALLOW?.split(/\s+/).filter(Boolean);
process.exit(await runCommand(file, process.argv.slice(2), { allow }));
