// Who uses what `make install` and `make package` make, in folders of their own, against a real server.
//
//   node tests/consumers/run.mjs [MAKE]
//
// What needs a program that the machine may not have is skipped, by name and with how to get it.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Report, root, run, start, startNats, tempFolder, tool, until } from '../support/harness.mjs';

const BUILD_MS = 300000;
const make = (process.argv[2] ?? 'make').split(' ').filter(Boolean);
const report = new Report();
const work = tempFolder('natlet-consumers-');
const dest = path.join(work, 'dest');
const prefix = path.join(dest, 'opt/natlet');
const here = path.join(root, 'tests/consumers');

/** Runs a program that must succeed; returns what it printed. */
async function done(file, args, options = {}) {
    const how = await run(file, args, { timeoutMs: BUILD_MS, ...options });
    if (how.code !== 0) {
        throw new Error(`${file} ${args.join(' ')}\n${how.late ? 'no end\n' : ''}${how.stdout}${how.stderr.slice(-2000)}`);
    }
    return how.stdout;
}

const says = (got, want) => {
    if (!got.includes(want)) {
        throw new Error(`want ${want}, got ${got}`);
    }
};

/** A folder with copies of files of this one. */
function folder(name, ...files) {
    const at = path.join(work, name);
    mkdirSync(at);
    files.forEach((file) => copyFileSync(path.join(here, file), path.join(at, file)));
    return at;
}

const makeIn = (target, to = dest) =>
    done(make[0], [...make.slice(1), '-s', '-C', root, target, `DESTDIR=${to}`, 'PREFIX=/opt/natlet']);

function filesBelow(at) {
    const entries = existsSync(at) ? readdirSync(at, { recursive: true, withFileTypes: true }) : [];
    return entries.map((entry) => path.relative(at, path.join(entry.parentPath ?? entry.path, entry.name)));
}

const words = (text) => text.trim().split(/\s+/);

/** Flags of the installed library, from its .pc files and no others. */
async function flags(name, folderOfPc) {
    const env = { PKG_CONFIG_LIBDIR: path.join(prefix, folderOfPc), PKG_CONFIG_PATH: '' };
    return words(await done(tool('PKG_CONFIG'), ['--cflags', '--libs', name], { env }));
}

async function installed() {
    await makeIn('install');
    const version = await done(path.join(prefix, 'bin/natlet'), ['--version']);
    says(version, '0.');
    says(filesBelow(dest).join(' '), 'share/doc/natlet/NOTICE');
}

async function cNative(server) {
    const at = folder('native', 'native.c');
    const given = await flags('natlet-posix', 'lib/pkgconfig');
    await done(tool('NATIVE_CC'), ['-std=c11', '-Wall', '-Wextra', '-Werror', 'native.c', ...given, '-o', 'native'], { cwd: at });
    says(await done(path.join(at, 'native'), [server.wsUrl]), 'hello from C');
}

