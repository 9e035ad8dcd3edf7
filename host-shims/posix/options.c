#include "options.h"

#include "base/bytes.h"
#include "natlet/host.h"

enum { HEAD_BYTES = 4 };

/* Little endian, of up to four bytes. */
static uint32_t read_number(natlet_slice bytes)
{
    uint32_t value = 0;

    for (size_t i = bytes.len; i > 0; i--) {
        value = value << 8 | bytes.ptr[i - 1];
    }
    return value;
}

static natlet_status read_u32(uint32_t *value, natlet_slice bytes)
{
    if (bytes.len != sizeof *value) {
        return NATLET_E_INVALID;
    }
    *value = read_number(bytes);
    return NATLET_OK;
}

static natlet_status read_option(natlet__posix_options *options, uint32_t tag, natlet_slice bytes)
{
    uint32_t fd = 0;

    switch (tag & ~NATLET_OPT_CRITICAL) {
    case NATLET_OPT_CONNECT_MS:
        return read_u32(&options->connect_ms, bytes);
    case NATLET_OPT_TX_HIGH:
        return read_u32(&options->tx_high_bytes, bytes);
    case NATLET_OPT_KEEPALIVE:
        return read_u32(&options->keepalive_s, bytes);
    case NATLET_OPT_RX_LIMIT: /* always kept: what is not fetched stays with the peer */
        return NATLET_OK;
    case NATLET_OPT_NODELAY:
        options->is_delayed = bytes.len == 1 && bytes.ptr[0] == 0;
        return bytes.len == 1 ? NATLET_OK : NATLET_E_INVALID;
    case NATLET_OPT_FD:
        if (read_u32(&fd, bytes) < 0 || fd > INT32_MAX) {
            return NATLET_E_INVALID;
        }
        options->fd = (int)fd;
        return NATLET_OK;
    default:
        return (tag & NATLET_OPT_CRITICAL) != 0 ? NATLET_E_UNSUPPORTED : NATLET_OK;
    }
}

natlet_status natlet__posix_options_read(natlet__posix_options *options, natlet_slice tlv)
{
    while (tlv.len > 0) {
        if (tlv.len < HEAD_BYTES) {
            return NATLET_E_INVALID;
        }
        uint32_t tag = read_number(natlet__take(&tlv, 2));
        uint32_t len = read_number(natlet__take(&tlv, 2));
        if (len > tlv.len) {
            return NATLET_E_INVALID;
        }
        natlet_status st = read_option(options, tag, natlet__take(&tlv, len));
        if (st < 0) {
            return st;
        }
    }
    return NATLET_OK;
}
