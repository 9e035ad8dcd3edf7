// The numbers of natlet/host.h, natlet/embed.h, natlet/client.h and natlet/status.h, under
// their names there without NATLET_.  The host conformance test compares them with the headers.

export const ABI_MAJOR = 1;
export const ABI_MINOR = 0;

export const TRANSPORT_WS = 1;
export const TRANSPORT_TCP = 2;
export const TRANSPORT_TLS = 3;
export const TRANSPORT_FD = 4;

export const CAP_WS = 1 << 0;
export const CAP_TCP = 1 << 1;
export const CAP_TLS = 1 << 2;
export const CAP_FD = 1 << 3;
export const CAP_BLOCK = 1 << 4;
export const CAP_RXPAUSE = 1 << 5;
export const CAP_HEADERS = 1 << 6;
export const CAP_WALLCLOCK = 1 << 7;
export const CAP_COOKIES = 1 << 8;
export const CAP_HINTS = 1 << 9;

export const EV_OPEN = 1;
export const EV_READABLE = 2;
export const EV_WRITABLE = 3;
export const EV_CLOSED = 4;
export const EV_HINT = 5;
export const EV_WAKE = 6;
export const EV_USER = 7;
export const EV_SIGNED = 8;

export const OPENED_DEFLATE = 1 << 0;
export const CLOSED_CLEAN = 1 << 0;

export const HINT_RESUME = 1;
export const HINT_ONLINE = 2;
export const HINT_OFFLINE = 3;
export const HINT_FREEZE = 4;
export const HINT_LOW_MEMORY = 5;
export const HINT_TERMINATE = 6;

export const OPT_HEADER = 1;
export const OPT_SNI = 2;
export const OPT_CA_PEM = 3;
export const OPT_PIN_SPKI = 4;
export const OPT_FD = 5;
export const OPT_CONNECT_MS = 6;
export const OPT_TX_HIGH = 7;
export const OPT_RX_LIMIT = 8;
export const OPT_NODELAY = 9;
export const OPT_KEEPALIVE = 10;
export const OPT_CRITICAL = 0x8000;

export const CTL_START_TLS = 1;
export const CTL_CLOSE_REASON = 2;
export const CTL_UPGRADE_STATUS = 3;
export const CTL_TLS_INFO = 4;
export const CTL_SIGN = 5;
export const CTL_SIGNED = 6;

export const SIGNED_USER = 1;
export const SIGNED_PASSWORD = 2;
export const SIGNED_TOKEN = 3;
export const SIGNED_NKEY = 4;
export const SIGNED_JWT = 5;
export const SIGNED_SIGNATURE = 6;
export const SIGNED_EXPIRES = 7;

export const LOG_ERROR = 0;
export const LOG_WARN = 1;
export const LOG_INFO = 2;
export const LOG_DEBUG = 3;

export const CLOCK_MONOTONIC = 0;
export const CLOCK_UNIX = 1;

export const OP_PUB = 1;
export const OP_SUB = 2;
export const OP_UNSUB = 3;
export const OP_REQUEST = 4;
export const OP_FLUSH = 5;
export const OP_DRAIN = 6;
export const OP_CLOSE = 7;
export const OP_RECONNECT = 8;
export const OP_SPAWN = 9;
export const OP_SETTLE = 10;
export const OP_SEND = 11;
export const OP_SET_SERVERS = 12;
export const OP_SUPERVISE = 13;
export const OP_EXIT = 14;
export const OP_LIST = 15;
export const OP_READY = 16;
export const OP_ORDER = 17;
export const OP_UNSTASH = 18;
export const OP_SHUTDOWN = 19;
export const OP_FLAG_ALL = 1 << 0;
export const OP_FLAG_MANY = 1 << 0;
export const OP_FLAG_UNTIL_EMPTY = 1 << 1;
export const OP_FLAG_OWN_INBOX = 1 << 2;

export const REC_MESSAGE = 1;
export const REC_REPLY = 2;
export const REC_DONE = 3;
export const REC_ENDED = 4;
export const REC_STATE = 5;
export const REC_ERROR = 6;
export const REC_INFO = 7;
export const REC_MAIL = 8;
export const REC_AGENT = 9;
export const REC_PUBLISHED = 10;
export const REC_EVENT = 11;
export const REC_CHILD = 12;
export const REC_DEAD = 13;
export const REC_STAMP = 14;
export const REC_FLAG_COPIED = 1 << 0;

export const SETTLE_DONE = 0;
export const SETTLE_REJECT = 1;
export const SETTLE_STOP = 2;
export const SETTLE_ERROR = 3;
export const SETTLE_STASH = 4;
export const SETTLE_RETRY = 5;

export const ORDER_TERMINATE = 0;
export const ORDER_RESTART = 1;
export const ORDER_DELETE = 2;

export const CARE_BACKOFF = 1 << 0;
export const CARE_SHIELD = 1 << 1;
export const CARE_RETRY = 1 << 2;
export const CARE_PARK = 1 << 3;

export const CLIENT_IDLE = 0;
export const CLIENT_CONNECTING = 1;
export const CLIENT_CONNECTED = 2;
export const CLIENT_RECONNECTING = 3;
export const CLIENT_DRAINING = 4;
export const CLIENT_CLOSED = 5;

/** Kinds of events; the first two have records of their own, the others REC_EVENT. */
export const CLIENT_EV_SERVERS = 2;
export const CLIENT_EV_LAME_DUCK = 3;
export const CLIENT_EV_SLOW_CONSUMER = 4;
export const CLIENT_EV_AUTH_EXPIRING = 5;
export const CLIENT_EV_MIGRATED = 6;

/** What natlet_run answers when only an event can bring new work. */
export const NEVER_MS = 0xffffffff;
