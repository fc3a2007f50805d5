/* What the server gives up before it speaks with anybody. */
#include "cmd/children.h"
#include "cmd/privileges.h"
#include "cmd/sandbox.h"
#include "cmd/serve.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_off(const serve_t *s)
{
    return str_eq(s->settings.conf.sandbox, STR("off"));
}

int serve_start_spawner(serve_t *s, mode_t mask)
{
    if (is_off(s))
        return EXIT_DONE;
    rc_t rc = children_new(s->rows, &s->settings, mask, &s->spawner);
    return rc == RC_OK
               ? EXIT_DONE
               : command_fail(EXIT_FAILED, "the process that starts children cannot be made: %s",
                              rc_name(rc));
}

static int refuse_plan(rc_t rc)
{
    if (rc == RC_CONFIG)
        return command_fail(EXIT_SETTING, "sandbox_connect_ports lists numbers of TCP ports, such "
                                          "as 443");
    if (rc == RC_LIMIT)
        return command_fail(EXIT_SETTING, "the settings name more files or ports than the sandbox "
                                          "can hold; put files into one folder");
    return command_out_of_memory();
}

static void say(const serve_t *s, const sandbox_state_t *state)
{
    const log_field_t fields[] = {
        LOG_S("system_calls", state->system_calls ? STR("filtered") : STR("any")),
        LOG_S("files", state->landlock ? STR("bounded") : STR("any")),
        LOG_S("ports", state->ports ? STR("bounded") : STR("any")),
        LOG_I("landlock", state->landlock)};
    bool whole = state->system_calls && state->landlock && state->ports;
    log_write(&s->log, whole ? LOG_INFO : LOG_WARN,
              whole ? STR("the sandbox is closed")
                    : STR("this kernel cannot hold all of the sandbox"),
              fields, 4);
}

/* libpq looks up who this is where nobody tells it, in a file that it cannot read any more. */
static void name_postgres_user(const serve_t *s)
{
    const struct passwd *row = NULL;
    if (str_eq(s->settings.conf.store, STR("postgres")) && !getenv("PGUSER"))
        row = getpwuid(geteuid());
    if (row)
        setenv("PGUSER", row->pw_name, 0);
}

int serve_enter_sandbox(serve_t *s)
{
    sandbox_state_t state = {0};
    sandbox_plan_t *plan = ARENA_NEW(s->a, sandbox_plan_t);
    const settings_t settings = serve_without_keys(s);
    rc_t rc = plan ? sandbox_plan(s->a, &settings, plan) : RC_MEMORY;
    privileges_narrow();
    if (privileges_are_roots(&s->settings))
        LOG(&s->log, LOG_WARN,
            "the server runs as root; give it an account of its own by the "
            "setting run_as");
    if (rc != RC_OK)
        return refuse_plan(rc);
    if (is_off(s)) {
        serve_say_signer(s, plan, &state);
        LOG(&s->log, LOG_WARN, "the sandbox is off");
        return EXIT_DONE;
    }
    name_postgres_user(s);
    rc = sandbox_enter(plan, &state);
    bool whole = rc == RC_OK && state.ports;
    if (!whole && str_eq(s->settings.conf.sandbox, STR("on")))
        return command_fail(EXIT_SETTING,
                            "sandbox is 'on', and this kernel has no %s; set sandbox "
                            "to auto to do without",
                            !state.system_calls ? "filter of system calls"
                            : !state.landlock   ? "Landlock"
                                                : "Landlock for ports");
    serve_say_signer(s, plan, &state);
    say(s, &state);
    return EXIT_DONE;
}
