/* natlet: a NATS client and supervised agents, for every place where WebAssembly
 * runs.  This header includes all others; what holds everywhere is said here once.
 *
 * Units      lengths are bytes; a name ends in its unit where it is another one
 *            (_ms, _us, _ns), `count` is a number of things.
 * Ownership  a natlet_slice borrows: what a function is given may die when it
 *            returns, what a callback is given is valid until the callback
 *            returns.  What a function keeps, it copies, unless it says otherwise.
 * Status     below 0 failed, 0 done, above 0 not failed (natlet/status.h).  A
 *            function that fails has changed nothing, unless it says otherwise.
 * NULL       is allowed only where it is said.
 * Threads    one runtime and all on it belong to one thread at a time; two
 *            runtimes share nothing. */
#ifndef NATLET_H
#define NATLET_H

#include "natlet/agent.h"
#include "natlet/allocator.h"
#include "natlet/app.h"
#include "natlet/auth.h"
#include "natlet/backend.h"
#include "natlet/breaker.h"
#include "natlet/bridge.h"
#include "natlet/cell.h"
#include "natlet/client.h"
#include "natlet/compress.h"
#include "natlet/deadletters.h"
#include "natlet/embed.h"
#include "natlet/envelope.h"
#include "natlet/headers.h"
#include "natlet/host.h"
#include "natlet/inspect.h"
#include "natlet/introspect.h"
#include "natlet/json.h"
#include "natlet/limits.h"
#include "natlet/link.h"
#include "natlet/mail.h"
#include "natlet/mailbox.h"
#include "natlet/presence.h"
#include "natlet/recovery.h"
#include "natlet/runtime.h"
#include "natlet/seed.h"
#include "natlet/service.h"
#include "natlet/slice.h"
#include "natlet/status.h"
#include "natlet/subject.h"
#include "natlet/supervisor.h"
#include "natlet/tls.h"
#include "natlet/version.h"

#endif
