// Why agents end, and in which state they are: natlet/agent.h and natlet/cell.h.

const EXIT_TEXTS = {
    ...{ 0: 'normal', 1: 'shutdown', 2: 'error', 3: 'trap', 4: 'killed', 5: 'overflow' },
    ...{ 6: 'poison', 7: 'noproc', 8: 'noconn', 9: 'mem', 10: 'fuel' },
};

/** natlet_exit_kind by name. */
export const EXIT = { NORMAL: 0, SHUTDOWN: 1, ERROR: 2, TRAP: 3, KILLED: 4, MEMORY: 9, FUEL: 10 };

const STATES = [
    ...['starting', 'running', 'busy', 'stopping', 'exited', 'restarting', 'down'],
    ...['backoff', 'suspended'],
];

const DEAD_TEXTS = [
    ...['no such agent', 'for an earlier incarnation', 'mailbox full', 'rejected by the agent'],
    ...['the agent crashed on it', 'dropped by a restart', 'left over at the end', 'stash full'],
    ...['the agent crashed on it too often', 'retried too often', 'its deadline had passed'],
];

export const exitText = (kind) => EXIT_TEXTS[kind] ?? 'unknown';
export const stateText = (state) => STATES[state] ?? 'unknown';
export const deadText = (reason) => DEAD_TEXTS[reason] ?? `reason ${reason}`;
