/* The program around a module that wasm2c turned into C: PROGRAM ARG...
 *
 * A command gets the arguments; for a reactor they are its configuration, joined by
 * blanks.  The operator's word comes by the environment:
 *
 *   NATLET_ALLOW    servers that may be reached, patterns separated by blanks; unset: all
 *   NATLET_FILES    files that a command may read, separated by colons; unset: none
 *   NATLET_PAGES    most memory, in pages of 64 KiB: 1024
 *   NATLET_CPU_MS   most processor time between two polls: 10 000
 *   NATLET_LOG      least important level that is shown, 0 to 3: 0
 *
 * Of the environment a command sees what begins with NATS_.  A module that traps
 * for good ends the program with 134, one that takes too long with 124. */
#include MODULE_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "guest.h"
#include "natlet/status.h"
#include "posix/natlet_posix.h"

enum {
    PAGES_DEFAULT = 1024,
    PAGES_LIMIT = 16384, /* 1 GiB, what our modules ask for at most */
    CPU_MS_DEFAULT = 10000,
    TURN_US = 10000,
    WORDS_MAX = 256,
    STATUS_TRAP = 134,
    STATUS_LATE = 124,
    EXITED = 1000, /* how a jump says that the program ended itself */
};

static GUEST_INSTANCE guest;
static door the_door;
static wasi the_wasi;
static natlet_host *host;
static jmp_buf out;                 /* of the module, after a trap or an exit */
static volatile sig_atomic_t ticks; /* of the processor's time since the last poll */

/* ---- ways out of the module */

void natlet__wasm2c_trap(wasm_rt_trap_t code)
{
    longjmp(out, (int)code);
}

static void polled(void)
{
    ticks = 0;
}

/* The module may be anywhere, also inside of the allocator: there is no way back.  The
 * second tick, for the first may follow a poll at once. */
static void on_tick(int number)
{
    static const char line[] = "natlet: error: the module took too long (NATLET_CPU_MS)\n";

    (void)number;
    ticks++;
    if (ticks > 1) {
        ssize_t n = write(STDERR_FILENO, line, sizeof line - 1);
        (void)n;
        _exit(STATUS_LATE);
    }
}

static void on_terminate(int number)
{
    (void)number;
    the_door.terminations++;
    host->wake(host->self);
}

/* ---- what the operator says */

static uint32_t number_of(const char *name, uint32_t otherwise, uint32_t most)
{
    const char *text = getenv(name);
    char *end;

    if (text == NULL) {
        return otherwise;
    }
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || value == 0 || value > most) {
        (void)fprintf(stderr, "natlet: %s must be a number from 1 to %u\n", name, (unsigned)most);
        exit(2);
    }
    return (uint32_t)value;
}

/* The words of a variable, in a list of our own; NULL if it is not set. */
static char **words_of(const char *name, const char *between)
{
    const char *value = getenv(name);
    char **words = calloc(WORDS_MAX + 1, sizeof *words);
    char *text = strdup(value != NULL ? value : "");
    uint32_t n = 0;

    if (words == NULL || text == NULL) {
        exit(1);
    }
    for (char *word = strtok(text, between); word != NULL; word = strtok(NULL, between)) {
        if (n == WORDS_MAX) {
            (void)fprintf(stderr, "natlet: %s has more than %d words\n", name, WORDS_MAX);
            exit(2);
        }
        words[n++] = word;
    }
    return value != NULL ? words : NULL;
}

static void open_host(void)
{
    char **allow = words_of("NATLET_ALLOW", " \t\n");
    natlet_posix_config config = {.size = sizeof config};
    const char *level = getenv("NATLET_LOG");

    config.allow = (const char *const *)allow;
    while (allow != NULL && allow[config.allow_count] != NULL) {
        config.allow_count++;
    }
    config.log_level = level != NULL ? (uint32_t)strtoul(level, NULL, 10) : NATLET_LOG_ERROR;
    if (natlet_posix_new(&host, &config) < 0) {
        (void)fprintf(stderr, "natlet: NATLET_ALLOW has a pattern that is none\n");
        exit(2);
    }
}

