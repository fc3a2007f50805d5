#include "cmd/store_config.h"

#include "cmd/command.h"
#include "cmd/secret_file.h"

/* The file ends in a line feed, as files do; the password does not. */
static int read_password(arena_t *a, const settings_t *s, str_t *out)
{
    secret_t secret;
    const secret_file_t file = {settings_path(a, s, s->conf.postgres_password_file),
                                "PostgreSQL password file", false, s->refusal};
    if (!file.path)
        return command_out_of_memory();
    int code = secret_file_read(a, &file, &secret);
    if (code != EXIT_DONE)
        return code;
    *out = str_trim(secret.hidden, "\r\n");
    return out->n > 0 ? EXIT_DONE
                      : command_refuse(s->refusal, EXIT_SETTING,
                                       "the PostgreSQL password file '%s' is empty", file.path);
}

int store_config_make(arena_t *a, const settings_t *s, const log_t *log, store_config_t *out)
{
    const conf_t *conf = &s->conf;
    *out = (store_config_t){
        .driver = conf->store,
        .path = s->database,
        .postgres = {.conninfo = conf->postgres,
                     .connections = (uint32_t)conf->postgres_connections,
                     .wait_ms = conf->postgres_timeout},
        .log = log,
        .clock = clock_system(),
    };
    if (!str_eq(conf->store, STR("postgres")) || conf->postgres_password_file.n == 0)
        return EXIT_DONE;
    return read_password(a, s, &out->postgres.password);
}

int store_config_open(arena_t *a, const settings_t *s, const log_t *log, store_t **out)
{
    store_config_t config;
    str_t why = STR("out of memory");
    int code = store_config_make(a, s, log, &config);
    if (code != EXIT_DONE)
        return code;
    rc_t rc = store_open(a, &config, out, &why);
    if (rc == RC_OK)
        return EXIT_DONE;
    /* A setting that leads nowhere is a wrong setting; the rest is the world. */
    return command_fail(rc == RC_CONFIG ? EXIT_SETTING : EXIT_FAILED, "%" PRIstr, STR_ARG(why));
}
