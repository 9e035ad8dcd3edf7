/* Goal: limits hold to the byte, nothing is read twice, and the answers between two
 * pieces of input are right.  What is said about whole operations is in
 * t_transcripts.c.
 *
 * Method: lines and messages of computed lengths, cut around the limit; for "not
 * read twice" a byte that was read is overwritten behind the parser's back. */
#include "proto/parser.h"

#include "support/proto_run.h"
#include "support/test.h"

enum { ROOM = 70000 };

/* Without a NUL; returns how many bytes. */
static size_t put(char *out, const char *text)
{
    size_t len = 0;

    for (; text[len] != '\0'; len++) {
        out[len] = text[len];
    }
    return len;
}

/* A line of `len` bytes, CRLF included: `head`, then x. */
static size_t make_line(char *out, const char *head, size_t len)
{
    memset(out, 'x', len);
    (void)put(out, head);
    (void)put(out + len - 2, "\r\n");
    return len;
}

/* A log line of `len` bytes: `head`, then x. */
static void make_log(char *out, const char *head, size_t len)
{
    memset(out, 'x', len);
    (void)put(out, head);
    out[len - 1] = '\n';
    out[len] = '\0';
}

/* What a parser with the default limits logs for bytes cut at `cut`. */
static void check_log(const char *bytes, size_t len, size_t cut, const char *want)
{
    proto_run run;

    proto_run_start(&run);
    proto_run_feed(&run, (const uint8_t *)bytes, cut);
    proto_run_feed(&run, (const uint8_t *)bytes + cut, len - cut);
    CHECK_TEXT(run.log.text, want);
    proto_run_end(&run);
}

static void check_line_max(const char *head, size_t max, const char *want)
{
    static char line[ROOM];
    const char *too_long = "fail a control line exceeds line_max\n";
    const size_t cuts[] = {0, 1, 5, max / 2, max - 2, max - 1, max};

    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        size_t len = make_line(line, head, max);
        check_log(line, len, cuts[i], want);
        check_log(line, len - 1, cuts[i] < max ? cuts[i] : 0, ""); /* its LF did not come yet */
        len = make_line(line, head, max + 1);
        check_log(line, len, cuts[i], too_long);
        check_log(line, len - 1, cuts[i], too_long);
    }
}

static void a_line_may_be_as_long_as_the_limit(void)
{
    static char want[ROOM];

    check_line_max("PUNG ", NATLET_LINE_BYTES_MAX, "fail the peer broke the protocol\n");
    check_line_max("INFO", NATLET_LINE_BYTES_MAX, "fail the peer broke the protocol\n");
    check_line_max("MSG ", NATLET_LINE_BYTES_MAX, "fail the peer broke the protocol\n");
    make_log(want, "err ", NATLET_LINE_BYTES_MAX - 2); /* "-" and "\r" are not in it */
    check_line_max("-ERR ", NATLET_LINE_BYTES_MAX, want);
    make_log(want, "info ", NATLET_INFO_BYTES_MAX - 1);
    check_line_max("INFO ", NATLET_INFO_BYTES_MAX, want);
    check_line_max("info\t", NATLET_INFO_BYTES_MAX, want);
}

/* No control byte becomes a character of a verb, and none ends one. */
static void a_verb_has_no_control_bytes(void)
{
    static const char *const lines[] = {"\vOK\r\n",       "\rERR x\r\n",        "+OK\v\r\n",
                                        "PING\r\r\n",     "MSG\ra 1 0\r\n\r\n", "PIN\a\r\n",
                                        "MSG\va 1 0\r\n", "HMSG\va 1 0 0\r\n"};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        for (size_t cut = 0; cut < strlen(lines[i]); cut++) {
            check_log(lines[i], strlen(lines[i]), cut, "fail the peer broke the protocol\n");
        }
    }
}

