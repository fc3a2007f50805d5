/* What an upstream must be, and which combinations nobody should run. */
#include "conf/conf_address.h"
#include "conf/conf_upstream.h"
#include "core/host_list.h"
#include "core/url.h"

enum { PATH_BYTES = 200 };

/* A path that proxies, clients and our own table read alike, without a trick in it. */
static bool is_path(str_t path)
{
    str_t rest = str_skip(path, 1), segment;
    if (!str_starts(path, STR("/")) || path.n < 2 || path.n > PATH_BYTES)
        return false;
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c && strchr("/-._~", c));
        if (!good)
            return false;
    }
    while (str_split(&rest, '/', &segment))
        if (segment.n == 0 || str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
            return false;
    return true;
}

/* The name of a header field (RFC 9110 section 5.6.2). */
static bool is_field(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_';
        if (!good)
            return false;
    }
    return s.n > 0 && s.n <= 64;
}

static char fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c | 0x20);
    return c == '_' ? '-' : c;
}

/* Whether `name` begins with `with`, in any case, and with '_' for '-'. */
static bool begins(str_t name, str_t with)
{
    if (name.n < with.n)
        return false;
    for (size_t i = 0; i < with.n; i++)
        if (fold(name.p[i]) != with.p[i])
            return false;
    return true;
}

/* Fields that frame or route a message (RFC 9110 sections 6 to 8, RFC 9112), or that MCP gives a
 * meaning: a second one, with a value of ours, would have two readers see two messages. */
static bool is_spoken_for(str_t name)
{
    static const str_t NAMES[] = {
        STR_INIT("host"),    STR_INIT("connection"),    STR_INIT("keep-alive"),
        STR_INIT("te"),      STR_INIT("trailer"),       STR_INIT("transfer-encoding"),
        STR_INIT("upgrade"), STR_INIT("expect"),        STR_INIT("accept"),
        STR_INIT("origin"),  STR_INIT("last-event-id"),
    };
    static const str_t PREFIXES[] = {STR_INIT("content-"), STR_INIT("accept-"), STR_INIT("mcp-")};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (name.n == NAMES[i].n && begins(name, NAMES[i]))
            return true;
    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
        if (begins(name, PREFIXES[i]))
            return true;
    return false;
}

static bool is_same_field(str_t x, str_t y)
{
    if (x.n != y.n)
        return false;
    for (size_t i = 0; i < x.n; i++)
        if (fold(x.p[i]) != fold(y.p[i]))
            return false;
    return true;
}

static bool is_safe_url(str_t text)
{
    url_t u;
    if (url_parse(text, &u) != RC_OK || !url_is_http(&u))
        return false;
    if (str_is_set(u.fragment) || str_is_set(u.userinfo))
        return false;
    return url_is_https(&u) || url_host_is_loopback(u.host);
}

/* Loopback has several names, and who listens everywhere listens there, too. */
static bool is_same_place(const conf_t *conf, const url_t *u)
{
    str_t host = str_trim(u->host, "[]");
    bool any = str_eq(conf->listen_host, STR("0.0.0.0")) || str_eq(conf->listen_host, STR("::"));
    bool loopback =
        any || url_host_is_loopback(conf->listen_host) || str_eq(conf->listen_host, STR("::1"));
    if (conf->listen_port == 0 || conf->listen_port != u->port_number)
        return false;
    return str_eq_nocase(host, conf->listen_host) || (loopback && url_host_is_loopback(u->host));
}

static bool is_own(const conf_t *conf, const url_t *u)
{
    url_t own;
    if (is_same_place(conf, u))
        return true;
    return conf->public_url.n > 0 && url_parse(conf->public_url, &own) == RC_OK &&
           str_eq_nocase(own.host, u->host) && own.port_number == u->port_number;
}

static const char *mend_of_url(const conf_t *conf, const conf_upstream_t *u, url_t *url)
{
    if (url_parse(u->url, url) != RC_OK || !url_is_http(url))
        return "url is that of the MCP endpoint, such as http://127.0.0.1:3000/mcp";
    if (str_is_set(url->userinfo) || str_is_set(url->fragment))
        return "leave user and fragment out of url; credentials stand in credential";
    if (is_own(conf, url))
        return "url is this server's own address, and requests would go round in circles: name the "
               "server behind it";
    if (!url_is_https(url) && !conf_host_is_private(url->host) &&
        !host_list_has(conf->upstream_plain_hosts, url))
        return "plain http to a host that is neither on loopback nor in a private network lets "
               "others read along: use https, or add the host to upstream_plain_hosts";
    if (u->identity == CONF_IDENTITY_HEADERS && !conf_host_is_private(url->host))
        return "identity: headers is for servers that nobody else reaches, and this host is "
               "public: take identity: jwt, which can be checked";
    if (u->certificate_authorities.n > 0 && !url_is_https(url))
        return "certificate_authorities are for an https url";
    return NULL;
}

static const char *mend_of_credential(const conf_upstream_t *u)
{
    const conf_credential_t *c = &u->credential;
    bool asks =
        c->kind == CONF_CREDENTIAL_CLIENT_CREDENTIALS || c->kind == CONF_CREDENTIAL_TOKEN_EXCHANGE;
    if (c->kind != CONF_CREDENTIAL_NONE && u->child.command.n > 0)
        return "a command gets no credential: put what it needs into child.environment";
    if (c->kind != CONF_CREDENTIAL_NONE && c->secret_file.n == 0)
        return "a credential needs secret_file: where its secret stands";
    if (asks && (!is_safe_url(c->token_endpoint) || c->client_id.n == 0))
        return "client_credentials and token_exchange need client_id, and token_endpoint as an "
               "https URL";
    if (!asks && (c->token_endpoint.n > 0 || c->client_id.n > 0))
        return "token_endpoint and client_id are for the kinds client_credentials and "
               "token_exchange";
    if (str_is_set(c->header) && !is_field(c->header))
        return "header is the name of a header field";
    if (str_is_set(c->header) && is_spoken_for(c->header))
        return "header is a field that HTTP or MCP itself uses: take another, such as X-Api-Key";
    return NULL;
}

