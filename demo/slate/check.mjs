// What the demo promises, held: types, subjects, and three tabs in Chromium.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { npm, Report, root, run, sleep, tool, until } from '../../tests/support/harness.mjs';
import { startChromium } from '../../tests/support/chromium.mjs';

const PRESENCE_MS = 400;
// Tabs behind another one would get a frame in a second.
const ALL_VISIBLE = ['--disable-renderer-backgrounding', '--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows'];

async function load(built, name) {
    const file = path.join(built, 'slate', `${name}.mjs`);
    const source = path.join(root, 'demo/slate/src', `${name}.ts`);
    await npm('esbuild').build({ entryPoints: [source], bundle: true, format: 'esm', outfile: file, logLevel: 'error' });
    return import(file);
}

/** Each subject of a hook's category, with the pattern of the hook that is to cover it. */
function tableOf({ subjects, watches }) {
    const lines = Object.values(subjects).flatMap((types) => Object.values(types).map((subject) => `subject ${subject}`));
    for (const { category, patterns } of Object.values(watches)) {
        for (const subject of Object.values(subjects[category])) {
            const isNear = (pattern) => subject.startsWith(pattern.slice(0, pattern.search(/[*{]/)));
            lines.push(`claim ${patterns.find(isNear) ?? 'none'} covers ${subject}`);
        }
    }
    return lines;
}

async function subjects(report, built) {
    const lines = tableOf(await load(built, 'subjects'));
    const file = path.join(built, 'slate/hooks.subjects');
    writeFileSync(file, `${lines.join('\n')}\n`);
    const { code, stdout, stderr } = await run(path.join(built, 'natlet'), ['subjects', 'check', file]);
    report.ok(code === 0, 'slate: the patterns of each hook cover its subjects', stdout + stderr);
    report.equal(lines.filter((line) => line.startsWith('subject')).length, 27, 'slate: subjects of the seed');
}

/** Broken events: none throws, none gets through. */
async function invalid(report, built) {
    const { parse } = await load(built, 'events');
    const good = { type: 'progress', projectId: 'p', buildId: 'b', sequence: 1, timestamp: 1, data: { percent: 5 } };
    const bytes = (value) => Buffer.from(JSON.stringify(value));
    const reasonOf = (value, subject = 'slate.build.progress.p') => parse('build', subject, bytes(value)).reason;
    const broken = [null, 7, [], {}, { ...good, type: '__proto__' }, { ...good, projectId: 'a.b' }, { ...good, data: { percent: 101 } }, { ...good, data: null }];
    report.ok(!reasonOf(good) && broken.every((value) => reasonOf(value)), 'slate: broken events are told from good ones');
    report.equal(reasonOf(good, 'slate.build.progress.q'), 'subject', 'slate: an event under the subject of another');
    let through = 0;
    const text = bytes(good);
    for (let i = 0; i < 5000; i++) {
        const copy = Buffer.from(text);
        copy[(i * 7) % copy.length] = (i * 31) & 255;
        const { event } = parse('build', 'slate.build.progress.p', copy.subarray(0, i % 3 ? copy.length : i % copy.length));
        through += event && !(event.data.percent >= 0 && event.projectId === 'p') ? 1 : 0;
    }
    report.equal(through, 0, 'slate: 5 000 damaged events');
}

/** Events of a build that come late, twice or never, with and without somebody who has them. */
async function sequences(report, built) {
    const { BuildSequence } = await load(built, 'sequence');
    const all = Array.from({ length: 9 }, (_, i) => ({ buildId: 'b', type: 'progress', sequence: i + 1 }));
    const hear = async (history) => {
        const heard = [];
        const sequence = new BuildSequence(async (_, from) => history.filter((event) => event.sequence >= from).slice(0, 2), (event) => heard.push(event.sequence));
        for (const i of [1, 2, 2, 6, 5, 9]) {
            sequence.accept(all[i - 1]);
        }
        await sleep(20);
        return [heard.join(''), sequence.counts];
    };
    report.equal(await hear(all), ['123456789', { recovered: 4, lost: 0 }], 'slate: missed events are asked for');
    report.equal(await hear([]), ['12569', { recovered: 0, lost: 4 }], 'slate: lost events are counted');
}

async function openTabs(browser, url, complaints) {
    const tabs = [];
    for (const name of ['ada', 'grace', 'linus']) {
        const tab = await browser.page(`${url}?name=${name}&presence=${PRESENCE_MS}`);
        tab.on('console', (line) => line.type() === 'error' && complaints.push(line.text()));
        tab.on('pageerror', (error) => complaints.push(error.stack));
        tabs.push(tab);
    }
    return tabs;
}

const present = (tab, count) =>
    until(async () => (await tab.innerText('#present')) === String(count), 15000, `${count} present`);
const isWhole = (builds, count) => builds.length === count && builds.every((sequence, i) => sequence === i + 1);

async function cursors([one, two]) {
    const before = await two.evaluate(() => window.seen.cursorRenders);
    const frames = two.evaluate(async () => {
        let count = 0;
        const end = performance.now() + 1200;
        while (performance.now() < end) {
            await new Promise(requestAnimationFrame);
            count++;
        }
        return count;
    });
    await one.evaluate(async () => {
        for (let i = 0; i < 200; i++) {
            window.actions.move({ line: i % 8, column: i % 40 });
            await new Promise((done) => setTimeout(done, 5));
        }
    });
    const [count, after] = [await frames, await two.evaluate(() => window.seen.cursorRenders)];
    const renders = (after - before) / 2; // StrictMode renders twice
    if (renders < 1 || renders > count + 1) {
        throw new Error(`${renders} renders in ${count} frames`);
    }
}

/** Every type of three categories, of this project and of another: the one half arrives. */
async function delivery(report, built, [one, two]) {
    const { subjects } = await load(built, 'subjects');
    const sent = ['project', 'file', 'asset'].flatMap((category) => Object.keys(subjects[category]).map((type) => [category, type]));
    const areTaken = await one.evaluate((list) => {
        const keys = { userId: 'ada', fileId: 'f', assetId: 'a', data: { component: 'c' } };
        const publish = (projectId) => list.map(([category, type]) => window.actions.publish(category, { type, projectId, ...keys }));
        return [...publish('other'), ...publish('lumines'), !window.actions.publish('file', { type: 'created' })];
    }, sent);
    await until(async () => (await two.evaluate(() => window.seen.activity.length)) >= sent.length, 3000, 'the last').catch(() => {});
    const seen = await two.evaluate(() => window.seen.activity);
    report.ok(areTaken.every(Boolean), 'slate: publish takes what is valid, and nothing else');
    report.equal(seen, sent.map(([category, type]) => `${category} ${type} lumines`), 'slate: each event of a project, and of no other');
}

async function outage(tabs, server) {
    const building = tabs[0].evaluate(() => window.actions.build(100, 10));
    await sleep(300);
    await server.kill();
    await sleep(500);
    await server.restart();
    await building;
    const seen = (tab) => tab.evaluate(() => window.seen.builds);
    for (const tab of tabs) {
        await until(async () => (await seen(tab)).length >= 102, 10000, 'the last event');
        if (!isWhole(await seen(tab), 102)) {
            throw new Error(`out of order: ${await seen(tab)}`);
        }
    }
}

async function late(browser, url, [one]) {
    const building = one.evaluate(() => window.actions.build(150, 10));
    await sleep(50);
    const tab = await browser.page(`${url}?name=late&presence=${PRESENCE_MS}`);
    await building;
    await until(async () => isWhole(await tab.evaluate(() => window.seen.builds), 152), 10000, 'a whole build');
    const { recovered } = await tab.evaluate(() => window.seen.counts);
    await tab.close();
    if (recovered === 0) {
        throw new Error('nothing was missed');
    }
}

async function lines(report, [one, two]) {
    await two.bringToFront();
    const watching = two.evaluate(async () => {
        let [last, worst] = [performance.now(), 0];
        const end = last + 20000;
        while (window.seen.total < 10000 && performance.now() < end) {
            await new Promise(requestAnimationFrame);
            const now = performance.now();
            [last, worst] = [now, Math.max(worst, now - last)];
        }
        return { worst, total: window.seen.total };
    });
    await one.evaluate(() => window.actions.run(10000, 200));
    const { worst, total } = await watching;
    report.ok(total === 10000 && worst < 500, 'slate: 10 000 lines of a log', `${total} lines, longest frame ${worst} ms`);
}

export async function check({ server, url, built }) {
    const report = new Report();
    const tsc = spawnSync(path.join(tool('NPM_DIR'), '.bin/tsc'), ['-p', path.join(root, 'demo/slate')], { encoding: 'utf8' });
    report.ok(tsc.status === 0, 'slate: types', tsc.stdout);
    await subjects(report, built);
    await invalid(report, built);
    await sequences(report, built);
    const browser = await startChromium(ALL_VISIBLE);
    const complaints = [];
    const tabs = await openTabs(browser, url, complaints);
    await report.test('slate: three are present', () => Promise.all(tabs.map((tab) => present(tab, 3))));
    await delivery(report, built, tabs);
    await report.test('slate: cursors, one render in a frame', () => cursors(tabs));
    await report.test('slate: no event of a build is lost when the server dies', () => outage(tabs, server));
    await report.test('slate: a tab that comes late asks for what it missed', () => late(browser, url, tabs));
    await lines(report, tabs);
    mkdirSync(path.join(built, 'slate'), { recursive: true });
    await tabs[1].screenshot({ path: path.join(built, 'slate/page.png') });
    await tabs[2].close();
    await report.test('slate: a closed tab is gone', () => present(tabs[0], 2));
    const own = complaints.filter((text) => !/WebSocket connection to '[^']*' failed/.test(text));
    report.ok(own.length === 0, 'slate: the console has nothing of ours', own.join('\n'));
    await browser.stop();
    report.done();
}
