/* The JSON side of mail. */
#include "agent/mail.h"

#include "base/bytes.h"
#include "json/reader.h"

#define NS_PER_S 1000000000u

enum { UNKNOWN, IS_JSON, NOT_JSON }; /* natlet_mail.json */

bool natlet_mail_is_json(natlet_mail *mail)
{
    if (mail->json == UNKNOWN) {
        mail->json = natlet__json_valid(mail->payload) ? IS_JSON : NOT_JSON;
    }
    return mail->json == IS_JSON;
}

natlet_status natlet_mail_json_get(natlet_mail *mail, natlet_slice pointer, natlet_slice *value)
{
    if (!natlet_mail_is_json(mail)) {
        return NATLET_E_JSON;
    }
    return natlet_json_find(mail->payload, pointer, value);
}

uint64_t natlet_mail_unix_s(const natlet_mail *mail)
{
    return mail->id_ns / NS_PER_S;
}

static void write_from(natlet_json_out *out, natlet_pid from)
{
    uint8_t digits[NATLET__DECIMAL_MAX];

    natlet_json_out_key(out, "from");
    if (from == 0) {
        natlet_json_out_string(out, natlet__text("nats"));
    } else {
        natlet_json_out_string(out, (natlet_slice){digits, natlet__write_decimal(digits, from)});
    }
}

static void write_id(natlet_json_out *out, uint64_t id_ns)
{
    enum { PREFIX = 5 };
    uint8_t text[PREFIX + NATLET__DECIMAL_MAX] = {'n', 'a', 't', 's', '_'};

    natlet_json_out_key(out, "id");
    natlet_json_out_string(
        out, (natlet_slice){text, PREFIX + natlet__write_decimal(text + PREFIX, id_ns)});
}

void natlet__mail_write_payload(natlet_json_out *out, natlet_mail *mail)
{
    natlet_json_out_key(out, "payload");
    if (natlet_mail_is_json(mail)) {
        natlet_json_out_raw(out, mail->payload);
        return;
    }
    natlet_json_out_open(out, '{');
    natlet_json_out_key(out, "raw");
    natlet_json_out_base64(out, mail->payload);
    natlet_json_out_close(out, '}');
}

void natlet__mail_write_fields(natlet_json_out *out, natlet_mail *mail)
{
    write_id(out, mail->id_ns);
    write_from(out, mail->from);
    natlet_json_out_key(out, "to");
    natlet_json_out_string(out, mail->subject);
    natlet__mail_write_payload(out, mail);
    natlet_json_out_key(out, "timestamp");
    natlet_json_out_u64(out, natlet_mail_unix_s(mail));
}

size_t natlet_mail_to_json(natlet_mail *mail, void *out, size_t cap)
{
    natlet_json_out json;

    natlet_json_out_init(&json, out, cap);
    natlet_json_out_open(&json, '{');
    natlet__mail_write_fields(&json, mail);
    natlet_json_out_close(&json, '}');
    return json.len;
}
