/* Text that grows, and the three places where the command writes it: results on
 * standard output, notices and the last words on standard error.
 *
 * There is no printf: in a module it would outweigh the client. */
#ifndef NATLET_CLI_TEXT_H
#define NATLET_CLI_TEXT_H

#include "natlet/slice.h"

typedef struct cli_text {
    uint8_t *ptr;
    size_t len;
    size_t cap;
} cli_text;

/* Makes room for `bytes` more.  Ends the process if there is no memory. */
void cli_text_room(cli_text *text, size_t bytes);

void cli_text_add(cli_text *text, natlet_slice bytes);
void cli_text_puts(cli_text *text, const char *literal);
void cli_text_u64(cli_text *text, uint64_t value);
/* Thousandths as "0.123". */
void cli_text_milli(cli_text *text, uint64_t thousandths);
/* Microseconds as "0.123 ms". */
void cli_text_ms(cli_text *text, uint64_t us);
natlet_slice cli_text_slice(const cli_text *text);
void cli_text_free(cli_text *text);

/* Writes all of it to standard output and empties it.  Ends the process with
 * status 1 if nobody takes it. */
void cli_text_print(cli_text *text);

/* What the wire put into the text from `start` on cannot break the line. */
void cli_text_clean(cli_text *text, size_t start);

/* One line for standard error, "natlet: ...": begin it, add to it, end it.  What
 * the wire put into it cannot break the line. */
cli_text cli_notice(const char *literal);
void cli_notice_end(cli_text *line);

/* Reads standard input to its end, but at most `max` bytes and one more. */
void cli_text_read(cli_text *text, size_t max);

/* The same of a file.  Returns 0 or an errno. */
int cli_text_read_file(cli_text *text, const char *path, size_t max);

/* What an errno of opening or reading means to the user. */
const char *cli_errno_text(int error);

#endif
