#include "oauth/redirect_uri.h"

#include "core/buf.h"
#include "core/hex.h"
#include "core/host_list.h"
#include "core/limits.h"
#include "core/url.h"
#include "oauth/plain.h"
#include "oauth/redirect_host.h"

/* Schemes that lead to no native application: they run code, read files, show text of the caller's
 * choice, install or set something, or are another protocol. "localhost:8080/cb" has one too: what
 * was meant is http. Private-use schemes are all others (RFC 8252 section 7.1). */
static const str_t FOREIGN_SCHEMES[] = {
    STR_INIT("javascript"),    STR_INIT("vbscript"),
    STR_INIT("data"),          STR_INIT("file"),
    STR_INIT("filesystem"),    STR_INIT("blob"),
    STR_INIT("about"),         STR_INIT("view-source"),
    STR_INIT("jar"),           STR_INIT("resource"),
    STR_INIT("chrome"),        STR_INIT("mailto"),
    STR_INIT("tel"),           STR_INIT("sms"),
    STR_INIT("urn"),           STR_INIT("ws"),
    STR_INIT("wss"),           STR_INIT("ftp"),
    STR_INIT("ftps"),          STR_INIT("sftp"),
    STR_INIT("ssh"),           STR_INIT("ldap"),
    STR_INIT("ldaps"),         STR_INIT("smb"),
    STR_INIT("gopher"),        STR_INIT("telnet"),
    STR_INIT("intent"),        STR_INIT("livescript"),
    STR_INIT("mocha"),         STR_INIT("mhtml"),
    STR_INIT("res"),           STR_INIT("mk"),
    STR_INIT("its"),           STR_INIT("ms-its"),
    STR_INIT("feed"),          STR_INIT("shell"),
    STR_INIT("ms-msdt"),       STR_INIT("search"),
    STR_INIT("search-ms"),     STR_INIT("git+ssh"),
    STR_INIT("svn+ssh"),       STR_INIT("ms-settings"),
    STR_INIT("ms-officecmd"),  STR_INIT("ms-appinstaller"),
    STR_INIT("itms-services"), STR_INIT("android-app"),
    STR_INIT("market"),        STR_INIT("localhost"),
};

/* Parameters of our answer: a registered query that holds one would give it twice. */
static const str_t ANSWER_PARAMETERS[] = {
    STR_INIT("code"),
    STR_INIT("state"),
    STR_INIT("iss"),
    STR_INIT("error"),
    STR_INIT("error_description"),
    STR_INIT("error_uri"),
};

enum {
    N_FOREIGN_SCHEMES = sizeof FOREIGN_SCHEMES / sizeof FOREIGN_SCHEMES[0],
    N_ANSWER_PARAMETERS = sizeof ANSWER_PARAMETERS / sizeof ANSWER_PARAMETERS[0],
};

/* What runs code, reads files or is otherwise no application: never allowed. */
static bool scheme_is_foreign(str_t scheme)
{
    for (size_t i = 0; i < N_FOREIGN_SCHEMES; i++)
        if (str_eq_nocase(FOREIGN_SCHEMES[i], scheme))
            return true;
    return false;
}

/* Whether the client will read `raw` as `name`: "%63ode" is "code" to it. The escapes of a parsed
 * URL are well-formed. */
static bool reads_as(str_t raw, str_t name)
{
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];
        if (c == '%') {
            c = (char)(hex_value(raw.p[i + 1]) << 4 | hex_value(raw.p[i + 2]));
            i += 2;
        }
        if (n == name.n || name.p[n++] != c)
            return false;
    }
    return n == name.n;
}

static bool query_answers(str_t query)
{
    str_t piece;
    while (str_split(&query, '&', &piece)) {
        str_t name = str_first(piece, str_find(piece, '=', 0));
        for (size_t i = 0; i < N_ANSWER_PARAMETERS; i++)
            if (reads_as(name, ANSWER_PARAMETERS[i]))
                return true;
    }
    return false;
}

/* Exactly so written: other spellings of the same addresses are refused. */
static const str_t LOOPBACK_HOSTS[] = {STR_INIT("127.0.0.1"), STR_INIT("[::1]"),
                                       STR_INIT("localhost")};

