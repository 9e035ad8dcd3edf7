// What the caller says of a child, checked, and what the hub's supervisor is told of it.
import { childSpec } from '../cell-child.js';
import { NatletError, Status } from '../status.js';

export const RESTARTS = ['permanent', 'transient', 'temporary'];
const OVERFLOWS = ['reject', 'drop-new', 'drop-old', 'coalesce', 'pause', 'fail'];
const BRUTAL = 0xfffffffe;
const NEVER = 0xffffffff;
const U16 = 0xffff;
const U32 = 0xffffffff;
const PERCENT = 100;

function invalid(id, text) {
    throw new NatletError(Status.E_CONFIG, `child "${id}": ${text}`);
}

/** Refuses what is no whole number of 0..max; undefined may stand for a default. */
function checkNumbers(id, numbers, max) {
    for (const [name, value] of Object.entries(numbers)) {
        if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value <= max)) {
            invalid(id, `${name} is not in 0..${max}`);
        }
    }
}

/** 0 is at once, Infinity as long as it takes, undefined the module's default. */
function shutdownOf(id, ms) {
    if (ms === undefined || ms === Infinity) {
        return ms === undefined ? 0 : NEVER;
    }
    checkNumbers(id, { shutdownMs: ms }, BRUTAL - 1);
    return ms === 0 ? BRUTAL : ms;
}

function careOf({ id, mailbox = {}, backoff, retry, poisonAfter }) {
    const { cap, high, low, stash, bytes, overflow = 'reject', key } = mailbox;
    checkNumbers(id, { cap, high, low, stash, poisonAfter }, U16);
    checkNumbers(id, { bytes }, U32);
    if (!OVERFLOWS.includes(overflow)) {
        invalid(id, `no overflow "${overflow}"`);
    }
    for (const { baseMs, capMs, stableMs, tries, parked, jitter } of [backoff ?? {}, retry ?? {}]) {
        checkNumbers(id, { baseMs, capMs, stableMs }, U32);
        checkNumbers(id, { tries, parked }, U16 - 1);
        checkNumbers(id, { jitter }, PERCENT);
    }
    return { high, low, stash, overflow: OVERFLOWS.indexOf(overflow), key, backoff, retry, poisonAfter };
}

/** A guest in an instance or a worker, as openCells() has them. */
export function guestSpec(given) {
    const { id, mailbox = {}, significant, keepMail, ...rest } = given;
    const { shutdownMs, init, onMessage, terminate, poisonAfter, backoff, retry, ...more } = rest;
    if (init || onMessage || terminate) {
        invalid(id, 'functions run in this thread: isolation is for modules');
    }
    return childSpec({
        ...more,
        name: id,
        subject: subjectsOf(given),
        shutdownMs: shutdownOf(id, shutdownMs),
        mailbox: { messages: mailbox.cap, bytes: mailbox.bytes },
        isSignificant: significant,
        dropMail: keepMail === false,
        care: careOf(given),
    });
}

function subjectsOf({ id, subject = [] }) {
    const subjects = [subject].flat();
    if (subjects.some((one) => typeof one !== 'string' || one === '' || one.includes(' '))) {
        invalid(id, 'a subject is not well-formed');
    }
    return subjects.join(' ');
}

/** A child that is functions in this thread. */
export function agentSpec(given) {
    const { id, restart = 'permanent', onMessage, maxTurnMs, mailbox = {} } = given;
    if (!RESTARTS.includes(restart)) {
        invalid(id, `no restart "${restart}"`);
    }
    if (typeof onMessage !== 'function' || given.module) {
        invalid(id, 'onMessage is needed, or a module with isolation "instance" or "worker"');
    }
    if (maxTurnMs !== undefined && !(maxTurnMs >= 1 && maxTurnMs <= 0x7fffffff)) {
        invalid(id, 'maxTurnMs is out of range');
    }
    return {
        ...given,
        isolation: 'shared',
        restart,
        subject: subjectsOf(given),
        placement: {
            restart: RESTARTS.indexOf(restart),
            place: {
                shutdownMs: shutdownOf(id, given.shutdownMs),
                isSignificant: given.significant,
                dropsMail: given.keepMail === false,
                mailbox: mailbox.cap,
                mailboxBytes: mailbox.bytes,
                ...careOf(given),
            },
        },
    };
}
