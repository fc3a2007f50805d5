/* warder serve: authorization server and gateway from the settings to the end of the process. */
#include "cmd/serve.h"

#include "cmd/beforehand.h"
#include "cmd/catalogue.h"
#include "cmd/issuer_keys.h"
#include "cmd/privileges.h"
#include "cmd/secret_file.h"
#include "cmd/upstreams.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

enum { ARENA_BYTES = 64 << 20 };

log_level_t serve_log_level(str_t word)
{
    static const char *const WORDS[] = {"debug", "info", "warn", "error"};
    size_t i = 0;
    while (i < 3 && !str_eq(word, str_c(WORDS[i])))
        i++;
    return (log_level_t)i;
}

prepare_t serve_prepare(serve_t *s)
{
    return (prepare_t){s->a, &s->settings.conf, s->store, s->audit, s->kek, serve_vault(s)};
}

static int make_app(serve_t *s)
{
    const as_config_t config = {
        .conf = &s->settings.conf,
        .store = s->store,
        .audit = s->audit,
        .pool = s->pool,
        .fetchers = s->fetchers,
        .fetch = http_fetch_curl(),
        .log = &s->log,
        .clock = clock_system(),
        .random = random_system(),
        .kek = s->kek,
        .vault = serve_vault(s),
        .login_secret = s->login_secret,
        .holder = s->node.holder,
        .node_lease = s->node.lease,
    };
    rc_t rc = as_new(s->a, &config, &s->as);
    return rc == RC_OK ? EXIT_DONE : command_fail(EXIT_FAILED, "cannot start: %s", rc_name(rc));
}

/* What must be there before the first request: this server's own documents, the protected servers,
 * an account or the way to make one. */
static int prepare(serve_t *s)
{
    bool has_users;
    str_t why;
    const prepare_t p = serve_prepare(s);
    const serve_upstreams_t upstreams = {&s->settings.conf, NULL, NULL};
    rc_t rc = as_local_new(s->as, &s->local);
    if (rc != RC_OK)
        return command_fail(EXIT_FAILED, "no keys: %s", rc_name(rc));
    rc = serve_load_gateway(s, s->a, &upstreams, &why);
    if (rc != RC_OK)
        return command_fail(rc == RC_CONFIG ? EXIT_SETTING : EXIT_FAILED, "%" PRIstr, STR_ARG(why));
    rc = serve_put_resources(s, s->a, &s->settings.conf);
    if (rc != RC_OK)
        return command_fail(
            EXIT_FAILED, "keys and resources could not be prepared in the store (%s)", rc_name(rc));
    int code = prepare_start(&p, &has_users);
    if (code != EXIT_DONE || has_users)
        return code;
    rc = as_local_open_setup(s->local, s->a, &s->setup_link);
    return rc == RC_OK ? EXIT_DONE : command_fail(EXIT_FAILED, "no set-up link: %s", rc_name(rc));
}

static int run(serve_t *s)
{
    rc_t rc = s->metrics ? http_server_start(s->metrics) : RC_OK;
    if (rc == RC_OK)
        rc = http_server_run(s->server);
    if (s->metrics) {
        http_server_stop(s->metrics);
        http_server_join(s->metrics);
    }
    if (s->came_late)
        return command_fail(EXIT_FAILED, "the start took longer than the running server waits, "
                                         "which goes on; try again");
    if (rc != RC_OK)
        return command_fail(EXIT_FAILED, "the workers cannot start: %s", rc_name(rc));
    return s->signer_lost ? EXIT_FAILED : EXIT_DONE;
}

/* Systems hand out 1024 unless asked (systemd.exec, LimitNOFILE): too few for streams that idle. */
static void raise_descriptors(void)
{
    enum { ENOUGH = 262144 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= ENOUGH)
        return;
    limit.rlim_cur = limit.rlim_max < ENOUGH ? limit.rlim_max : ENOUGH;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* What every part needs, and would each tell in words of its own. Nothing is issued, and no name of
 * a chain or a request made, from numbers that somebody could guess. */
static int need_system(serve_t *s)
{
    enum { LEAST_DESCRIPTORS = 128 };
    struct rlimit limit;
    uint8_t probe[16];
    random_port_t random = random_system();
    (void)s;
    if (random.fill(random.ctx, probe, sizeof probe) != RC_OK)
        return command_fail(EXIT_FAILED,
                            "the system gives no random bytes (getrandom: %s); let "
                            "the sandbox allow it",
                            strerror(errno));
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < LEAST_DESCRIPTORS)
        return command_fail(EXIT_FAILED,
                            "the limit of open files is %llu; allow %d at least (ulimit -n, or "
                            "LimitNOFILE of systemd)",
                            (unsigned long long)limit.rlim_cur, LEAST_DESCRIPTORS);
    return EXIT_DONE;
}

