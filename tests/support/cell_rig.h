/* A cell on the test host, and agents that do what their mail says.
 *
 * What happens is written to a log, one line each, so that a test compares one
 * text: starts, ends, mail, dead letters. */
#ifndef CELL_RIG_H
#define CELL_RIG_H

#include "natlet/cell.h"
#include "support/test_host.h"

enum { CELL_RIG_LOG_MAX = 65536, CELL_RIG_PIDS_MAX = 64 };

typedef struct cell_rig {
    test_host host;
    test_memory memory;
    natlet_runtime *rt;
    natlet_cell *cell;
    natlet_pid root;  /* of cell_rig_tree */
    bool logs_events; /* STARTED, EXITED, ... besides what puppets log */
    char log[CELL_RIG_LOG_MAX];
    size_t log_len;
    natlet_pid pids[CELL_RIG_PIDS_MAX]; /* the first that puppets had, and whose */
    const char *names[CELL_RIG_PIDS_MAX];
    uint32_t pid_count;
} cell_rig;

/* An agent for tests.  A text as payload tells it what to do:
 *
 *     boom            crashes with -7           normal          ends, NORMAL
 *     reject          rejects the mail          later           keeps it: token
 *     to <name> ...   sends the rest there      call <name> ... calls with the rest, 100 ms
 *     reply ...       answers with the rest     tick <ms>       wants a timer with tag ms
 *
 * Everything else is only logged: "a: hi".  It logs "start a 1" (how often it was
 * started), "startfail a 2", "die a boom", "stop a" (SHUTDOWN), "end a error", and signals:
 * "a: exit of b, error -7", "a: down b, noproc -96". */
typedef struct puppet {
    cell_rig *rig;
    const char *name;
    uint32_t starts;
    uint32_t fail_from, fail_to; /* starts that fail; 0: none */
    uint32_t token;              /* of the mail kept last */
    uint32_t ref;                /* of the call or timer begun last */
} puppet;

extern const natlet_behaviour puppet_behaviour;

/* `config` may be NULL. */
void cell_rig_init(cell_rig *r, const natlet_cell_config *config);

/* Frees all; checks that nothing leaked and no rule of the host was broken. */
void cell_rig_end(cell_rig *r);

/* Turns until nothing is left to do now. */
void cell_rig_run(cell_rig *r);

/* Lets time pass, a turn each time one is due. */
void cell_rig_wait_ms(cell_rig *r, uint64_t ms);

/* A child that is a puppet. */
natlet_child puppet_child(puppet *p, natlet_restart restart);

/* Starts one supervisor over these puppets, all permanent. */
void cell_rig_tree(cell_rig *r, puppet *puppets, uint32_t count);

/* Sends a text by name and runs. */
natlet_status cell_rig_tell(cell_rig *r, const char *name, const char *text);
natlet_pid cell_rig_find(cell_rig *r, const char *name);
natlet_slice cell_rig_text(const char *text);

/* The puppet that has or had this pid. */
const char *cell_rig_who(const cell_rig *r, natlet_pid pid);

/* What was logged since the last call. */
const char *cell_rig_log(cell_rig *r);
void cell_rig_note(cell_rig *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
