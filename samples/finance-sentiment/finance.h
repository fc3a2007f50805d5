/* The server's two tools, and what stands behind them. */
#ifndef SENTIMENT_FINANCE_H
#define SENTIMENT_FINANCE_H

#include "alpha.h"
#include "tool_http/mcp_http.h"
#include "news.h"

#define FINANCE_NEWS_SCOPE    "news:read"
#define FINANCE_ANALYZE_SCOPE "sentiment:analyze"

enum {
    FINANCE_TOOLS = 2,
    FINANCE_ARTICLES = 10,     /* by default */
    FINANCE_ARTICLES_MAX = 50, /* an answer of 50 has about 100 KB */
    FINANCE_EVIDENCE_MAX = 50,
};

/** Read-only while the server runs; any worker. */
typedef struct {
    news_t feed;
    alpha_t *live; /* NULL: no key */
    /** The port of the loop that serves `x`. */
    post_port_t (*back)(http_exchange_t *x);
} finance_t;

/** Fills in the table of tools; they borrow `f`. */
void finance_tools(finance_t *f, mcp_http_tool_t out[FINANCE_TOOLS]);

/** mcp_http_tool_t.run of the two; ctx is a finance_t. */
void finance_news_run(void *ctx, mcp_call_t *call);
void finance_analyze_run(void *ctx, mcp_call_t *call);

/** Reads the arguments of get_news_sentiment. Unset, or one sentence that says what to send
 *  instead (static). Strings of `out` are in `a`. */
str_t finance_news_arguments(arena_t *a, const json_t *arguments, news_query_t *out);
/** Those of analyze_sentiment; *text is borrowed from the arguments. */
str_t finance_analyze_arguments(const json_t *arguments, str_t *text);

#endif
