/* warder serve: the authorization server from the settings to the end of the process. */
#include "as/app.h"
#include "cmd/catalogue.h"
#include "cmd/command.h"
#include "cmd/issuer_keys.h"
#include "cmd/kek.h"
#include "cmd/prepare.h"
#include "cmd/secret_file.h"
#include "cmd/settings.h"
#include "cmd/trail.h"
#include "core/limits.h"
#include "http/fetch.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

enum {
    ARENA_BYTES = 64 << 20,
    POOL_QUEUE = 64,
    POOL_THREADS_MIN = 2,
    POOL_THREADS_MAX = 8,
    FETCHERS = 8
};

typedef struct {
    arena_t *a;
    settings_t settings;
    as_kek_t kek;
    secret_t login_secret;
    log_t log;
    store_t *store;
    audit_t *audit;
    http_pool_t *pool, *fetchers;
    http_proxies_t proxies;
    as_t *as;
    http_server_t *server;
    str_t address; /* http:// and where it listens, with the real port */
    str_t issuer, setup_link;
} serve_t;

static log_level_t log_level(str_t word)
{
    static const char *const WORDS[] = {"debug", "info", "warn", "error"};
    size_t i = 0;
    while (i < 3 && !str_eq(word, str_c(WORDS[i])))
        i++;
    return (log_level_t)i;
}

static int open_rooms(serve_t *s)
{
    const conf_t *conf = &s->settings.conf;
    str_t why = STR("out of memory");
    const store_config_t store = {
        .driver = conf->store,
        .path = s->settings.database,
        .log = &s->log,
        .clock = clock_system(),
    };
    if (store_open(s->a, &store, &s->store, &why) != RC_OK)
        return command_fail(EXIT_FAILED, "%" PRIstr, STR_ARG(why));
    int code = trail_open(s->a, &s->settings, &s->log, TRAIL_OF_SERVER, &s->audit);
    if (code != EXIT_DONE)
        return code;
    int64_t threads = conf->workers;
    threads = threads < POOL_THREADS_MIN ? POOL_THREADS_MIN : threads;
    threads = threads > POOL_THREADS_MAX ? POOL_THREADS_MAX : threads;
    s->pool = http_pool_new((unsigned)threads, POOL_QUEUE);
    s->fetchers = http_pool_new(FETCHERS, POOL_QUEUE);
    return s->pool && s->fetchers ? EXIT_DONE
                                  : command_fail(EXIT_FAILED, "out of memory or threads");
}

/* Scripts wait for these lines; nothing else goes to standard output. */
static void announce(void *ctx)
{
    const serve_t *s = ctx;
    printf("warder: listening on %" PRIstr "\n", STR_ARG(s->address));
    if (str_is_set(s->setup_link))
        printf("warder: first account: %" PRIstr "\n", STR_ARG(s->setup_link));
    printf("warder: ready at %" PRIstr "\n", STR_ARG(s->issuer));
    fflush(stdout);
}

static int make_server(serve_t *s)
{
    const conf_t *conf = &s->settings.conf;
    str_t why = STR("out of memory"), bad;
    if (http_proxies_parse(s->a, conf->trusted_proxies, &s->proxies, &bad) != RC_OK)
        return command_fail(EXIT_SETTING,
                            "trusted_proxies: '%" PRIstr "' is no network such as 10.0.0.0/8",
                            STR_ARG(bad));
    http_server_config_t config = http_server_defaults();
    config.host = conf->listen_host;
    config.port = conf->listen_port;
    config.workers = (unsigned)conf->workers;
    config.times.drain_ms = conf->drain_timeout * 1000;
    config.proxies = s->proxies;
    config.app = &s->as->app;
    config.log = &s->log;
    config.worker_init = as_worker_init;
    config.worker_exit = as_worker_exit;
    config.ready = announce;
    config.ready_ctx = s;
    rc_t rc = http_server_new(&config, &s->server, &why);
    if (rc != RC_OK)
        return command_fail(rc == RC_CONFIG ? EXIT_SETTING : EXIT_FAILED,
                            "cannot listen on %" PRIstr ": %" PRIstr, STR_ARG(conf->listen),
                            STR_ARG(why));
    return EXIT_DONE;
}

static bool is_loopback_host(str_t host)
{
    http_addr_t addr;
    return http_addr_parse(host, &addr) == RC_OK && http_addr_is_loopback(&addr);
}

static int name_address(serve_t *s)
{
    str_t host = s->settings.conf.listen_host;
    bool is_v6 = str_find(host, ':', 0) < host.n;
    s->address = arena_printf(s->a, is_v6 ? "http://[%" PRIstr "]:%u" : "http://%" PRIstr ":%u",
                              STR_ARG(host), (unsigned)http_server_port(s->server));
    return str_is_set(s->address) ? EXIT_DONE : command_fail(EXIT_FAILED, "out of memory");
}

