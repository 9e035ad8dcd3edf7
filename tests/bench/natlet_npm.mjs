// The npm package as a peer of the benchmark: what nats_js.mjs does, with connect() of natlet.
import { readFileSync } from 'node:fs';
import { connect } from '../../host-shims/js/src/nats/node.js';
import { publishOrReceive } from './nats_client.mjs';
import { hosted } from './places.mjs';

await publishOrReceive((options) =>
    connect({ ...options, module: readFileSync(hosted('wasm/natlet-core.wasm')) }),
);