static void limit(void)
{
    uint32_t ms = number_of("NATLET_CPU_MS", CPU_MS_DEFAULT, INT32_MAX);
    struct timeval each = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    const struct itimerval timer = {.it_interval = each, .it_value = each};
    struct sigaction tick = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    struct sigaction terminate = {.sa_handler = on_terminate};
    uint32_t pages = number_of("NATLET_PAGES", PAGES_DEFAULT, PAGES_LIMIT);

    if (the_door.memory->pages > pages) {
        (void)fprintf(stderr, "natlet: the module wants %u pages of memory (NATLET_PAGES)\n",
                      (unsigned)the_door.memory->pages);
        exit(2);
    }
    if (the_door.memory->max_pages > pages) {
        the_door.memory->max_pages = pages;
    }
    (void)sigaction(SIGVTALRM, &tick, NULL);
    (void)sigaction(SIGINT, &terminate, NULL);
    (void)sigaction(SIGTERM, &terminate, NULL);
    (void)setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

/* ---- the module's life */

/* The last word about a module that trapped: it is never called again. */
static int poisoned(int code)
{
    memset(the_door.memory->data, 0, (size_t)the_door.memory->pages * 65536);
    (void)fprintf(stderr, "natlet: error: the module trapped: %s\n",
                  wasm_rt_strerror((wasm_rt_trap_t)code));
    return STATUS_TRAP;
}

#if defined(MODULE_IS_COMMAND)

static uint32_t exit_status;

static void exited(uint32_t status)
{
    exit_status = status;
    longjmp(out, EXITED);
}

static char **nats_environment(void)
{
    extern char **environ;
    uint32_t count = 0;
    char **env;

    while (environ[count] != NULL) {
        count++;
    }
    env = calloc(count + 1, sizeof *env);
    for (uint32_t i = 0, n = 0; env != NULL && i < count; i++) {
        if (strncmp(environ[i], "NATS_", 5) == 0) {
            env[n++] = environ[i];
        }
    }
    return env;
}

static int life(int argc, char **argv)
{
    static char name[] = "natlet";
    static char *none[] = {NULL};
    char **files = words_of("NATLET_FILES", ":");

    (void)argc;
    argv[0] = name;
    the_wasi.args = argv;
    the_wasi.env = nats_environment();
    the_wasi.files = files != NULL ? files : none;
    the_wasi.exit = exited;
    if (the_wasi.env == NULL) {
        return 1;
    }
    int code = setjmp(out);
    if (code == 0) {
        GUEST_START(&guest);
        return 0;
    }
    return code == EXITED ? (int)exit_status : poisoned(code);
}

#else

/* Puts the configuration into the module and starts it: 0, or a status. */
static int32_t start(int argc, char **argv)
{
    uint32_t len = 0;

    for (int i = 1; i < argc; i++) {
        len += (uint32_t)strlen(argv[i]) + 1;
    }
    uint32_t at = GUEST(natlet_mem)(&guest, len > 0 ? len : 1);
    uint8_t *room = natlet__wasm2c_at(the_door.memory, at, len);
    if (at == 0 || room == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    for (int i = 1; i < argc; i++) {
        size_t n = strlen(argv[i]);
        memcpy(room, argv[i], n);
        room[n] = ' ';
        room += n + 1;
    }
    return (int32_t)GUEST(natlet_init)(&guest, at, len > 0 ? len - 1 : 0);
}

/* What arrives while nobody runs is kept for the module's own poll. */
static void wait_for(uint32_t ms)
{
    uint32_t room = sizeof the_door.kept / sizeof the_door.kept[0] - the_door.kept_count;
    int32_t wait_ms = ms > INT32_MAX ? -1 : (int32_t)ms;

    if (the_door.kept_count > 0 || the_door.terminations != the_door.terminations_told) {
        wait_ms = 0;
    }
    int32_t more =
        host->poll(host->self, the_door.kept + the_door.kept_count, room, room > 0 ? wait_ms : 0);
    the_door.kept_count += more > 0 ? (uint32_t)more : 0;
    polled();
}

/* After a trap: 0, the blamed agent was crashed and the module goes on. */
static int recover(int code)
{
    if (setjmp(out) != 0 || (int32_t)GUEST(natlet_recover)(&guest) < 0) {
        return poisoned(code);
    }
    (void)fprintf(stderr, "natlet: warning: recovered from a trap: %s\n",
                  wasm_rt_strerror((wasm_rt_trap_t)code));
    return 0;
}

static int turn(uint32_t *wait_ms)
{
    int code = setjmp(out);

    if (code != 0) {
        *wait_ms = 0;
        return recover(code);
    }
    *wait_ms = GUEST(natlet_run)(&guest, TURN_US);
    return 0;
}

static int end(void)
{
    int code = setjmp(out);

    if (code != 0) {
        return poisoned(code);
    }
    (void)GUEST(natlet_run)(&guest, TURN_US);
    GUEST(natlet_fini)(&guest);
    return 0;
}

static int begin(int argc, char **argv)
{
    int code = setjmp(out);

    if (code != 0) {
        return poisoned(code);
    }
    if (GUEST(natlet_abi)(&guest) >> 16 != NATLET_ABI_MAJOR || start(argc, argv) < 0) {
        (void)fprintf(stderr, "natlet: the module refused its configuration\n");
        return 1;
    }
    return 0;
}

/* Until a signal says so, or nothing can happen any more. */
static int life(int argc, char **argv)
{
    uint32_t wait_ms = 0;
    int status = begin(argc, argv);

    while (status == 0 && the_door.terminations == 0) {
        status = turn(&wait_ms);
        if (status == 0) {
            wait_for(wait_ms);
        }
    }
    return status == 0 ? end() : status;
}

#endif

int main(int argc, char **argv)
{
    open_host();
    wasm_rt_init();
    GUEST_PREPARE();
    the_door.host = host;
    the_door.polled = polled;
#if defined(MODULE_IS_COMMAND)
    GUEST_INSTANTIATE(&guest, &the_door, &the_wasi);
#else
    GUEST_INSTANTIATE(&guest, &the_door);
    the_door.is_reactor = true;
#endif
    the_door.memory = the_wasi.memory = GUEST(memory)(&guest);
    limit();
    int status = life(argc, argv);
    natlet_posix_free(host);
    return status;
}
