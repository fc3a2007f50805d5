/* What the server, a reload, and the libraries below may touch: named here, in one place. */
#include "cmd/sandbox.h"

#include "conf/conf_address.h"
#include "conf/conf_table.h"
#include "core/num.h"

#include <limits.h>
#include <stdlib.h>

/* Where strangers' secrets lie side by side: a file in there is named alone, never the folder. One
 * that is replaced by another file is then out of reach until the next start. */
static const char *const TOO_WIDE[] = {"/",    "/etc", "/home",    "/root",    "/tmp",    "/usr",
                                       "/var", "/run", "/opt",     "/srv",     "/dev",    "/proc",
                                       "/sys", "/mnt", "/var/lib", "/var/run", "/var/tmp"};

/* Names, trust, time, and what is loaded on demand (name services, providers, character sets). */
static const char *const OF_SYSTEM[] = {"/etc/resolv.conf",
                                        "/etc/hosts",
                                        "/etc/host.conf",
                                        "/etc/nsswitch.conf",
                                        "/etc/gai.conf",
                                        "/etc/services",
                                        "/etc/protocols",
                                        "/etc/localtime",
                                        "/usr/share/zoneinfo",
                                        "/etc/ld.so.cache",
                                        "/lib",
                                        "/lib64",
                                        "/usr/lib",
                                        "/usr/lib64",
                                        "/usr/local/lib",
                                        "/etc/ssl",
                                        "/etc/pki",
                                        "/etc/ca-certificates",
                                        "/etc/crypto-policies",
                                        "/usr/share/ca-certificates",
                                        "/usr/local/share/ca-certificates",
                                        "/usr/share/crypto-policies",
                                        "/var/lib/ca-certificates",
                                        "/dev/urandom",
                                        "/dev/random",
                                        "/proc/sys/vm/overcommit_memory",
                                        "/proc/sys/kernel/random",
                                        "/sys/devices/system/cpu",
                                        "/run/systemd/resolve",
                                        "/run/nscd"};

/* By which OpenSSL, libc and libpq are told other places. */
static const char *const OF_ENVIRONMENT[] = {
    "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "TZDIR",      "PGSSLROOTCERT",
    "PGSSLCERT",     "PGSSLKEY",     "PGSSLCRL",     "PGPASSFILE", "PGSERVICEFILE"};

static rc_t add(sandbox_plan_t *p, const char *path, bool writes)
{
    if (!path)
        return RC_MEMORY;
    if (p->n_paths == SANDBOX_PATHS_MAX)
        return RC_LIMIT;
    p->paths[p->n_paths++] = (sandbox_path_t){path, writes};
    return RC_OK;
}

static bool is_too_wide(const char *folder)
{
    for (size_t i = 0; i < sizeof TOO_WIDE / sizeof *TOO_WIDE; i++)
        if (strcmp(folder, TOO_WIDE[i]) == 0)
            return true;
    return false;
}

/* The folder of a file, as the kernel would name it: an absolute path without links. NULL: there is
 * none, or it is too wide; where files are made it must be had. */
static const char *folder_of(arena_t *a, const char *file, bool writes)
{
    char real[PATH_MAX];
    const char *slash = strrchr(file, '/');
    str_t folder = slash ? str_of(file, (size_t)(slash - file)) : STR(".");
    const char *c = arena_cstr(a, folder.n ? folder : STR("/"));
    if (!c || !realpath(c, real) || (!writes && is_too_wide(real)))
        return NULL;
    return arena_cstr(a, str_c(real));
}

/* A file that may be replaced while the server runs, by renaming another over it or by turning a
 * link: a rule holds for what was there, so the folders of both are what is allowed. */
static rc_t add_file(arena_t *a, sandbox_plan_t *p, const char *file, bool writes)
{
    char real[PATH_MAX];
    if (!file)
        return RC_MEMORY;
    const char *folder = folder_of(a, file, writes);
    TRY(add(p, folder ? folder : file, writes));
    if (!realpath(file, real))
        return RC_OK;
    folder = folder_of(a, real, writes);
    return add(p, folder ? folder : arena_cstr(a, str_c(real)), writes);
}

static rc_t add_setting_file(arena_t *a, sandbox_plan_t *p, const settings_t *s, str_t file)
{
    return file.n > 0 ? add_file(a, p, settings_path(a, s, file), false) : RC_OK;
}

/* Settings whose value is a file that a start or a reload reads. */
static bool names_file(const conf_row_t *row)
{
    return row->type == CONF_STR &&
           (str_ends(row->key, STR("_file")) || str_eq(row->key, STR("tls_certificate")) ||
            str_eq(row->key, STR("client_catalogue")));
}

static rc_t add_settings(arena_t *a, sandbox_plan_t *p, const settings_t *s)
{
    for (size_t i = 0; i < CONF_N_ROWS; i++) {
        const conf_row_t *row = &CONF_ROWS[i];
        const void *value = (const char *)&s->conf + row->offset;
        if (!names_file(row) || str_eq(row->key, STR("audit_file")))
            continue;
        TRY(add_setting_file(a, p, s, *(const str_t *)value));
        /* Some count from the working folder. */
        if (((const str_t *)value)->n > 0)
            TRY(add_file(a, p, arena_cstr(a, *(const str_t *)value), false));
    }
    return RC_OK;
}

