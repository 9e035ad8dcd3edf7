/* TLS of a client's own: where it begins, with which name, and where it must not be
 * missing.
 *
 *     wss            TCP, TLS, then RFC 6455
 *     tls, nats      TCP, INFO, TLS; with `first` TCP, TLS, INFO
 *
 * What the host's TLS carries passes through without a stage. */
#include "client/secure.h"

#include "base/bytes.h"
#include "client/client.h"
#include "natlet/json.h"
#include "natlet/tls.h"
#include "tls/stage.h"

enum { NAME_MAX = 255 };

struct natlet__secure {
    natlet__tls_stage *stage;
    natlet__tls_profile *profile;
    const natlet_secret *ca_source; /* NULL: none, or it was asked */
    natlet_tls_mode mode;
    bool is_first, is_required;
    bool has_upgraded; /* a server of nats:// was reached with TLS: none is without */
    bool is_special;   /* the host's TLS cannot do what was asked for */
    bool is_ours;      /* the connection in hand gets TLS of ours at once */
    uint8_t server_name_len, known_len;
    uint8_t server_name[NAME_MAX]; /* to be verified instead of the address's */
    uint8_t known[NAME_MAX];       /* of the last server that the program named and we verified */
};

/* ---- the name ---- */

static bool is_address(natlet_slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.ptr[i];
        if (c == ':' || c == '[') {
            return true;
        }
        if ((c < '0' || c > '9') && c != '.') {
            return false;
        }
    }
    return true;
}

/* Servers that INFO names come as addresses, which few certificates have: they are of the
 * system whose name was verified. */
static natlet_slice name_of(const natlet_client *client)
{
    const natlet__secure *secure = client->secure;
    const natlet__servers *servers = &client->servers;
    natlet_slice host = client->link.url.host;

    if (secure->server_name_len > 0) {
        return (natlet_slice){secure->server_name, secure->server_name_len};
    }
    if (servers->list[servers->at].is_discovered && is_address(host) && secure->known_len > 0) {
        return (natlet_slice){secure->known, secure->known_len};
    }
    if (host.len > 2 && host.ptr[0] == '[') {
        return (natlet_slice){host.ptr + 1, host.len - 2};
    }
    host.len -= host.len > 1 && host.ptr[host.len - 1] == '.' ? 1 : 0;
    return host;
}

/* ---- the way ---- */

static natlet_status refuse(natlet_client *client, natlet_status st, natlet_slice why)
{
    natlet__link_blame(&client->link, st, why);
    return st;
}

/* Whether TLS of the host's carries this from its first byte on. */
static bool is_hosts(const natlet_client *client, bool is_ws)
{
    const natlet__secure *secure = client->secure;
    uint32_t caps = client->rt->info.caps;
    bool host_can = (caps & NATLET_CAP_TLS) != 0 || (is_ws && (caps & NATLET_CAP_WS) != 0);

    return secure->mode == NATLET_TLS_HOST ||
           (secure->mode == NATLET_TLS_AUTO && host_can && !secure->is_special);
}

natlet_status natlet__secure_choose(natlet_client *client)
{
    natlet__secure *secure = client->secure;
    natlet__link *link = &client->link;
    natlet__scheme scheme = link->url.scheme;
    bool is_wss = scheme == NATLET__SCHEME_WSS;
    bool is_at_once = is_wss || (scheme != NATLET__SCHEME_WS && secure->is_first);
    bool is_host = is_at_once && is_hosts(client, is_wss);

    secure->is_ours = is_at_once && !is_host;
    if (scheme == NATLET__SCHEME_WS && secure->is_required) {
        return refuse(client, NATLET_E_TLS,
                      (natlet_slice)NATLET_TEXT("ws:// is without TLS: use wss://"));
    }
    if (scheme == NATLET__SCHEME_WS || (is_host && is_wss)) {
        return NATLET_MORE;
    }
    if ((client->rt->info.caps & (is_host ? NATLET_CAP_TLS : NATLET_CAP_TCP)) == 0) {
        return refuse(client, NATLET_E_UNSUPPORTED,
                      (natlet_slice)NATLET_TEXT("this host carries no TLS of ours"));
    }
    link->transport = is_host ? NATLET_TRANSPORT_TLS : NATLET_TRANSPORT_TCP;
    link->is_framed = is_wss;
    return NATLET_OK;
}

/* ---- its begin ---- */

static natlet_status borrow_ca(natlet__secure *secure)
{
    const natlet_secret *source = secure->ca_source;
    natlet_slice text = source != NULL ? source->text : (natlet_slice){0};
    natlet_status st = NATLET_OK;

    secure->ca_source = NULL;
    if (source != NULL && source->lend != NULL) {
        st = source->lend(source->self, &text);
    }
    if (st < 0 || text.len == 0) {
        return st;
    }
    st = natlet__tls_profile_trust(secure->profile, text);
    if (source->lend != NULL && source->give_back != NULL) {
        source->give_back(source->self, text);
    }
    return st;
}

static natlet_status begin(natlet_client *client, bool is_open)
{
    natlet__secure *secure = client->secure;
    natlet__link *link = &client->link;
    natlet_status st = borrow_ca(secure);

    if (st == NATLET_OK) {
        st = natlet__tls_stage_start(secure->stage, link->conn, is_open, secure->profile,
                                     name_of(client));
    }
    if (st == NATLET_OK) {
        link->transport = NATLET_TRANSPORT_TLS;
        link->is_sealed = true;
    }
    return st;
}

