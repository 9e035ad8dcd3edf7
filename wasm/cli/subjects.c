/* subjects check: a table of subjects and of claims which patterns reach them.
 *
 * A placeholder {name} stands for one token that is always the same, so to the rules of
 * matching it is a token like any other: "*" reaches it, {name} does, {other} does not. */
#include "wasm/cli/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "natlet/json.h"
#include "natlet/subject.h"
#include "wasm/cli/message.h"

enum { TABLE_BYTES_MAX = 131072, WORDS_MAX = 6 };

/* A line that says something, without its comment. */
typedef struct line {
    uint32_t number;
    natlet_slice words[WORDS_MAX];
    uint32_t count; /* beyond WORDS_MAX not counted */
} line;

typedef struct table {
    const char *path;
    bool json;
    natlet_slice text;
    uint32_t subjects, claims, problems;
    cli_text out;
} table;

/* ---- lines and words ---- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static natlet_slice take_word(natlet_slice *text)
{
    size_t len = 0;

    while (text->len > 0 && is_blank(text->ptr[0])) {
        natlet__skip(text, 1);
    }
    while (len < text->len && !is_blank(text->ptr[len])) {
        len++;
    }
    return natlet__take(text, len);
}

/* Goes on to the next line that says something.  `l->number` begins with 0. */
static bool next_line(natlet_slice *rest, line *l)
{
    natlet_slice text;
    natlet_slice said;

    while (rest->len > 0) {
        if (!natlet__cut(rest, '\n', &text)) {
            rest->len = 0;
        }
        (void)natlet__cut(&text, '#', &said);
        l->number++;
        for (l->count = 0; l->count < WORDS_MAX; l->count++) {
            l->words[l->count] = take_word(&said);
            if (l->words[l->count].len == 0) {
                break;
            }
        }
        if (l->count > 0) {
            return true;
        }
    }
    return false;
}

static bool is_word(natlet_slice word, const char *literal)
{
    return natlet__equal(word, natlet__text(literal));
}

static natlet_slice take_token(natlet_slice *subject)
{
    natlet_slice token;

    if (!natlet__cut(subject, '.', &token)) {
        subject->len = 0;
    }
    return token;
}

/* ---- what is wrong ---- */

static void put_member(natlet_json_out *json, const char *key, natlet_slice text)
{
    natlet_json_out_key(json, key);
    cli_message_string(json, text);
}

static void add_document(table *t, const line *l, natlet_slice pattern, natlet_slice subject,
                         const cli_text *why)
{
    natlet_json_out json;

    cli_text_room(&t->out, 1);
    do { /* a second time only after the first one measured more than there was room for */
        natlet_json_out_init(&json, t->out.ptr, t->out.cap);
        natlet_json_out_open(&json, '{');
        natlet_json_out_key(&json, "line");
        natlet_json_out_u64(&json, l->number);
        put_member(&json, "pattern", pattern);
        put_member(&json, "subject", subject);
        put_member(&json, "why", cli_text_slice(why));
        natlet_json_out_close(&json, '}');
        cli_text_room(&t->out, json.len);
    } while (json.len > json.cap);
    t->out.len = json.len;
}

/* "FILE:3: a.* does not cover a.b.c: why"; the two may be empty. */
static void report(table *t, const line *l, natlet_slice pattern, natlet_slice subject,
                   cli_text *why)
{
    cli_text *out = &t->out;

    t->problems++;
    if (t->json) {
        add_document(t, l, pattern, subject, why);
    } else {
        cli_text_puts(out, t->path);
        cli_text_puts(out, ":");
        cli_text_u64(out, l->number);
        cli_text_puts(out, ": ");
        cli_text_add(out, pattern);
        cli_text_puts(out, subject.len > 0 ? " does not cover " : "");
        cli_text_add(out, subject);
        cli_text_puts(out, pattern.len > 0 ? ": " : "");
        cli_text_add(out, cli_text_slice(why));
        cli_text_clean(out, 0);
    }
    cli_text_puts(out, "\n");
    cli_text_print(out);
    cli_text_free(why);
}

