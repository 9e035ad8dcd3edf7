/* The version of the library (semantic versioning). */
#ifndef NATLET_VERSION_H
#define NATLET_VERSION_H

#define NATLET_VERSION_MAJOR 0
#define NATLET_VERSION_MINOR 1
#define NATLET_VERSION_PATCH 0
#define NATLET_VERSION "0.1.0"

#endif
