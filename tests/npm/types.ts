// Compiles, and so proves that our connection is one of nats-core's, and is used as one.
import type * as core from '@nats-io/nats-core';
import * as compat from 'natlet/compat';
import {
    connect,
    headers,
    Match,
    type Msg,
    type NatsConnection,
    type Subscription,
    TimeoutError,
    tokenAuthenticator,
} from 'natlet';

export async function assigns(): Promise<core.NatsConnection> {
    const ours: NatsConnection = await connect({ servers: 'ws://localhost', name: 'types' });
    const theirs: core.NatsConnection = ours;
    const sub: core.Subscription = ours.subscribe('a', { queue: 'q', max: 1 });
    const again: Subscription = theirs.subscribe('a');
    const msg: core.Msg = await ours.request('a', 'b', { timeout: 100 });
    const mine: Msg = msg;
    const h = headers();
    h.set('a', 'b', Match.IgnoreCase);
    theirs.publish('a', mine.data, { headers: h });
    const stats: core.Stats = ours.stats();
    for await (const status of ours.status()) {
        const same: core.Status = status as core.Status;
        if (same.type === 'error' && same.error instanceof TimeoutError) {
            break;
        }
    }
    sub.unsubscribe(stats.inMsgs);
    await again.drain();
    await using other = await connect({ authenticator: tokenAuthenticator('secret') });
    return compat.connect({ servers: [other.getServer()] });
}

// @ts-expect-error: a payload is a string or bytes
export const wrong = (nc: NatsConnection) => nc.publish('a', 1);
