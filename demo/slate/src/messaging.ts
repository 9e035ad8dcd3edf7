// What the hooks of one page share: publishing, what was dropped and why, histories of builds.
//
// publish() belongs into the middle of other work, such as a write to a database: it never
// throws and never waits.  Until there is a connection events are kept here, up to a bound;
// while one is interrupted, the client keeps them.
import type { Msg, NatsConnection } from 'natlet';
import {
    parse,
    problemOf,
    subjectOf,
    type BuildEvent,
    type Draft,
    type EventOf,
    type Parsed,
    type Reason,
} from './events.js';
import { buildHistory, fill, type Category } from './subjects.js';

export interface Invalid {
    subject: string;
    reason: Reason;
}

export interface MessagingOptions {
    /** Told of each message that was dropped because it is no valid event. */
    onInvalid?: (invalid: Invalid) => void;
    /** So many events wait for the first connection at most: 256. */
    outboxMax?: number;
    /** So many events of each of the last builds are kept for those who missed them: 1024. */
    historyMax?: number;
}

export interface MessagingStats {
    published: number;
    /** Waiting for a connection. */
    waiting: number;
    /** Not published: the event is not valid, the outbox is full, or the client refused it. */
    refused: number;
    /** Received and dropped. */
    invalid: number;
    /** The least room there was in the outbox. */
    outboxRoomMin: number;
}

const OUTBOX_MAX = 256;
const HISTORY_MAX = 1024;
const BUILDS_MAX = 8;
const ANSWER_EVENTS = 200; // far below the server's limit of 1 MiB for a message
const ASK_MS = 500;
const ASK_AGAIN_MS = 100; // who has the history may be reconnecting, too

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

export class Messaging {
    readonly stats: MessagingStats;
    readonly #options: Required<MessagingOptions>;
    readonly #outbox: { subject: string; text: string }[] = [];
    /** Of the builds that were published here, the newest last. */
    readonly #histories = new Map<string, BuildEvent[]>();
    /** Components with the same subject get the same message: it is parsed and counted once. */
    readonly #parsed = new WeakMap<Msg, Parsed<EventOf[Category]>>();
    #connection: NatsConnection | undefined;

    constructor(options: MessagingOptions = {}) {
        const { onInvalid = () => {}, outboxMax = OUTBOX_MAX, historyMax = HISTORY_MAX } = options;
        this.#options = { onInvalid, outboxMax, historyMax };
        this.stats = { published: 0, waiting: 0, refused: 0, invalid: 0, outboxRoomMin: outboxMax };
    }

    /** Publishes by `connection` from now on; undefined: keeps what is published. */
    attach(connection: NatsConnection | undefined): void {
        this.#connection = connection;
        while (this.#connection && this.#outbox.length > 0) {
            const { subject, text } = this.#outbox.shift()!;
            this.#hand(this.#connection, subject, text);
        }
        this.stats.waiting = this.#outbox.length;
    }

    /** The time is now, unless it is given.  Returns whether the event was taken; if not, it is counted as refused. */
    publish<C extends Category>(category: C, draft: Draft<EventOf[C]>): boolean {
        try {
            const event = { timestamp: Date.now(), ...draft } as unknown as EventOf[C];
            const subject = problemOf(category, event) ? undefined : subjectOf(category, event);
            if (!subject) {
                this.stats.refused++;
                return false;
            }
            if (category === 'build') {
                this.#remember(event as BuildEvent);
            }
            return this.#send(subject, JSON.stringify(event));
        } catch {
            this.stats.refused++; // an event that is no plain object
            return false;
        }
    }

    #send(subject: string, text: string): boolean {
        if (this.#connection) {
            return this.#hand(this.#connection, subject, text);
        }
        const { stats } = this;
        const room = this.#options.outboxMax - this.#outbox.length;
        if (room <= 0) {
            stats.refused++;
            return false;
        }
        stats.waiting = this.#outbox.push({ subject, text });
        stats.outboxRoomMin = Math.min(stats.outboxRoomMin, room - 1);
        return true;
    }

    #hand(connection: NatsConnection, subject: string, text: string): boolean {
        try {
            connection.publish(subject, text);
            this.stats.published++;
            return true;
        } catch {
            this.stats.refused++; // closed, full or too large
            return false;
        }
    }

    /** The valid event in a message, or undefined: then it was counted and told. */
    read<C extends Category>(category: C, message: Msg): EventOf[C] | undefined {
        let parsed = this.#parsed.get(message);
        if (!parsed) {
            parsed = parse(category, message.subject, message.data);
            this.#parsed.set(message, parsed);
            if (parsed.reason) {
                this.drop(message.subject, parsed.reason);
            }
        }
        return parsed.event as EventOf[C] | undefined;
    }

    drop(subject: string, reason: Reason): void {
        this.stats.invalid++;
        try {
            this.#options.onInvalid({ subject, reason });
        } catch (error) {
            queueMicrotask(() => {
                throw error; // for window.onerror; the other subscribers get their message
            });
        }
    }

    // ---- histories of builds

    #remember(event: BuildEvent): void {
        const history = this.#histories.get(event.buildId) ?? [];
        this.#histories.delete(event.buildId);
        this.#histories.set(event.buildId, history);
        history.push({ ...event });
        if (history.length > this.#options.historyMax) {
            history.shift();
        }
        if (this.#histories.size > BUILDS_MAX) {
            this.#histories.delete(this.#histories.keys().next().value!);
        }
    }

    /** Answers who asks for events of a build that was published here; others keep silent. */
    answer(message: Msg): void {
        const wish = wishIn(message);
        const history = wish && this.#histories.get(wish.buildId);
        if (history && message.reply && this.#connection) {
            const missed = history.filter(({ sequence }) => sequence >= wish.from);
            this.#send(message.reply, JSON.stringify(missed.slice(0, ANSWER_EVENTS)));
        }
    }

    /** The events of a build from a number on, from whoever published it; none if nobody
     *  answers within `patienceMs`. */
    async ask(projectId: string, buildId: string, from: number, patienceMs: number): Promise<BuildEvent[]> {
        const subject = fill(buildHistory, { projectId });
        const wish = JSON.stringify({ buildId, from });
        const end = Date.now() + patienceMs;
        while (subject && Date.now() < end) {
            try {
                const answer = await this.#connection?.request(subject, wish, { timeout: ASK_MS });
                const list = answer?.json<unknown>();
                if (Array.isArray(list)) {
                    return list.filter((event) => isOf(event, projectId, buildId));
                }
            } catch {
                // nobody, not in time, or not JSON
            }
            await sleep(ASK_AGAIN_MS);
        }
        return [];
    }
}

function isOf(event: unknown, projectId: string, buildId: string): event is BuildEvent {
    const { projectId: project, buildId: build } = (event ?? {}) as Partial<BuildEvent>;
    return project === projectId && build === buildId && problemOf('build', event) === undefined;
}

function wishIn(message: Msg): { buildId: string; from: number } | undefined {
    try {
        const { buildId, from } = message.json<{ buildId: unknown; from: unknown }>();
        return typeof buildId === 'string' && typeof from === 'number' ? { buildId, from } : undefined;
    } catch {
        return undefined;
    }
}
