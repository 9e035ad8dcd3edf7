// The operator's allow-list: which servers a guest may reach.
//
// A pattern is scheme://host:port, where each of the three may be *, *.example.com stands for
// every name below example.com, and a port left out is the scheme's own.

const DEFAULT_PORTS = { ws: '80', wss: '443', nats: '4222', tls: '4222' };
const PATTERN = /^([a-z]+|\*):\/\/(\[[^\]]+\]|[^:/[\]]+)(?::(\d+|\*))?\/?$/;

const withoutBrackets = (host) => host.toLowerCase().replace(/^\[|\]$/g, '');

/** Scheme, host without brackets, and port of a URL; undefined if it is not one. */
export function parseAddress(text) {
    let url;
    try {
        url = new URL(text);
    } catch {
        return undefined;
    }
    const scheme = url.protocol.slice(0, -1);
    const host = withoutBrackets(url.hostname);
    const port = url.port || DEFAULT_PORTS[scheme];
    return host && port ? { scheme, host, port: Number(port) } : undefined;
}

function parsePattern(text) {
    const [, scheme, host, port] = PATTERN.exec(text) ?? [];
    if (!scheme) {
        throw new TypeError(`not a pattern of an allow-list: ${text}`);
    }
    return { scheme, host: withoutBrackets(host), port };
}

const isPart = (pattern, value) => pattern === '*' || pattern === value;

function matches(pattern, { scheme, host, port }) {
    const below = pattern.host.startsWith('*.') && host.endsWith(pattern.host.slice(1));
    return (
        isPart(pattern.scheme, scheme) &&
        (below || isPart(pattern.host, host)) &&
        isPart(pattern.port ?? DEFAULT_PORTS[scheme], String(port))
    );
}

/** The question "is this address allowed?" for a list of patterns; undefined allows all. */
export function allowing(list) {
    if (list === undefined) {
        return () => true;
    }
    const patterns = list.map(parsePattern);
    return (address) => patterns.some((pattern) => matches(pattern, address));
}
