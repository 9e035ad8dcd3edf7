// The error classes of nats.js, by its names.  They are looked up in `errors` when one is made,
// so that natlet/compat can put the classes of an installed @nats-io/nats-core in their place.

export class InvalidSubjectError extends Error {
    constructor(subject, options) {
        super(`illegal subject: '${subject}'`, options);
    }
}

export class InvalidArgumentError extends Error {
    /** property may be a list of names that exclude each other. */
    static format(property, message, options) {
        const names = [property].flat().map((name) => `'${name}'`);
        return new this(`${names.join(',')} ${message}`, options);
    }
}

export class InvalidOperationError extends Error {}

export class UserAuthenticationExpiredError extends Error {
    static parse(text) {
        return /user authentication expired/i.test(text) ? new this(text) : null;
    }
}

export class AuthorizationError extends Error {
    static parse(text) {
        const isMine =
            /authorization violation|account authentication expired|authentication timeout/i;
        return isMine.test(text) ? new this(text) : null;
    }
}

export class ClosedConnectionError extends Error {
    constructor() {
        super('closed connection');
    }
}

export class DrainingConnectionError extends Error {
    constructor() {
        super('connection draining');
    }
}

export class ConnectionError extends Error {}

export class ProtocolError extends Error {}

export class RequestError extends Error {
    constructor(message = '', options = undefined) {
        super(message, options);
    }

    isNoResponders() {
        return this.cause instanceof errors.NoRespondersError;
    }
}

export class TimeoutError extends Error {
    constructor(options) {
        super('timeout', options);
    }
}

export class NoRespondersError extends Error {
    constructor(subject, options) {
        super(`no responders: '${subject}'`, options);
        this.subject = subject;
    }
}

export class PermissionViolationError extends Error {
    constructor(message, operation, subject, queue, options) {
        super(message, options);
        Object.assign(this, { operation, subject, queue });
    }

    /** Reads the server's -ERR: 'Permissions Violation for Publish to "a.b"'. */
    static parse(text) {
        const what = /permissions violation for (publish|subscription) to "([^"]*)"/i.exec(text);
        if (!what) {
            return null;
        }
        const queue = /using queue "([^"]*)"/i.exec(text)?.[1];
        return new this(text, what[1].toLowerCase(), what[2], queue);
    }
}

export const errors = {
    AuthorizationError,
    ClosedConnectionError,
    ConnectionError,
    DrainingConnectionError,
    InvalidArgumentError,
    InvalidOperationError,
    InvalidSubjectError,
    NoRespondersError,
    PermissionViolationError,
    ProtocolError,
    RequestError,
    TimeoutError,
    UserAuthenticationExpiredError,
};

// By hand, as a minifier renames classes.
for (const [name, type] of Object.entries(errors)) {
    type.prototype.name = name;
}
NoRespondersError.prototype.name = 'NoResponders'; // as nats.js says it