static void a_subject_may_fill_the_line(void)
{
    static char bytes[NATLET_LINE_BYTES_MAX + 16];
    size_t len = make_line(bytes, "MSG ", NATLET_LINE_BYTES_MAX);
    natlet__parser p;
    natlet__event ev;

    (void)put(bytes + len - 6, " 1 3\r\nabc\r\n");
    for (size_t had = 0; had < len + 5; had += 1000) {
        natlet_slice in = {(const uint8_t *)bytes, had};
        natlet__parser_init(&p, 3);
        CHECK_INT(natlet__parser_next(&p, &in, &ev), NATLET_MORE);
        in.len = len + 5;
        CHECK_INT(natlet__parser_next(&p, &in, &ev), NATLET_EVENT);
        CHECK_INT(ev.msg.subject.len, NATLET_LINE_BYTES_MAX - 10);
        CHECK_SLICE(ev.msg.payload, "abc");
        CHECK(in.len == 0);
    }
}

static natlet_status parse(uint32_t message_max, const char *text, natlet__event *ev)
{
    natlet__parser p;
    natlet_slice in = {(const uint8_t *)text, strlen(text)};

    natlet__parser_init(&p, message_max);
    return natlet__parser_next(&p, &in, ev);
}

static void a_message_may_be_as_large_as_the_limit(void)
{
    natlet__event ev;

    CHECK_INT(parse(0, "MSG a 1 0\r\n\r\n", &ev), NATLET_EVENT);
    CHECK_INT(parse(0, "MSG a 1 1\r\nx\r\n", &ev), NATLET_E_TOO_LARGE);
    CHECK_INT(parse(5, "MSG a 1 5\r\nhello\r\n", &ev), NATLET_EVENT);
    CHECK_INT(parse(5, "MSG a 1 6\r\nhello!\r\n", &ev), NATLET_E_TOO_LARGE);
    CHECK_INT(parse(5, "MSG a 1 6\r\n", &ev), NATLET_E_TOO_LARGE);
    CHECK_INT(parse(14, "HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n", &ev), NATLET_EVENT);
    CHECK_INT(parse(13, "HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n", &ev), NATLET_E_TOO_LARGE);
    CHECK_INT(parse(NATLET_MESSAGE_BYTES_LIMIT, "MSG a 1 268435456\r\n", &ev), NATLET_MORE);
    CHECK_INT(parse(NATLET_MESSAGE_BYTES_LIMIT, "MSG a 1 268435457\r\n", &ev), NATLET_E_TOO_LARGE);
}

static void need_says_how_long_the_whole_is(void)
{
    const char *text = "MSG a.b 7 5\r\nhello\r\nPING\r\n";
    natlet_slice all = {(const uint8_t *)text, strlen(text)};
    natlet__parser p;
    natlet__event ev;

    natlet__parser_init(&p, 100);
    CHECK_INT(natlet__parser_need(&p, (natlet_slice){0}), NATLET_LINE_BYTES_MAX);
    for (size_t len = 0; len < 20; len++) {
        natlet_slice in = {all.ptr, len};
        CHECK_INT(natlet__parser_next(&p, &in, &ev), NATLET_MORE);
        CHECK(in.ptr == all.ptr && in.len == len);
        CHECK_INT(natlet__parser_need(&p, in), len < 13 ? NATLET_LINE_BYTES_MAX : 20);
    }
    CHECK_INT(natlet__parser_next(&p, &all, &ev), NATLET_EVENT);
    CHECK_INT(all.len, 6);
    CHECK_INT(natlet__parser_need(&p, all), NATLET_LINE_BYTES_MAX);

    for (size_t len = 0; len < 8; len++) {
        natlet_slice in = {(const uint8_t *)"iNfO {}", len};
        natlet__parser_init(&p, 100);
        CHECK_INT(natlet__parser_next(&p, &in, &ev), NATLET_MORE);
        CHECK_INT(natlet__parser_need(&p, in),
                  len < 5 ? NATLET_LINE_BYTES_MAX : NATLET_INFO_BYTES_MAX);
    }
}

