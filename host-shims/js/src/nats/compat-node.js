// For programs that use @nats-io/jetstream, kv, obj or services: nats-core's own names, and
// connections of natlet.
import './compat-classes.js';

export * from '@nats-io/nats-core';
export { connect, wsconnect } from './node.js';
