/* The host door: all that natlet needs from outside, eleven leaf functions.
 *
 * One header, two linkages.  In a wasm module the functions are imports of
 * module `natlet_host1`; a native program passes a `natlet_host` with function
 * pointers, and src/platform/ turns the imports into one.  Nothing but i32 and
 * f64 crosses.  A host never calls the guest from inside one of them.
 *
 * The guest pulls: `poll` hands out events, and the guest fetches bytes with
 * `recv` when it has room.  Rules H1..H16 are in host-shims/README.md. */
#ifndef NATLET_HOST_H
#define NATLET_HOST_H

#include <stdint.h>

#define NATLET_ABI_MAJOR 1u /* also in the import module's name */
#define NATLET_ABI_MINOR 0u
#define NATLET_ABI (NATLET_ABI_MAJOR << 16 | NATLET_ABI_MINOR)

/* How `open` reaches the server. */
enum {
    NATLET_TRANSPORT_WS = 1,  /* the host speaks WebSocket; send and recv are its binary payload */
    NATLET_TRANSPORT_TCP = 2, /* plain bytes; RFC 6455 and TLS are the module's */
    NATLET_TRANSPORT_TLS = 3, /* bytes through the host's TLS; RFC 6455 is the module's */
    NATLET_TRANSPORT_FD = 4,  /* a connected descriptor that the host opened before */
};

/* natlet_host_info.caps */
#define NATLET_CAP_WS (1u << 0)
#define NATLET_CAP_TCP (1u << 1)
#define NATLET_CAP_TLS (1u << 2)
#define NATLET_CAP_FD (1u << 3)
#define NATLET_CAP_BLOCK (1u << 4)     /* poll may wait */
#define NATLET_CAP_RXPAUSE (1u << 5)   /* not calling recv slows the peer down */
#define NATLET_CAP_HEADERS (1u << 6)   /* NATLET_OPT_HEADER works on TRANSPORT_WS */
#define NATLET_CAP_WALLCLOCK (1u << 7) /* clock(1) is good enough for certificate dates */
#define NATLET_CAP_COOKIES (1u << 8)   /* the host sends ambient cookies */
#define NATLET_CAP_HINTS (1u << 9)     /* NATLET_EV_HINT is delivered */

typedef struct natlet_host_info {
    uint32_t size;           /* in: sizeof; the host writes min(size, its own) bytes */
    uint32_t abi;            /* major << 16 | minor */
    uint32_t caps;           /* NATLET_CAP_* */
    uint32_t conns_max;      /* connections open at once */
    uint32_t rx_queue_bytes; /* what the host holds for one connection before it closes it */
    uint32_t send_bytes_max; /* largest single send */
    char name[32];           /* "posix", "node", "browser": for people only */
} natlet_host_info;

/* 16 bytes, little endian, written by `poll` into the guest's memory. */
typedef struct natlet_host_event {
    uint32_t conn;  /* 0 where the event belongs to no connection */
    uint16_t type;  /* NATLET_EV_*; unknown ones are ignored */
    uint16_t flags; /* CLOSED: NATLET_CLOSED_* */
    uint32_t a;
    uint32_t b;
} natlet_host_event;

enum {
    NATLET_EV_OPEN = 1,     /* first event of a connection; a = NATLET_OPENED_* */
    NATLET_EV_READABLE = 2, /* a = bytes queued, a hint; again only after recv said E_AGAIN */
    NATLET_EV_WRITABLE = 3, /* after a send that took less than all */
    NATLET_EV_CLOSED = 4,   /* last event; a = WebSocket close code or 0, b = status as u32 */
    NATLET_EV_HINT = 5,     /* a = NATLET_HINT_* */
    NATLET_EV_WAKE = 6,     /* somebody called wake */
    NATLET_EV_USER = 7,     /* a, b belong to the embedder */
    NATLET_EV_SIGNED = 8,   /* CTL_SIGN was answered; a = bytes of the answer, b = status as u32 */
};
#define NATLET_OPENED_DEFLATE (1u << 0) /* the host compresses: keep sends <= max_payload */
#define NATLET_CLOSED_CLEAN (1u << 0)   /* the close handshake was completed */
enum {
    NATLET_HINT_RESUME = 1,
    NATLET_HINT_ONLINE = 2,
    NATLET_HINT_OFFLINE = 3,
    NATLET_HINT_FREEZE = 4,
    NATLET_HINT_LOW_MEMORY = 5,
    NATLET_HINT_TERMINATE = 6,
};

