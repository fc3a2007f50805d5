/* warder config check|show */
#include "cmd/beforehand.h"
#include "cmd/catalogue.h"
#include "cmd/command.h"
#include "cmd/issuer_keys.h"
#include "cmd/privileges.h"
#include "cmd/serve.h"
#include "cmd/settings.h"
#include "cmd/store_config.h"
#include "cmd/upstreams.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { ARENA_BYTES = 4 << 20 };

/* Parses and loads; 0 or an exit code. */
static int load(arena_t *a, int argc, char **argv, settings_t *out)
{
    option_t *rows = a ? settings_options(a) : NULL;
    if (!rows)
        return command_out_of_memory();
    if (!options_parse(argc, argv, rows, NULL, 0, NULL))
        return EXIT_USAGE;
    return settings_load(a, rows, out);
}

/* Where root starts the server, it opens these before it becomes another; nobody else can know what
 * they hold. */
static int look_at_roots_file(const settings_t *s, const char *what, const char *path)
{
    if (!path)
        return command_out_of_memory();
    if (s->conf.run_as.n == 0 || geteuid() == 0 || access(path, R_OK) == 0 || errno != EACCES)
        return EXIT_DONE;
    return command_fail(EXIT_SETTING,
                        "the %s '%s' cannot be read by this account; where root starts the server "
                        "with run_as, it may be root's alone: run config check as root",
                        what, path);
}

static int look_at_roots_files(arena_t *a, const settings_t *s)
{
    int code = EXIT_DONE;
    if (s->conf.key_file.n > 0)
        code = look_at_roots_file(s, "key file", arena_cstr(a, s->conf.key_file));
    if (code == EXIT_DONE && s->conf.audit_key_file.n > 0)
        code = look_at_roots_file(s, "audit key", trail_key_path(a, s));
    return code;
}

/* As the account that would serve, where this process can become it: who owns a file decides who
 * may read it beside. */
static int become_server(arena_t *a, const settings_t *s)
{
    int code = look_at_roots_files(a, s);
    if (code != EXIT_DONE)
        return code;
    beforehand_open(a, s);
    return privileges_look(a, s);
}

/* What the settings name, as a start would find it. */
static int look_at_files(arena_t *a, settings_t *s)
{
    const log_t log = log_stderr(LOG_WARN);
    http_tls_t *tls = NULL;
    as_kek_t kek;
    secret_t login_secret;
    int code = become_server(a, s);
    if (code == EXIT_DONE)
        code = kek_load(a, s, &kek);
    if (code == EXIT_DONE)
        code = trail_check_key(a, s);
    if (code == EXIT_DONE)
        code = serve_load_login_secret(a, s, &login_secret);
    if (code == EXIT_DONE)
        code = issuer_keys_load(a, s);
    if (code == EXIT_DONE)
        code = catalogue_load(a, s);
    if (code == EXIT_DONE)
        code = serve_load_tls(a, s, &log, &tls);
    http_tls_free(tls);
    if (code == EXIT_DONE)
        settings_warn(s, &log);
    return code;
}

static int check(int argc, char **argv)
{
    arena_t *a = arena_new(ARENA_BYTES);
    settings_t settings;
    store_config_t store;
    int code = load(a, argc, argv, &settings);
    if (code == EXIT_DONE)
        code = serve_check_reach(&settings.conf);
    if (code == EXIT_DONE)
        code = look_at_files(a, &settings);
    if (code == EXIT_DONE)
        code = upstreams_load(a, &settings);
    if (code == EXIT_DONE)
        code = store_config_make(a, &settings, NULL, &store);
    if (code == EXIT_DONE)
        printf("the settings are good\n");
    arena_free(a);
    return code;
}

static int show(int argc, char **argv)
{
    arena_t *a = arena_new(ARENA_BYTES);
    settings_t settings;
    str_t text;
    int code = load(a, argc, argv, &settings);
    if (code == EXIT_DONE && conf_show(a, &settings.sources, &settings.conf, &text) != RC_OK)
        code = command_out_of_memory();
    if (code == EXIT_DONE)
        printf("%" PRIstr, STR_ARG(text));
    arena_free(a);
    return code;
}

const command_t CMD_CONFIG_CHECK = {"config check", "[--config FILE] [--SETTING VALUE...]",
                                    "says whether the settings are good", check};
const command_t CMD_CONFIG_SHOW = {"config show", "[--config FILE] [--SETTING VALUE...]",
                                   "prints every setting with its value and where it came from",
                                   show};
