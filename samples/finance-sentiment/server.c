#include "server.h"

#include "feed_watch.h"
#include "finance_work.h"

#include <stdio.h>
#include <stdlib.h>

enum { WHY_BYTES = 512, THREADS = 8 };

struct server {
    arena_t *a; /* of the caller */
    const log_t *log;
    finance_t finance;
    feeds_t *feeds;
    warder_mcp_t *mcp;
    warder_mcp_server_t *http;
};

static int fail(int code, str_t text, str_t *why)
{
    *why = text.p ? text : STR("there is not enough memory");
    return code;
}

/* Of functions that leave their sentence in *why. */
static int code_of(rc_t rc, str_t *why)
{
    if (rc == RC_OK)
        return EXIT_DONE;
    if (rc == RC_CONFIG)
        return EXIT_SETTING;
    if (rc == RC_MEMORY)
        return fail(EXIT_FAILED, STR_UNSET, why);
    return fail(EXIT_FAILED, STR("the store of articles cannot be written; see the log"), why);
}

static int open_store(server_t *s, const server_config_t *c, str_t *why)
{
    str_t news = arena_printf(s->a, "%s/news.db", c->data);
    str_t watched = arena_printf(s->a, "%s/watchlists.db", c->data);
    articles_config_t articles = {.path = news.p,
                                  .engine = articles_engine(),
                                  .clock = clock_system(),
                                  .log = c->log,
                                  .keep = (size_t)c->options.keep_articles,
                                  .keep_days = (size_t)c->options.keep_days};
    watchlists_config_t watchlists = {watched.p, c->log};
    if (!news.p || !watched.p)
        return fail(EXIT_FAILED, STR_UNSET, why);
    int code = code_of(articles_open(s->a, &articles, &s->finance.articles, why), why);
    if (code != EXIT_DONE)
        return code;
    return code_of(watchlists_open(s->a, &watchlists, &s->finance.watchlists, why), why);
}

/* By the thread that watches the feed: it runs from after the server of MCP is there until before
 * it ends. At the start there is nobody to tell. */
static void feed_changed(void *ctx)
{
    server_t *s = ctx;
    if (s->mcp)
        warder_mcp_resource_updated(s->mcp, FINANCE_TICKERS_URI);
}

static int open_feeds(server_t *s, const server_config_t *c, str_t *why)
{
    feeds_config_t config = {.path = c->options.feed,
                             .store = s->finance.articles,
                             .clock = clock_system(),
                             .log = c->log,
                             .changed = feed_changed,
                             .ctx = s};
    return code_of(feeds_open(s->a, &config, &s->feeds, why), why);
}

static int watch_feeds(server_t *s, const server_config_t *c, str_t *why)
{
    (void)c;
    if (feeds_start(s->feeds) != RC_OK)
        return fail(EXIT_FAILED, STR("the thread that watches the feed cannot be started"), why);
    return EXIT_DONE;
}

static int open_live(server_t *s, const server_config_t *c, str_t *why)
{
    if (!c->key.hidden.p)
        return EXIT_DONE;
    live_config_t live = {.key = c->key,
                          .fetch = http_fetch_curl(),
                          .clock = clock_system(),
                          .log = c->log,
                          .store = s->finance.articles,
                          .cache_minutes = c->options.live_cache_minutes,
                          .budget = c->options.live_budget_n};
    s->finance.live = live_new(&live);
    return s->finance.live ? EXIT_DONE : fail(EXIT_FAILED, STR_UNSET, why);
}

/* Hosts must see what they may ask for, or nobody could step up; `own` is for those that have all
 * they need. */
static int make_server(server_t *s, const server_config_t *c, str_t *why)
{
    char problem[WHY_BYTES];
    warder_mcp_config_t config = {.version = WARDER_VERSION,
                                  .threads = THREADS,
                                  .calls_per_minute = c->options.calls_per_minute,
                                  .list_all = !c->options.lists_own};
    finance_offer(&s->finance, &config);
    s->mcp = warder_mcp_new(&config, problem, sizeof problem);
    if (!s->mcp)
        return fail(EXIT_SETTING, arena_printf(s->a, "%s", problem), why);
    s->finance.mcp = s->mcp;
    return EXIT_DONE;
}

static int serve_http(server_t *s, const server_config_t *c, str_t *why)
{
    char problem[WHY_BYTES];
    const options_t *o = &c->options;
    if (o->stdio)
        return EXIT_DONE;
    warder_rs_server_t issuer = {
        .issuer = o->issuer, .client_id = o->client_id, .client_secret = c->secret.hidden.p};
    warder_rs_config_t protect = {.resource = o->resource,
                                  .name = "Finance sentiment",
                                  .servers = &issuer,
                                  .server_count = 1,
                                  .scopes = FINANCE_NEWS_SCOPE,
                                  .refetch_s = o->refetch_s,
                                  .dpop = o->dpop_mode,
                                  .dpop_nonce = o->dpop_nonce};
    warder_mcp_http_t http = {.listen = o->listen,
                              .protect = &protect,
                              .acr_values = o->acr_values,
                              .max_age_s = o->max_age_s,
                              .audit = c->data,
                              .log_level = 1};
    int code = warder_mcp_http_start(s->mcp, &http, &s->http, problem, sizeof problem);
    if (code != EXIT_DONE)
        return fail(code, arena_printf(s->a, "%s", problem), why);
    return EXIT_DONE;
}

int server_start(arena_t *a, const server_config_t *config, server_t **out, str_t *why)
{
    static int (*const STEPS[])(server_t *, const server_config_t *, str_t *) = {
        open_store, open_feeds, open_live, make_server, watch_feeds, serve_http};
    server_t *s = calloc(1, sizeof *s);
    int code = EXIT_DONE;
    *out = NULL;
    if (!s)
        return fail(EXIT_FAILED, STR_UNSET, why);
    s->a = a;
    s->log = config->log;
    s->finance.clock = clock_system();
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS && code == EXIT_DONE; i++)
        code = STEPS[i](s, config, why);
    if (code == EXIT_DONE)
        *out = s;
    else
        server_stop(s);
    return code;
}

int server_run_stdio(arena_t *a, server_t *s, str_t *why)
{
    char problem[WHY_BYTES];
    int code = warder_mcp_serve_stdio(s->mcp, problem, sizeof problem);
    return code == EXIT_DONE ? code : fail(code, arena_printf(a, "%s", problem), why);
}

str_t server_url(const server_t *s)
{
    return s->http ? str_c(warder_mcp_http_url(s->http)) : STR_UNSET;
}

/* Whoever has threads ends before what they use. */
void server_stop(server_t *s)
{
    if (!s)
        return;
    warder_mcp_http_stop(s->http);
    feeds_close(s->feeds);
    warder_mcp_free(s->mcp);
    live_free(s->finance.live);
    watchlists_close(s->finance.watchlists);
    articles_close(s->finance.articles);
    free(s);
}