/** The program that README.md shows, compiled as README.md says. */
async function readme(server) {
    const at = folder('readme');
    const [, text] = /^```c\n([^`]*int main\([^`]*)^```$/m.exec(readFileSync(path.join(root, 'README.md'), 'utf8'));
    writeFileSync(path.join(at, 'program.c'), text.replace(/ws:\/\/127\.0\.0\.1:\d+/, server.wsUrl));
    const given = await flags('natlet-posix', 'lib/pkgconfig');
    await done(tool('NATIVE_CC'), ['program.c', ...given, '-o', 'program'], { cwd: at });
    says(await done(path.join(at, 'program'), []), 'hello');
}

async function cmake(server) {
    const at = folder('cmake', 'native.c', 'CMakeLists.txt');
    await done('cmake', ['-S', at, '-B', 'out', `-DCMAKE_PREFIX_PATH=${prefix}`, `-DCMAKE_C_COMPILER=${tool('NATIVE_CC')}`], { cwd: at });
    await done('cmake', ['--build', 'out'], { cwd: at });
    says(await done(path.join(at, 'out/consumer'), [server.url]), 'hello from C');
}

/** The compiler as its maker's manual says, with none of our settings. */
async function cWasm(server, npmFolder) {
    const at = folder('wasm', 'guest.c');
    const given = await flags('natlet-reactor', 'lib/wasm32-wasip1/pkgconfig');
    const sysroot = tool('WASM_SYSROOT');
    const target = ['--target=wasm32-wasip1', `--sysroot=${sysroot}`, '-nostdlibinc', '-isystem', `${sysroot}/include/wasm32-wasip1`];
    await done(
        tool('WASM_CC'),
        [...target, '-Os', '-Wall', '-Werror', 'guest.c', '-nodefaultlibs', ...given, '-lc', tool('WASM_RT'), '-o', 'guest.wasm'],
        { cwd: at },
    );
    const natlet = path.join(prefix, 'bin/natlet');
    await serves(path.join(at, 'guest.wasm'), npmFolder, server, () =>
        done(natlet, ['request', 'consumers.guest', 'hello from wasm', '--server', server.url, '--timeout', '5s']),
    );
}

/** A module in Node must answer "consumers.guest". */
async function serves(file, npmFolder, server, ask) {
    copyFileSync(path.join(here, 'reactor.mjs'), path.join(npmFolder, 'reactor.mjs'));
    const guest = start(tool('NODE'), ['reactor.mjs', file, JSON.stringify({ url: server.url })], { cwd: npmFolder, stdin: 'pipe' });
    try {
        await until(() => guest.stdout().includes('started') || guest.stderr() !== '', 10000, 'the module');
        await until(async () => (await ask().catch(() => '')).includes('hello from wasm'), 10000, `an answer (${guest.stderr()})`);
    } finally {
        await guest.stop();
    }
}

/** npm pack, and npm install of what it made, without a registry. */
async function npmInstalled() {
    const at = folder('npm', 'app.mjs');
    writeFileSync(path.join(at, 'package.json'), '{ "type": "module", "private": true }');
    const packed = await done(tool('NPM'), ['pack', '--silent', '--pack-destination', at], {
        cwd: path.join(root, process.env.B ?? 'build', 'package/natlet'),
    });
    const args = ['install', '--offline', '--no-audit', '--no-fund', '--silent', '--legacy-peer-deps', `./${packed.trim()}`];
    await done(tool('NPM'), args, { cwd: at });
    return at;
}

async function npm(server, at) {
    const esbuild = path.join(tool('NPM_DIR'), '.bin/esbuild');
    const args = ['app.mjs', '--bundle', '--format=esm', '--platform=node', '--target=node20', '--loader:.wasm=binary', '--outfile=bundle.mjs'];
    await done(esbuild, args, { cwd: at });
    says(await done(tool('NODE'), ['bundle.mjs', server.url], { cwd: at }), 'hello from npm');
    const own = folder('bundle'); // the bundle stands alone
    copyFileSync(path.join(at, 'bundle.mjs'), path.join(own, 'bundle.mjs'));
    says(await done(tool('NODE'), ['bundle.mjs', server.wsUrl], { cwd: own }), 'hello from npm');
    says(await done(path.join(at, 'node_modules/.bin/natlet'), ['rtt', '--server', server.url]), 'ms');
}

/** A second install takes over what the first one put there; what is not ours stays. */
async function uninstalled() {
    const other = path.join(work, 'other');
    await makeIn('install', other);
    const list = path.join(other, 'opt/natlet/share/natlet/installed');
    const stale = path.join(other, 'opt/natlet/include/natlet/gone.h');
    writeFileSync(stale, '');
    writeFileSync(list, 'include/natlet/gone.h\n', { flag: 'a' });
    await makeIn('install', other);
    const foreign = path.join(other, 'opt/natlet/lib/libother.a');
    writeFileSync(foreign, '');
    if (existsSync(stale)) {
        throw new Error('a file of the version before is still there');
    }
    await makeIn('uninstall', other);
    const left = filesBelow(other).filter((file) => !/^opt(\/natlet(\/(bin|lib|include|share))?)?$/.test(file));
    if (left.join() !== 'opt/natlet/lib/libother.a') {
        throw new Error(`left: ${left.join(' ')}`);
    }
}

const has = (program) => spawnSync(program, ['--version']).status === 0;

const server = await startNats();
let npmFolder;
await report.test('consumers: make install', installed, BUILD_MS);
await report.test('consumers: C, native, by pkg-config', () => cNative(server), BUILD_MS);
await report.test('consumers: the program of README.md', () => readme(server), BUILD_MS);
await report.test('consumers: npm pack and npm install', async () => (npmFolder = await npmInstalled()), BUILD_MS);
await report.test('consumers: npm, bundled by esbuild', () => npm(server, npmFolder), BUILD_MS);
await report.test('consumers: C, wasm32-wasip1 reactor, by pkg-config', () => cWasm(server, npmFolder), BUILD_MS);
if (has('cmake')) {
    await report.test('consumers: C, native, by CMake', () => cmake(server), BUILD_MS);
} else {
    console.log('# skipped: CMake (apt-get install cmake)');
}
await report.test('consumers: make uninstall leaves nothing', uninstalled, BUILD_MS);
await server.stop();
report.done();
