/* Goal: a cell as JSON is a whole document in every room, and says what is so.
 *
 * Method: puppets on the test host; each document is written into every capacity from 0
 * to enough, in a block of exactly that size, and read back strictly. */
#include "natlet/inspect.h"

#include "agent/witness.h"
#include "support/cell_rig.h"
#include "support/test.h"
#include "json/reader.h"

static cell_rig r;

static natlet_slice at(natlet_slice json, const char *pointer)
{
    natlet_slice value = {0};

    CHECK(natlet_json_find(json, cell_rig_text(pointer), &value) == NATLET_OK);
    return value;
}

typedef natlet_status write_fn(natlet_json_out *out);

static natlet_status write_tree(natlet_json_out *out)
{
    return natlet_cell_tree_json(r.cell, out);
}

static natlet_status write_dead(natlet_json_out *out)
{
    return natlet_cell_dead_json(r.cell, 100, out);
}

static natlet_status write_agent(natlet_json_out *out)
{
    return natlet_agent_json(r.cell, cell_rig_find(&r, "a"), out);
}

/* The whole document; the caller frees it. */
static natlet_slice whole(write_fn *write)
{
    natlet_json_out out;

    natlet_json_out_init(&out, NULL, 0);
    CHECK(write(&out) == NATLET_OK);
    size_t len = out.len;
    uint8_t *text = malloc(len);
    natlet_json_out_init(&out, text, len);
    CHECK(write(&out) == NATLET_OK);
    CHECK_INT(out.len, len);
    return (natlet_slice){text, len};
}

static void every_room(write_fn *write)
{
    natlet_slice all = whole(write);
    uint32_t shown = 0;

    for (size_t cap = 1; cap < all.len; cap++) {
        natlet_json_out out;
        uint8_t *text = malloc(cap);
        natlet_json_out_init(&out, text, cap);
        CHECK(write(&out) == NATLET_E_FULL);
        CHECK(out.len <= cap);
        CHECK(out.len == 0 || natlet__json_valid((natlet_slice){text, out.len}));
        shown += out.len > 0;
        free(text);
    }
    CHECK(write == write_agent || shown > all.len / 2);
    free((void *)(uintptr_t)all.ptr);
}

static puppet nested[] = {{.name = "c"}};
static natlet_child deep[1];
static const natlet_supervisor_spec inner = {.children = deep, .count = 1};

static void begin(void)
{
    static puppet puppets[] = {{.name = "a"}, {.name = "b"}};
    natlet_pid pid;

    cell_rig_init(&r, NULL);
    cell_rig_tree(&r, puppets, 2);
    nested[0].rig = &r;
    deep[0] = puppet_child(&nested[0], NATLET_PERMANENT);
    natlet_child supervisor = {.name = NATLET_TEXT("inner"), .supervisor = &inner};
    CHECK(natlet_supervisor_add(r.cell, r.root, &supervisor, &pid) == NATLET_OK);
    cell_rig_run(&r);
}

static void the_tree(void)
{
    begin();
    (void)cell_rig_tell(&r, "a", "boom");
    (void)cell_rig_tell(&r, "a", "hi");
    natlet_slice json = whole(write_tree);
    CHECK(natlet__json_valid(json));
    CHECK_SLICE(at(json, "/agents"), "5");
    CHECK_SLICE(at(json, "/restarts"), "1");
    CHECK_SLICE(at(json, "/dead/crashed"), "1");
    CHECK_SLICE(at(json, "/children/0/kind"), "\"supervisor\"");
    CHECK_SLICE(at(json, "/children/0/children/0/name"), "\"a\"");
    CHECK_SLICE(at(json, "/children/0/children/0/state"), "\"running\"");
    CHECK_SLICE(at(json, "/children/0/children/0/restarts"), "1");
    CHECK_SLICE(at(json, "/children/0/children/0/handled"), "1");
    CHECK_SLICE(at(json, "/children/0/children/0/last_exit/kind"), "\"error\"");
    CHECK_SLICE(at(json, "/children/0/children/0/last_exit/code"), "-7");
    CHECK_SLICE(at(json, "/children/0/children/0/mailbox/normal/free_min"), "15");
    CHECK_SLICE(at(json, "/children/0/children/2/children/0/name"), "\"c\"");
    free((void *)(uintptr_t)json.ptr);
    every_room(write_tree);
    every_room(write_agent);
    cell_rig_end(&r);
}

static void what_is_left_out_is_counted(void)
{
    natlet_json_out out;
    uint8_t text[900];
    uint64_t left_out = 0;

    begin();
    natlet_json_out_init(&out, text, sizeof text);
    CHECK(natlet_cell_tree_json(r.cell, &out) == NATLET_E_FULL);
    natlet_slice json = {text, out.len};
    CHECK(natlet__json_valid(json));
    CHECK(natlet_json_u64(at(json, "/children/0/left_out"), 9, &left_out) && left_out > 0);
    cell_rig_end(&r);
}

