/* Every status the library can return, in one list: name, value, text.
 *
 * Zero is "done".  A positive status is not a failure: it tells the caller what
 * to do next.  A negative status is a failure.  So `if (st < 0) return st;` is
 * right everywhere, whatever is added to the list later.
 *
 * -1..-31 are also the values of the host door (natlet/host.h), -32..-95 belong
 * to the protocol and the client, -96 and below to the agents. */
#ifndef NATLET_STATUS_H
#define NATLET_STATUS_H

#define NATLET_STATUS_MAP(X)                                                                       \
    X(OK, 0, "done")                                                                               \
    X(MORE, 1, "feed more input, then call again")                                                 \
    X(EVENT, 2, "one event was written; call again for more")                                      \
    X(EMPTY, 3, "nothing is queued")                                                               \
    X(E_AGAIN, -1, "nothing to do right now; wait for the next event")                             \
    X(E_INVALID, -2, "an argument is out of its range")                                            \
    X(E_UNSUPPORTED, -3, "this build or host cannot do it")                                        \
    X(E_NO_MEMORY, -4, "the memory budget is used up")                                             \
    X(E_DENIED, -5, "the host's operator does not allow it")                                       \
    X(E_CLOSED, -6, "the connection is gone")                                                      \
    X(E_TOO_LARGE, -7, "a message exceeds the size limit")                                         \
    X(E_FAULT, -8, "an address lies outside the module's memory")                                  \
    X(E_LIMIT, -9, "a limit of the host is reached")                                               \
    X(E_IO, -10, "the network failed")                                                             \
    X(E_TLS, -11, "the TLS handshake or a TLS record failed")                                      \
    X(E_NAME, -12, "the host name cannot be resolved")                                             \
    X(E_TIMEOUT, -13, "the deadline passed")                                                       \
    X(E_UPGRADE, -14, "the server refused the WebSocket upgrade")                                  \
    X(E_PROTOCOL, -32, "the peer broke the protocol")                                              \
    X(E_LINE_TOO_LONG, -33, "a control line exceeds line_max")                                     \
    X(E_FULL, -34, "no room is left; try again when some was freed")                               \
    X(E_CONFIG, -35, "the configuration is out of range")                                          \
    X(E_SUBJECT, -36, "the subject is not well-formed")                                            \
    X(E_HEADER, -37, "a header is not well-formed")                                                \
    X(E_URL, -38, "the server address is not well-formed")                                         \
    X(E_JSON, -39, "the text is not valid JSON")                                                   \
    X(E_HANDSHAKE, -40, "the answer to the WebSocket upgrade is not valid")                        \
    X(E_FRAME, -41, "the peer broke the WebSocket protocol")                                       \
    X(E_DISCONNECTED, -42, "there is no connection to a server right now")                         \
    X(E_DRAINING, -43, "the client or subscription is draining")                                   \
    X(E_CANCELLED, -44, "ended by the caller before it was done")                                  \
    X(E_NO_RESPONDERS, -45, "nobody is subscribed to the subject of the request")                  \
    X(E_NOT_FOUND, -46, "there is nothing by that name or number")                                 \
    X(E_AUTH, -47, "the server refused the credentials")                                           \
    X(E_PERMISSION, -48, "the server does not permit this subject")                                \
    X(E_STALE, -49, "the server stopped answering")                                                \
    X(E_SERVER, -50, "the server reported an error")                                               \
    X(E_NO_SERVERS, -51, "no server of the pool can be reached")                                   \
    X(E_HEADERS_UNSUPPORTED, -52, "the server does not support headers")                           \
    X(E_NKEY, -53, "not an nkey: copy all of its 56 letters, or the 58 of a seed")                 \
    X(E_NKEY_CHECKSUM, -54, "the nkey has a wrong letter; copy it again")                          \
    X(E_NKEY_KIND, -55, "the wrong kind of nkey; give the seed of a user (SU...)")                 \
    X(E_CREDS_JWT, -56, "a creds file needs one block NATS USER JWT with BEGIN, token and END")    \
    X(E_CREDS_SEED, -57, "a creds file needs one block USER NKEY SEED with BEGIN, seed and END")   \
    X(E_JWT, -58, "not the JWT of a user; copy all of its three parts")                            \
    X(E_CLOCK, -59, "the clock is wrong, so that no certificate can be verified")                  \
    X(E_CERTIFICATE, -60, "a certificate or key cannot be read, or they do not belong together")   \
    X(E_NO_AGENT, -96, "the agent is gone or was never there")                                     \
    X(E_NAME_TAKEN, -97, "another agent has that name")                                            \
    X(E_STATE, -98, "not possible in the present state")                                           \
    X(E_TRAP, -99, "the agent trapped")                                                            \
    X(E_POISONED, -100, "the instance can no longer be trusted; replace it")                       \
    X(E_OPEN, -101, "the circuit breaker is open")

typedef enum natlet_status {
#define X(name, value, text) NATLET_##name = (value),
    NATLET_STATUS_MAP(X)
#undef X
} natlet_status;

#ifdef __cplusplus
extern "C" {
#endif

/* Static text for a status; never NULL, nothing to free. */
const char *natlet_status_text(natlet_status st);

/* Its name here without NATLET_, for programs and logs: "E_TIMEOUT"; never NULL. */
const char *natlet_status_name(natlet_status st);

#ifdef __cplusplus
}
#endif

#endif
