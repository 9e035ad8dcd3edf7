// A peer at work, and what it costs according to the operating system.
import { readFileSync, readdirSync } from 'node:fs';
import { start, within } from '../support/harness.mjs';

/** Nanoseconds of processor time that all threads of a process have had. */
export function processorNs(pid) {
    const threads = readdirSync(`/proc/${pid}/task`);
    const times = threads.map((thread) => {
        try {
            return Number(
                readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0],
            );
        } catch {
            return 0; // it ended between the two looks
        }
    });
    return times.reduce((sum, time) => sum + time, 0);
}

/** Bytes resident. */
export function residentBytes(pid) {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return 1024 * Number(kilobytes ?? 0);
}

export class BenchProgram {
    #asked = 0;
    #running;
    #look = () => {};

    constructor([file, args, env]) {
        const onStdout = () => this.#look();
        this.#running = start(file, args.map(String), { env, stdin: 'pipe', onStdout });
        this.#running.exit.then((how) => {
            this.how = how;
            this.#look();
        });
    }

    /** Resolves when the peer has said `count` words, which must be good ones. */
    #said(count, ms) {
        const words = () => this.#running.stdout().split('\n').slice(0, -1);
        const reached = new Promise((done, fail) => {
            this.#look = () => {
                const last = words().at(-1);
                if (words().length >= count && /^(ready|done)$/.test(last)) {
                    done();
                } else if (this.how || (last && !/^(ready|done)$/.test(last))) {
                    fail(new Error(`a peer failed: ${last} ${this.#running.stderr()}`));
                }
            };
            this.#look();
        });
        return within(ms, reached, 'a peer');
    }

    ready() {
        return this.#said(1, 10000);
    }

    ask(count) {
        this.#running.child.stdin.write(`${count}\n`);
        this.#asked += 1;
    }

    done(ms) {
        return this.#said(1 + this.#asked, ms);
    }

    /** What `count` messages cost: { ns, cpuNs, bytes }; `feed` is called once they are asked for. */
    async measure(count, ms, feed = () => {}) {
        const { pid } = this.#running.child;
        const cpu = processorNs(pid);
        const began = process.hrtime.bigint();
        this.ask(count);
        await feed();
        await this.done(ms);
        const ns = Number(process.hrtime.bigint() - began);
        return { ns, cpuNs: processorNs(pid) - cpu, bytes: residentBytes(pid) };
    }

    stop() {
        this.#running.child.stdin.end();
        return this.#running.stop('SIGTERM');
    }
}
