/* A feature that a program does not call is not linked into it.
 *
 * Internal.  A feature has its own files, and a public function that leads to it.  A file
 * that is always there names each function of the feature that it calls with
 * NATLET__OPTIONAL, and calls it only where something set by the feature says that it is
 * there, or else where the function itself is not NULL. */
#ifndef NATLET_BASE_OPTIONAL_H
#define NATLET_BASE_OPTIONAL_H

#define NATLET__PRAGMA(text) _Pragma(#text)

/* `function` may be missing from the program.  In the calling file, never in a
 * header: there it would make the function itself weak. */
#define NATLET__OPTIONAL(function) NATLET__PRAGMA(weak function)

/* Whether it is there.  Where it is not, the linker leaves out what stands behind this, so
 * that a branch which only a feature can lead to costs nothing without it.  Ask last: first
 * comes what is seldom true. */
#define NATLET__IS_LINKED(thing) (&(thing) != NULL)

#endif
