// A program of others on the npm package: `node app.mjs URL`, or bundled by esbuild with the module in it.
import { connect } from 'natlet';
import bytes from 'natlet/wasm/natlet-core.wasm';

const nc = await connect({ servers: process.argv[2], module: bytes });
nc.subscribe('consumers.npm', { callback: (_error, m) => m.respond(`hello ${m.string()}`) });
console.log((await nc.request('consumers.npm', 'from npm', { timeout: 5000 })).string());
await nc.close();
