#include "alpha.h"

enum { URL_BYTES = 512, KEY_BYTES = 128 };

static const str_t BUSY = STR_INIT("The live news service is busy; try again soon.");

/* The address with the key in it; wiped after the call. */
static str_t make_url(const alpha_config_t *c, str_t ticker, char url[URL_BYTES])
{
    buf_t b = buf_fixed(url, URL_BYTES);
    str_t out;
    buf_put(&b, STR("https://www.alphavantage.co/query?function=NEWS_SENTIMENT&sort=LATEST&limit="
                    "200&tickers="));
    buf_percent(&b, ticker);
    buf_put(&b, STR("&apikey="));
    buf_percent(&b, c->key.hidden);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

static rc_t judge(arena_t *a, const http_fetch_result_t *r, news_t *out, str_t *why)
{
    news_verdict_t verdict;
    *why = STR("The live news service cannot be reached; try again later.");
    if (r->verdict != HTTP_FETCH_OK || r->status != 200)
        return RC_IO;
    TRY(news_parse(a, r->body, out, &verdict));
    *why = verdict == NEWS_REFUSED
               ? STR("The live news service refused: its call limit is used up, or its key or the "
                     "ticker is not valid.")
               : STR("The live news service gave an answer that cannot be read.");
    return verdict == NEWS_OK ? RC_OK : RC_IO;
}

/* `scratch` holds the bytes of the answer, and whatever the fetch keeps of the address. */
static rc_t fetch(const alpha_config_t *c, arena_t *a, arena_t *scratch, str_t ticker,
                  alpha_answer_t *out)
{
    char url[URL_BYTES];
    http_fetch_result_t r;
    http_fetch_request_t req = {.url = make_url(c, ticker, url),
                                .max_bytes = ALPHA_FETCH_BYTES,
                                .timeout_ms = ALPHA_FETCH_MS};
    out->why = STR("The live news service is not set up: its key is too long.");
    rc_t rc = req.url.p ? c->fetch.get(c->fetch.ctx, scratch, &req, &r) : RC_IO;
    secret_wipe(url, sizeof url);
    TRY(rc);
    rc = judge(a, &r, &out->news, &out->why);
    if (rc != RC_OK)
        LOG(c->log, LOG_WARN, "live news failed", LOG_S("ticker", ticker),
            LOG_S("fetch", http_fetch_verdict_name(r.verdict)), LOG_S("why", out->why));
    return rc;
}

rc_t alpha_fetch(const alpha_config_t *c, arena_t *a, str_t ticker, alpha_answer_t *out)
{
    arena_t *scratch = arena_new(2 * ALPHA_FETCH_BYTES + KEY_BYTES);
    *out = (alpha_answer_t){.rc = RC_MEMORY, .why = BUSY};
    if (!scratch)
        return RC_MEMORY;
    out->rc = fetch(c, a, scratch, ticker, out);
    arena_free(scratch);
    return out->rc;
}
