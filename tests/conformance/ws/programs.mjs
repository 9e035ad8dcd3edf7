// ws-echo in its two forms.
import path from 'node:path';
import { root, tool } from '../../support/harness.mjs';

const build = path.resolve(root, process.env.B ?? 'build');

const FORMS = {
    native: () => [path.join(build, 'tests/ws-echo'), [], {}],
    wasm: () => [
        tool('NODE'),
        [path.join(root, 'host-shims/js/bin/natlet.mjs')],
        { NATLET_CLI_WASM: path.join(build, 'wasm/ws/ws-echo.wasm') },
    ],
};

export const forms = Object.keys(FORMS);

/** [file, arguments before its own, environment]. */
export function formOf(name) {
    return FORMS[name]();
}
