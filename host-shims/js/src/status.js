// Every status the module can return (natlet/status.h): name, value, text.

export const STATUS_LIST = [
    ['OK', 0, 'done'],
    ['MORE', 1, 'feed more input, then call again'],
    ['EVENT', 2, 'one event was written; call again for more'],
    ['EMPTY', 3, 'nothing is queued'],
    ['E_AGAIN', -1, 'nothing to do right now; wait for the next event'],
    ['E_INVALID', -2, 'an argument is out of its range'],
    ['E_UNSUPPORTED', -3, 'this build or host cannot do it'],
    ['E_NO_MEMORY', -4, 'the memory budget is used up'],
    ['E_DENIED', -5, "the host's operator does not allow it"],
    ['E_CLOSED', -6, 'the connection is gone'],
    ['E_TOO_LARGE', -7, 'a message exceeds the size limit'],
    ['E_FAULT', -8, "an address lies outside the module's memory"],
    ['E_LIMIT', -9, 'a limit of the host is reached'],
    ['E_IO', -10, 'the network failed'],
    ['E_TLS', -11, 'the TLS handshake or a TLS record failed'],
    ['E_NAME', -12, 'the host name cannot be resolved'],
    ['E_TIMEOUT', -13, 'the deadline passed'],
    ['E_UPGRADE', -14, 'the server refused the WebSocket upgrade'],
    ['E_PROTOCOL', -32, 'the peer broke the protocol'],
    ['E_LINE_TOO_LONG', -33, 'a control line exceeds line_max'],
    ['E_FULL', -34, 'no room is left; try again when some was freed'],
    ['E_CONFIG', -35, 'the configuration is out of range'],
    ['E_SUBJECT', -36, 'the subject is not well-formed'],
    ['E_HEADER', -37, 'a header is not well-formed'],
    ['E_URL', -38, 'the server address is not well-formed'],
    ['E_JSON', -39, 'the text is not valid JSON'],
    ['E_HANDSHAKE', -40, 'the answer to the WebSocket upgrade is not valid'],
    ['E_FRAME', -41, 'the peer broke the WebSocket protocol'],
    ['E_DISCONNECTED', -42, 'there is no connection to a server right now'],
    ['E_DRAINING', -43, 'the client or subscription is draining'],
    ['E_CANCELLED', -44, 'ended by the caller before it was done'],
    ['E_NO_RESPONDERS', -45, 'nobody is subscribed to the subject of the request'],
    ['E_NOT_FOUND', -46, 'there is nothing by that name or number'],
    ['E_AUTH', -47, 'the server refused the credentials'],
    ['E_PERMISSION', -48, 'the server does not permit this subject'],
    ['E_STALE', -49, 'the server stopped answering'],
    ['E_SERVER', -50, 'the server reported an error'],
    ['E_NO_SERVERS', -51, 'no server of the pool can be reached'],
    ['E_HEADERS_UNSUPPORTED', -52, 'the server does not support headers'],
    ['E_NKEY', -53, 'not an nkey: copy all of its 56 letters, or the 58 of a seed'],
    ['E_NKEY_CHECKSUM', -54, 'the nkey has a wrong letter; copy it again'],
    ['E_NKEY_KIND', -55, 'the wrong kind of nkey; give the seed of a user (SU...)'],
    ['E_CREDS_JWT', -56, 'a creds file needs one block NATS USER JWT with BEGIN, token and END'],
    ['E_CREDS_SEED', -57, 'a creds file needs one block USER NKEY SEED with BEGIN, seed and END'],
    ['E_JWT', -58, 'not the JWT of a user; copy all of its three parts'],
    ['E_CLOCK', -59, 'the clock is wrong, so that no certificate can be verified'],
    ['E_CERTIFICATE', -60, 'a certificate or key cannot be read, or they do not belong together'],
    ['E_NO_AGENT', -96, 'the agent is gone or was never there'],
    ['E_NAME_TAKEN', -97, 'another agent has that name'],
    ['E_STATE', -98, 'not possible in the present state'],
    ['E_TRAP', -99, 'the agent trapped'],
    ['E_POISONED', -100, 'the instance can no longer be trusted; replace it'],
    ['E_OPEN', -101, 'the circuit breaker is open'],
];

/** Values by name: Status.E_TIMEOUT is -13. */
export const Status = Object.fromEntries(STATUS_LIST);

/** A failure by its status: `code` is the name ("E_TIMEOUT"), `status` the value. */
export class NatletError extends Error {
    constructor(status, detail = '', options = undefined) {
        const [code, , text] = STATUS_LIST.find((entry) => entry[1] === status) ?? ['E_UNKNOWN'];
        super(`${text ?? `status ${status}`}${detail && `: ${detail}`}`, options);
        this.name = 'NatletError';
        this.code = code;
        this.status = status;
    }
}