/* Options of `open`: a run of { u16 tag; u16 len; u8 bytes[len] }, little
 * endian, unpadded.  An unknown tag is ignored unless it is critical. */
enum {
    NATLET_OPT_HEADER = 1, /* "Name: value", for the upgrade request of TRANSPORT_WS */
    NATLET_OPT_SNI = 2,
    NATLET_OPT_CA_PEM = 3,
    NATLET_OPT_PIN_SPKI = 4,
    NATLET_OPT_FD = 5,
    NATLET_OPT_CONNECT_MS = 6, /* u32 */
    NATLET_OPT_TX_HIGH = 7,    /* u32: bytes accepted before send answers short */
    NATLET_OPT_RX_LIMIT = 8,   /* u32 */
    NATLET_OPT_NODELAY = 9,    /* u8; on by default */
    NATLET_OPT_KEEPALIVE = 10, /* u32 seconds */
};
#define NATLET_OPT_CRITICAL 0x8000u

/* Operations of `ctl` in version 1.0. */
enum {
    NATLET_CTL_START_TLS = 1,      /* turn a TCP connection into TLS; in: options as in open */
    NATLET_CTL_CLOSE_REASON = 2,   /* out: text of the close frame; returns its length */
    NATLET_CTL_UPGRADE_STATUS = 3, /* returns the HTTP status of a refused upgrade, 0 unknown */
    NATLET_CTL_TLS_INFO = 4,       /* out: one line of text for people */
    NATLET_CTL_SIGN = 5,           /* in: the server's nonce, may be empty; OK: EV_SIGNED follows */
    NATLET_CTL_SIGNED = 6,         /* out: what it brought, once; returns its length, 0: nothing */
};

/* The answer to CTL_SIGN: who the host says that we are, as fields of CONNECT in
 * the form of the options of `open`.  A field is left out where it is not known. */
enum {
    NATLET_SIGNED_USER = 1,
    NATLET_SIGNED_PASSWORD = 2,
    NATLET_SIGNED_TOKEN = 3,
    NATLET_SIGNED_NKEY = 4,      /* public key */
    NATLET_SIGNED_JWT = 5,       /* of the user */
    NATLET_SIGNED_SIGNATURE = 6, /* base64url of the Ed25519 signature of the nonce */
    NATLET_SIGNED_EXPIRES = 7,   /* when they end, in seconds since 1970, in decimal */
};

enum { NATLET_LOG_ERROR = 0, NATLET_LOG_WARN = 1, NATLET_LOG_INFO = 2, NATLET_LOG_DEBUG = 3 };

enum { NATLET_CLOCK_MONOTONIC = 0, NATLET_CLOCK_UNIX = 1 };

/* The door as the core sees it.  `self` is passed back unchanged.  All functions
 * are required and copy what they are given before they return.
 *
 * hello   introduces the two sides; returns bytes written to *out, or E_UNSUPPORTED.
 * open    starts connection `conn` (chosen by the guest: generation << 16 | slot,
 *         free again after CLOSED); returns OK, E_INVALID, E_DENIED, E_LIMIT or
 *         E_UNSUPPORTED.  Whatever happens later is an event.  For TCP and TLS
 *         only host and port of the URL count.
 * recv    takes at most `cap` bytes; returns how many (> 0), E_AGAIN or E_CLOSED.
 * send    returns how many of `len` bytes were taken (0: wait for WRITABLE),
 *         E_CLOSED, or E_TOO_LARGE.  On TRANSPORT_WS one send is one message.
 * close   ends the connection; CLOSED still follows.  `code` as in RFC 6455, 7.4.
 * poll    writes at most `cap` events, waiting up to `timeout_ms` for the first
 *         (-1 for ever) where NATLET_CAP_BLOCK is set, else E_INVALID for a
 *         timeout other than 0; returns how many.
 * clock   milliseconds with fractions: monotonic, or since the Unix epoch.
 * random  fills from a CSPRNG; returns OK or E_UNSUPPORTED, never weak bytes.  A host
 *         that answered OK once goes on doing so: a later failure traps the guest.
 * log     one line, without a newline.
 * wake    asks the host to call the guest soon.
 * ctl     every later addition; E_UNSUPPORTED for an unknown operation. */
