/* Mail of the network with all that came with it. */
#include "agent/mail.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "natlet/headers.h"

/* Any bytes may stand in a header, and JSON is UTF-8. */
static void write_text(natlet_json_out *out, natlet_slice text)
{
    if (natlet__utf8_valid(text)) {
        natlet_json_out_string(out, text);
        return;
    }
    natlet_json_out_open(out, '{');
    natlet_json_out_key(out, "raw");
    natlet_json_out_base64(out, text);
    natlet_json_out_close(out, '}');
}

static void write_values(natlet_json_out *out, natlet_slice block, natlet_slice key)
{
    size_t at = 0;
    natlet_header header;

    natlet_json_out_open(out, '[');
    while (natlet_headers_next(block, &at, &header)) {
        if (natlet__equal(header.key, key)) {
            write_text(out, header.value);
        }
    }
    natlet_json_out_close(out, ']');
}

/* A key's values stand together, where the key came first. */
static void write_headers(natlet_json_out *out, natlet_slice block)
{
    size_t at = 0;
    natlet_header header;

    natlet_json_out_key(out, "headers");
    natlet_json_out_open(out, '{');
    while (natlet_headers_next(block, &at, &header)) {
        if (!natlet_headers_came_before(block, at, header.key)) {
            natlet_json_out_key_text(out, header.key);
            write_values(out, block, header.key);
        }
    }
    natlet_json_out_close(out, '}');
}

size_t natlet_mail_to_json_ext(natlet_mail *mail, void *out, size_t cap)
{
    natlet_json_out json;

    natlet_json_out_init(&json, out, cap);
    natlet_json_out_open(&json, '{');
    natlet__mail_write_fields(&json, mail);
    if (mail->reply.len > 0) {
        natlet_json_out_key(&json, "reply");
        write_text(&json, mail->reply);
    }
    if (mail->headers.len > 0) {
        write_headers(&json, mail->headers);
    }
    natlet_json_out_key(&json, "seq");
    natlet_json_out_u64(&json, mail->seq);
    natlet_json_out_key(&json, "attempt");
    natlet_json_out_u64(&json, mail->attempt);
    natlet_json_out_close(&json, '}');
    return json.len;
}
