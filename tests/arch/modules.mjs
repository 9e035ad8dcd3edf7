// What the WebAssembly modules promise to those who embed them:
//
//   node tests/arch/modules.mjs DIR          compares with wasm/*.imports.txt, *.exports.txt and budgets.txt
//   node tests/arch/modules.mjs DIR size     prints the table of bytes, against the budgets
//   node tests/arch/modules.mjs DIR write    writes the lists anew, after a change that was meant
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const [dir, mode = 'check'] = process.argv.slice(2);
const lines = (file) => readFileSync(file, 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));
const budgets = new Map(lines('wasm/budgets.txt').map((line) => {
    const [name, raw, gzip, goalRaw, goalGzip] = line.split(/\s+/);
    return [name, { raw: Number(raw), gzip: Number(gzip), goal: [goalRaw ?? '', goalGzip ?? ''] }];
}));
let failed = false;

function report(name, reasons) {
    failed ||= reasons.length > 0;
    console.log(reasons.length === 0 ? `ok ${name}` : reasons.map((r) => `not ok ${name}  ${r}`).join('\n'));
}

function difference(what, real, file) {
    if (!existsSync(file)) return [`${file} is missing`];
    const listed = lines(file);
    return [
        ...real.filter((x) => !listed.includes(x)).map((x) => `${what} ${x} is not in ${file}`),
        ...listed.filter((x) => !real.includes(x)).map((x) => `${what} ${x} is in ${file} only`),
    ];
}

function inspect(name) {
    const bytes = readFileSync(`${dir}/${name}`);
    const module = new WebAssembly.Module(bytes);
    return {
        raw: bytes.length,
        gzip: gzipSync(bytes, { level: 9 }).length,
        imports: WebAssembly.Module.imports(module).map((i) => `${i.module}.${i.name}`).sort(),
        exports: WebAssembly.Module.exports(module).map((e) => e.name).sort(),
    };
}

function check(name, real, base) {
    const foreign = real.imports.filter((i) => !i.startsWith('natlet_host1.') &&
        !(real.exports.includes('_start') && i.startsWith('wasi_snapshot_preview1.')));
    report(`${name} imports`, [
        ...foreign.map((i) => `${i} is not for this module to import`),
        ...difference('import', real.imports, `${base}.imports.txt`),
    ]);
    report(`${name} exports`, difference('export', real.exports, `${base}.exports.txt`));
    if (budgets.has(name)) judge(name, real, budgets.get(name));
    else report(`${name} size`, ['wasm/budgets.txt has no line for it']);
}

// Bytes against their budget: a line of the table, or of the test.
function judge(name, real, most) {
    const over = ['raw', 'gzip'].filter((kind) => !(real[kind] <= most[kind]));
    if (mode === 'size') {
        const limit = (bytes) => (bytes === Infinity ? '' : bytes);
        row(name, real.raw, limit(most.raw), most.goal[0], real.gzip, limit(most.gzip), most.goal[1], over.length ? 'OVER' : '');
        failed ||= over.length > 0;
    } else if (mode === 'check') {
        report(`${name} size`, over.map((kind) => `${real[kind]} bytes ${kind}, the budget is ${most[kind]}`));
    }
}

const row = (...cells) => console.log(cells.map((c, i) => (i ? String(c).padStart(10) : String(c).padEnd(22))).join(''));
if (mode === 'size') row('module', 'raw', 'budget', 'goal', 'gzip', 'budget', 'goal');
for (const name of readdirSync(dir).filter((file) => file.endsWith('.wasm')).sort()) {
    const real = inspect(name);
    const base = `wasm/${name.replace(/\.wasm$/, '')}`;
    if (mode === 'size') {
        judge(name, real, budgets.get(name) ?? { raw: 0, gzip: 0, goal: ['', ''] });
    } else if (mode === 'write') {
        writeFileSync(`${base}.imports.txt`, real.imports.map((x) => `${x}\n`).join(''));
        writeFileSync(`${base}.exports.txt`, real.exports.map((x) => `${x}\n`).join(''));
    } else {
        check(name, real, base);
    }
}

// What a part costs is the difference of two modules; only a line in budgets.txt bounds it.
const differences = [
    ['agent layer', 'layer/agents.wasm', 'layer/client.wasm'],
    ['agents, everything', 'layer/all.wasm', 'layer/client.wasm'],
    ['natlet - natlet-core', 'natlet.wasm', 'natlet-core.wasm'],
];
for (const [name, whole, less] of differences) {
    const [more, base] = [inspect(whole), inspect(less)];
    const most = budgets.get(name.replaceAll(' ', '-')) ?? { raw: Infinity, gzip: Infinity, goal: ['', ''] };
    judge(name, { raw: more.raw - base.raw, gzip: more.gzip - base.gzip }, most);
}
process.exitCode = failed ? 1 : 0;
