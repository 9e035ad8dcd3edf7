// The events of builds in their order, each once, whatever the network made of them.
//
// A server that dies takes what it had not delivered with it, and a page that reconnects late
// does not hear what was said meanwhile.  Events are counted by who publishes them: what is
// missing is asked for, and the later ones wait until it is there, or known to be lost.
import type { BuildEvent } from './events.js';

/** Resolves to events of a build from a number on, or to none. */
export type Ask = (buildId: string, from: number) => Promise<BuildEvent[]>;

export interface Completeness {
    /** Events that were not there at once and came later. */
    recovered: number;
    /** Events that nobody had any more. */
    lost: number;
}

interface Build {
    next: number;
    held: Map<number, BuildEvent>;
    isAsking: boolean;
    isOver: boolean;
}

const HELD_MAX = 2048;
const BUILDS_MAX = 8;

export class BuildSequence {
    readonly counts: Completeness = { recovered: 0, lost: 0 };
    readonly #ask: Ask;
    readonly #deliver: (event: BuildEvent) => void;
    readonly #builds = new Map<string, Build>();

    constructor(ask: Ask, deliver: (event: BuildEvent) => void) {
        this.#ask = ask;
        this.#deliver = deliver;
    }

    accept(event: BuildEvent): void {
        const build = this.#build(event.buildId);
        if (event.sequence < build.next || build.held.size >= HELD_MAX) {
            return; // a duplicate; or it is asked for later
        }
        build.held.set(event.sequence, event);
        this.#release(build);
        if (build.held.size > 0) {
            void this.#recover(event.buildId, build);
        }
    }

    /** After a reconnect: the end of a build may be among what was missed. */
    recheck(): void {
        for (const [buildId, build] of this.#builds) {
            if (!build.isOver) {
                void this.#recover(buildId, build);
            }
        }
    }

    #build(buildId: string): Build {
        let build = this.#builds.get(buildId);
        if (!build) {
            build = { next: 1, held: new Map(), isAsking: false, isOver: false };
            this.#builds.set(buildId, build);
            if (this.#builds.size > BUILDS_MAX) {
                this.#builds.delete(this.#builds.keys().next().value!);
            }
        }
        return build;
    }

    #release(build: Build): void {
        let event: BuildEvent | undefined;
        while ((event = build.held.get(build.next))) {
            build.held.delete(build.next);
            build.next++;
            build.isOver = event.type === 'completed' || event.type === 'failed';
            this.#deliver(event);
        }
    }

    async #recover(buildId: string, build: Build): Promise<void> {
        if (build.isAsking) {
            return;
        }
        build.isAsking = true;
        let isAnswered = true;
        do {
            const from = build.next;
            const missed = await this.#ask(buildId, from);
            for (const event of missed) {
                if (event.sequence >= build.next && !build.held.has(event.sequence)) {
                    build.held.set(event.sequence, event);
                    this.counts.recovered++;
                }
            }
            this.#release(build);
            isAnswered = build.next > from;
        } while (isAnswered && build.held.size > 0);
        build.isAsking = false;
        this.#giveUp(build);
    }

    /** Goes on with what is there. */
    #giveUp(build: Build): void {
        while (build.held.size > 0) {
            const first = Math.min(...build.held.keys());
            this.counts.lost += first - build.next;
            build.next = first;
            this.#release(build);
        }
    }
}
