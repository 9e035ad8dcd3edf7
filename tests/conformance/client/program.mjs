// A program of tests/conformance, client.c if not said otherwise, in its two forms, and what it
// prints.
import path from 'node:path';
import { root, start, tool, until } from '../../support/harness.mjs';

const build = path.resolve(root, process.env.B ?? 'build');

const FORMS = {
    native: (name) => [path.join(build, 'tests/conformance', name), [], {}],
    wasm: (name) => [
        tool('NODE'),
        [path.join(root, 'host-shims/js/bin/natlet.mjs')],
        { NATLET_CLI_WASM: path.join(build, `wasm/tests/conformance/${name}.wasm`) },
    ],
};

export const forms = Object.keys(FORMS);

export class Program {
    /** Starts it with its arguments: client.c lists its steps. */
    constructor(form, steps, name = 'client') {
        const [file, before, env] = FORMS[form](name);
        this.running = start(file, [...before, ...steps], { env });
        this.running.exit.then((how) => (this.how = how));
    }

    get lines() {
        return this.running.stdout().split('\n').slice(0, -1);
    }

    /** The first line that matches, as soon as it is there. */
    async line(pattern, ms = 10000) {
        const find = () => this.lines.find((line) => pattern.test(line));
        await until(() => find() ?? this.how, ms, `${pattern}`).catch((error) =>
            this.#fail(error.message),
        );
        return find() ?? this.#fail(`it ended before ${pattern}`);
    }

    /** Its end, in order: every step taken, no byte left. */
    async end(ms = 15000) {
        await until(() => this.how, ms, 'the end').catch((error) => this.#fail(error.message));
        if (this.how.code !== 0) {
            this.#fail(`exit status ${this.how.code}, signal ${this.how.signal}`);
        }
        return this;
    }

    /** The lines that begin with one of these words, without the word `state`. */
    about(...words) {
        return this.lines.filter((line) => words.includes(line.split(' ')[0]));
    }

    /** What the last step `stats` printed. */
    get stats() {
        return JSON.parse(this.about('stats').at(-1).slice('stats '.length));
    }

    #fail(why) {
        this.running.child.kill('SIGKILL');
        const shown = [...this.lines.slice(-30), this.running.stderr()];
        throw new Error(`${why}; it printed\n${shown.join('\n')}`);
    }
}

/** A program run to its end. */
export function runProgram(form, steps, ms) {
    return new Program(form, steps).end(ms);
}

/** The worst lateness of this machine while the meter runs, in milliseconds. */
export function startMeter() {
    let worst = 0;
    let before = performance.now();
    const timer = setInterval(() => {
        const now = performance.now();
        worst = Math.max(worst, now - before - 10);
        before = now;
    }, 10);
    return {
        worst: () => worst,
        stop() {
            clearInterval(timer);
            return worst;
        },
    };
}

/** Two at a time, or more: most of a case is waiting. */
export async function side(tasks, width = 2) {
    const left = [...tasks];
    const work = async () => {
        for (let task; (task = left.shift());) {
            await task();
        }
    };
    await Promise.all(Array.from({ length: width }, work));
}

export function assertLines(got, want) {
    const bad = want.findIndex((line, i) =>
        line instanceof RegExp ? !line.test(got[i] ?? '') : line !== got[i],
    );
    if (bad >= 0 || got.length !== want.length) {
        throw new Error(`at line ${bad}: got\n${got.join('\n')}\nwant\n${want.join('\n')}`);
    }
}

export function assert(held, what) {
    if (!held) {
        throw new Error(what);
    }
}