/* Before there are threads: all of them inherit it, and http_server_run alone is told. The two that
 * other servers rotate logs and upgrade by end a process that does not know them. */
static void block_signals(void)
{
    sigset_t signals;
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

/* The file ends in a line feed, as files do; the secret does not. */
int serve_load_login_secret(arena_t *a, const settings_t *settings, secret_t *out)
{
    const conf_t *conf = &settings->conf;
    *out = secret_of(STR_UNSET);
    if (conf->login_issuer.n == 0 || conf->login_client_secret_file.n == 0)
        return EXIT_DONE;
    const secret_file_t file = {arena_cstr(a, conf->login_client_secret_file), "client secret file",
                                false};
    if (!file.path)
        return command_out_of_memory();
    int code = secret_file_read(a, &file, out);
    if (code != EXIT_DONE)
        return code;
    out->hidden = str_trim(out->hidden, " \t\r\n");
    return out->hidden.n > 0
               ? EXIT_DONE
               : command_fail(EXIT_SETTING, "the client secret file '%s' is empty", file.path);
}

static int load(serve_t *s)
{
    mode_t mask;
    int code = settings_load(s->a, s->rows, &s->settings);
    s->settings.mend_audit = option_is_set(s->rows, "mend-audit");
    if (code == EXIT_DONE)
        beforehand_open(s->a, &s->settings);
    if (code == EXIT_DONE)
        code = privileges_enter(s->a, &s->settings, &mask);
    if (code == EXIT_DONE)
        code = serve_start_spawner(s, mask);
    if (code == EXIT_DONE)
        code = serve_start_signer(s);
    if (code == EXIT_DONE)
        code = serve_load_login_secret(s->a, &s->settings, &s->login_secret);
    if (code == EXIT_DONE)
        code = issuer_keys_load(s->a, &s->settings);
    if (code == EXIT_DONE)
        code = catalogue_load(s->a, &s->settings);
    if (code == EXIT_DONE)
        code = upstreams_load(s->a, &s->settings);
    s->in_force = &s->settings;
    return code;
}

static int serve(serve_t *s)
{
    static int (*const STEPS[])(serve_t *) = {
        need_system,
        serve_enter_sandbox,
        serve_open_rooms,
        serve_take_name,
        make_app,
        serve_make_gateway,
        serve_inherit,
        serve_make_server,
        serve_choose_issuer,
        serve_make_metrics,
        prepare,
        run,
    };
    int code = load(s);
    block_signals();
    command_forbid_core();
    raise_descriptors();
    s->log = log_stderr(serve_log_level(s->settings.conf.log_level));
    if (code == EXIT_DONE)
        settings_warn(&s->settings, &s->log);
    pthread_mutex_init(&s->audit_lock, NULL);
    for (size_t i = 0; code == EXIT_DONE && i < sizeof STEPS / sizeof STEPS[0]; i++)
        code = STEPS[i](s);
    serve_close_rooms(s);
    pthread_mutex_destroy(&s->audit_lock);
    return code;
}

/* Those of the settings, and two of its own. */
static option_t *options_of(arena_t *a)
{
    size_t n = 0;
    const option_t *settings = settings_options(a);
    while (settings && settings[n].name)
        n++;
    option_t *rows = settings ? ARENA_ARRAY(a, n + 3, option_t) : NULL;
    if (!rows)
        return NULL;
    memcpy(rows, settings, n * sizeof *rows);
    rows[n] = (option_t){.name = "take-over", .is_switch = true};
    rows[n + 1] = (option_t){.name = "mend-audit", .is_switch = true};
    return rows;
}

static int serve_command(int argc, char **argv)
{
    arena_t *a = arena_new(ARENA_BYTES);
    option_t *rows = a ? options_of(a) : NULL;
    serve_t s = {.a = a, .rows = rows, .node = {.lock = -1}};
    int code = EXIT_USAGE;
    if (!rows)
        code = command_out_of_memory();
    else if (options_parse(argc, argv, rows, NULL, 0, NULL))
        code = serve(&s);
    arena_free(a);
    return code;
}

const command_t CMD_SERVE = {
    "serve", "[--config FILE] [--SETTING VALUE...] [--take-over] [--mend-audit]",
    "runs the authorization server and protects the MCP servers behind it", serve_command};
