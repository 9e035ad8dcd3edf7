/* A block is a line of dashes with a label in it, one line of content, and
 * another line of dashes with the label that ends it. */
#include "auth/jwt.h"
#include "base/bytes.h"

enum { DASHES_MIN = 3 };

/* Cuts the next line off `text`: without its end and the blanks around it. */
static natlet_slice take_line(natlet_slice *text)
{
    natlet_slice line;

    if (!natlet__cut(text, '\n', &line)) {
        text->len = 0;
    }
    if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
        line.len--;
    }
    return natlet__trim(line);
}

/* Whether a line is `edge` ("BEGIN ", "END ") and `name` between dashes. */
static bool is_rule(natlet_slice line, const char *edge, natlet_slice name)
{
    size_t before = 0;
    size_t behind = 0;

    while (before < line.len && line.ptr[before] == '-') {
        before++;
    }
    while (behind < line.len - before && line.ptr[line.len - 1 - behind] == '-') {
        behind++;
    }
    natlet_slice label = {line.ptr + before, line.len - before - behind};
    natlet_slice head = natlet__text(edge);
    if (before < DASHES_MIN || behind < DASHES_MIN || label.len < head.len) {
        return false;
    }
    return natlet__equal(natlet__take(&label, head.len), head) && natlet__equal(label, name);
}

/* The content of the one block of that name; false if there are none, two, or one
 * without content or end. */
static bool find_block(natlet_slice text, natlet_slice name, natlet_slice *content)
{
    bool is_found = false;

    while (text.len > 0) {
        if (!is_rule(take_line(&text), "BEGIN ", name)) {
            continue;
        }
        *content = take_line(&text);
        if (is_found || content->len == 0 || !is_rule(take_line(&text), "END ", name)) {
            return false;
        }
        is_found = true;
    }
    return is_found;
}

static natlet_status check_seed(natlet_slice text)
{
    natlet_nkey key;
    natlet_status st = natlet_nkey_read(&key, text);

    if (st == NATLET_OK && !(key.is_seed && key.kind == NATLET_NKEY_USER)) {
        st = NATLET_E_NKEY_KIND;
    }
    natlet_nkey_wipe(&key);
    return st;
}

natlet_status natlet_creds_read(natlet_creds *out, natlet_slice text)
{
    natlet_creds creds;
    natlet_slice payload;

    if (!find_block(text, natlet__text("NATS USER JWT"), &creds.jwt)) {
        return NATLET_E_CREDS_JWT;
    }
    if (!find_block(text, natlet__text("USER NKEY SEED"), &creds.seed)) {
        return NATLET_E_CREDS_SEED;
    }
    if (!natlet__jwt_split(creds.jwt, &payload)) {
        return NATLET_E_JWT;
    }
    natlet_status st = check_seed(creds.seed);
    if (st == NATLET_OK) {
        *out = creds;
    }
    return st;
}
