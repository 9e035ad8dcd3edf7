/* The eleven imports of module natlet_host1, for a module as C.
 *
 * Events and the host's introduction go over a copy of ours: the guest's addresses
 * need not be aligned. */
#include "guest.h"

#include <string.h>

#include "natlet/status.h"

static const char nothing; /* where a length of 0 may lead to */

static const void *given(const door *d, uint32_t at, uint32_t len)
{
    return natlet__wasm2c_at(d->memory, at, len);
}

uint32_t DOOR(hello)(door *d, uint32_t abi, uint32_t out)
{
    natlet_host_info info = {0};
    uint32_t size;
    uint8_t *room = natlet__wasm2c_at(d->memory, out, sizeof size);

    if (room == NULL) {
        return (uint32_t)NATLET_E_FAULT;
    }
    memcpy(&size, room, sizeof size);
    size = size < sizeof info ? size : (uint32_t)sizeof info;
    if (natlet__wasm2c_at(d->memory, out, size) == NULL) {
        return (uint32_t)NATLET_E_FAULT;
    }
    info.size = sizeof info;
    int32_t answer = d->host->hello(d->host->self, abi, &info);
    if (answer < 0) {
        return (uint32_t)answer;
    }
    info.size = size;
    info.caps &= ~NATLET_CAP_FD; /* a guest picks no descriptors of its host */
    info.caps &= d->is_reactor ? ~NATLET_CAP_BLOCK : ~0u;
    (void)memcpy(info.name, "wasm2c", sizeof "wasm2c");
    memcpy(room, &info, size);
    return size;
}

/* NOLINTNEXTLINE(readability-function-size): the door has seven parameters */
uint32_t DOOR(open)(door *d, uint32_t conn, uint32_t transport, uint32_t url, uint32_t url_len,
                    uint32_t options, uint32_t options_len)
{
    const char *text = given(d, url, url_len);
    const uint8_t *tlv = given(d, options, options_len);

    if (text == NULL || tlv == NULL) {
        return (uint32_t)NATLET_E_FAULT;
    }
    if (transport == NATLET_TRANSPORT_FD) {
        return (uint32_t)NATLET_E_UNSUPPORTED;
    }
    return (uint32_t)d->host->open(d->host->self, conn, transport, text, url_len, tlv, options_len);
}

uint32_t DOOR(recv)(door *d, uint32_t conn, uint32_t buf, uint32_t cap)
{
    uint8_t *room = natlet__wasm2c_at(d->memory, buf, cap);

    return (uint32_t)(room != NULL ? d->host->recv(d->host->self, conn, room, cap)
                                   : NATLET_E_FAULT);
}

uint32_t DOOR(send)(door *d, uint32_t conn, uint32_t buf, uint32_t len)
{
    const uint8_t *bytes = given(d, buf, len);

    return (uint32_t)(bytes != NULL ? d->host->send(d->host->self, conn, bytes, len)
                                    : NATLET_E_FAULT);
}

uint32_t DOOR(close)(door *d, uint32_t conn, uint32_t code, uint32_t why, uint32_t why_len)
{
    const char *text = given(d, why, why_len);

    return (uint32_t)(text != NULL ? d->host->close(d->host->self, conn, code, text, why_len)
                                   : NATLET_E_FAULT);
}

/* A signal that asked us to end becomes a hint, before all else. */
static uint32_t tell_terminations(door *d, natlet_host_event *events, uint32_t cap)
{
    if (d->terminations_told == d->terminations || cap == 0) {
        return 0;
    }
    d->terminations_told = d->terminations;
    events[0] = (natlet_host_event){.type = NATLET_EV_HINT, .a = NATLET_HINT_TERMINATE};
    return 1;
}

static uint32_t hand_kept(door *d, natlet_host_event *events, uint32_t cap)
{
    uint32_t count = d->kept_count < cap ? d->kept_count : cap;

    memcpy(events, d->kept, count * sizeof *events);
    d->kept_count -= count;
    memmove(d->kept, d->kept + count, d->kept_count * sizeof *events);
    return count;
}

uint32_t DOOR(poll)(door *d, uint32_t events, uint32_t cap, uint32_t timeout_ms)
{
    natlet_host_event got[64];
    uint8_t *room = natlet__wasm2c_at(d->memory, events, (uint64_t)cap * sizeof *got);
    uint32_t most = cap < sizeof got / sizeof *got ? cap : (uint32_t)(sizeof got / sizeof *got);

    if (room == NULL) {
        return (uint32_t)NATLET_E_FAULT;
    }
    if (d->is_reactor && timeout_ms != 0) {
        return (uint32_t)NATLET_E_INVALID;
    }
    d->polled();
    uint32_t count = tell_terminations(d, got, most);
    count += hand_kept(d, got + count, most - count);
    if (count < most || cap == 0) {
        int32_t wait_ms = count > 0 ? 0 : (int32_t)timeout_ms;
        int32_t more = d->host->poll(d->host->self, got + count, most - count, wait_ms);
        if (more < 0 && count == 0) {
            return (uint32_t)more;
        }
        count += more > 0 ? (uint32_t)more : 0;
    }
    count += count == 0 ? tell_terminations(d, got, most) : 0; /* it came while we waited */
    memcpy(room, got, count * sizeof *got);
    return count;
}

double DOOR(clock)(door *d, uint32_t which)
{
    return d->host->clock(d->host->self, which);
}

uint32_t DOOR(random)(door *d, uint32_t buf, uint32_t len)
{
    uint8_t *room = natlet__wasm2c_at(d->memory, buf, len);

    return (uint32_t)(room != NULL ? d->host->random(d->host->self, room, len) : NATLET_E_FAULT);
}

void DOOR(log)(door *d, uint32_t level, uint32_t text, uint32_t len)
{
    const char *line = given(d, text, len);

    if (line != NULL) {
        d->host->log(d->host->self, level, len > 0 ? line : &nothing, len);
    }
}

void DOOR(wake)(door *d)
{
    d->host->wake(d->host->self);
}

uint32_t DOOR(ctl)(door *d, uint32_t op, uint32_t conn, uint32_t data, uint32_t len)
{
    void *room = natlet__wasm2c_at(d->memory, data, len);

    return (uint32_t)(room != NULL ? d->host->ctl(d->host->self, op, conn, room, len)
                                   : NATLET_E_FAULT);
}
