/* Who we are: asked at every connect, said in CONNECT.
 *
 *     INFO --> the host is asked (CTL_SIGN) --> it has answered (EV_SIGNED)
 *          --> the authenticators are asked --> CONNECT and PING are written
 *
 * What a later one says wins.  Secrets that have to be decoded lie behind CONNECT in
 * the outbox, which is wiped when it has sent all (outbox.h): none is left on the
 * stack or in a block of its own. */
#include "base/bytes.h"
#include "client/client.h"
#include "proto/writer.h"

/* CONNECT has a whole line of the two that are asked for, PING and a PONG stand behind
 * it, and the rest is for decoding. */
enum {
    BLOCK = 2 * NATLET_LINE_BYTES_MAX,
    SCRATCH = NATLET_LINE_BYTES_MAX + 64,
    FIELDS = offsetof(natlet_credentials, expires_s) / sizeof(natlet_slice),
    AHEAD_S = 60, /* so long before they expire they are replaced */
    WS_NORMAL = 1000,
};

/* Seconds: so many of them, in microseconds, and the clock still fit 64 bits. */
#define EXPIRES_MAX ((uint64_t)1 << 42)

#define OFFSET(member) offsetof(natlet__connect, member)
_Static_assert(OFFSET(sig) - OFFSET(user) == (FIELDS - 1) * sizeof(natlet_slice) &&
                   OFFSET(auth_token) - OFFSET(user) == offsetof(natlet_credentials, token) &&
                   OFFSET(jwt) - OFFSET(user) == offsetof(natlet_credentials, jwt),
               "CONNECT has the credentials in their order");
_Static_assert(NATLET_SIGNED_USER == 1 && NATLET_SIGNED_JWT == 5 &&
                   NATLET_SIGNED_SIGNATURE == (int)FIELDS &&
                   NATLET_SIGNED_EXPIRES == (int)FIELDS + 1,
               "the host has them too, from 1");

/* ---- what is said ---- */

static void overlay(natlet_slice *fields, const natlet_slice *said)
{
    for (uint32_t i = 0; i < FIELDS; i++) {
        if (said[i].len > 0) {
            fields[i] = said[i];
        }
    }
}

/* What the URL says is meant for this server, and wins.  Returns the end of what it
 * wrote to `out`. */
static uint8_t *say_configured(natlet__connect *connect, natlet_client *client, uint8_t *out)
{
    natlet_slice userinfo = natlet__server_userinfo(natlet__servers_now(&client->servers));
    natlet_slice head;

    if (userinfo.len == 0) {
        connect->user = client->config.user;
        connect->pass = client->config.password;
        connect->auth_token = client->config.token;
        return out;
    }
    bool has_password = natlet__cut(&userinfo, ':', &head);
    natlet_slice *first = has_password ? &connect->user : &connect->auth_token;
    *first = (natlet_slice){out, natlet__url_decode(out, head)};
    out += first->len;
    if (has_password) {
        connect->pass = (natlet_slice){out, natlet__url_decode(out, userinfo)};
        out += connect->pass.len;
    }
    return out;
}

/* The host's answer, a run of { u16 tag; u16 len; u8 bytes[len] }, read to `out`. */
static natlet_status say_signed(natlet__connect *connect, natlet_client *client, uint8_t *out,
                                size_t cap)
{
    const natlet_host *host = client->rt->host;
    int32_t got = host->ctl(host->self, NATLET_CTL_SIGNED, client->link.conn, out, (uint32_t)cap);
    natlet_slice answer = {out, got > 0 ? (size_t)got : 0};

    while (answer.len >= 4) {
        const uint8_t *head = natlet__take(&answer, 4).ptr;
        uint32_t field = (uint32_t)(head[0] | head[1] << 8) - NATLET_SIGNED_USER;
        size_t len = (size_t)(head[2] | head[3] << 8);
        if (len > answer.len) {
            return NATLET_E_INVALID;
        }
        natlet_slice value = natlet__take(&answer, len);
        if (field < FIELDS && len > 0) {
            (&connect->user)[field] = value;
        } else if (field == FIELDS) { /* what is no number leaves it as it is */
            (void)natlet__read_decimal(value, EXPIRES_MAX, &client->identity.expires_s);
        }
    }
    return got < 0 ? (natlet_status)got : NATLET_OK;
}

/* ---- CONNECT ---- */

