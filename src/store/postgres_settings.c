#include "store/postgres_settings.h"

#include "core/secret.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdlib.h>

/* What nobody may set, and what to do about it. A value that is NULL: none will do. */
static const struct {
    const char *key;
    const char *allowed[3];
    const char *why;
} REFUSED[] = {
    {"password",
     {NULL},
     "holds a password; write it to a file of its own and name that in "
     "postgres_password_file"},
    {"options",
     {NULL},
     "holds options for the session, which would change what its statements "
     "mean; leave options out, or set them for the role in the database"},
    {"service",
     {NULL},
     "names a service, whose file may change beside these settings; write out "
     "what it says"},
    {"replication",
     {NULL},
     "asks for a replication connection, which takes no statements; leave "
     "replication out"},
    {"client_encoding",
     {"UTF8", "utf8", NULL},
     "asks for another encoding than UTF8; leave "
     "client_encoding out"},
    {"target_session_attrs",
     {"read-write", "primary", NULL},
     "asks for a server that may not be written to; leave target_session_attrs out"},
};

/* What libpq gets where the operator said nothing. */
static const struct {
    const char *key, *value;
} DEFAULTS[] = {
    {"target_session_attrs", "read-write"}, /* of several hosts: the one that can be written to */
    {"application_name", "warder"},
    {"client_encoding", "UTF8"},
    {"keepalives_idle",
     "10"}, /* half a minute until a dead line is noticed on an idle connection */
    {"keepalives_interval", "5"},
    {"keepalives_count", "4"},
    {"gssencmode", "disable"}, /* TLS is what is judged here */
};

static PQconninfoOption *find(PQconninfoOption *options, const char *key)
{
    while (options->keyword && strcmp(options->keyword, key) != 0)
        options++;
    return options->keyword ? options : NULL;
}

static const char *value_of(PQconninfoOption *options, const char *key)
{
    PQconninfoOption *o = find(options, key);
    return o && o->val && *o->val ? o->val : NULL;
}