static void dead_letters(void)
{
    begin();
    for (int i = 0; i < 3; i++) {
        (void)cell_rig_tell(&r, "a", "reject");
    }
    (void)cell_rig_tell(&r, "b", "boom");
    /* a subject that is cut inside a character */
    uint8_t subject[NATLET_DEAD_SUBJECT_MAX + 1];
    memset(subject, 'x', sizeof subject);
    memcpy(subject + NATLET_DEAD_SUBJECT_MAX - 1, "\xc3\xa4", 2);
    CHECK(natlet_agent_send(r.cell, cell_rig_find(&r, "a"),
                            &(natlet_mail){.subject = {subject, sizeof subject},
                                           .payload = cell_rig_text("reject")}) == NATLET_OK);
    CHECK(natlet_agent_send(r.cell, cell_rig_find(&r, "a"),
                            &(natlet_mail){.subject = cell_rig_text("\xff"),
                                           .payload = cell_rig_text("reject")}) == NATLET_OK);
    cell_rig_run(&r);
    natlet_slice json = whole(write_dead);
    CHECK(natlet__json_valid(json));
    CHECK_SLICE(at(json, "/total"), "6");
    CHECK_SLICE(at(json, "/letters/0/subject/raw"), "\"/w==\"");
    CHECK_INT(at(json, "/letters/1/subject").len, NATLET_DEAD_SUBJECT_MAX - 1 + 2);
    CHECK_SLICE(at(json, "/letters/2/reason"), "\"crashed\"");
    CHECK_SLICE(at(json, "/letters/2/exit/code"), "-7");
    CHECK_SLICE(at(json, "/letters/5/reason"), "\"rejected\"");
    CHECK_SLICE(at(json, "/letters/5/attempt"), "1");
    free((void *)(uintptr_t)json.ptr);
    every_room(write_dead);
    cell_rig_end(&r);
}

static uint8_t report[2048];
static size_t report_len;
static uint32_t others;

static void see(natlet__witness *witness, const natlet_cell_event *event)
{
    natlet_json_out out;
    natlet_json_out tight;
    uint8_t small[40];

    (void)witness;
    natlet_json_out_init(&out, report, sizeof report);
    natlet_status st = natlet_cell_crash_json(r.cell, event, &out);
    if (st == NATLET_OK) {
        report_len = out.len;
        natlet_json_out_init(&tight, small, sizeof small);
        CHECK(natlet_cell_crash_json(r.cell, event, &tight) == NATLET_E_FULL && tight.len == 0);
    } else {
        CHECK(st == NATLET_E_INVALID && out.len == 0);
        others++;
    }
}

static void a_crash(void)
{
    static puppet puppets[] = {{.name = "a"}};
    natlet__witness witness;
    natlet__witness second;

    cell_rig_init(&r, NULL);
    natlet__witness_begin(r.cell, &witness, see);
    natlet__witness_begin(r.cell, &second, see);
    cell_rig_tree(&r, puppets, 1);
    (void)cell_rig_tell(&r, "a", "normal");
    CHECK_INT(report_len, 0);
    (void)cell_rig_tell(&r, "a", "boom");
    natlet_slice json = {report, report_len};
    CHECK(natlet__json_valid(json));
    CHECK_SLICE(at(json, "/agent"), "\"a\"");
    CHECK_SLICE(at(json, "/reason/kind"), "\"error\"");
    CHECK_SLICE(at(json, "/message/attempt"), "1");
    CHECK_SLICE(at(json, "/message/reason"), "\"crashed\"");
    CHECK_SLICE(at(json, "/info/restarts"), "1");
    uint32_t twice = others;
    CHECK(twice > 0 && twice % 2 == 0);
    natlet__witness_end(r.cell, &witness);
    (void)cell_rig_tell(&r, "a", "normal");
    CHECK_INT(others, twice + 2); /* EXITED and STARTED, seen once now */
    natlet__witness_end(r.cell, &second);
    natlet__witness_begin(r.cell, &second, see);
    report_len = 0;
    CHECK(natlet_agent_exit(r.cell, cell_rig_find(&r, "a"),
                            (natlet_reason){NATLET_EXIT_KILLED, 0}) == NATLET_OK);
    cell_rig_run(&r);
    json.len = report_len;
    CHECK_SLICE(at(json, "/reason/kind"), "\"killed\"");
    natlet_slice value;
    CHECK(natlet_json_find(json, cell_rig_text("/message"), &value) == NATLET_E_NOT_FOUND);
    cell_rig_end(&r);
}

static void a_log_of_dead_letters(void)
{
    natlet_dead_log log;

    begin();
    natlet_cell_log_dead(r.cell, &log);
    for (int i = 0; i < 5; i++) {
        (void)cell_rig_tell(&r, "a", "reject");
    }
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK(natlet_agent_send(r.cell, cell_rig_find(&r, "a"),
                            &(natlet_mail){.subject = cell_rig_text("a\nb"),
                                           .payload = cell_rig_text("reject")}) == NATLET_OK);
    uint8_t long_name[600];
    memset(long_name, '\n', sizeof long_name);
    cell_rig_run(&r);
    for (int i = 0; i < 2; i++) {
        CHECK(natlet_agent_send(r.cell, cell_rig_find(&r, "a"),
                                &(natlet_mail){.subject = {long_name, sizeof long_name},
                                               .payload = cell_rig_text("reject")}) == NATLET_OK);
    }
    cell_rig_run(&r);
    CHECK_TEXT((const char *)r.host.log.ptr,
               "dead letter 1: rejected, \"\" for \"a\", attempt 1, exit normal\n"
               "dead letter 2: rejected, \"\" for \"a\", attempt 1, exit normal\n"
               "dead letter 4: rejected, \"\" for \"a\", attempt 1, exit normal\n"
               "dead letter 1: crashed, \"\" for \"b\", attempt 1, exit error\n"
               "dead letter 8\n");
    CHECK_INT(log.lines, 5);
    CHECK_INT(log.silent, 4);
    cell_rig_end(&r);
}

int main(void)
{
    RUN(the_tree);
    RUN(what_is_left_out_is_counted);
    RUN(dead_letters);
    RUN(a_crash);
    RUN(a_log_of_dead_letters);
    return test_done();
}