/* CONNECT and the PING whose PONG says that we are in go out in one write. */
static natlet_status write_connect(natlet_client *client, const natlet_credentials *said)
{
    const natlet_client_config *config = &client->config;
    natlet__connect connect = {
        .name = config->name,
        .verbose = config->verbose,
        .pedantic = config->pedantic,
        .echo = !config->no_echo,
        .headers = true,
        .no_responders = client->headers,
    };
    natlet_status st = natlet__client_begin(client, BLOCK);

    if (st < 0) {
        return st;
    }
    uint8_t *at = natlet__outbox_at(&client->outbox);
    uint8_t *scratch = say_configured(&connect, client, at + SCRATCH);
    overlay(&connect.user, &said->user);
    client->identity.expires_s = said->expires_s;
    if (config->host_auth) {
        st = say_signed(&connect, client, scratch, (size_t)(at + BLOCK - scratch));
    }
    if (st < 0) {
        return st;
    }
    size_t len = natlet__write_connect(at, NATLET_LINE_BYTES_MAX, &connect);
    if (len == 0) {
        return NATLET_E_CONFIG; /* name and credentials fill more than a line */
    }
    natlet__outbox_wrote(&client->outbox, len);
    return natlet__client_write_line(client, (natlet_slice)NATLET_TEXT("PING\r\n"));
}

/* An authenticator may do anything to the client, even end this connection; as every
 * callback it finds the first line in place. */
static natlet_status ask(natlet_client *client, const natlet_authenticator *who,
                         const natlet_challenge *challenge, natlet_credentials *said)
{
    natlet_credentials answer = {0};
    bool is_second = natlet__move_back(client);
    natlet_status st = who->answer(who->self, challenge, &answer);

    if (is_second) {
        (void)natlet__move_in(client);
    }
    overlay(&said->user, &answer.user);
    if (answer.expires_s > 0) {
        said->expires_s = answer.expires_s;
    }
    return st;
}

static natlet_status introduce(natlet_client *client)
{
    natlet__link *link = &client->link;
    const natlet_authenticator *list = client->identity.authenticators;
    natlet_credentials said = {0};
    uint8_t nonce[sizeof link->nonce]; /* the link's own may be exchanged meanwhile */
    natlet_status last = natlet__servers_now(&client->servers)->last;
    const natlet_challenge challenge = {
        .nonce = {nonce, link->nonce_len},
        .server = natlet_client_server(client),
        .last = last == NATLET_E_AUTH ? last : NATLET_OK,
    };
    uint32_t conn = link->conn;
    uint32_t asked = 0;
    natlet_status st = NATLET_OK;

    memcpy(nonce, link->nonce, sizeof nonce);
    while (st >= 0 && link->conn == conn && asked < client->config.authenticator_count) {
        st = ask(client, &list[asked++], &challenge, &said);
    }
    if (st >= 0 && link->conn == conn) {
        link->state = NATLET__LINK_JOINING;
        st = write_connect(client, &said);
    }
    while (asked-- > 0) {
        if (list[asked].done != NULL) {
            list[asked].done(list[asked].self);
        }
    }
    return link->conn == conn ? st : NATLET_OK;
}

/* ---- the way to it ---- */

void natlet__identity_told(natlet_client *client, natlet_status st)
{
    if (client->link.state != NATLET__LINK_AUTHENTICATING) {
        return;
    }
    if (st == NATLET_OK || st == NATLET_E_UNSUPPORTED) { /* which knows nothing */
        st = introduce(client);
    }
    if (st < 0) {
        natlet__link_fail(client, st, WS_NORMAL);
    }
}

void natlet__identity_ask(natlet_client *client, natlet_slice nonce)
{
    const natlet_host *host = client->rt->host;
    natlet__link *link = &client->link;
    natlet_status st = NATLET_E_UNSUPPORTED;

    link->state = NATLET__LINK_AUTHENTICATING;
    if (nonce.len > sizeof link->nonce) {
        st = NATLET_E_PROTOCOL; /* theirs have 15 */
    } else {
        (void)natlet__put(link->nonce, nonce);
        link->nonce_len = (uint8_t)nonce.len;
        if (client->config.host_auth) {
            st = (natlet_status)host->ctl(host->self, NATLET_CTL_SIGN, link->conn, link->nonce,
                                          link->nonce_len);
        }
    }
    if (st < 0) {
        natlet__identity_told(client, st);
    }
}

/* ---- before it expires ---- */

void natlet__identity_watch(natlet_client *client)
{
    natlet__identity *identity = &client->identity;
    uint64_t now_us = natlet_runtime_wall_ns(client->rt) / NATLET__US_PER_MS;
    uint64_t expires_us = identity->expires_s * 1000 * NATLET__US_PER_MS;

    if (identity->expires_s > EXPIRES_MAX || expires_us <= now_us ||
        identity->expires_s == identity->refreshed_s) {
        return;
    }
    uint64_t left_us = expires_us - now_us;
    uint64_t ahead_us = (uint64_t)AHEAD_S * 1000 * NATLET__US_PER_MS;
    natlet__client_start(client, &identity->timer,
                         left_us / 2 > ahead_us ? left_us - ahead_us : left_us / 2);
}

void natlet__identity_expires(natlet_client *client)
{
    uint32_t conn = client->link.conn;

    client->identity.refreshed_s = client->identity.expires_s;
    natlet__client_tell_reason(client, NATLET_CLIENT_EV_AUTH_EXPIRING, NATLET_OK);
    if (client->link.conn == conn && !client->config.no_reconnect) {
        (void)natlet_client_reconnect(client);
    }
}
