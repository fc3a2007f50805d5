/* What the server offers, and what the functions of its tools, resources and prompts share. Each is
 * a function of warder/mcp.h that runs on a thread of the server: it may wait for the disk and for
 * the live service. */
#ifndef SENTIMENT_FINANCE_WORK_H
#define SENTIMENT_FINANCE_WORK_H

#include "articles.h"
#include "compare.h"
#include "live.h"
#include "warder/mcp.h"
#include "watchlist.h"

/* Scopes: a verb on a thing, and the longer forms whose wildcards cover what comes later:
 * mcp:exec:workflows:* covers each workflow, mcp:resources:*:read each resource. */
#define FINANCE_NEWS_SCOPE     "news:read"
#define FINANCE_ANALYZE_SCOPE  "sentiment:analyze"
#define FINANCE_WATCH_SCOPE    "watchlist:write"
#define FINANCE_TICKERS_SCOPE  "mcp:tools:list_tickers"
#define FINANCE_BRIEF_SCOPE    "mcp:exec:workflows:daily-brief"
#define FINANCE_ARTICLES_SCOPE "mcp:resources:articles:read"
#define FINANCE_NAMES_SCOPE    "mcp:resources:tickers:read"
#define FINANCE_WATCHED_SCOPE  "mcp:resources:watchlist:read"

#define FINANCE_CARD_URI      "finance://model/card"
#define FINANCE_TICKERS_URI   "finance://tickers"
#define FINANCE_WATCHLIST_URI "finance://watchlist"
#define FINANCE_ARTICLE_URI   "finance://articles/{id}"

enum {
    FINANCE_ASKED = 10,        /* tickers of one call */
    FINANCE_ARTICLES = 10,     /* of one page, by default */
    FINANCE_ARTICLES_MAX = 50, /* an answer of 50 has about 200 KB */
    FINANCE_TEXTS = 64,
    FINANCE_EVIDENCE_MAX = 50,
    FINANCE_TEXT_BYTES = 256 << 10, /* of an answer, for people */
    FINANCE_ARENA_BYTES = 64 << 20,
};

/** Read-only while the server runs; any thread. */
typedef struct {
    articles_t *articles;
    live_t *live; /* NULL: no key */
    watchlists_t *watchlists;
    clock_port_t clock;
    warder_mcp_t *mcp; /* who is told of changes; NULL: nobody */
} finance_t;

/** Fills in tables, name and instructions; they are static, `f` is borrowed. */
void finance_offer(finance_t *f, warder_mcp_config_t *out);

/** One run of a function. */
typedef struct {
    finance_t *f;
    warder_mcp_call_t *call;
    arena_t *a;             /* ends with the run */
    warder_mcp_next_t next; /* what to return when all went well */
} finance_work_t;
/** Says its answer with the call. Other than RC_OK: the call fails. */
typedef rc_t (*finance_step_t)(finance_work_t *k);
warder_mcp_next_t finance_run(warder_mcp_call_t *call, void *ctx, finance_step_t step);

/* The functions of the tables, by what they are for. */
rc_t finance_get_news(finance_work_t *k);
rc_t finance_analyze(finance_work_t *k);
rc_t finance_ticker_sentiment(finance_work_t *k);
rc_t finance_compare(finance_work_t *k);
rc_t finance_explain(finance_work_t *k);
rc_t finance_watchlist(finance_work_t *k);
rc_t finance_list_tickers(finance_work_t *k);
rc_t finance_daily_brief(finance_work_t *k);
rc_t finance_read_card(finance_work_t *k);
rc_t finance_read_tickers(finance_work_t *k);
rc_t finance_read_watchlist(finance_work_t *k);
rc_t finance_read_article(finance_work_t *k);
rc_t finance_prompt_brief(finance_work_t *k);
/** Completion of tickers in the prompt, and of ids in the template. */
void finance_suggest_tickers(warder_mcp_call_t *call, const char *argument, const char *value,
                             void *ctx);
void finance_suggest_articles(warder_mcp_call_t *call, const char *argument, const char *value,
                              void *ctx);

#endif
