// Operations on agents and supervisors, for who has some (embedding.js has those that every
// client needs).
import * as N from './constants.js';

const encoder = new TextEncoder();

/** Numbers of 32 bits as the bytes of a payload. */
function bytesOf(numbers) {
    return new Uint8Array(Uint32Array.from(numbers).buffer);
}

/** A natlet_embed_child, with its key. */
function placeBytes(place) {
    const { supervisor = 0, shutdownMs = 0, mailboxBytes = 0, mailbox = 0 } = place;
    const { high = 0, low = 0, stash = 0, overflow = 0, key = '' } = place;
    const { backoff = {}, retry = {}, poisonAfter = 0 } = place;
    const care =
        (place.backoff ? N.CARE_BACKOFF : 0) |
        (poisonAfter > 0 ? N.CARE_SHIELD : 0) |
        (place.retry ? N.CARE_RETRY : 0) |
        (backoff.giveUp === 'park' ? N.CARE_PARK : 0);
    const flags = (place.isSignificant ? 1 << 16 : 0) | (place.dropsMail ? 1 << 24 : 0);
    const fixed = bytesOf([
        ...[supervisor, shutdownMs, mailboxBytes, mailbox | flags],
        ...[high | (low << 16), stash | (overflow << 16) | (care << 24)],
        ...[backoff.baseMs ?? 0, backoff.capMs ?? 0, backoff.stableMs ?? 0, backoff.tries ?? 0],
        ...[retry.baseMs ?? 0, retry.capMs ?? 0, (retry.tries ?? 0) | ((retry.parked ?? 0) << 16)],
        poisonAfter | ((backoff.jitter ?? 0) << 16) | ((retry.jitter ?? 0) << 24),
    ]);
    return joined(fixed, encoder.encode(key));
}

function joined(a, b) {
    const both = new Uint8Array(a.length + b.length);
    both.set(a);
    both.set(b, a.length);
    return both;
}

/** For Embedding.supervise: a natlet_embed_tree; pattern: of a dynamic one's children,
 *  { restart, place }. */
export function superviseOp(spec = {}, pattern) {
    const { intensity = 0, periodMs = 0, strategy = 0 } = spec;
    const { autoShutdown = 0, childrenMax = 0 } = spec;
    const tree = bytesOf([intensity, periodMs, strategy, autoShutdown, childrenMax]);
    const payload = pattern ? joined(tree, placeBytes(pattern.place)) : tree;
    return { payload, arg: pattern?.restart };
}

/** For Embedding.adopt; subject: one, or several with blanks between them. */
export function spawnOp(name, { place, restart, subject, queue }) {
    const headers = queue ? encoder.encode(queue) : undefined;
    return { subject: name, arg: restart, reply: subject, headers, payload: placeBytes(place) };
}

/** For Embedding.offer. */
export function offerOp(name, data, { reply, headers, priority = 0 } = {}) {
    return { subject: name, payload: data, reply, headers, arg: priority };
}

/** Lets a supervisor stop, start again or forget a child (ORDER_*). */
export async function order(hub, supervisor, name, what) {
    await hub.ask(N.OP_ORDER, { subject: name, arg: supervisor, flags: what });
}

/** Handles what is queued, then stops all trees, the last one first, and flushes; rejects with
 *  E_TIMEOUT when some had to be killed (natlet_cell_shutdown). */
export async function shutdown(hub, deadlineMs) {
    await hub.ask(N.OP_SHUTDOWN, { arg: deadlineMs });
}
