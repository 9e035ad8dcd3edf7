/* Property: what is taken from a creds file lies in it, in the lines between its
 * labels, and reads the same alone; a JWT's claims lie in the scratch, which is never
 * left; a refusal changes nothing. */
/* covers: src/auth/creds.c src/auth/jwt.c */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "natlet/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
    if (!holds) {
        abort();
    }
}

static int lies_in(natlet_slice part, natlet_slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

/* Whether the line before `part` ends in three dashes, blanks apart. */
static int stands_below_a_rule(natlet_slice part, natlet_slice whole)
{
    const uint8_t *at = part.ptr;
    int line_ends = 0;

    while (at > whole.ptr && strchr(" \t\r\n", at[-1]) != NULL && at[-1] != '\0') {
        line_ends += *--at == '\n';
    }
    return line_ends == 1 && at - whole.ptr >= 3 && memcmp(at - 3, "---", 3) == 0;
}

static void check_jwt(natlet_slice text)
{
    uint8_t *scratch = malloc(text.len + (text.len == 0));
    natlet_slice whole = {scratch, text.len};
    natlet_jwt jwt = {.expires_s = 77};
    natlet_status st = natlet_jwt_read(&jwt, text, scratch, text.len);

    expect(st == NATLET_OK || st == NATLET_E_JWT);
    if (st == NATLET_OK) {
        expect(lies_in(jwt.subject, whole) && lies_in(jwt.name, whole));
        expect(jwt.subject.len > 0 && jwt.expires_s <= (uint64_t)1 << 53);
        expect(natlet__utf8_valid(jwt.subject) && natlet__utf8_valid(jwt.name));
    } else {
        expect(jwt.subject.ptr == NULL && jwt.name.ptr == NULL && jwt.expires_s == 77);
    }
    free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    natlet_slice text = {data, size};
    natlet_creds creds = {{NULL, 3}, {NULL, 4}};
    natlet_nkey key;

    check_jwt(text);
    if (natlet_creds_read(&creds, text) != NATLET_OK) {
        expect(creds.jwt.ptr == NULL && creds.jwt.len == 3 && creds.seed.len == 4);
        return 0;
    }
    expect(lies_in(creds.jwt, text) && stands_below_a_rule(creds.jwt, text));
    expect(lies_in(creds.seed, text) && stands_below_a_rule(creds.seed, text));
    expect(natlet_nkey_read(&key, creds.seed) == NATLET_OK && key.is_seed);
    expect(memchr(creds.jwt.ptr, '\n', creds.jwt.len) == NULL);
    check_jwt(creds.jwt);
    return 0;
}
