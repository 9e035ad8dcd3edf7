// The demo: supervised agents in a wasm module talk through a real nats-server, while the
// native command line asks them and injects bad messages.  `make demo` builds and runs it;
// NATS_URL points it at a server of one's own.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CLIENT_CONNECTED } from '../host-shims/js/src/constants.js';
import { Embedding, instantiate, nodeHost } from '../host-shims/js/src/node.js';
import { root, run, startNats, until } from '../tests/support/harness.mjs';

const READINGS = 150;
const INTERVAL_MS = 20;
const BUFFERS = { rx_bytes: 32768, tx_bytes: 32768, submission_bytes: 65536, completion_records: 1024 };
const RECORD_BYTES = 32;

// Two of these are booked; the clerk crashes on the others: a status, a trap, a status.
const ORDERS = [
  '{"quantity":3,"price":900}',
  'not an order',
  '{"quantity":0,"price":100}',
  '{"quantity":2,"price":',
  '{"quantity":5,"price":100}',
];
const BAD_ORDERS = 3;

const module = (name) => readFileSync(path.join(root, 'build/wasm', name));

/** build/natlet VERB ... --server URL */
function natlet(url, ...args) {
  return run(path.join(root, 'build/natlet'), [...args, '--server', url], { timeoutMs: 5000 });
}

async function ask(url, subject) {
  const { code, stdout, stderr } = await natlet(url, 'request', subject, '', '--timeout', '2s');
  if (code !== 0) {
    throw new Error(`${subject}: ${stderr.trim()}`);
  }
  return JSON.parse(stdout);
}

async function startStation(url) {
  const reactor = await instantiate(module('demo-agents.wasm'), {
    host: nodeHost(),
    config: { url, readings: READINGS, interval_ms: INTERVAL_MS },
    log: (_level, text) => console.log(`  wasm   ${text}`),
  });
  await until(() => ask(url, 'demo.stats').catch(() => false), 10000, 'the aggregator');
  return reactor;
}

async function injectOrder(url, order) {
  console.log(`  cli    pub demo.orders '${order}'`);
  const { code, stderr } = await natlet(url, 'pub', 'demo.orders', order);
  if (code !== 0) {
    throw new Error(`pub demo.orders: ${stderr.trim()}`);
  }
}

async function watch(url) {
  const orders = [...ORDERS];
  let stats = { count: 0 };
  while (stats.count < READINGS || orders.length > 0) {
    if (orders.length > 0) {
      await injectOrder(url, orders.shift());
    }
    await new Promise((done) => setTimeout(done, 400));
    stats = await ask(url, 'demo.stats');
    const bar = '#'.repeat(Math.round((30 * stats.count) / READINGS)).padEnd(30, '.');
    console.log(`  cli    demo.stats  ${bar} ${stats.count}/${READINGS}`);
  }
  return stats;
}

/** A module with the client alone: what its memory is beside the buffers it was given. */
async function measureClient(url) {
  const client = await Embedding.start(module('natlet-core.wasm'), {
    host: nodeHost(),
    config: { servers: url, ...BUFFERS },
  });
  await until(() => client.state === CLIENT_CONNECTED, 5000, 'the connection');
  const roundTrips = [];
  for (let i = 0; i < 200; i++) {
    roundTrips.push(await client.flush());
  }
  const { linearBytes } = client.memory;
  await client.close();
  const { completion_records: records, ...rest } = BUFFERS;
  const buffers = Object.values(rest).reduce((sum, n) => sum + n, records * RECORD_BYTES);
  return { roundTripUs: roundTrips.sort((a, b) => a - b)[100], linearBytes, buffers };
}

/** What the meter must have measured: the same sum, counted here. */
function expectedTotal() {
  let total = 0;
  for (let number = 1; number <= READINGS; number++) {
    total += 20000 + ((number * 137) % 5000);
  }
  return total;
}

function printTable(rows) {
  const width = Math.max(...rows.map(([name]) => name.length));
  console.log();
  for (const [name, value] of rows) {
    console.log(`  ${name.padEnd(width)}  ${value}`);
  }
}

const kib = (bytes) => `${Math.round(bytes / 1024)} KiB`;

async function main() {
  const server = process.env.NATS_URL ? undefined : await startNats();
  const url = process.env.NATS_URL || server.wsUrl;
  console.log(`server ${url}`);
  const reactor = await startStation(url);
  const stats = await watch(url);
  const report = await ask(url, 'demo.report');
  const client = await measureClient(url);
  const memory = reactor.memory.buffer.byteLength;
  reactor.finish();
  await server?.stop();

  const beside = client.linearBytes - client.buffers;
  const others = report.agents.filter(({ name }) => name !== 'clerk');
  printTable([
    ['published readings', READINGS],
    ['received readings', stats.count],
    ['messages in and out of the module', `${report.in_messages} in, ${report.out_messages} out`],
    ['host calls', `${report.recv_calls} recv, ${report.send_calls} send`],
    ['bytes received, copied again', `${report.received_bytes}, ${report.copied_bytes}`],
    ['restarts of the clerk', report.restarts],
    ['dead letters', report.dead_letters],
    ['round trip through wasm (median)', `${client.roundTripUs} us`],
    ['memory of the module with agents', kib(memory)],
    ['memory of the client alone', `${kib(beside)} beside ${kib(client.buffers)} of buffers`],
  ]);
  const expectations = [
    [stats.count === READINGS, 'every reading published arrived once'],
    [stats.total === expectedTotal(), 'the sum is exact'],
    [report.restarts === BAD_ORDERS, `the clerk was restarted ${BAD_ORDERS} times`],
    [report.dead_letters === BAD_ORDERS, `${BAD_ORDERS} messages are dead letters`],
    [others.every(({ restarts }) => restarts === 0), 'no other agent was touched'],
    [beside <= 65536, 'the client fits in 64 KiB beside its buffers'],
  ];
  const broken = expectations.filter(([held]) => !held).map(([, text]) => text);
  console.log(
    broken.length === 0
      ? `\nAll ${expectations.length} expectations held: ${expectations.map(([, text]) => text).join(', ')}.`
      : `\nNot held: ${broken.join(', ')}.`,
  );
  return broken.length === 0 ? 0 : 1;
}

main().then(
  (status) => process.exit(status),
  (error) => {
    console.error(`demo: ${error.message}`);
    process.exit(1);
  },
);