bool postgres_is_local(str_t host)
{
    struct in_addr v4;
    char text[INET_ADDRSTRLEN] = {0};
    if (host.n == 0 || host.p[0] == '/' || host.p[0] == '@')
        return true;
    if (str_eq_nocase(host, STR("localhost")) || str_eq(host, STR("::1")))
        return true;
    if (host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    return inet_pton(AF_INET, text, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

int64_t postgres_statement_ms(const postgres_settings_t *s)
{
    enum { PERCENT = 60 };
    return s->wait_ms * PERCENT / 100;
}

static rc_t refuse(arena_t *a, str_t *why, const char *key, const char *sentence)
{
    *why = arena_printf(a, "the setting postgres: %s %s", key, sentence);
    return RC_CONFIG;
}

/* libpq's own words may quote what it could not read, which may be a part of a password. Only the
 * name of a key is taken from them. */
static rc_t explain_unread(arena_t *a, const char *libpq, str_t *why)
{
    const char *at = libpq ? strchr(libpq, '"') : NULL;
    size_t n = at ? strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_") : 0;
    bool key = libpq && (strncmp(libpq, "invalid connection option", 25) == 0 ||
                         strncmp(libpq, "invalid URI query parameter", 27) == 0);
    if (key && n > 0 && n < 40 && at[1 + n] == '"')
        *why = arena_printf(a,
                            "the setting postgres has a key %.*s, which libpq does not know; "
                            "see its list of connection parameters",
                            (int)n, at + 1);
    else
        *why = STR("the setting postgres cannot be read; write a URI such as "
                   "postgresql://warder@db.example.com/warder, or key=value pairs of libpq");
    return RC_CONFIG;
}

static rc_t refuse_keys(arena_t *a, PQconninfoOption *said, str_t *why)
{
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++) {
        const char *value = value_of(said, REFUSED[i].key);
        bool allowed = !value;
        for (size_t k = 0; value && k < 3 && REFUSED[i].allowed[k]; k++)
            allowed = allowed || strcmp(value, REFUSED[i].allowed[k]) == 0;
        if (!allowed)
            return refuse(a, why, REFUSED[i].key, REFUSED[i].why);
    }
    return RC_OK;
}

/* The part number `i` of a list with commas; NULL: it is empty, or there is none. */
static const char *part_of(arena_t *a, const char *list, size_t i)
{
    str_t rest = list ? str_c(list) : STR_UNSET, part = STR_UNSET;
    for (size_t k = 0; k <= i; k++) {
        if (!str_split(&rest, ',', &part))
            return NULL;
    }
    return part.n > 0 ? arena_cstr(a, part) : NULL;
}

static size_t parts(const char *list)
{
    size_t n = list ? 1 : 0;
    for (; list && *list; list++)
        n += *list == ',';
    return n;
}

static rc_t read_hosts(arena_t *a, PQconninfoOption *all, postgres_settings_t *out, str_t *why)
{
    const char *host = value_of(all, "host"), *hostaddr = value_of(all, "hostaddr");
    const char *port = value_of(all, "port");
    size_t names = parts(host), addresses = parts(hostaddr), ports = parts(port);
    size_t n = names > addresses ? names : addresses;
    out->n_hosts = n > 0 ? n : 1;
    if (out->n_hosts > POSTGRES_HOSTS_MAX)
        return refuse(a, why, "host", "names more than 16 hosts; name fewer");
    if ((names > 0 && addresses > 0 && names != addresses) || (ports > 1 && ports != n))
        return refuse(a, why, "host",
                      "does not have as many parts as hostaddr or port; give each host one");
    for (size_t i = 0; i < out->n_hosts; i++)
        out->hosts[i] = (postgres_host_t){part_of(a, host, i), part_of(a, hostaddr, i),
                                          part_of(a, port, ports > 1 ? i : 0)};
    return RC_OK;
}

static bool is_local(const postgres_host_t *h)
{
    const char *address = h->hostaddr ? h->hostaddr : h->host;
    return !address || postgres_is_local(str_c(address));
}

static bool all_local(const postgres_settings_t *s)
{
    bool local = true;
    for (size_t i = 0; i < s->n_hosts; i++)
        local = local && is_local(&s->hosts[i]);
    return local;
}

/* There is no TLS on a Unix socket, whatever sslmode says. */
static bool any_socket(const postgres_settings_t *s)
{
    bool any = false;
    for (size_t i = 0; i < s->n_hosts; i++)
        any = any || !s->hosts[i].host || *s->hosts[i].host == '/' || *s->hosts[i].host == '@';
    return any;
}

/* Whoever sits on the way to another machine must not be taken for the server. */
static rc_t judge_tls(arena_t *a, PQconninfoOption *all, const postgres_settings_t *s, str_t *why)
{
    const char *mode = value_of(all, "sslmode");
    bool verified = mode && (strcmp(mode, "verify-full") == 0 || strcmp(mode, "verify-ca") == 0);
    if (verified || all_local(s))
        return RC_OK;
    return refuse(a, why, "host",
                  "is another machine, to which the way must be protected; add "
                  "sslmode=verify-full, and sslrootcert with the authority of its certificate");
}

static void put(postgres_settings_t *s, const char *key, const char *value)
{
    /* libpq 15 has 40 keys; host, hostaddr, port and the end need room. */
    if (s->n_keys + 4 >= POSTGRES_KEYS_MAX || !value)
        return;
    s->keys[s->n_keys] = key;
    s->values[s->n_keys++] = value;
}

static bool is_host_key(const char *key)
{
    return strcmp(key, "host") == 0 || strcmp(key, "hostaddr") == 0 || strcmp(key, "port") == 0;
}

static rc_t put_said(arena_t *a, PQconninfoOption *all, postgres_settings_t *s)
{
    for (PQconninfoOption *o = all; o->keyword; o++) {
        const char *key = arena_cstr(a, str_c(o->keyword));
        const char *value = o->val && *o->val ? secret_dup(a, str_c(o->val)).hidden.p : NULL;
        if (!key || (o->val && *o->val && !value))
            return RC_MEMORY;
        if (!is_host_key(key) && strcmp(key, "password") != 0)
            put(s, key, value);
    }
    return RC_OK;
}

/* The operator's word, else that of the environment, as libpq itself would take it. */
static void complete(PQconninfoOption *said, PQconninfoOption *defaults)
{
    for (PQconninfoOption *o = said; o->keyword; o++) {
        PQconninfoOption *d = find(defaults, o->keyword);
        if (d && (!o->val || !*o->val) && d->val) {
            PQfreemem(o->val);
            o->val = strdup(d->val);
        }
    }
}

static rc_t put_password(arena_t *a, const store_config_t *config, PQconninfoOption *all,
                         bool said_binding, postgres_settings_t *s)
{
    const char *own = value_of(all, "password"); /* of the environment */
    const char *mode = value_of(all, "sslmode");
    str_t password = str_is_empty(config->postgres.password) ? (own ? str_c(own) : STR_UNSET)
                                                             : config->postgres.password;
    if (str_is_empty(password))
        return RC_OK;
    secret_t copy = secret_dup(a, password);
    if (!copy.hidden.p)
        return RC_MEMORY;
    put(s, "password", copy.hidden.p);
    if (!said_binding && mode && strncmp(mode, "verify", 6) == 0 && !any_socket(s))
        put(s, "channel_binding", "require");
    return RC_OK;
}

static rc_t put_defaults(arena_t *a, PQconninfoOption *said, postgres_settings_t *s)
{
    for (size_t i = 0; i < sizeof DEFAULTS / sizeof DEFAULTS[0]; i++) {
        if (!value_of(said, DEFAULTS[i].key))
            put(s, DEFAULTS[i].key, DEFAULTS[i].value);
    }
    if (value_of(said, "tcp_user_timeout"))
        return RC_OK;
    str_t wait = arena_printf(a, "%lld", (long long)s->wait_ms);
    put(s, "tcp_user_timeout", wait.p);
    return wait.p ? RC_OK : RC_MEMORY;
}

static void read_numbers(const store_config_t *config, PQconninfoOption *said,
                         postgres_settings_t *out)
{
    const store_postgres_t *p = &config->postgres;
    const char *timeout = value_of(said, "connect_timeout");
    long seconds = timeout ? strtol(timeout, NULL, 10) : 0;
    out->connections = p->connections > 0 ? p->connections : POSTGRES_CONNECTIONS_DEFAULT;
    if (out->connections > POSTGRES_CONNECTIONS_MAX)
        out->connections = POSTGRES_CONNECTIONS_MAX;
    out->wait_ms = p->wait_ms > 0 ? p->wait_ms : POSTGRES_WAIT_DEFAULT_MS;
    out->connect_ms = seconds > 0 && seconds < 600 ? seconds * 1000 : POSTGRES_CONNECT_MS;
}

/* `said` is completed on the way. */
static rc_t read_all(arena_t *a, const store_config_t *config, PQconninfoOption *said,
                     PQconninfoOption *defaults, postgres_settings_t *out, str_t *why)
{
    postgres_settings_t last = {0}; /* stands behind what was said, and so counts */
    TRY(refuse_keys(a, said, why));
    read_numbers(config, said, out);
    last.wait_ms = out->wait_ms;
    TRY(put_defaults(a, said, &last));
    bool said_binding = value_of(said, "channel_binding") != NULL;
    complete(said, defaults);
    TRY(read_hosts(a, said, out, why));
    TRY(judge_tls(a, said, out, why));
    TRY(put_said(a, said, out));
    TRY(put_password(a, config, said, said_binding, out));
    for (size_t i = 0; i < last.n_keys; i++)
        put(out, last.keys[i], last.values[i]);
    return RC_OK;
}

rc_t postgres_settings_read(arena_t *a, const store_config_t *config, postgres_settings_t *out,
                            str_t *why)
{
    char *problem = NULL;
    *out = (postgres_settings_t){0};
    *why = STR("the store has no memory");
    if (str_is_empty(config->postgres.conninfo)) {
        *why = STR("the store postgres needs a server; name it in the setting postgres, such as "
                   "postgresql://warder@db.example.com/warder?sslmode=verify-full");
        return RC_CONFIG;
    }
    char *text = arena_cstr(a, config->postgres.conninfo);
    PQconninfoOption *said = text ? PQconninfoParse(text, &problem) : NULL;
    rc_t rc = said || !text ? RC_MEMORY : explain_unread(a, problem, why);
    PQconninfoOption *defaults = said ? PQconndefaults() : NULL;
    if (defaults)
        rc = read_all(a, config, said, defaults, out, why);
    PQconninfoFree(said);
    PQconninfoFree(defaults);
    PQfreemem(problem);
    return rc;
}
