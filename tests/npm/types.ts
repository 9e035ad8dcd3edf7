// Compiles, and so proves that our connection is one of nats-core's, and is used as one.
import type * as core from '@nats-io/nats-core';
import {
    type AgentMessage,
    type AgentSpec,
    type ChildSpec,
    createCell,
    type DeadLetter,
    type ExitReason,
} from 'natlet/agents';
import * as compat from 'natlet/compat';
import type {} from 'natlet/panel';
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

interface Order {
    id: number;
}

export async function agents(): Promise<void> {
    const cell = await createCell({ servers: 'ws://localhost', debug: (line) => console.log(line) });
    const letters: DeadLetter[] = cell.deadLetters.last();
    const tree = await cell.supervise({ strategy: 'rest_for_one', intensity: 3 }, [
        {
            id: 'orders',
            subject: ['orders.new', 'orders.again'],
            mailbox: { cap: 64, overflow: 'drop-old' },
            backoff: { baseMs: 250 },
            retry: { baseMs: 100, tries: 3 },
            init: () => ({ seen: 0 }),
            async onMessage(message: AgentMessage<Order>, state: { seen: number }, self) {
                state.seen++;
                message.respond({ seen: state.seen, self: self.id });
                return 'raw' in message.payload ? 'reject' : undefined;
            },
        },
        { id: 'guest', isolation: 'worker', module: new Uint8Array(8), maxTurnMs: 200 },
    ]);
    const pool = await cell.supervise({ strategy: 'dynamic' }, [{ onMessage: () => 'stop' }]);
    await pool.add({ id: 'one', arg: letters.length });
    const seen: { seen: number } = await cell.call('orders', { id: 1 });
    const end: () => void = cell.subscribe<Order>('orders.>', (m) => m.respond(seen), { coalesce: true });
    const reason: ExitReason | undefined = cell.agent('orders').get().down;
    end();
    document.querySelector('natlet-status')!.cell = cell;
    await tree.terminate(reason?.kind ?? 'orders');
    await cell.close(1000);
}

// @ts-expect-error: no such answer
export const strange: AgentSpec = { id: 'a', onMessage: () => 'later' };

// @ts-expect-error: a guest needs a module
export const empty: ChildSpec = { id: 'a', isolation: 'worker' };

// @ts-expect-error: a payload is a string or bytes
export const wrong = (nc: NatsConnection) => nc.publish('a', 1);
