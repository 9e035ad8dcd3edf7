/* Files that options name, and why one cannot be read. */
#ifndef NATLET_CLI_FILE_H
#define NATLET_CLI_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Reads at most `cap` bytes; *len says how many in either case.  Returns NULL, or why that
 * failed. */
const char *cli_file_read(const char *path, uint8_t *out, size_t cap, size_t *len);

#endif