/* The public URL is set, or this machine's own where nobody else can reach it anyway. */
static int choose_issuer(serve_t *s)
{
    const conf_t *conf = &s->settings.conf;
    str_t why;
    s->issuer = s->address;
    if (conf->public_url.n > 0) {
        if (conf_check_public_url(s->a, conf->public_url, &s->issuer, &why) != RC_OK)
            return command_fail(EXIT_SETTING, "%" PRIstr, STR_ARG(why));
        return EXIT_DONE;
    }
    if (!is_loopback_host(conf->listen_host))
        return command_fail(EXIT_SETTING,
                            "listen is '%" PRIstr "', which others can reach, and public_url is "
                            "not set; set public_url to the https URL that clients use",
                            STR_ARG(conf->listen));
    return EXIT_DONE;
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
        .login_secret = s->login_secret,
    };
    rc_t rc = as_new(s->a, &config, &s->as);
    if (rc != RC_OK)
        return command_fail(EXIT_FAILED, "cannot start: %s", rc_name(rc));
    int code = make_server(s);
    if (code == EXIT_DONE)
        code = name_address(s);
    if (code == EXIT_DONE)
        code = choose_issuer(s);
    if (code == EXIT_DONE)
        as_identify(s->as, s->issuer);
    return code;
}

/* What must be in the store before the first request: keys, declared resources, an account or the
 * way to make one. */
static int prepare(serve_t *s)
{
    bool has_users;
    const prepare_t p = {s->a, &s->settings.conf, s->store, s->audit, s->kek};
    int code = prepare_store(&p, &has_users);
    if (code != EXIT_DONE || has_users)
        return code;
    rc_t rc = as_open_setup(s->as, s->a, &s->setup_link);
    return rc == RC_OK ? EXIT_DONE : command_fail(EXIT_FAILED, "no set-up link: %s", rc_name(rc));
}

static int run(serve_t *s)
{
    rc_t rc = http_server_run(s->server);
    return rc == RC_OK ? EXIT_DONE
                       : command_fail(EXIT_FAILED, "the workers cannot start: %s", rc_name(rc));
}

/* Whoever has a thread goes first: pool, trail and store hand their results to the workers' post
 * ports, and still read what housekeeping gave them. */
static void end(serve_t *s)
{
    http_pool_free(s->pool);
    http_pool_free(s->fetchers);
    if (s->audit)
        audit_close(s->audit);
    if (s->store)
        store_close(s->store);
    if (s->server)
        http_server_free(s->server);
    as_free(s->as);
}

/* Passwords, tokens and keys are in memory: no file of it may be written. One byte and not none:
 * with that the kernel also runs no program that would collect it (core(5), core_pattern). */
static void forbid_core(void)
{
    static const struct rlimit ONE = {1, 1};
    setrlimit(RLIMIT_CORE, &ONE);
}

/* Before there are threads: all of them inherit it, and http_server_run alone is told. */
static void block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

/* The file ends in a line feed, as files do; the secret does not. */
static int load_login_secret(serve_t *s)
{
    const conf_t *conf = &s->settings.conf;
    if (conf->login_issuer.n == 0 || conf->login_client_secret_file.n == 0)
        return EXIT_DONE;
    const secret_file_t file = {arena_cstr(s->a, conf->login_client_secret_file),
                                "client secret file", false};
    if (!file.path)
        return command_fail(EXIT_FAILED, "out of memory");
    int code = secret_file_read(s->a, &file, &s->login_secret);
    if (code != EXIT_DONE)
        return code;
    s->login_secret.hidden = str_trim(s->login_secret.hidden, " \t\r\n");
    return s->login_secret.hidden.n > 0
               ? EXIT_DONE
               : command_fail(EXIT_SETTING, "the client secret file '%s' is empty", file.path);
}

static int serve(serve_t *s, const option_t *rows)
{
    int (*const STEPS[])(serve_t * s) = {open_rooms, make_app, prepare, run};
    int code = settings_load(s->a, rows, &s->settings);
    if (code == EXIT_DONE)
        code = kek_load(s->a, &s->settings, &s->kek);
    if (code == EXIT_DONE)
        code = load_login_secret(s);
    if (code == EXIT_DONE)
        code = settings_make_data(s->a, &s->settings);
    if (code == EXIT_DONE)
        code = issuer_keys_load(s->a, &s->settings);
    if (code == EXIT_DONE)
        code = catalogue_load(s->a, &s->settings);
    block_signals();
    forbid_core();
    s->log = log_stderr(log_level(s->settings.conf.log_level));
    for (size_t i = 0; code == EXIT_DONE && i < sizeof STEPS / sizeof STEPS[0]; i++)
        code = STEPS[i](s);
    end(s);
    return code;
}

static int serve_command(int argc, char **argv)
{
    arena_t *a = arena_new(ARENA_BYTES);
    option_t *rows = a ? settings_options(a) : NULL;
    serve_t s = {.a = a};
    int code = EXIT_USAGE;
    if (!rows)
        code = command_fail(EXIT_FAILED, "out of memory");
    else if (options_parse(argc, argv, rows, NULL, 0, NULL))
        code = serve(&s, rows);
    arena_free(a);
    return code;
}

const command_t CMD_SERVE = {"serve", "[--config FILE] [--SETTING VALUE...]",
                             "runs the authorization server", serve_command};
