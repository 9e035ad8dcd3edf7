/* The imports of module `natlet_host1` as a natlet_host.  There is one host per
 * module, so `self` says nothing. */
#include "natlet/host.h"

#include <stddef.h>

static int32_t call_hello(void *self, uint32_t abi, natlet_host_info *out)
{
    (void)self;
    return natlet_host_hello(abi, out);
}

/* NOLINTNEXTLINE(readability-function-size): self, and the six of the door */
static int32_t call_open(void *self, uint32_t conn, uint32_t transport, const char *url,
                         uint32_t url_len, const uint8_t *options, uint32_t options_len)
{
    (void)self;
    return natlet_host_open(conn, transport, url, url_len, options, options_len);
}

static int32_t call_recv(void *self, uint32_t conn, uint8_t *buf, uint32_t cap)
{
    (void)self;
    return natlet_host_recv(conn, buf, cap);
}

static int32_t call_send(void *self, uint32_t conn, const uint8_t *buf, uint32_t len)
{
    (void)self;
    return natlet_host_send(conn, buf, len);
}

static int32_t call_close(void *self, uint32_t conn, uint32_t code, const char *why,
                          uint32_t why_len)
{
    (void)self;
    return natlet_host_close(conn, code, why, why_len);
}

static int32_t call_poll(void *self, natlet_host_event *events, uint32_t cap, int32_t timeout_ms)
{
    (void)self;
    return natlet_host_poll(events, cap, timeout_ms);
}

static double call_clock(void *self, uint32_t which)
{
    (void)self;
    return natlet_host_clock(which);
}

static int32_t call_random(void *self, uint8_t *buf, uint32_t len)
{
    (void)self;
    return natlet_host_random(buf, len);
}

static void call_log(void *self, uint32_t level, const char *text, uint32_t len)
{
    (void)self;
    natlet_host_log(level, text, len);
}

static void call_wake(void *self)
{
    (void)self;
    natlet_host_wake();
}

static int32_t call_ctl(void *self, uint32_t op, uint32_t conn, void *data, uint32_t len)
{
    (void)self;
    return natlet_host_ctl(op, conn, data, len);
}

const natlet_host *natlet_host_imports(void)
{
    static const natlet_host imports = {
        .hello = call_hello,
        .open = call_open,
        .recv = call_recv,
        .send = call_send,
        .close = call_close,
        .poll = call_poll,
        .clock = call_clock,
        .random = call_random,
        .log = call_log,
        .wake = call_wake,
        .ctl = call_ctl,
    };

    return &imports;
}
