/* A backend that keeps each value in a file of its own, for Linux and for command
 * modules whose WASI host lets them see the folder.
 *
 * A value is written to a file beside and then renamed, so that a crash leaves the old
 * value or the new one.  One program at a time may use a folder. */
#ifndef NATLET_FILES_H
#define NATLET_FILES_H

#include "natlet/backend.h"

typedef struct natlet_file_backend natlet_file_backend;

#ifdef __cplusplus
extern "C" {
#endif

/* Opens the folder `path`, or makes it (one level), and counts what is there.  `config`
 * may be NULL; files that others put there count, too, and are left alone if their names
 * are no keys.
 *
 * Returns OK; E_IO (no such folder, or not allowed); E_NO_MEMORY.  On failure *out is
 * NULL. */
natlet_status natlet_file_backend_new(natlet_file_backend **out, const char *path,
                                      const natlet_backend_config *config);

/* Lets go of the folder; NULL is allowed.  The files stay. */
void natlet_file_backend_free(natlet_file_backend *backend);

/* What it can do; valid as long as it lives.  list knows no order. */
natlet_backend natlet_file_backend_of(natlet_file_backend *backend);

natlet_backend_stats natlet_file_backend_stats_now(const natlet_file_backend *backend);

#ifdef __cplusplus
}
#endif

#endif
