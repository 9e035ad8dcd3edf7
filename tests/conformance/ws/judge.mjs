// What became of a case, as one short text; and what is wrong with it.
import { BINARY } from './wire.mjs';
import { pingsOf } from './server.mjs';

/** What natlet holds at most: buffers, tables, the largest message twice (as it comes and as
 *  it goes), and the steps by which the outbox grows. */
export function memoryMax({ messages = [], deflate = false }) {
    const largest = Math.max(0, ...messages.map((one) => one.length));
    return (deflate ? 640 : 160) * 1024 + 3 * largest; // a codec; what is refused at its 256 KiB, twice while it grows
}

/** `natlet` is the line that ws-echo printed about it, or undefined. */
export function readLine(line = '') {
    const pattern = /^\d+ (\w+) heard=(\d+) "(.*)" refused=(\d+) messages=(\d+) memory=(\d+)$/;
    const [, status, heard, text, refused, messages, memory] = pattern.exec(line) ?? [];
    return (
        status && {
            status,
            heard: Number(heard),
            text,
            refused: Number(refused),
            messages: Number(messages),
            memory: Number(memory),
        }
    );
}

/** In the words of the table. */
export function describe(what, record) {
    if (!record) {
        return 'it never connected';
    }
    const { messages, pongs, close } = record.reader;
    const count = (n, word) => (n === 0 ? [] : [n === 1 ? word : `${n} ${word}s`]);
    const parts = [
        ...count(messages.length, 'echo').map((text) => text.replace('echos', 'echoes')),
        ...count(pongs.length, 'pong'),
        close ? `close ${close.code}` : record.isLate ? 'stays' : 'no close',
    ];
    return parts.join(', ');
}

function pongFaults(what, got) {
    const pings = what.script ? pingsOf(what) : [];
    const wanted = { each: pings, last: pings.slice(-1) }[what.pongs];
    if (!wanted) {
        return []; // a failing connection owes none
    }
    let at = 0;
    const isRow = got.every((pong) => {
        at = pings.findIndex((ping, i) => i >= at && ping.equals(pong)) + 1;
        return at > 0;
    });
    const faults = isRow ? [] : ['a pong that answers no ping, or out of order'];
    if (what.pongs === 'each' && got.length !== pings.length) {
        faults.push(`${got.length} pongs to ${pings.length} pings`);
    }
    if (!got.at(-1)?.equals(wanted.at(-1))) {
        faults.push('the last ping has no pong');
    }
    return faults;
}

/** On the wire.  `isOther` is a client of other people: its requests are its own, and it may end
 *  a connection with a reset. */
export function wireFaults(what, record, isOther = false) {
    if (!record) {
        return ['it never connected'];
    }
    const { reader } = record;
    const faults = [...reader.faults, ...(isOther ? [] : record.requestFaults)];
    const wantMessages = what.messages ?? [];
    const isSame = (message, i) =>
        message.opcode === BINARY && wantMessages[i]?.equals(message.payload);
    if (reader.messages.length !== wantMessages.length || !reader.messages.every(isSame)) {
        faults.push(`${reader.messages.length} messages, ${wantMessages.length} were due, exactly`);
    }
    if (what.compressed !== undefined && reader.compressed !== what.compressed) {
        faults.push(`${reader.compressed} compressed messages, not ${what.compressed}`);
    }
    faults.push(...(what.script ? pongFaults(what, reader.pongs) : []));
    const closes = what.script ? what.closes : what.refused || (record.isUpgraded ? 1000 : undefined);
    if (reader.close?.code !== closes) {
        faults.push(`close ${reader.close?.code}, not ${closes}`);
    }
    const hasReset = record.hasFailed && !what.isReset && !what.keeps;
    const rest = [
        [record.earlyBytes > 0, `${record.earlyBytes} bytes that it must not send`],
        [record.fault, record.fault],
        [record.isLate, 'it keeps the connection'],
        [record.isKept, 'it keeps the connection longer than 2 s after the close'],
        [hasReset && !isOther, 'it resets the connection'],
    ];
    return [...faults, ...rest.filter(([is]) => is).map(([, text]) => text)];
}

/** In what ws-echo says. */
export function lineFaults(what, line) {
    const said = readLine(line);
    if (!said) {
        return [line === undefined ? 'ws-echo did not survive it' : `ws-echo said ${line}`];
    }
    const isUpgraded = what.script !== undefined;
    const heard = isUpgraded ? what.heard : what.status === 'E_CLOSED' && !what.cut ? 1000 : 0;
    const text = what.http ? `HTTP status ${what.http}` : what.text;
    const checks = [
        [said.status === what.status, `status ${said.status}, not ${what.status}`],
        [said.heard === heard, `it heard ${said.heard}, not ${heard}`],
        [said.refused === what.refused, `it refused with ${said.refused}, not ${what.refused}`],
        [text === undefined || said.text === text, `reason ${said.text}, not ${text}`],
        [said.memory <= memoryMax(what), `${said.memory} bytes, at most ${memoryMax(what)}`],
    ];
    return checks.filter(([held]) => !held).map(([, fault]) => fault);
}

/** Masks and keys of all connections together: none twice, and no counter. */
export function randomFaults(records) {
    const masks = records.flatMap(({ reader }) => reader.keys);
    const keys = records.map(({ key }) => key);
    const steps = masks.slice(1).map((mask, i) => (mask - masks[i]) >>> 0);
    const ones = masks.reduce((sum, mask) => sum + mask.toString(2).replaceAll('0', '').length, 0);
    const share = ones / (32 * masks.length);
    const repeats = masks.length - new Set(masks).size;
    const checks = [
        [new Set(keys).size === keys.length, 'a Sec-WebSocket-Key came twice'],
        [repeats <= 3 + masks.length ** 2 / 2 ** 32, `${repeats} of ${masks.length} masks repeat`],
        [steps.length - new Set(steps).size <= 3 + masks.length ** 2 / 2 ** 32, 'masks in steps'],
        [masks.length < 100 || Math.abs(share - 0.5) < 0.05, `${share} of the bits of masks are 1`],
    ];
    return checks.filter(([held]) => !held).map(([, fault]) => fault);
}