static bool is_loopback(const url_t *u)
{
    static const str_list_t hosts = {LOOPBACK_HOSTS,
                                     sizeof LOOPBACK_HOSTS / sizeof LOOPBACK_HOSTS[0]};
    return str_eq(u->scheme, STR("http")) && str_list_has(hosts, u->host);
}

/* Spellings would lead around the hosts that an operator denies, and tell people another one. */
static oauth_reason_t check_host(str_t host)
{
    if (host.n == 0)
        return OAUTH_REDIRECT_URI_MALFORMED;
    return oauth_redirect_host_is_plain(host) ? OAUTH_FINE : OAUTH_REDIRECT_URI_SPELLING;
}

static oauth_reason_t check_scheme(const url_t *u, oauth_redirect_kind_t *kind)
{
    *kind = OAUTH_REDIRECT_HTTPS;
    if (str_eq_nocase(u->scheme, STR("https")))
        return check_host(u->host);
    *kind = OAUTH_REDIRECT_LOOPBACK;
    if (str_eq_nocase(u->scheme, STR("http")))
        return is_loopback(u) ? OAUTH_FINE : OAUTH_REDIRECT_URI_HTTP;
    *kind = OAUTH_REDIRECT_PRIVATE;
    if (scheme_is_foreign(u->scheme))
        return OAUTH_REDIRECT_URI_SCHEME;
    return u->host.n + u->path.n > 0 ? OAUTH_FINE : OAUTH_REDIRECT_URI_MALFORMED;
}

static bool has_scheme(str_list_t list, str_t scheme)
{
    for (size_t i = 0; i < list.n; i++)
        if (str_eq_nocase(list.v[i], scheme))
            return true;
    return false;
}

/* The three names of this machine are one: denying one of them denies all, and whatever else leads
 * there. */
static bool is_denied(const oauth_redirect_policy_t *policy, const url_t *u)
{
    url_t named = *u;
    if (host_list_has(policy->denied_hosts, u))
        return true;
    for (size_t i = 0; oauth_redirect_host_is_loopback(u->host) && i < 3; i++) {
        named.host = LOOPBACK_HOSTS[i];
        if (host_list_has(policy->denied_hosts, &named))
            return true;
    }
    return false;
}

static oauth_reason_t check_policy(const oauth_redirect_policy_t *policy, const url_t *u,
                                   oauth_redirect_kind_t kind)
{
    if (kind == OAUTH_REDIRECT_PRIVATE)
        return has_scheme(policy->schemes, u->scheme) ? OAUTH_FINE : OAUTH_REDIRECT_URI_PRIVATE;
    if (is_denied(policy, u))
        return OAUTH_REDIRECT_URI_HOST;
    bool listed =
        kind == OAUTH_REDIRECT_LOOPBACK || policy->hosts.n == 0 || host_list_has(policy->hosts, u);
    return listed ? OAUTH_FINE : OAUTH_REDIRECT_URI_HOST;
}

oauth_reason_t oauth_redirect_uri_check(str_t uri, const oauth_redirect_policy_t *policy,
                                        oauth_redirect_kind_t *kind)
{
    url_t u;
    *kind = OAUTH_REDIRECT_HTTPS;
    if (uri.n > LIMIT_REDIRECT_URI_BYTES || url_parse(uri, &u) != RC_OK)
        return OAUTH_REDIRECT_URI_MALFORMED;
    if (str_is_set(u.fragment))
        return OAUTH_REDIRECT_URI_FRAGMENT;
    if (str_is_set(u.userinfo))
        return OAUTH_REDIRECT_URI_USERINFO;
    if (str_find(u.host, '*', 0) < u.host.n || str_find(u.path, '*', 0) < u.path.n)
        return OAUTH_REDIRECT_URI_WILDCARD;
    if (query_answers(u.query))
        return OAUTH_REDIRECT_URI_QUERY;
    oauth_reason_t reason = check_scheme(&u, kind);
    return reason == OAUTH_FINE && policy ? check_policy(policy, &u, *kind) : reason;
}

oauth_redirect_kind_t oauth_redirect_uri_kind(str_t uri)
{
    oauth_redirect_kind_t kind;
    (void)oauth_redirect_uri_check(uri, NULL, &kind);
    return kind;
}

static str_t path_or_root(const url_t *u)
{
    return u->path.n == 0 ? STR("/") : u->path;
}

