/* ticker_sentiment and compare_tickers: how the news about companies have been over a time. */
#include "finance_say.h"

/* About one ticker. */
typedef struct {
    finance_window_t window;
    finance_fresh_t fresh;
    series_t s;
    bool cut; /* there were more articles than fit */
} answer_t;

static rc_t missing(finance_work_t *k, str_t ticker, const finance_fresh_t *fresh)
{
    buf_t b = buf_new(k->a, FINANCE_TEXT_BYTES);
    buf_put(&b, STR("There are no news about "));
    buf_put(&b, ticker);
    buf_put(&b, STR("; list_tickers says about whom there are."));
    finance_say_fresh(k, &b, fresh);
    buf_char(&b, '\0');
    TRY(b.failed);
    warder_mcp_error(k->call, buf_str(&b).p);
    return RC_OK;
}

static void put_start(finance_work_t *k, warder_json_t *w, int64_t start)
{
    str_t t = finance_news_time(k->a, start);
    if (str_is_set(t))
        finance_put_time(k, w, "start", t);
    else
        warder_json_raw(w, "start", NULL); /* fails the call: there is no memory */
}

static void put_buckets(finance_work_t *k, warder_json_t *w, const series_t *s)
{
    warder_json_list(w, "buckets");
    for (size_t i = 0; i < s->n; i++) {
        warder_json_object(w, NULL);
        put_start(k, w, s->v[i].start);
        finance_put_mean(w, &s->v[i].m);
        warder_json_end(w);
    }
    warder_json_end(w);
}

static const char CUT[] = "There were more articles than fit: only the latest 20000 count.";

static void say_window(finance_work_t *k, buf_t *b, const finance_window_t *w)
{
    buf_put(b, STR(" from "));
    finance_say_time(k, b, w->from);
    buf_put(b, STR(" to "));
    finance_say_time(k, b, w->to);
    if (strcmp(w->ends, "latest_article") == 0)
        buf_put(b, STR(" (the last time with news)"));
}

static void say_mean(buf_t *b, const series_mean_t *m)
{
    if (m->count == 0) {
        buf_put(b, STR("no articles"));
        return;
    }
    finance_say_score(b, m->mean);
    buf_fmt(b, " from %zu article%s", m->count, m->count == 1 ? "" : "s");
    if (m->count > 1)
        buf_fmt(b, ", dispersion %.2f", m->deviation);
}

/* Of nothing there is no trend to speak of. */
static void say_course(buf_t *b, const series_mean_t *m, const series_trend_t *trend)
{
    say_mean(b, m);
    if (m->count == 0)
        return;
    buf_put(b, STR("; "));
    finance_say_trend(b, trend);
}

/* One line for each bucket with articles. */
static rc_t say_series(finance_work_t *k, str_t ticker, const finance_window_t *w,
                       const series_t *s, const finance_fresh_t *fresh)
{
    buf_t b = buf_new(k->a, FINANCE_TEXT_BYTES);
    buf_put(&b, ticker);
    say_window(k, &b, w);
    buf_put(&b, STR(": "));
    say_course(&b, &s->all, &s->trend);
    buf_put(&b, STR("."));
    finance_say_fresh(k, &b, fresh);
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].m.count == 0)
            continue;
        buf_put(&b, STR("\n"));
        finance_say_time(k, &b, finance_news_time(k->a, s->v[i].start));
        buf_put(&b, STR("  "));
        say_mean(&b, &s->v[i].m);
    }
    return finance_say(k, &b);
}

static void put_series(finance_work_t *k, const articles_known_t *about, const answer_t *x)
{
    warder_json_t *w = warder_mcp_structured(k->call);
    finance_put_str(k, w, "ticker", about->ticker);
    finance_put_str(k, w, "name", about->name);
    finance_put_window(k, w, &x->window);
    warder_json_string(w, "bucket", series_step_name(x->window.w.step).p);
    finance_put_mean(w, &x->s.all);
    finance_put_trend(w, &x->s.trend);
    if (x->cut)
        warder_json_string(w, "note", CUT);
    finance_put_fresh(k, w, &x->fresh);
    put_buckets(k, w, &x->s);
    warder_json_end(w);
}

