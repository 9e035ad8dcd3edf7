#include "wasm/cli/message.h"

#include "base/bytes.h"
#include "base/utf8.h"
#include "natlet/headers.h"

/* A server passes on any bytes but blanks and line ends.  JSON text is UTF-8, so
 * what lies beyond ASCII in a string that is not becomes a question mark. */
void cli_message_string(natlet_json_out *json, natlet_slice text)
{
    cli_text shown = {0};

    if (natlet__utf8_valid(text)) {
        natlet_json_out_string(json, text);
        return;
    }
    cli_text_add(&shown, text);
    for (size_t i = 0; i < shown.len; i++) {
        shown.ptr[i] = shown.ptr[i] < 0x80 ? shown.ptr[i] : '?';
    }
    natlet_json_out_string(json, cli_text_slice(&shown));
    cli_text_free(&shown);
}

static void write_values(natlet_json_out *json, natlet_slice block, natlet_slice key)
{
    size_t at = 0;
    natlet_header header;

    natlet_json_out_open(json, '[');
    while (natlet_headers_next(block, &at, &header)) {
        if (natlet__equal(header.key, key)) {
            cli_message_string(json, header.value);
        }
    }
    natlet_json_out_close(json, ']');
}

/* A key's values stand together, where the key came first.  Nothing is written
 * for a block without fields, which a status alone is. */
static void write_headers(natlet_json_out *json, natlet_slice block)
{
    size_t at = 0;
    natlet_header header;
    bool is_open = false;

    while (natlet_headers_next(block, &at, &header)) {
        if (natlet_headers_came_before(block, at, header.key)) {
            continue;
        }
        if (!is_open) {
            natlet_json_out_key(json, "headers");
            natlet_json_out_open(json, '{');
            is_open = true;
        }
        natlet_json_out_key_text(json, header.key);
        write_values(json, block, header.key);
    }
    if (is_open) {
        natlet_json_out_close(json, '}');
    }
}

static void write_message(natlet_json_out *json, const natlet_msg *msg)
{
    natlet_json_out_open(json, '{');
    natlet_json_out_key(json, "subject");
    cli_message_string(json, msg->subject);
    if (msg->reply.len > 0) {
        natlet_json_out_key(json, "reply");
        cli_message_string(json, msg->reply);
    }
    write_headers(json, msg->headers);
    if (natlet__utf8_valid(msg->payload)) {
        natlet_json_out_key(json, "data");
        natlet_json_out_string(json, msg->payload);
    } else {
        natlet_json_out_key(json, "data_base64");
        natlet_json_out_base64(json, msg->payload);
    }
    natlet_json_out_close(json, '}');
}

void cli_message_json(cli_text *out, const natlet_msg *msg)
{
    natlet_json_out json;

    cli_text_room(out, 1);
    do { /* a second time only after the first one measured more than there was room for */
        natlet_json_out_init(&json, out->ptr + out->len, out->cap - out->len);
        write_message(&json, msg);
        cli_text_room(out, json.len + 1);
    } while (json.len > json.cap);
    out->len += json.len;
    cli_text_puts(out, "\n");
}

static void add_field(cli_text *out, natlet_slice name, natlet_slice value)
{
    cli_text_add(out, name);
    cli_text_puts(out, ": ");
    cli_text_add(out, value);
    cli_text_puts(out, "\n");
}

void cli_message_lines(cli_text *out, const natlet_msg *msg, uint64_t number)
{
    size_t at = 0;
    natlet_header header;

    cli_text_puts(out, "[#");
    cli_text_u64(out, number);
    cli_text_puts(out, "] Received on \"");
    cli_text_add(out, msg->subject);
    if (msg->reply.len > 0) {
        cli_text_puts(out, "\" with reply \"");
        cli_text_add(out, msg->reply);
    }
    cli_text_puts(out, "\"\n");
    while (natlet_headers_next(msg->headers, &at, &header)) {
        add_field(out, header.key, header.value);
    }
    if (at > 0) {
        cli_text_puts(out, "\n");
    }
    cli_text_add(out, msg->payload);
    cli_text_puts(out, "\n\n");
}