static const char *mend_of_provider(const conf_provider_t *p)
{
    bool secret = p->client_secret_file.n > 0;
    if (p->issuer.n == 0 || !is_safe_url(p->issuer))
        return "an authorization server needs its issuer, an https URL";
    if (p->jwks_uri.n > 0 && !is_safe_url(p->jwks_uri))
        return "jwks_uri is an https URL";
    if (p->introspection_uri.n > 0 && !is_safe_url(p->introspection_uri))
        return "introspection_uri is an https URL";
    if ((p->client_id.n > 0) != secret)
        return "client_id and client_secret_file come together: with them tokens are asked about "
               "there";
    if (p->introspection_uri.n > 0 && !secret)
        return "introspection needs client_id and client_secret_file: nobody answers strangers";
    return NULL;
}

static const char *mend_of_providers(const conf_upstream_t *u)
{
    size_t asked = 0;
    for (size_t i = 0; i < u->n_providers; i++) {
        const char *mend = mend_of_provider(&u->providers[i]);
        if (mend)
            return mend;
        asked += u->providers[i].client_id.n > 0;
        for (size_t k = 0; k < i; k++)
            if (str_eq(u->providers[k].issuer, u->providers[i].issuer))
                return "the same issuer stands twice in authorization_servers";
    }
    return asked > 1
               ? "one authorization server at most can be asked about tokens: leave client_id "
                 "out of the others"
               : NULL;
}

static bool is_assignment(str_t s)
{
    size_t equals = str_find(s, '=', 0);
    return equals > 0 && equals < s.n;
}

static const char *mend_of_names(const conf_upstream_t *u)
{
    url_t url;
    if (!is_field(u->identity_header))
        return "identity_header is the name of a header field";
    if (is_spoken_for(u->identity_header))
        return "identity_header is a field that HTTP or MCP itself uses: take another, such as "
               "X-Warder-Identity";
    if (u->identity == CONF_IDENTITY_JWT && u->credential.kind != CONF_CREDENTIAL_NONE &&
        is_same_field(u->identity_header, u->credential.header))
        return "identity_header and the credential's header are one field, and a server would read "
               "either: give each its own";
    for (size_t i = 0; i < u->strip.n; i++)
        if (!is_field(u->strip.v[i]))
            return "strip lists names of header fields";
    for (size_t i = 0; i < u->origins.n; i++)
        if (url_parse(u->origins.v[i], &url) != RC_OK || !url_is_http(&url) || url.path.n > 0 ||
            str_is_set(url.query) || str_is_set(url.fragment) || str_is_set(url.userinfo))
            return "origins are written as browsers send them, such as https://app.example.com";
    for (size_t i = 0; i < u->child.environment.n; i++)
        if (!is_assignment(u->child.environment.v[i]))
            return "environment is a list of NAME=VALUE";
    if (u->redact.n > 0 && !u->audit_arguments)
        return "redact takes values out of what audit_arguments records: set that, too";
    return NULL;
}

const char *conf_upstream_path_mend(str_t path)
{
    if (!is_path(path))
        return "path is where clients reach it: a slash, then letters, digits and -._~ between "
               "slashes, such as /mcp";
    if (str_eq(path, STR("/.well-known")) || str_starts(path, STR("/.well-known/")))
        return "what stands under /.well-known describes this server: choose another path";
    return NULL;
}

static const char *mend_of_path(const conf_upstream_t *u)
{
    return conf_upstream_path_mend(u->path);
}

static rc_t canonical(arena_t *a, conf_upstream_t *u, const url_t *url)
{
    str_t path = url->path;
    bool trivial = path.n < 2;
    if (!str_is_set(u->path))
        u->path = trivial ? STR("/mcp") : path;
    return url_canonical(a, url, &u->url);
}

static void fill(conf_upstream_t *u)
{
    conf_credential_t *c = &u->credential;
    if (!str_is_set(u->path))
        u->path = STR("/mcp");
    if (!str_is_set(c->header))
        c->header = STR("Authorization");
    if (!str_is_set(c->prefix))
        c->prefix = str_eq_nocase(c->header, STR("Authorization")) ? STR("Bearer ") : STR("");
}

static const char *mend_of_child(const conf_upstream_t *u)
{
    bool idle = u->child.given && u->child.command.n == 0;
    return idle ? "child is for a command, and this upstream has a url: leave it out" : NULL;
}

rc_t conf_upstream_check(arena_t *a, const conf_t *conf, conf_upstream_t *u, const char **mend)
{
    url_t url;
    bool is_url = u->url.n > 0, is_command = u->child.command.n > 0;
    *mend = is_url == is_command ? "an upstream needs either url or command" : NULL;
    if (!*mend && is_url)
        *mend = mend_of_url(conf, u, &url);
    if (!*mend && is_url)
        TRY(canonical(a, u, &url));
    if (!*mend && is_command && u->identity != CONF_IDENTITY_NONE)
        *mend = "a command gets no header fields: leave identity out";
    fill(u);
    const char *(*const CHECKS[])(const conf_upstream_t *u) = {
        mend_of_path, mend_of_credential, mend_of_providers, mend_of_names, mend_of_child};
    for (size_t i = 0; !*mend && i < sizeof CHECKS / sizeof CHECKS[0]; i++)
        *mend = CHECKS[i](u);
    return RC_OK;
}
