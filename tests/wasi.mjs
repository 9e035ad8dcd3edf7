// Runs one WASI command: node tests/wasi.mjs FILE.wasm [ARG...].  The work tree is its current folder.
// Start it with --single-threaded: a process that ends while V8 still compiles in the background can crash.
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const [file, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: [file, ...args], preopens: { '.': '.' }, returnOnExit: true });
const { instance } = await WebAssembly.instantiate(await readFile(file), wasi.getImportObject());
process.exitCode = wasi.start(instance);