/* Only the line of a message that came in pieces is read again, and once: when all is
 * there. */
static void no_byte_is_read_twice(void)
{
    uint8_t bytes[] = "INFO {\"a\":1}\r\nMSG a 1 4\r\nabcd\r\n";
    const size_t line = 14;
    natlet__parser p;
    natlet__event ev;
    natlet_slice in = {bytes, 0};

    natlet__parser_init(&p, 100);
    while (in.len < line - 1) {
        CHECK_INT(natlet__parser_next(&p, &in, &ev), NATLET_MORE);
        if (in.len > 5) {
            bytes[in.len - 1] = '\n'; /* who looks again stops here */
        }
        in.len++;
    }
    in.len = line;
    CHECK_INT(natlet__parser_next(&p, &in, &ev), NATLET_EVENT);

    in = (natlet_slice){bytes + line, 11};
    CHECK_INT(natlet__parser_next(&p, &in, &ev), NATLET_MORE);
    uint8_t whole[11];
    memcpy(whole, bytes + line, sizeof whole);
    memset(bytes + line, 'X', sizeof whole); /* a line that was understood, too */
    while (in.len < 16) {
        in.len++;
        CHECK_INT(natlet__parser_next(&p, &in, &ev), NATLET_MORE);
    }
    memcpy(bytes + line, whole, sizeof whole);
    in.len = 17;
    CHECK_INT(natlet__parser_next(&p, &in, &ev), NATLET_EVENT);
    CHECK_SLICE(ev.msg.subject, "a");
    CHECK_SLICE(ev.msg.payload, "abcd");
}

static void a_failure_is_for_ever(void)
{
    natlet__parser p;
    natlet__event ev;
    natlet_slice bad = NATLET_TEXT("PUNG\r\n");
    natlet_slice good = NATLET_TEXT("PING\r\n");

    natlet__parser_init(&p, 100);
    CHECK_INT(natlet__parser_next(&p, &bad, &ev), NATLET_E_PROTOCOL);
    CHECK_INT(natlet__parser_next(&p, &good, &ev), NATLET_E_PROTOCOL);
    CHECK_INT(good.len, 6);
    natlet__parser_init(&p, 100);
    CHECK_INT(natlet__parser_next(&p, &good, &ev), NATLET_EVENT);
}

static void slices_lie_in_the_window(void)
{
    natlet_slice in = NATLET_TEXT("HMSG a.b 1 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
    const uint8_t *start = in.ptr;
    natlet__parser p;
    natlet__event ev;

    natlet__parser_init(&p, 100);
    CHECK_INT(natlet__parser_next(&p, &in, &ev), NATLET_EVENT);
    CHECK(ev.kind == NATLET__EV_MSG && ev.text.len == 0);
    CHECK(ev.msg.subject.ptr == start + 5 && ev.msg.subject.len == 3);
    CHECK(ev.msg.reply.ptr == start + 11 && ev.msg.reply.len == 1);
    CHECK(ev.msg.headers.ptr == start + 20 && ev.msg.headers.len == 12);
    CHECK(ev.msg.payload.ptr == start + 32 && ev.msg.payload.len == 2);
}

/* A peer that floods: as many events as lines, no more memory than one line. */
static void ten_thousand_errors(void)
{
    static const uint8_t line[] = "-ERR 'x'\r\n";
    natlet__parser p;
    natlet__event ev;

    natlet__parser_init(&p, 100);
    for (int i = 0; i < 10000; i++) {
        natlet_slice in = {line, sizeof line - 1};
        CHECK(natlet__parser_next(&p, &in, &ev) == NATLET_EVENT && ev.kind == NATLET__EV_ERR);
        CHECK(natlet__parser_next(&p, &in, &ev) == NATLET_MORE);
    }
}

/* An INFO of 1 MiB ends at its limit, however it comes. */
static void check_long_info(const char *unit, size_t step)
{
    const size_t whole = 1048576;
    char *bytes = malloc(whole);
    natlet__parser p;
    natlet__event ev;
    natlet_status st = NATLET_MORE;
    natlet_slice in = {(const uint8_t *)bytes, 0};

    for (size_t i = 0; i < whole; i++) {
        bytes[i] = unit[i % strlen(unit)];
    }
    (void)put(bytes, "INFO ");
    (void)put(bytes + whole - 2, "\r\n");
    natlet__parser_init(&p, NATLET_MESSAGE_BYTES_MAX);
    while (st == NATLET_MORE && in.len < whole) {
        in.len = whole - in.len < step ? whole : in.len + step;
        st = natlet__parser_next(&p, &in, &ev);
    }
    CHECK_INT(st, NATLET_E_LINE_TOO_LONG);
    CHECK(in.len < NATLET_INFO_BYTES_MAX + step);
    free(bytes);
}

static void an_endless_info_ends(void)
{
    const size_t steps[] = {1, 1000, 32768, 1048576};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        check_long_info(" ", steps[i]);
        check_long_info("[", steps[i]);
        check_long_info("\"127.0.0.1:4222\",", steps[i]);
    }
}

