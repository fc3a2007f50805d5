#include "cmd/serve.h"

#include "cmd/notify.h"
#include "cmd/secret_file.h"
#include "cmd/text_file.h"
#include "conf/conf_address.h"

#include <errno.h>
#include <stdio.h>

enum {
    CHAIN_BYTES = 256 * 1024,
    METRICS_CONNECTIONS = 64,
};

static int refuse_tls(const settings_t *s, const char *what, str_t why)
{
    return command_refuse(s->refusal, EXIT_SETTING, "%s: %" PRIstr, what, STR_ARG(why));
}

static int read_pair(arena_t *a, const settings_t *s, str_t *chain, secret_t *key)
{
    const char *path = settings_path(a, s, s->conf.tls_certificate);
    const secret_file_t file = {settings_path(a, s, s->conf.tls_key_file), "TLS key", false,
                                s->refusal};
    if (!path || !file.path)
        return command_refuse(s->refusal, EXIT_FAILED, "out of memory");
    if (text_file_read(a, path, CHAIN_BYTES, chain) != RC_OK)
        return command_refuse(s->refusal, EXIT_SETTING,
                              "the certificate '%s' of tls_certificate cannot be read: %s", path,
                              strerror(errno));
    return secret_file_read(a, &file, key);
}

int serve_load_tls(arena_t *a, const settings_t *settings, const log_t *log, http_tls_t **out)
{
    str_t chain, why;
    secret_t key;
    const conf_t *conf = &settings->conf;
    *out = NULL;
    if (conf->tls_certificate.n == 0)
        return EXIT_DONE;
    int code = read_pair(a, settings, &chain, &key);
    if (code != EXIT_DONE)
        return code;
    if (http_tls_new(a, chain, key, out, &why) != RC_OK)
        return refuse_tls(settings, "tls_certificate and tls_key_file", why);
    if (str_is_set(why))
        LOG(log, LOG_WARN, "the certificate of tls_certificate is not good now", LOG_S("why", why));
    return EXIT_DONE;
}

/* Most clients register by themselves and can send no token: whoever left the setting alone learns
 * it here and not from his clients. */
static void tell_registration(const serve_t *s)
{
    bool needs = s->as->oauth.registration == OAUTH_REGISTER_TOKEN;
    if (needs && str_eq(s->settings.conf.registration, STR("auto")))
        LOG(&s->log, LOG_INFO,
            "clients need a token to register here, as the public URL is no loopback one",
            LOG_S("setting", STR("registration: auto")),
            LOG_S("mend", STR("'warder admin registration-token' makes one; 'registration: open' "
                              "lets every client register")));
}

/* Scripts wait for these lines; nothing else goes to standard output. */
static void announce(void *ctx)
{
    const serve_t *s = ctx;
    if (!serve_taken_over(ctx))
        return;
    printf("warder: listening on %" PRIstr "\n", STR_ARG(s->address));
    if (str_is_set(s->setup_link))
        printf("warder: first account: %" PRIstr "\n", STR_ARG(s->setup_link));
    for (size_t i = 0; i < s->settings.conf.n_upstreams; i++)
        printf("warder: protecting %" PRIstr "%" PRIstr "\n", STR_ARG(s->issuer),
               STR_ARG(s->settings.conf.upstreams[i].path));
    printf("warder: ready at %" PRIstr "\n", STR_ARG(s->issuer));
    fflush(stdout);
    tell_registration(s);
    notify_send("READY=1");
}

static int make_proxies(serve_t *s)
{
    str_t bad;
    if (http_proxies_parse(s->a, s->settings.conf.trusted_proxies, &s->proxies, &bad) == RC_OK)
        return EXIT_DONE;
    return command_fail(EXIT_SETTING,
                        "trusted_proxies: '%" PRIstr "' is no network such as 10.0.0.0/8",
                        STR_ARG(bad));
}

static http_server_config_t config_of(serve_t *s, const http_mount_t *mounts, size_t n)
{
    const conf_t *conf = &s->settings.conf;
    http_server_config_t config = http_server_defaults();
    config.host = conf->listen_host;
    config.port = conf->listen_port;
    config.workers = (unsigned)conf->workers;
    config.max_connections = (unsigned)conf->max_connections;
    config.max_per_address = (unsigned)conf->max_connections_per_address;
    config.times.drain_ms = conf->drain_timeout * 1000;
    config.proxies = s->proxies;
    config.mounts = mounts;
    config.mount_count = n;
    config.log = &s->log;
    config.counters = s->counters;
    config.ready = announce;
    config.ready_ctx = s;
    config.reload = serve_reload;
    config.look = serve_look;
    config.sockets = s->inherited.main;
    config.socket_count = s->inherited.n_main;
    config.shared = s->inherited.peer >= 0;
    return config;
}