static void report_line(table *t, const line *l, natlet_slice pattern, const char *why)
{
    cli_text text = {0};

    cli_text_puts(&text, why);
    report(t, l, pattern, (natlet_slice){0}, &text);
}

/* The first token at which the two differ. */
static cli_text say_why(natlet_slice pattern, natlet_slice subject)
{
    cli_text why = {0};
    uint64_t token = 0;
    natlet_slice a;
    natlet_slice b;

    do {
        token++;
        if (pattern.len == 0 || subject.len == 0) {
            cli_text_puts(&why, pattern.len == 0 ? "the pattern" : "the subject");
            cli_text_puts(&why, " ends after token ");
            cli_text_u64(&why, token - 1);
            return why;
        }
        a = take_token(&pattern);
        b = take_token(&subject);
    } while (natlet__equal(a, b) || (is_word(a, "*") && !is_word(b, ">")));
    cli_text_puts(&why, "token ");
    cli_text_u64(&why, token);
    cli_text_puts(&why, " is ");
    cli_text_add(&why, a);
    cli_text_puts(&why, " in the pattern and ");
    cli_text_add(&why, b);
    cli_text_puts(&why, " in the subject");
    return why;
}

/* ---- subjects ---- */

/* Braces stand around a whole token that has a name, and nowhere else. */
static bool has_right_braces(natlet_slice pattern)
{
    while (pattern.len > 0) {
        natlet_slice token = take_token(&pattern);
        bool is_placeholder =
            token.len > 2 && token.ptr[0] == '{' && token.ptr[token.len - 1] == '}';
        for (size_t i = is_placeholder ? 1 : 0; i < token.len - (is_placeholder ? 1 : 0); i++) {
            if (token.ptr[i] == '{' || token.ptr[i] == '}') {
                return false;
            }
        }
    }
    return true;
}

static bool check_pattern(table *t, const line *l, natlet_slice pattern)
{
    natlet_subject_fault fault = natlet_subject_check(pattern, NATLET_SUBJECT_SUBSCRIBE);

    if (fault != NATLET_SUBJECT_NONE) {
        report_line(t, l, pattern, natlet_subject_fault_text(fault));
        return false;
    }
    if (!has_right_braces(pattern)) {
        report_line(t, l, pattern, "a placeholder is a whole token, {name}");
        return false;
    }
    return true;
}

/* The next subject that is declared; lines that are not understood are passed over. */
static bool next_subject(natlet_slice *rest, line *l)
{
    while (next_line(rest, l)) {
        if (l->count == 2 && is_word(l->words[0], "subject")) {
            return true;
        }
    }
    return false;
}

/* The line before `l` that declares the same subject; 0: none. */
static uint32_t declared_before(const table *t, const line *l, natlet_slice subject)
{
    natlet_slice rest = t->text;
    line other = {0};

    while (next_subject(&rest, &other) && other.number < l->number) {
        if (natlet__equal(other.words[1], subject)) {
            return other.number;
        }
    }
    return 0;
}

static void check_subject(table *t, const line *l)
{
    natlet_slice subject = l->words[1];

    t->subjects++;
    if (check_pattern(t, l, subject) && declared_before(t, l, subject) > 0) {
        report_line(t, l, subject, "it is declared twice");
    }
}

/* ---- claims ---- */

static void check_claim(table *t, const line *l, natlet_slice pattern, natlet_slice subject)
{
    if (!natlet_subject_covers(pattern, subject)) {
        cli_text why = say_why(pattern, subject);
        report(t, l, pattern, subject, &why);
    }
}

static void check_each(table *t, const line *l, natlet_slice pattern, natlet_slice under)
{
    natlet_slice rest = t->text;
    line declared = {0};
    uint32_t found = 0;

    while (next_subject(&rest, &declared)) {
        if (natlet_subject_covers(under, declared.words[1])) {
            found++;
            check_claim(t, l, pattern, declared.words[1]);
        }
    }
    if (found == 0) {
        report_line(t, l, under, "no subject is declared under it");
    }
}

