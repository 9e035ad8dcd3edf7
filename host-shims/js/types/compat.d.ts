// nats-core's own names and types, and connections of natlet.
export * from '@nats-io/nats-core';

import type { ConnectionOptions, NatsConnection } from '@nats-io/nats-core';

export function connect(options?: ConnectionOptions): Promise<NatsConnection>;
export function wsconnect(options?: ConnectionOptions): Promise<NatsConnection>;
