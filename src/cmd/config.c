/* warder config check|show */
#include "cmd/catalogue.h"
#include "cmd/command.h"
#include "cmd/issuer_keys.h"
#include "cmd/serve.h"
#include "cmd/settings.h"
#include "cmd/store_config.h"
#include "cmd/upstreams.h"

#include <stdio.h>

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

/* What the settings name, as a start would find it for whoever runs this. */
static int look_at_files(arena_t *a, settings_t *s)
{
    const log_t log = log_stderr(LOG_WARN);
    http_tls_t *tls = NULL;
    as_kek_t kek;
    int code = s->conf.key_file.n > 0 ? kek_file(a, s->conf.key_file, &kek) : EXIT_DONE;
    if (code == EXIT_DONE)
        code = issuer_keys_load(a, s);
    if (code == EXIT_DONE)
        code = catalogue_load(a, s);
    if (code == EXIT_DONE)
        code = serve_load_tls(a, s, &log, &tls);
    http_tls_free(tls);
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