rc_t finance_ticker_sentiment(finance_work_t *k)
{
    answer_t x = {0};
    articles_known_t known;
    rc_t rc;
    str_t asked = finance_argument(k, "ticker"), ticker = finance_ticker(k->a, asked);
    if (!finance_is_ticker(asked)) {
        warder_mcp_error(k->call, "Give `ticker`, a stock symbol such as \"ACME\".");
        return RC_OK;
    }
    if (!ticker.p)
        return RC_MEMORY;
    str_list_t one = {&ticker, 1};
    TRY(finance_refresh(k, one, &x.fresh));
    TRY(articles_known(k->f->articles, k->a, ticker, &known));
    if (known.count == 0)
        return missing(k, ticker, &x.fresh);
    if (!finance_window(k, one, &x.window, &rc))
        return rc;
    TRY(finance_points(k, ticker, &x.window, &x.s, &x.cut));
    put_series(k, &known, &x);
    return say_series(k, ticker, &x.window, &x.s, &x.fresh);
}

/* --- several --- */

typedef struct {
    compare_row_t v[COMPARE_MOST];
    str_t names[COMPARE_MOST]; /* in the order that was asked for */
    str_list_t tickers;
    finance_window_t window;
    finance_fresh_t fresh;
} comparison_t;

static rc_t gather(finance_work_t *k, comparison_t *c)
{
    bool cut;
    for (size_t i = 0; i < c->tickers.n; i++) {
        articles_known_t known;
        series_t s;
        TRY(articles_known(k->f->articles, k->a, c->tickers.v[i], &known));
        TRY(finance_points(k, c->tickers.v[i], &c->window, &s, &cut));
        c->names[i] = known.name;
        c->v[i] = (compare_row_t){.ticker = c->tickers.v[i], .m = s.all, .trend = s.trend};
    }
    compare_rank(c->v, c->tickers.n);
    return RC_OK;
}

static str_t name_of(const comparison_t *c, str_t ticker)
{
    for (size_t i = 0; i < c->tickers.n; i++) {
        if (str_eq(c->tickers.v[i], ticker))
            return c->names[i];
    }
    return STR_UNSET;
}

static void put_row(finance_work_t *k, warder_json_t *w, const comparison_t *c,
                    const compare_row_t *r)
{
    warder_json_object(w, NULL);
    finance_put_str(k, w, "ticker", r->ticker);
    finance_put_str(k, w, "name", name_of(c, r->ticker));
    if (r->rank > 0)
        warder_json_integer(w, "rank", (int64_t)r->rank);
    finance_put_mean(w, &r->m);
    finance_put_trend(w, &r->trend);
    if (r->rank > 1) {
        finance_put_number(w, "behind", r->behind);
        finance_put_number(w, "behind_error", r->error);
        warder_json_boolean(w, "behind_beyond_chance", r->clear);
    }
    warder_json_end(w);
}

static rc_t say_comparison(finance_work_t *k, const comparison_t *c)
{
    buf_t b = buf_new(k->a, FINANCE_TEXT_BYTES);
    buf_put(&b, STR("News sentiment"));
    say_window(k, &b, &c->window);
    buf_put(&b, STR(", best first:"));
    finance_say_fresh(k, &b, &c->fresh);
    for (size_t i = 0; i < c->tickers.n; i++) {
        const compare_row_t *r = &c->v[i];
        buf_fmt(&b, "\n%zu. ", i + 1);
        buf_put(&b, r->ticker);
        buf_put(&b, STR(": "));
        say_course(&b, &r->m, &r->trend);
        if (r->rank > 1)
            buf_fmt(&b, "; %.2f behind the best, %s", r->behind,
                    r->clear ? "more than chance" : "which may be chance");
    }
    return finance_say(k, &b);
}

rc_t finance_compare(finance_work_t *k)
{
    rc_t rc;
    comparison_t *c = ARENA_NEW(k->a, comparison_t);
    if (!c)
        return RC_MEMORY;
    if (!finance_tickers(k, "tickers", COMPARE_MOST, &c->tickers))
        return RC_OK;
    if (c->tickers.n < 2) {
        warder_mcp_error(k->call, "Give 2 to 10 different `tickers` to compare.");
        return RC_OK;
    }
    TRY(finance_refresh(k, c->tickers, &c->fresh));
    if (!finance_window(k, c->tickers, &c->window, &rc))
        return rc;
    TRY(gather(k, c));
    warder_json_t *w = warder_mcp_structured(k->call);
    finance_put_window(k, w, &c->window);
    finance_put_fresh(k, w, &c->fresh);
    warder_json_list(w, "rows");
    for (size_t i = 0; i < c->tickers.n; i++)
        put_row(k, w, c, &c->v[i]);
    warder_json_end(w);
    warder_json_end(w);
    return say_comparison(k, c);
}
