#include "cmd/settings.h"

#include "cmd/text_file.h"
#include "conf/conf_store.h"
#include "conf/conf_table.h"
#include "core/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

const char *settings_flag(arena_t *a, str_t key)
{
    char *flag = arena_cstr(a, key);
    for (char *c = flag; c && *c; c++)
        if (*c == '_')
            *c = '-';
    return flag;
}

option_t *settings_options(arena_t *a)
{
    option_t *rows = ARENA_ARRAY(a, CONF_N_ROWS + 2, option_t);
    if (!rows)
        return NULL;
    rows[0].name = "config";
    for (size_t i = 0; i < CONF_N_ROWS; i++)
        rows[i + 1].name = settings_flag(a, CONF_ROWS[i].key);
    return rows;
}

/* Variables that tests, benchmarks and the build use for themselves, the one that names the
 * settings file, and the one that is a secret: no setting is (cmd/kek.h). */
static const char *const NOT_SETTINGS[] = {"config", "source", "shared", "build", "key"};
static const char *const NOT_SETTINGS_PREFIXES[] = {"bench_", "crash_", "e2e_", "power_",
                                                    "race_",  "soak_",  "test_"};

static bool is_no_setting(str_t key)
{
    for (size_t i = 0; i < sizeof NOT_SETTINGS / sizeof NOT_SETTINGS[0]; i++)
        if (str_eq(key, str_c(NOT_SETTINGS[i])))
            return true;
    for (size_t i = 0; i < sizeof NOT_SETTINGS_PREFIXES / sizeof NOT_SETTINGS_PREFIXES[0]; i++)
        if (str_starts(key, str_c(NOT_SETTINGS_PREFIXES[i])))
            return true;
    return false;
}

/* WARDER_PUBLIC_URL=… as {public_url, …}. Variables of other programs' making are left alone only
 * if they do not begin with WARDER_. */
static rc_t read_environment(arena_t *a, conf_sources_t *sources)
{
    size_t n = 0;
    for (char **e = environ; *e; e++)
        n += strncmp(*e, "WARDER_", 7) == 0;
    conf_value_t *values = ARENA_ARRAY(a, n + 1, conf_value_t);
    if (!values)
        return RC_MEMORY;
    n = 0;
    for (char **e = environ; *e; e++) {
        if (strncmp(*e, "WARDER_", 7) != 0)
            continue;
        str_t entry = str_c(*e + 7);
        size_t eq = str_find(entry, '=', 0);
        char *key = arena_cstr(a, str_first(entry, eq));
        if (!key)
            return RC_MEMORY;
        for (char *c = key; *c; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c + 32);
        if (!is_no_setting(str_c(key)))
            values[n++] = (conf_value_t){str_c(key), str_skip(entry, eq + 1)};
    }
    sources->env = values;
    sources->n_env = n;
    return RC_OK;
}

static rc_t read_flags(arena_t *a, const option_t *rows, conf_sources_t *sources)
{
    conf_value_t *values = ARENA_ARRAY(a, CONF_N_ROWS, conf_value_t);
    if (!values)
        return RC_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < CONF_N_ROWS; i++) {
        const char *flag = settings_flag(a, CONF_ROWS[i].key);
        if (flag && option_is_set(rows, flag))
            values[n++] = (conf_value_t){CONF_ROWS[i].key, option_get(rows, flag)};
    }
    sources->flags = values;
    sources->n_flags = n;
    return RC_OK;
}

/* $XDG_STATE_HOME/warder, else ~/.local/state/warder (XDG base directories), else ./warder-data. */
static str_t default_data(arena_t *a)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && state[0] == '/')
        return arena_printf(a, "%s/warder", state);
    if (home && home[0] == '/')
        return arena_printf(a, "%s/.local/state/warder", home);
    return STR("warder-data");
}

/* The host's name without what a node's may not have. */
static str_t default_node(arena_t *a)
{
    enum { BYTES = CONF_NODE_NAME_MAX + 1 };
    char *name = arena_alloc(a, BYTES);
    if (!name)
        return STR_UNSET;
    if (gethostname(name, BYTES) != 0)
        name[0] = '\0';
    name[BYTES - 1] = '\0';
    for (char *c = name; *c; c++)
        if (!conf_is_node_name(str_of(c, 1)) && !strchr("._-", *c))
            *c = '-';
    return conf_is_node_name(str_c(name)) ? str_c(name) : STR("node");
}

