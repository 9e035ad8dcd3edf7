// Runs the reactor guest in Node: node node.mjs GUEST.wasm TRANSPORT URL REFUSED DENIED
import { readFile } from 'node:fs/promises';
import { instantiate, LOG_INFO, nodeHost } from '../../../host-shims/js/src/node.js';

const [file, ...config] = process.argv.slice(2);
await instantiate(await readFile(file), {
    host: nodeHost(),
    config: config.join(' '),
    allow: process.env.NATLET_ALLOW.split(' '),
    log: (level, line) => level === LOG_INFO && console.log(line),
});