static rc_t add_upstream(arena_t *a, sandbox_plan_t *p, const settings_t *s,
                         const conf_upstream_t *u)
{
    TRY(add_setting_file(a, p, s, u->credential.secret_file));
    TRY(add_setting_file(a, p, s, u->certificate_authorities));
    for (size_t i = 0; i < u->n_providers; i++)
        TRY(add_setting_file(a, p, s, u->providers[i].client_secret_file));
    return RC_OK;
}

static rc_t add_upstreams(arena_t *a, sandbox_plan_t *p, const settings_t *s)
{
    for (size_t i = 0; i < s->conf.n_upstreams; i++)
        TRY(add_upstream(a, p, s, &s->conf.upstreams[i]));
    return RC_OK;
}

static rc_t add_system(arena_t *a, sandbox_plan_t *p)
{
    char real[PATH_MAX];
    const char *home = getenv("HOME");
    for (size_t i = 0; i < sizeof OF_SYSTEM / sizeof *OF_SYSTEM; i++)
        TRY(add(p, OF_SYSTEM[i], false));
    for (size_t i = 0; i < sizeof OF_ENVIRONMENT / sizeof *OF_ENVIRONMENT; i++)
        if (getenv(OF_ENVIRONMENT[i]))
            TRY(add(p, getenv(OF_ENVIRONMENT[i]), false));
    /* It is written anew as the network changes, where it is a link by another program. */
    if (realpath("/etc/resolv.conf", real))
        TRY(add_file(a, p, arena_cstr(a, str_c(real)), false));
    if (home && home[0] == '/')
        TRY(add(p, arena_cstr(a, arena_printf(a, "%s/.postgresql", home)), false));
    return add(p, "/dev/null", true);
}

/* Files that the text for libpq names, such as sslrootcert=/etc/db/root.crt, or with %2F in a URI:
 * whatever stands behind a '=' and begins like a path. */
static rc_t add_postgres(arena_t *a, sandbox_plan_t *p, str_t text)
{
    str_t part;
    while (str_split(&text, '=', &part)) {
        bool coded = str_starts(text, STR("%2F")) || str_starts(text, STR("%2f"));
        if (!coded && !str_starts(text, STR("/")) && !str_starts(text, STR("'/")))
            continue;
        char *path = arena_cstr(a, str_first(text, str_find(text, '&', 0)));
        if (!path)
            return RC_MEMORY;
        char *to = path;
        for (const char *c = path; *c && *c != ' '; c++) {
            bool slash = c[0] == '%' && c[1] == '2' && (c[2] == 'F' || c[2] == 'f');
            if (*c != '\'')
                *to++ = slash ? '/' : *c;
            c += slash ? 2 : 0;
        }
        *to = '\0';
        TRY(add_file(a, p, path, false));
    }
    return RC_OK;
}

static rc_t add_listen(sandbox_plan_t *p, str_t listen)
{
    str_t host;
    uint16_t port;
    if (listen.n == 0 || !conf_listen_split(listen, &host, &port))
        return RC_OK;
    p->any_port |= port == 0;
    p->listen[p->n_listen++] = port;
    return RC_OK;
}

static rc_t add_ports(sandbox_plan_t *p, const conf_t *conf)
{
    TRY(add_listen(p, conf->listen));
    TRY(add_listen(p, conf->metrics_listen));
    for (size_t i = 0; i < conf->sandbox_connect_ports.n; i++) {
        uint64_t port;
        if (p->n_connect == SANDBOX_PORTS_MAX)
            return RC_LIMIT;
        if (!num_u64(conf->sandbox_connect_ports.v[i], UINT16_MAX, &port))
            return RC_CONFIG;
        p->connect[p->n_connect++] = (uint16_t)port;
    }
    return RC_OK;
}

bool sandbox_plan_reads(const sandbox_plan_t *plan, const char *path)
{
    char real[PATH_MAX], allowed[PATH_MAX];
    if (!realpath(path, real))
        return false;
    for (size_t i = 0; i < plan->n_paths; i++) {
        if (!realpath(plan->paths[i].path, allowed))
            continue;
        str_t file = str_c(real), folder = str_c(allowed);
        if (str_starts(file, folder) &&
            (folder.n == 1 || file.n == folder.n || file.p[folder.n] == '/'))
            return true;
    }
    return false;
}

rc_t sandbox_plan(arena_t *a, const settings_t *s, sandbox_plan_t *out)
{
    const char *notify = getenv("NOTIFY_SOCKET");
    *out = (sandbox_plan_t){.abstract = notify && notify[0] == '@'};
    TRY(add(out, arena_cstr(a, s->conf.data), true));
    TRY(add_file(a, out, arena_cstr(a, s->conf.audit_file), true));
    if (s->sources.file_name.n > 0)
        TRY(add_file(a, out, arena_cstr(a, s->sources.file_name), false));
    TRY(add_settings(a, out, s));
    TRY(add_upstreams(a, out, s));
    for (size_t i = 0; i < s->conf.sandbox_paths.n; i++)
        TRY(add(out, settings_path(a, s, s->conf.sandbox_paths.v[i]), false));
    TRY(add_postgres(a, out, s->conf.postgres));
    TRY(add_system(a, out));
    return add_ports(out, &s->conf);
}