static rc_t fill_defaults(arena_t *a, settings_t *s)
{
    conf_t *conf = &s->conf;
    s->node_is_given = conf->node.n > 0;
    if (!s->node_is_given)
        conf->node = default_node(a);
    if (conf->data.n == 0)
        conf->data = default_data(a);
    if (conf->audit_file.n == 0)
        conf->audit_file = arena_printf(a, "%" PRIstr "/audit.log", STR_ARG(conf->data));
    if (conf->workers == 0) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        conf->workers = n < 1 ? 1 : n > 256 ? 256 : n;
    }
    s->database = arena_printf(a, "%" PRIstr "/warder.db", STR_ARG(conf->data));
    bool all = str_is_set(conf->data) && str_is_set(conf->audit_file) && str_is_set(s->database) &&
               str_is_set(conf->node);
    return all ? RC_OK : RC_MEMORY;
}

int settings_load_again(arena_t *a, const option_t *rows, settings_t *out, refusal_t *refusal)
{
    *out = (settings_t){.refusal = refusal};
    str_t file = option_row(rows, "config") ? option_get(rows, "config") : STR_UNSET;
    if (!str_is_set(file))
        file = str_c(getenv("WARDER_CONFIG"));
    if (str_is_set(file)) {
        const char *path = arena_cstr(a, file);
        if (!path || text_file_read(a, path, LIMIT_CONF_FILE_BYTES, &out->sources.file) != RC_OK)
            return command_refuse(refusal, EXIT_SETTING,
                                  "the settings file '%" PRIstr "' cannot be read: %s",
                                  STR_ARG(file), strerror(errno));
        out->sources.file_name = file;
    }
    if (read_environment(a, &out->sources) != RC_OK || read_flags(a, rows, &out->sources) != RC_OK)
        return command_refuse(refusal, EXIT_FAILED, "out of memory");
    const conf_t *conf;
    str_t why;
    if (conf_load(a, &out->sources, &conf, &why) != RC_OK)
        return command_refuse(refusal, EXIT_SETTING, "%" PRIstr, STR_ARG(why));
    out->conf = *conf;
    if (fill_defaults(a, out) != RC_OK)
        return command_refuse(refusal, EXIT_FAILED, "out of memory");
    return EXIT_DONE;
}

int settings_load(arena_t *a, const option_t *rows, settings_t *out)
{
    return settings_load_again(a, rows, out, NULL);
}

static void warn(const log_t *log, const char *setting, const char *mend)
{
    LOG(log, LOG_WARN, "a setting does nothing", LOG_S("setting", str_c(setting)),
        LOG_S("mend", str_c(mend)));
}

void settings_warn(const settings_t *s, const log_t *log)
{
    const conf_t *conf = &s->conf;
    if (conf->login_issuer.n == 0 && conf->login_client_id.n > 0)
        warn(log, "login_client_id", "set login_issuer too: it says at which provider");
    if (!str_eq(conf->store, STR("postgres")) && conf->postgres.n > 0)
        warn(log, "postgres",
             "set store to postgres, or this server shares nothing with others; else leave it out");
}

str_t settings_node(const settings_t *s)
{
    bool is_one_of_many = s->node_is_given || str_eq(s->conf.store, STR("postgres"));
    return is_one_of_many ? s->conf.node : STR_UNSET;
}

/* Where the settings file is, with its slash; empty for the working folder. */
static str_t folder_of(str_t file)
{
    size_t n = file.n;
    while (n > 0 && file.p[n - 1] != '/')
        n--;
    return str_first(file, n);
}

const char *settings_path(arena_t *a, const settings_t *s, str_t file)
{
    bool absolute = file.n > 0 && file.p[0] == '/';
    str_t folder = absolute ? STR("") : folder_of(s->sources.file_name);
    return arena_cstr(a, arena_printf(a, "%" PRIstr "%" PRIstr, STR_ARG(folder), STR_ARG(file)));
}

int settings_make_data(arena_t *a, const settings_t *s)
{
    char *path = arena_cstr(a, s->conf.data);
    if (!path)
        return command_out_of_memory();
    for (char *slash = path + 1; *slash; slash++) {
        if (*slash != '/')
            continue;
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return command_fail(EXIT_SETTING,
                            "the data folder '%s' cannot be made: %s; give another by --data", path,
                            strerror(errno));
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return command_fail(EXIT_SETTING, "'%s' is not a folder; give another by --data", path);
    if (access(path, W_OK | X_OK) != 0)
        return command_fail(EXIT_SETTING, "the data folder '%s' cannot be written: %s", path,
                            strerror(errno));
    return EXIT_DONE;
}
