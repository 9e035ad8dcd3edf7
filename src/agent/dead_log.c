/* One line for the 1st, 2nd, 4th, 8th ... dead letter of a reason: the first is seen at
 * once, and a flood cannot fill a disk.
 *
 * Subject and name were written by others: in the line they are JSON strings. */
#include "agent/inspect.h"
#include "agent/kernel.h"
#include "agent/witness.h"
#include "natlet/inspect.h"

enum { LINE_MAX = 512 };

_Static_assert(sizeof(natlet__witness) == sizeof((natlet_dead_log *)NULL)->witness, "its place");

static void say(natlet_json_out *line, const char *text)
{
    line->separator = false;
    natlet_json_out_raw(line, natlet__text(text));
    line->separator = false;
}

static void write_line(natlet_json_out *line, const natlet_cell_event *event, uint64_t count)
{
    const natlet_mail *mail = event->mail;
    char word[NATLET__DEAD_WORD_MAX + 1] = "";

    (void)natlet__dead_word(event->dead, word);
    say(line, "dead letter ");
    natlet_json_out_u64(line, count);
    say(line, ": ");
    say(line, word);
    say(line, ", ");
    natlet__inspect_text(line, mail->subject);
    say(line, " for ");
    natlet__inspect_text(line, event->name);
    say(line, ", attempt ");
    natlet_json_out_u64(line, mail->attempt);
    say(line, ", exit ");
    say(line, natlet_exit_text(event->reason.kind));
}

static void see(natlet__witness *witness, const natlet_cell_event *event)
{
    void *place = witness;
    natlet_dead_log *log = place;
    const natlet_host *host = log->cell->rt->host;
    uint8_t text[LINE_MAX];
    natlet_json_out line;

    if (event->kind != NATLET_CELL_DEAD_LETTER) {
        return;
    }
    uint64_t count = log->cell->stats.dead[event->dead];
    if ((count & (count - 1)) != 0) {
        log->silent++;
        return;
    }
    natlet_json_out_init(&line, text, sizeof text);
    write_line(&line, event, count);
    size_t len = line.len <= sizeof text ? line.len : 0;
    if (len == 0) { /* what is too long is said without its names */
        natlet_json_out_init(&line, text, sizeof text);
        say(&line, "dead letter ");
        natlet_json_out_u64(&line, count);
        len = line.len;
    }
    host->log(host->self, NATLET_LOG_WARN, (const char *)text, (uint32_t)len);
    log->lines++;
}

void natlet_cell_log_dead(natlet_cell *cell, natlet_dead_log *log)
{
    void *place = log;

    *log = (natlet_dead_log){.cell = cell};
    natlet__witness_begin(cell, place, see);
}
