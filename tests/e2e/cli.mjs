// The two forms of the command, started the same way.
import path from 'node:path';

import { root, run, start, tool, until } from '../support/harness.mjs';

/** Variables that would change what the command does are kept from it. */
const CLEAN = Object.fromEntries(
    ['URL', 'USER', 'PASSWORD', 'TOKEN', 'CREDS', 'NKEY', 'CA', 'CERT', 'KEY'].map((name) => [`NATS_${name}`, '']),
);

const build = path.resolve(root, process.env.B ?? 'build');

const FORMS = {
    native: () => [[path.join(build, 'natlet')], {}],
    wasm: () => [
        [tool('NODE'), path.join(root, 'host-shims/js/bin/natlet.mjs')],
        { NATLET_CLI_WASM: path.join(build, 'wasm/natlet-cli.wasm') },
    ],
};

export const forms = Object.keys(FORMS);

export class Cli {
    #command;
    #env;

    constructor(form, url) {
        [this.#command, this.#env] = FORMS[form]();
        this.form = form;
        this.url = url;
    }

    #line(args) {
        const [file, ...before] = this.#command;
        return [file, [...before, ...args, ...(this.url ? ['--server', this.url] : [])]];
    }

    #environment({ env }) {
        return { ...CLEAN, ...this.#env, ...env };
    }

    /** To its end: { code, stdout, stderr, ... }. */
    run(args, options = {}) {
        return run(...this.#line(args), { ...options, env: this.#environment(options) });
    }

    /** As a process that goes on. */
    start(args, options = {}) {
        return start(...this.#line(args), { ...options, env: this.#environment(options) });
    }

    /** `sub` or `reply`, once the server has read its subscription. */
    async listen(args, options) {
        const running = this.start(args, options);
        let over;
        running.exit.then((how) => (over = how));
        await until(() => over ?? running.stderr().includes('listening on'), 10000, args.join(' '));
        if (over) {
            throw new Error(`${args.join(' ')} ended with ${over.code}: ${running.stderr()}`);
        }
        return running;
    }
}

/** The documents that `--json` printed. */
export function documents(text) {
    return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
}
