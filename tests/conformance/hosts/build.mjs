// Builds the guests of the host conformance test, with every warning an error.
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root, run, tool } from '../../support/harness.mjs';

const here = path.join(root, 'tests/conformance/hosts');
const include = ['include', 'src', 'host-shims'].map((name) => `-I${path.join(root, name)}`);
const WARN = `-std=c11 -pedantic -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion
    -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wcast-qual -Wpointer-arith
    -Wwrite-strings -Wswitch-enum -Wformat=2 -Wimplicit-fallthrough`.split(/\s+/);

const sources = (...names) => names.map((name) => path.join(here, name));

function allOf(name) {
    const folder = path.join(root, name);
    const files = readdirSync(folder).filter((file) => file.endsWith('.c'));
    return files.map((file) => path.join(folder, file));
}

const platform = ['imports.c', 'stack.c'].map((name) => path.join(root, 'src/platform', name));

async function compile(compiler, args, out) {
    const { code, stderr } = await run(compiler, [...args, '-o', out], { timeoutMs: 120000 });
    if (code !== 0) {
        throw new Error(`${path.basename(out)} does not build:\n${stderr}`);
    }
    return out;
}

function wasmFlags() {
    const sysroot = tool('WASM_SYSROOT');
    const target = tool('WASM_TARGET');
    return [
        `--target=${target}`,
        `--sysroot=${sysroot}`,
        '-nostdlibinc',
        '-isystem',
        `${sysroot}/include/${target}`,
        ...['-mcpu=mvp', '-msign-ext', '-mbulk-memory', '-Os', '-nodefaultlibs'],
        '-Wl,--stack-first',
    ];
}

const wasmLibs = () => ['-lc', tool('WASM_RT')];

/** The guests as { posix, command, reactor, trap, mode, calls }: paths below `folder`.  The native one
 *  is left out when `names` does not ask for it. */
export async function buildGuests(folder, names) {
    mkdirSync(folder, { recursive: true });
    const guest = sources('guest.c', 'rules.c', 'memory.c');
    const reactor = ['-nostartfiles', '-Wl,--no-entry'];
    const wasm = (name, extra, files) =>
        compile(
            tool('WASM_CC'),
            [...wasmFlags(), ...WARN, ...include, ...extra, ...files, ...platform, ...wasmLibs()],
            path.join(folder, name),
        );
    const native = () =>
        compile(
            tool('NATIVE_CC'),
            [
                ...['-O1', '-g', '-D_DEFAULT_SOURCE', '-pthread', ...WARN, ...include],
                ...[...guest, ...sources('command.c', 'posix.c')],
                ...[...allOf('host-shims/posix'), ...allOf('src/base')],
            ],
            path.join(folder, 'guest'),
        );
    return {
        posix: names.includes('posix') ? await native() : undefined,
        command: await wasm('guest-command.wasm', [], [...guest, ...sources('command.c')]),
        reactor: await wasm('guest-reactor.wasm', reactor, [...guest, ...sources('reactor.c')]),
        trap: await wasm('trap.wasm', reactor, sources('trap.c')),
        mode: await wasm('mode.wasm', [], sources('mode.c')),
        calls: await wasm('calls.wasm', [], sources('calls.c')),
    };
}
