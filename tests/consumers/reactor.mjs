// Runs a reactor module by the npm package: node reactor.mjs FILE CONFIG.  It ends with its input.
import { readFile } from 'node:fs/promises';
import { instantiate, nodeHost } from 'natlet/embedding';

const [file, config] = process.argv.slice(2);
await instantiate(await readFile(file), { host: nodeHost(), config, allow: ['nats://127.0.0.1:*'] });
console.log('started');
process.stdin.on('end', () => process.exit(0)).resume();