static bool is_wild(natlet_slice subject)
{
    while (subject.len > 0) {
        natlet_slice token = take_token(&subject);
        if (is_word(token, "*") || is_word(token, ">")) {
            return true;
        }
    }
    return false;
}

/* A claim about a subject that nobody declares is most likely misspelt. */
static void check_claims(table *t, const line *l)
{
    bool is_each = l->count == 5;
    natlet_slice pattern = l->words[1];
    natlet_slice subject = l->words[is_each ? 4 : 3];
    const line end = {.number = UINT32_MAX};

    t->claims++;
    if (!check_pattern(t, l, pattern) || !check_pattern(t, l, subject)) {
        return;
    }
    if (is_each) {
        check_each(t, l, pattern, subject);
    } else if (!is_wild(subject) && declared_before(t, &end, subject) == 0) {
        report_line(t, l, subject, "no line declares it as a subject");
    } else {
        check_claim(t, l, pattern, subject);
    }
}

static void check_line(table *t, const line *l)
{
    bool is_claim = (l->count == 4 || l->count == 5) && is_word(l->words[0], "claim") &&
                    is_word(l->words[2], "covers") &&
                    (l->count == 4 || is_word(l->words[3], "each"));

    if (l->count == 2 && is_word(l->words[0], "subject")) {
        check_subject(t, l);
    } else if (is_claim) {
        check_claims(t, l);
    } else {
        report_line(t, l, (natlet_slice){0},
                    "a line is \"subject PATTERN\" or \"claim PATTERN covers [each] PATTERN\"");
    }
}

/* ---- the table ---- */

static bool read_table(const char *path, cli_text *text)
{
    int error = 0;
    const char *why = NULL;

    if (strcmp(path, "-") == 0) {
        cli_text_read(text, TABLE_BYTES_MAX);
    } else {
        error = cli_text_read_file(text, path, TABLE_BYTES_MAX);
    }
    if (error != 0) {
        why = cli_errno_text(error);
    } else if (text->len > TABLE_BYTES_MAX) {
        why = "it is larger than 128 KiB";
    }
    if (why != NULL) {
        cli_text notice = cli_notice("cannot read ");
        cli_text_puts(&notice, path);
        cli_text_puts(&notice, ": ");
        cli_text_puts(&notice, why);
        cli_notice_end(&notice);
    }
    return why == NULL;
}

static void add_counts(cli_text *text, const table *t)
{
    cli_text_u64(text, t->subjects);
    cli_text_puts(text, " subjects, ");
    cli_text_u64(text, t->claims);
    cli_text_puts(text, " claims");
}

static int end_table(table *t)
{
    if (t->problems > 0) {
        cli_text notice = cli_notice(t->path);
        cli_text_puts(&notice, ": ");
        cli_text_u64(&notice, t->problems);
        cli_text_puts(&notice, t->problems == 1 ? " problem in " : " problems in ");
        add_counts(&notice, t);
        cli_text_puts(&notice, ": correct the pattern or the claim");
        cli_notice_end(&notice);
        return EXIT_FAILURE;
    }
    if (!t->json) {
        add_counts(&t->out, t);
        cli_text_puts(&t->out, ": all of them hold\n");
        cli_text_print(&t->out);
    }
    return EXIT_SUCCESS;
}

int cli_subjects_check(const cli_options *options)
{
    cli_text text = {0};
    table t = {.path = options->operands[1], .json = options->json};
    line l = {0};
    int code = EXIT_FAILURE;

    if (read_table(t.path, &text)) {
        t.text = cli_text_slice(&text);
        natlet_slice rest = t.text;
        while (next_line(&rest, &l)) {
            check_line(&t, &l);
        }
        code = end_table(&t);
    }
    cli_text_free(&text);
    cli_text_free(&t.out);
    return code;
}
