/* The process that signs for the server. */
#include "cmd/serve.h"

#include <unistd.h>

/* Nothing but it reads the key; without it this process does. */
int serve_start_signer(serve_t *s)
{
    int code = signer_process_new(s->a, &s->settings, &s->signer);
    if (code != EXIT_DONE)
        return code;
    if (!s->signer)
        return kek_load(s->a, &s->settings, &s->kek);
    s->kek = (as_kek_t){.name = signer_process_key_name(s->signer)};
    return EXIT_DONE;
}

const as_vault_t *serve_vault(const serve_t *s)
{
    return s->signer ? signer_process_vault(s->signer) : NULL;
}

static bool starts_programs(const settings_t *s)
{
    for (size_t i = 0; i < s->conf.n_upstreams; i++)
        if (s->conf.upstreams[i].child.command.n > 0)
            return true;
    return false;
}

/* Landlock does not keep from asking; the programs of upstreams run without it. */
static void warn_of(const serve_t *s, const sandbox_plan_t *plan, const sandbox_state_t *state,
                    const char *path, const char *mend)
{
    if (!path || access(path, R_OK) != 0)
        return;
    if (!state->landlock)
        LOG(&s->log, LOG_WARN,
            "the server may read a key that is the signing process's alone, as nothing keeps it "
            "from "
            "files",
            LOG_S("file", str_c(path)), LOG_S("mend", str_c(mend)));
    else if (sandbox_plan_reads(plan, path))
        LOG(&s->log, LOG_WARN,
            "the server may read a key that is the signing process's alone; move its file out of "
            "the folders of other files that the settings name",
            LOG_S("file", str_c(path)));
    if (starts_programs(&s->settings))
        LOG(&s->log, LOG_WARN,
            "programs of upstreams may read a key that is the signing process's alone",
            LOG_S("file", str_c(path)), LOG_S("mend", str_c(mend)));
}

void serve_say_signer(const serve_t *s, const sandbox_plan_t *plan, const sandbox_state_t *state)
{
    if (!s->signer) {
        LOG(&s->log, LOG_INFO, "the server signs in its own process",
            LOG_S("why", s->settings.conf.signing_process
                             ? STR("keys lie in the database as they are; give key_file")
                             : STR("signing_process is off")));
        return;
    }
    signer_walls_t walls = signer_process_walls(s->signer);
    LOG(&s->log, LOG_INFO, "a process of its own signs", LOG_I("pid", signer_process_id(s->signer)),
        LOG_S("system_calls", walls.system_calls ? STR("filtered") : STR("any")),
        LOG_S("files", walls.files ? STR("none") : STR("any")));
    warn_of(s, plan, state, kek_path(s->a, &s->settings),
            "give it by WARDER_KEY, or with run_as in a file that only root may read");
    if (s->settings.conf.audit_key_file.n > 0)
        warn_of(s, plan, state, trail_key_path(s->a, &s->settings),
                "keep a copy of the trail elsewhere");
}

settings_t serve_without_keys(const serve_t *s)
{
    settings_t bare = s->settings;
    if (s->signer)
        bare.conf.key_file = bare.conf.audit_key_file = STR("");
    return bare;
}

/* Another one would need the key again, which this process has given away for good: who starts the
 * server starts both. What is under way is answered, with 503 where it needs a signature. */
void serve_watch_signer(serve_t *s)
{
    if (!s->signer || s->signer_lost || signer_process_lives(s->signer))
        return;
    s->signer_lost = true;
    LOG(&s->log, LOG_ERROR, "the signing process has ended; the server ends with it");
    http_server_stop(s->server);
}
