// Hooks for React.  All but NatsProvider need one above them.
import type { ReactNode } from 'react';
import type { AgentInfo, Cell, ExitReason } from './agents.js';
import type { Msg, NatsConnection, Payload } from './index.js';

export type ConnectionStatus = 'connecting' | 'open' | 'reconnecting' | 'closed';

/** connect() is called once, when the provider is mounted; what it made is drained when it has
 *  gone. */
export function NatsProvider(props: {
    connect: () => Promise<NatsConnection | Cell>;
    children?: ReactNode;
}): ReactNode;

export function useNats(): NatsConnection | undefined;
/** What connect() made, if that was a cell. */
export function useCell(): Cell | undefined;
/** An agent of that cell: as it is now, and why it is down, if it is. */
export function useAgent(id: string): { info?: AgentInfo; down?: ExitReason };
export function useNatsStatus(): ConnectionStatus;

/** A `subject` of null subscribes to nothing. */
export function useSubject(
    subject: string | null | undefined,
    callback: (message: Msg) => void,
    options?: {
        /** At most one call in a frame, with the newest message. */
        coalesce?: boolean;
        onError?: (error: Error) => void;
    },
): void;
export function useLatest(subject: string | null | undefined): Msg | undefined;
export function useRequest(
    subject: string,
    options?: { timeout?: number },
): {
    request: (data?: Payload) => Promise<Msg>;
    data?: Msg;
    error?: Error;
    isPending: boolean;
};
export function usePresence<T extends { id: string | number }>(
    room: string,
    me: T,
    intervalMs?: number,
): Map<T['id'], T>;
