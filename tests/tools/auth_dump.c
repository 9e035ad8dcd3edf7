/* auth-dump: what the auth layer makes of texts, for comparing it with other
 * implementations.  Reads commands from stdin, a line each, and answers each with a
 * line: values, or "error NAME".
 *
 *   public NKEY        KIND seed|public PUBLIC-KEY
 *   sign SEED NONCE    the signature, in base64url
 *   jwt TOKEN          EXPIRES bearer|signs SUBJECT NAME
 *   creds FILE         SEED JWT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "natlet/auth.h"

enum { LINE_MAX = 65536, FILE_MAX = 65536 };

static natlet_slice slice_of(const char *text)
{
    return (natlet_slice){(const uint8_t *)text, text != NULL ? strlen(text) : 0};
}

static natlet_status print_public(const char *text)
{
    natlet_nkey key;
    uint8_t out[NATLET_NKEY_PUBLIC_TEXT];
    natlet_status st = natlet_nkey_read(&key, slice_of(text));

    if (st == NATLET_OK) {
        natlet_nkey_public(&key, out);
        printf("%c %s %.*s\n", key.kind, key.is_seed ? "seed" : "public", (int)sizeof out,
               (const char *)out);
        natlet_nkey_wipe(&key);
    }
    return st;
}

static natlet_status print_signature(const char *seed, const char *nonce)
{
    natlet_nkey key;
    uint8_t out[NATLET_SIGNATURE_TEXT];
    natlet_status st = natlet_nkey_read(&key, slice_of(seed));

    if (st == NATLET_OK) {
        st = natlet_nkey_sign(&key, slice_of(nonce), out);
        natlet_nkey_wipe(&key);
    }
    if (st == NATLET_OK) {
        printf("%.*s\n", (int)sizeof out, (const char *)out);
    }
    return st;
}

static natlet_status print_jwt(const char *token)
{
    static uint8_t scratch[LINE_MAX];
    natlet_jwt jwt;
    natlet_status st = natlet_jwt_read(&jwt, slice_of(token), scratch, sizeof scratch);

    if (st == NATLET_OK) {
        printf("%llu %s %.*s %.*s\n", (unsigned long long)jwt.expires_s,
               jwt.is_bearer ? "bearer" : "signs", (int)jwt.subject.len,
               (const char *)jwt.subject.ptr, (int)jwt.name.len, (const char *)jwt.name.ptr);
    }
    return st;
}

static natlet_status print_creds(const char *path)
{
    static uint8_t text[FILE_MAX];
    natlet_creds creds;
    FILE *file = path != NULL ? fopen(path, "rb") : NULL;

    if (file == NULL) {
        return NATLET_E_NOT_FOUND;
    }
    size_t len = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    natlet_status st = natlet_creds_read(&creds, (natlet_slice){text, len});
    if (st == NATLET_OK) {
        printf("%.*s %.*s\n", (int)creds.seed.len, (const char *)creds.seed.ptr, (int)creds.jwt.len,
               (const char *)creds.jwt.ptr);
    }
    return st;
}

static natlet_status answer(char *line)
{
    const char *command = strtok(line, " \n");
    const char *first = strtok(NULL, " \n");
    const char *second = strtok(NULL, " \n");

    if (command == NULL) {
        return NATLET_E_INVALID;
    }
    if (strcmp(command, "public") == 0) {
        return print_public(first);
    }
    if (strcmp(command, "sign") == 0) {
        return print_signature(first, second);
    }
    if (strcmp(command, "jwt") == 0) {
        return print_jwt(first);
    }
    return strcmp(command, "creds") == 0 ? print_creds(first) : NATLET_E_INVALID;
}

int main(void)
{
    static char line[LINE_MAX];

    while (fgets(line, sizeof line, stdin) != NULL) {
        natlet_status st = answer(line);
        if (st < 0) {
            printf("error %s\n", natlet_status_name(st));
        }
    }
    return EXIT_SUCCESS;
}
