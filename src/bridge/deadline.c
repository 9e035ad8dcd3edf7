#include "bridge/deadline.h"

enum { US_PER_MS = 1000, NS_PER_MS = 1000000 };

static const char name[] = "Natlet-Deadline";

static uint64_t wall_ms(natlet_cell *cell)
{
    return natlet_runtime_wall_ns(cell->rt) / NS_PER_MS;
}

/* ---- out ---- */

static uint8_t *put_deadline(uint8_t *at, uint64_t unix_ms)
{
    at = natlet__put(at, natlet__text(name));
    at = natlet__put(at, natlet__text(": "));
    at += natlet__write_decimal(at, unix_ms);
    return natlet__put(at, natlet__text("\r\n"));
}

/* It comes in front of the other fields, so the first line is all that is looked for. */
natlet_slice natlet__deadline_write(natlet_cell *cell, natlet_slice headers, uint32_t timeout_ms,
                                    natlet__deadline_headers *whole)
{
    uint64_t unix_ms = wall_ms(cell) + timeout_ms;
    natlet_slice rest = headers;
    natlet_slice line;
    uint8_t *to = whole->small;

    whole->large = NULL;
    if (headers.len == 0) {
        rest = natlet__text("NATS/1.0\r\n\r\n");
    } else {
        whole->large = natlet__pool_take(&cell->pool, headers.len + NATLET__DEADLINE_BYTES_MAX);
        to = whole->large;
    }
    if (to == NULL || !natlet__cut(&rest, '\n', &line)) {
        return headers;
    }
    uint8_t *at = natlet__put(to, line);
    *at++ = '\n';
    at = put_deadline(at, unix_ms);
    at = natlet__put(at, rest);
    return (natlet_slice){to, (size_t)(at - to)};
}

void natlet__deadline_forget(natlet_cell *cell, natlet__deadline_headers *whole)
{
    if (whole->large != NULL) {
        natlet__pool_give_back(&cell->pool, whole->large);
    }
}

/* ---- in ---- */

/* In the turn's milliseconds, by 2^32 and never 0; 0: none. */
static uint32_t read(natlet_cell *cell, natlet_slice headers)
{
    uint64_t unix_ms;

    if (!natlet__read_decimal(natlet__field_find(headers, natlet__text(name)),
                              UINT64_MAX / NS_PER_MS, &unix_ms)) {
        return 0;
    }
    uint64_t now_ms = natlet_runtime_now_us(cell->rt) / US_PER_MS;
    uint64_t wall = wall_ms(cell);
    uint64_t left = unix_ms > wall ? unix_ms - wall : 0;
    if (left > INT32_MAX) {
        return 0; /* too far away to be kept in 32 bits, and to pass in a mailbox */
    }
    uint32_t due = (uint32_t)(now_ms + left);
    return due != 0 ? due : 1;
}

static bool is_over(const natlet_cell *cell, const natlet_mail *mail)
{
    uint32_t now_ms = (uint32_t)(natlet_runtime_now_us(cell->rt) / US_PER_MS);

    return mail->kind == NATLET_MAIL_NATS && mail->call != 0 && now_ms - mail->call <= INT32_MAX;
}

const natlet_expiry natlet_drop_expired = {.deadline = read, .is_over = is_over};