/* Whether both lead to this machine and differ in port, host or path only. */
static bool same_loopback(str_t registered, str_t asked, bool any_path)
{
    url_t r, q;
    if (url_parse(registered, &r) != RC_OK || !is_loopback(&r))
        return false;
    if (url_parse(asked, &q) != RC_OK || !is_loopback(&q))
        return false;
    return !str_is_set(q.userinfo) && !str_is_set(q.fragment) && str_eq(r.query, q.query) &&
           (any_path || str_eq(path_or_root(&r), path_or_root(&q)));
}

bool oauth_redirect_uri_matches(str_t registered, str_t asked)
{
    return str_eq(registered, asked) || same_loopback(registered, asked, false);
}

rc_t oauth_redirect_uri_key(arena_t *a, str_t uri, str_t *out)
{
    url_t url;
    *out = str_is_set(uri) ? uri : STR("");
    if (oauth_redirect_uri_kind(*out) != OAUTH_REDIRECT_LOOPBACK || url_parse(uri, &url) != RC_OK ||
        !str_is_set(url.port))
        return RC_OK;
    size_t colon = (size_t)(url.port.p - uri.p) - 1;
    *out = arena_printf(a, "%" PRIstr "%" PRIstr, STR_ARG(str_first(uri, colon)),
                        STR_ARG(str_skip(uri, colon + 1 + url.port.n)));
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

oauth_reason_t oauth_redirect_uri_choose(str_list_t registered, str_t asked, str_t *chosen)
{
    *chosen = STR_UNSET;
    if (!str_is_set(asked)) {
        if (registered.n != 1)
            return OAUTH_REDIRECT_URI_MISSING;
        *chosen = registered.v[0];
        return OAUTH_FINE;
    }
    if (asked.n > LIMIT_REDIRECT_URI_BYTES)
        return OAUTH_REDIRECT_URI_NOT_REGISTERED;
    for (size_t i = 0; i < registered.n; i++) {
        if (!oauth_redirect_uri_matches(registered.v[i], asked))
            continue;
        *chosen = asked;
        return OAUTH_FINE;
    }
    return OAUTH_REDIRECT_URI_NOT_REGISTERED;
}

oauth_reason_t oauth_redirect_uri_choose_for(const client_t *client, str_t asked, str_t *chosen)
{
    str_list_t registered = client->redirect_uris;
    oauth_reason_t reason = oauth_redirect_uri_choose(registered, asked, chosen);
    if (reason != OAUTH_REDIRECT_URI_NOT_REGISTERED || asked.n > LIMIT_REDIRECT_URI_BYTES)
        return reason;
    for (size_t i = 0; i < registered.n; i++) {
        if (!same_loopback(registered.v[i], asked, true))
            continue;
        *chosen = client->lenient_loopback ? asked : registered.v[i];
        return client->lenient_loopback ? OAUTH_FINE : reason;
    }
    return reason;
}

static void put_parameter(buf_t *b, char *separator, str_t name, str_t value)
{
    if (!str_is_set(value))
        return;
    if (*separator)
        buf_char(b, *separator);
    *separator = '&';
    buf_put(b, name);
    buf_char(b, '=');
    buf_percent(b, value);
}

/* What stands before the first parameter: nothing behind a query that is open already. */
static char first_separator(str_t uri)
{
    if (str_find(uri, '?', 0) == uri.n)
        return '?';
    return str_ends(uri, STR("?")) || str_ends(uri, STR("&")) ? '\0' : '&';
}

rc_t oauth_redirect_uri_answer(arena_t *a, str_t uri, const oauth_redirect_answer_t *answer,
                               str_t *out)
{
    str_t description = STR_UNSET;
    if (str_is_set(answer->error_description)) {
        buf_t text = buf_new(a, LIMIT_REDIRECT_BYTES);
        oauth_plain_put(&text, answer->error_description);
        TRY(buf_done(&text, &description));
    }
    char separator = first_separator(uri);
    buf_t b = buf_new(a, LIMIT_REDIRECT_BYTES);
    buf_put(&b, uri);
    put_parameter(&b, &separator, STR("code"), answer->code);
    put_parameter(&b, &separator, STR("error"), answer->error);
    put_parameter(&b, &separator, STR("error_description"), description);
    put_parameter(&b, &separator, STR("state"), answer->state);
    put_parameter(&b, &separator, STR("iss"), answer->iss);
    return buf_done(&b, out);
}