typedef struct natlet_host {
    void *self;
    int32_t (*hello)(void *self, uint32_t abi, natlet_host_info *out);
    int32_t (*open)(void *self, uint32_t conn, uint32_t transport, const char *url,
                    uint32_t url_len, const uint8_t *options, uint32_t options_len);
    int32_t (*recv)(void *self, uint32_t conn, uint8_t *buf, uint32_t cap);
    int32_t (*send)(void *self, uint32_t conn, const uint8_t *buf, uint32_t len);
    int32_t (*close)(void *self, uint32_t conn, uint32_t code, const char *why, uint32_t why_len);
    int32_t (*poll)(void *self, natlet_host_event *events, uint32_t cap, int32_t timeout_ms);
    double (*clock)(void *self, uint32_t which);
    int32_t (*random)(void *self, uint8_t *buf, uint32_t len);
    void (*log)(void *self, uint32_t level, const char *text, uint32_t len);
    void (*wake)(void *self);
    int32_t (*ctl)(void *self, uint32_t op, uint32_t conn, void *data, uint32_t len);
} natlet_host;

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__wasm__)
#define NATLET_IMPORT(name)                                                                        \
    __attribute__((import_module("natlet_host1"), import_name(#name))) extern
#define NATLET_EXPORT(name) __attribute__((export_name(#name), used))

/* The imports themselves; src/platform/ is their only caller in the library. */
NATLET_IMPORT(hello) int32_t natlet_host_hello(uint32_t abi, natlet_host_info *out);
NATLET_IMPORT(open)
int32_t natlet_host_open(uint32_t conn, uint32_t transport, const char *url, uint32_t url_len,
                         const uint8_t *options, uint32_t options_len);
NATLET_IMPORT(recv) int32_t natlet_host_recv(uint32_t conn, uint8_t *buf, uint32_t cap);
NATLET_IMPORT(send) int32_t natlet_host_send(uint32_t conn, const uint8_t *buf, uint32_t len);
NATLET_IMPORT(close)
int32_t natlet_host_close(uint32_t conn, uint32_t code, const char *why, uint32_t why_len);
NATLET_IMPORT(poll)
int32_t natlet_host_poll(natlet_host_event *events, uint32_t cap, int32_t timeout_ms);
NATLET_IMPORT(clock) double natlet_host_clock(uint32_t which);
NATLET_IMPORT(random) int32_t natlet_host_random(uint8_t *buf, uint32_t len);
NATLET_IMPORT(log) void natlet_host_log(uint32_t level, const char *text, uint32_t len);
NATLET_IMPORT(wake) void natlet_host_wake(void);
NATLET_IMPORT(ctl) int32_t natlet_host_ctl(uint32_t op, uint32_t conn, void *data, uint32_t len);
#else
#define NATLET_EXPORT(name)
#endif

/* The imports of a wasm module as a natlet_host.  Valid for ever. */
const natlet_host *natlet_host_imports(void);

/* The exports of a reactor module; the glue calls nothing else but embed.h.
 *
 * natlet_abi      major << 16 | minor that the module was built for
 * natlet_init     reads the configuration (JSON, in memory from natlet_mem); 0 or a status
 * natlet_run      one turn of at most `budget_us` microseconds (0: flush only); returns the
 *                 milliseconds until it wants to be called again, 0 if work is left, ~0 never
 * natlet_recover  after a trap: 0 the blamed agent was crashed, go on; < 0 replace the instance
 * natlet_mem      `len` bytes of scratch memory for the host's own use, 0 if there are none
 * natlet_fini     closes everything and wipes secrets */
NATLET_EXPORT(natlet_abi) uint32_t natlet_abi(void);
NATLET_EXPORT(natlet_init) int32_t natlet_init(uint32_t config, uint32_t config_len);
NATLET_EXPORT(natlet_run) uint32_t natlet_run(uint32_t budget_us);
NATLET_EXPORT(natlet_recover) int32_t natlet_recover(void);
NATLET_EXPORT(natlet_mem) uint32_t natlet_mem(uint32_t len);
NATLET_EXPORT(natlet_fini) void natlet_fini(void);

#ifdef __cplusplus
}
#endif

#endif
