// Options of connect(), as nats.js has them, and what they are for the module.
import { errors } from './errors.js';
import { createInbox } from './util.js';

const HOST = '127.0.0.1';
const PORT = 4222;
const OFFLINE_BYTES = 64 << 20;
const TX_BYTES = 256 << 10; // what may be under way without the server having said that it got it

const DEFAULTS = { maxReconnectAttempts: 10, reconnect: true, timeout: 5000 };

const UNSUPPORTED = ['reconnectToServer', 'resolve'];

/** A server as a URL.  A name without a scheme is ws or wss in a browser, else nats or tls. */
function urlOf(server, { isWeb, isTls }) {
    const text = String(server).trim();
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1].toLowerCase();
    if (isWeb) {
        const rest = scheme ? text.slice(scheme.length + 3) : text;
        const isSecure = isTls || scheme === 'wss' || scheme === 'tls' || /:443$/.test(rest);
        return `${isSecure ? 'wss' : 'ws'}://${rest}`;
    }
    if (!scheme) {
        return `${isTls ? 'tls' : 'nats'}://${text}`;
    }
    return isTls && scheme === 'nats' ? `tls${text.slice(scheme.length)}` : text;
}

export function readServers(servers, how) {
    const list = [servers].flat();
    if (list.some((server) => typeof server !== 'string' || /[\s,]/.test(server.trim()))) {
        throw errors.InvalidArgumentError.format('servers', 'has an entry that is no address');
    }
    return list.map((server) => urlOf(server, how));
}

function serversOf(options, how) {
    const { port } = options;
    const servers = [options.servers ?? []].flat();
    if (servers.length > 0 && port) {
        throw errors.InvalidArgumentError.format(['servers', 'port'], 'are mutually exclusive');
    }
    return readServers(servers.length > 0 ? servers : [`${HOST}:${port ?? PORT}`], how);
}

function check(options) {
    for (const name of UNSUPPORTED.filter((name) => options[name])) {
        throw errors.InvalidArgumentError.format(name, 'is not supported');
    }
    const { reconnectDelayHandler: handler } = options;
    if (handler !== undefined && typeof handler !== 'function') {
        throw new TypeError("'reconnectDelayHandler' must be a function");
    }
    if (options.inboxPrefix) {
        createInbox(options.inboxPrefix);
    }
}

/** Wait in ms before a further attempt; 0: the module's own backoff. */
function delayOf({ reconnectDelayHandler, reconnectTimeWait }) {
    return reconnectDelayHandler ? Math.max(1, reconnectDelayHandler()) : (reconnectTimeWait ?? 0);
}

/** { options, config }: the given ones with defaults, and the module's natlet_init. */
export function readOptions(given = {}, isWeb = false) {
    const options = { ...DEFAULTS, ...given };
    check(options);
    const how = { isWeb, isTls: Boolean(options.tls) };
    options.servers = serversOf(options, how);
    const config = {
        servers: options.servers,
        name: options.name,
        user: options.user,
        password: options.pass,
        token: options.token,
        inbox_prefix: options.inboxPrefix,
        no_echo: Boolean(options.noEcho),
        verbose: Boolean(options.verbose),
        pedantic: Boolean(options.pedantic),
        keep_order: Boolean(options.noRandomize),
        ignore_discovered: Boolean(options.ignoreClusterUpdates),
        no_reconnect: options.reconnect === false,
        retry_first_connect: Boolean(options.waitOnFirstConnect),
        retry_auth_errors: Boolean(options.ignoreAuthErrorAbort),
        connect_ms: options.timeout,
        ping_ms: options.pingInterval,
        pings_out_max: options.maxPingOut,
        reconnect_ms: delayOf(options),
        reconnects_max: options.maxReconnectAttempts,
        offline_bytes_max: options.offlineBytes ?? OFFLINE_BYTES,
        tx_bytes: TX_BYTES,
        report_publishes: 1,
        ...options.config,
    };
    return { options, config: withoutUndefined(config) };
}

function withoutUndefined(object) {
    return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