static int name_address(serve_t *s, bool tls)
{
    str_t host = s->settings.conf.listen_host;
    bool is_v6 = str_find(host, ':', 0) < host.n;
    s->address =
        arena_printf(s->a, is_v6 ? "%s://[%" PRIstr "]:%u" : "%s://%" PRIstr ":%u",
                     tls ? "https" : "http", STR_ARG(host), (unsigned)http_server_port(s->server));
    return str_is_set(s->address) ? EXIT_DONE : command_out_of_memory();
}

/* The authorization server comes first: it answers what nobody knows. */
int serve_make_server(serve_t *s)
{
    str_t why = STR("out of memory");
    http_tls_t *tls;
    const http_mount_t mounts[] = {
        {&s->as->app, as_worker_init, NULL, as_worker_exit},
        {ops_app(s->ops), NULL, NULL, NULL},
        gateway_mount(s->gateway),
    };
    int code = make_proxies(s);
    if (code == EXIT_DONE)
        code = serve_load_tls(s->a, &s->settings, &s->log, &tls);
    if (code != EXIT_DONE)
        return code;
    http_server_config_t config = config_of(s, mounts, sizeof mounts / sizeof mounts[0]);
    config.tls = tls;
    rc_t rc = http_server_new(&config, &s->server, &why);
    http_tls_free(tls);
    if (rc != RC_OK)
        return command_fail(rc == RC_CONFIG ? EXIT_SETTING : EXIT_FAILED,
                            "cannot listen on %" PRIstr ": %" PRIstr,
                            STR_ARG(s->settings.conf.listen), STR_ARG(why));
    return name_address(s, config.tls != NULL);
}

static bool is_loopback_host(str_t host)
{
    http_addr_t addr;
    return http_addr_parse(host, &addr) == RC_OK && http_addr_is_loopback(&addr);
}

int serve_check_reach(const conf_t *conf)
{
    if (conf->public_url.n > 0 || is_loopback_host(conf->listen_host))
        return EXIT_DONE;
    return command_fail(EXIT_SETTING,
                        "listen is '%" PRIstr "', which others can reach, and public_url is "
                        "not set; set public_url to the https URL that clients use",
                        STR_ARG(conf->listen));
}

/* The public URL is set, or this machine's own where nobody else can reach it anyway. */
int serve_choose_issuer(serve_t *s)
{
    const conf_t *conf = &s->settings.conf;
    str_t why;
    int code = serve_check_reach(conf);
    if (code != EXIT_DONE)
        return code;
    s->issuer = s->address;
    if (conf->public_url.n > 0 &&
        conf_check_public_url(s->a, conf->public_url, &s->issuer, &why) != RC_OK)
        return command_fail(EXIT_SETTING, "%" PRIstr, STR_ARG(why));
    as_identify(s->as, s->issuer);
    return EXIT_DONE;
}

int serve_make_metrics(serve_t *s)
{
    str_t why = STR("out of memory");
    const conf_t *conf = &s->settings.conf;
    if (conf->metrics_listen.n == 0)
        return EXIT_DONE;
    http_server_config_t config = http_server_defaults();
    config.max_connections = METRICS_CONNECTIONS;
    config.app = ops_own_app(s->ops);
    config.log = &s->log;
    if (!conf_listen_split(conf->metrics_listen, &config.host, &config.port))
        return command_fail(EXIT_SETTING,
                            "metrics_listen is '%" PRIstr "'; give ADDRESS:PORT, such as "
                            "127.0.0.1:9464",
                            STR_ARG(conf->metrics_listen));
    config.sockets = &s->inherited.metrics;
    config.socket_count = s->inherited.has_metrics ? 1 : 0;
    if (http_server_new(&config, &s->metrics, &why) == RC_OK)
        return EXIT_DONE;
    return command_fail(EXIT_FAILED, "cannot listen on %" PRIstr " (metrics_listen): %" PRIstr,
                        STR_ARG(conf->metrics_listen), STR_ARG(why));
}