natlet_status natlet__secure_opened(natlet_client *client)
{
    return client->secure->is_ours ? begin(client, false) : NATLET_OK;
}

static bool is_available(const natlet_client *client, const natlet__info *info)
{
    static const natlet_slice path = NATLET_TEXT("/tls_available");
    static const natlet_slice yes = NATLET_TEXT("true");
    natlet_slice value;

    return info->tls_required ||
           (natlet_json_find(natlet_client_info(client), path, &value) == NATLET_OK &&
            natlet__equal(value, yes));
}

/* Whoever is on the way may have added something behind INFO: nothing that came in the
 * clear may count as said by the server that is verified next. */
natlet_status natlet__secure_greet(natlet_client *client, const natlet__info *info)
{
    const natlet__secure *secure = client->secure;
    bool is_wanted = secure->is_required || secure->has_upgraded ||
                     client->link.url.scheme == NATLET__SCHEME_TLS;

    if (!info->tls_required && !is_wanted) {
        return NATLET_OK;
    }
    if (!is_available(client, info)) {
        return refuse(client, NATLET_E_TLS,
                      (natlet_slice)NATLET_TEXT("the server offers no TLS, and without it is no "
                                                "going on"));
    }
    if (secure->mode == NATLET_TLS_HOST) {
        return refuse(client, NATLET_E_UNSUPPORTED,
                      (natlet_slice)NATLET_TEXT("the host's TLS cannot begin after INFO"));
    }
    if (natlet__window_bytes(&client->window).len > 0) {
        return refuse(client, NATLET_E_PROTOCOL,
                      (natlet_slice)NATLET_TEXT("unprotected bytes came before TLS"));
    }
    return begin(client, true);
}

/* The client's server was verified: what it is called is known, and no other may do with
 * less. */
void natlet__secure_joined(natlet_client *client)
{
    natlet__secure *secure = client->secure;
    const natlet__servers *servers = &client->servers;
    natlet_slice name = name_of(client);

    if (!client->link.is_sealed) {
        return;
    }
    secure->has_upgraded |= client->link.url.scheme == NATLET__SCHEME_NATS;
    if (!servers->list[servers->at].is_discovered && name.len <= NAME_MAX) {
        memcpy(secure->known, name.ptr, name.len);
        secure->known_len = (uint8_t)name.len;
    }
}

/* ---- life ---- */

static natlet_status set_up(natlet_client *client, const natlet_tls_config *config)
{
    natlet__secure *secure = client->secure;
    const natlet__tls_trust trust = {
        .ca = config->ca,
        .certificate = config->certificate,
        .key = config->key,
        .pins = config->pins,
        .pin_count = config->pin_count,
    };

    *secure = (natlet__secure){
        .mode = config->mode,
        .is_first = config->first,
        .is_required = config->required,
        .is_special = config->ca.len > 0 || config->certificate.len > 0 || config->pin_count > 0 ||
                      config->server_name.len > 0,
        .ca_source = config->ca.len == 0 ? config->ca_source : NULL,
        .server_name_len = (uint8_t)config->server_name.len,
    };
    (void)natlet__put(secure->server_name, config->server_name);
    natlet_status st = natlet__tls_profile_new(&secure->profile, client->rt, &trust);
    if (st == NATLET_OK) {
        secure->stage = natlet__tls_stage_take(client->rt);
        st = secure->stage != NULL ? NATLET_OK : NATLET_E_NO_MEMORY;
    }
    return st;
}

static bool is_valid(const natlet_tls_config *config)
{
    return config->size == sizeof *config && config->mode <= NATLET_TLS_HOST &&
           (config->certificate.len > 0) == (config->key.len > 0) &&
           config->server_name.len <= NAME_MAX && (config->pin_count == 0 || config->pins != NULL);
}

natlet_status natlet_client_tls(natlet_client *client, const natlet_tls_config *config)
{
    if (client->state != NATLET_CLIENT_IDLE || client->secure != NULL) {
        return NATLET_E_STATE;
    }
    if (!is_valid(config)) {
        return NATLET_E_CONFIG;
    }
    client->secure = natlet__memory_take(&client->rt->memory, sizeof *client->secure);
    if (client->secure == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    natlet_status st = set_up(client, config);
    if (st == NATLET_OK && config->mode == NATLET_TLS_HOST && client->secure->is_special) {
        st = NATLET_E_UNSUPPORTED;
    }
    if (st < 0) {
        natlet__secure_free(client);
    }
    return st;
}

void natlet__secure_free(natlet_client *client)
{
    natlet__secure *secure = client->secure;

    if (secure->stage != NULL) {
        natlet__tls_stage_give_back(secure->stage);
    }
    if (secure->profile != NULL) {
        natlet__tls_profile_free(secure->profile);
    }
    natlet__memory_give_back(&client->rt->memory, secure, sizeof *secure);
    client->secure = NULL;
}

natlet_slice natlet_client_tls_info(const natlet_client *client)
{
    return client->secure != NULL && client->link.is_sealed
               ? natlet__tls_stage_text(client->secure->stage, client->link.conn)
               : (natlet_slice){0};
}