static size_t put_random_operation(char *out, uint64_t *state)
{
    static const char *const plain[] = {"PING\r\n",     "PONG\r\n",    "+OK\r\n",
                                        "-ERR 'x'\r\n", "INFO {}\r\n", "MSG\ta 1 0 \r\n\r\n"};
    uint64_t pick = test_random(state) % 12;
    size_t payload = (size_t)(test_random(state) % 200);
    size_t len;

    if (pick < 6) {
        return put(out, plain[pick]);
    }
    if (pick < 9) {
        len = (size_t)sprintf(out, "MSG a.%d %d %s%zu\r\n", (int)payload, (int)pick,
                              pick < 8 ? "" : "_INBOX.abcdefgh.1 ", payload);
    } else {
        len = (size_t)sprintf(out, "HMSG a 1 %s12 %zu\r\nNATS/1.0\r\n\r\n", pick < 11 ? "" : "r ",
                              payload + 12);
    }
    memset(out + len, '\n', payload);
    return len + payload + put(out + len + payload, "\r\n");
}

static void a_long_stream_in_random_pieces(void)
{
    enum { OPERATIONS = 300, RUNS = 20 };
    char *bytes = malloc((size_t)OPERATIONS * 400);
    size_t len = 0;
    uint64_t state = 7;
    proto_run whole;

    for (int i = 0; i < OPERATIONS; i++) {
        len += put_random_operation(bytes + len, &state);
    }
    proto_run_start(&whole);
    proto_run_feed(&whole, (const uint8_t *)bytes, len);
    CHECK(strstr(whole.log.text, "fail") == NULL && whole.window.len == 0);
    for (int i = 0; i < RUNS; i++) {
        proto_run run;
        proto_run_start(&run);
        for (size_t at = 0; at < len;) {
            size_t n = (size_t)(test_random(&state) % 700);
            n = len - at < n ? len - at : n;
            proto_run_feed(&run, (const uint8_t *)bytes + at, n);
            at += n;
        }
        CHECK(strcmp(run.log.text, whole.log.text) == 0);
        proto_run_end(&run);
    }
    proto_run_end(&whole);
    free(bytes);
}

int main(void)
{
    RUN(a_line_may_be_as_long_as_the_limit);
    RUN(a_verb_has_no_control_bytes);
    RUN(a_subject_may_fill_the_line);
    RUN(a_message_may_be_as_large_as_the_limit);
    RUN(need_says_how_long_the_whole_is);
    RUN(no_byte_is_read_twice);
    RUN(a_failure_is_for_ever);
    RUN(slices_lie_in_the_window);
    RUN(ten_thousand_errors);
    RUN(an_endless_info_ends);
    RUN(a_long_stream_in_random_pieces);
    return test_done();
}
