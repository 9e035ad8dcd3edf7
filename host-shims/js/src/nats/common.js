// What both entry points export, by nats.js's names.
export * from './errors.js';
export { canonicalMIMEHeaderKey, headers, Match, MsgHdrsImpl } from './headers.js';
export {
    backoff,
    collect,
    createInbox,
    deadline,
    deferred,
    delay,
    Empty,
    millis,
    nanos,
    Nuid,
    nuid,
    syncIterator,
} from './util.js';
export { NatsConnectionImpl } from './connection.js';
export { tokenAuthenticator, usernamePasswordAuthenticator } from '../authenticators.js';
export { NatletError, Status as StatusCode } from '../status.js';
