/* explain_article: the words that made an article's score, for the whole and for each company. */
#include "finance_say.h"

#include "explain.h"

enum { COMPANIES = 10, SPAN_TEXT_BYTES = 200 };

/* The article, and what the engine makes of it. */
typedef struct {
    articles_hit_t h;
    explain_t whole;
    const news_ticker_t *about[COMPANIES];
    explain_t parts[COMPANIES];
    size_t n;
} explained_t;

/* Where a company is not named in the text, the whole is all there is to say about it. */
static rc_t read_parts(finance_work_t *k, str_t ticker, explained_t *e)
{
    const article_t *x = &e->h.x;
    str_t room[ARTICLES_NAMES];
    for (size_t i = 0; i < x->ticker_count && e->n < COMPANIES; i++) {
        const news_ticker_t *t = &x->tickers[i];
        if (ticker.p && !str_eq(ticker, t->ticker))
            continue;
        str_list_t names = articles_names(t->ticker, t->names, room);
        TRY(explain(k->a, x->title, x->summary, names, &e->parts[e->n]));
        e->about[e->n++] = t;
    }
    return RC_OK;
}

static void put_spans(finance_work_t *k, warder_json_t *w, const explain_t *x)
{
    static const char *const FIELDS[] = {[EXPLAIN_TITLE] = "title", [EXPLAIN_SUMMARY] = "summary"};
    warder_json_list(w, "spans");
    for (size_t i = 0; i < x->count && i < FINANCE_EVIDENCE_MAX; i++) {
        const explain_span_t *s = &x->spans[i];
        warder_json_object(w, NULL);
        warder_json_string(w, "field", FIELDS[s->field]);
        warder_json_integer(w, "start", (int64_t)s->start);
        warder_json_integer(w, "end", (int64_t)s->end);
        finance_put_str(k, w, "text", s->text);
        finance_put_number(w, "weight", s->weight);
        finance_put_str(k, w, "rule", s->rule);
        warder_json_end(w);
    }
    warder_json_end(w);
}

static void put_class(warder_json_t *w, const sentiment_t *s)
{
    finance_put_score(w, s->score);
    warder_json_string(w, "class", engine_class_name(s->class).p);
    finance_put_number(w, "confidence", s->confidence);
}

static void structured(finance_work_t *k, const explained_t *e)
{
    warder_json_t *w = warder_mcp_structured(k->call);
    warder_json_string(w, "provenance", FINANCE_PROVENANCE);
    finance_put_article(k, w, "article", &e->h);
    put_class(w, &e->whole.s);
    put_spans(k, w, &e->whole);
    warder_json_list(w, "companies");
    for (size_t i = 0; i < e->n; i++) {
        warder_json_object(w, NULL);
        finance_put_str(k, w, "ticker", e->about[i]->ticker);
        warder_json_integer(w, "mentions", (int64_t)e->parts[i].s.mention_count);
        put_class(w, &e->parts[i].s);
        put_spans(k, w, &e->parts[i]);
        warder_json_end(w);
    }
    warder_json_end(w);
    warder_json_end(w);
}

static void say_spans(finance_work_t *k, buf_t *b, const explain_t *x)
{
    for (size_t i = 0; i < x->count && i < FINANCE_EVIDENCE_MAX; i++) {
        buf_fmt(b, "\n- %+.2f \"", x->spans[i].weight);
        finance_say_clean(k, b, x->spans[i].text, SPAN_TEXT_BYTES);
        buf_put(b, STR("\" ("));
        buf_put(b, x->spans[i].rule);
        buf_put(b, x->spans[i].field == EXPLAIN_TITLE ? STR(", title)") : STR(", summary)"));
    }
}

static rc_t text(finance_work_t *k, const explained_t *e)
{
    buf_t b = buf_new(k->a, FINANCE_TEXT_BYTES);
    buf_put(&b, str_c(FINANCE_PROVENANCE));
    finance_say_article(k, &b, &e->h, 1, true);
    buf_put(&b, STR("\nThe whole: "));
    finance_say_score(&b, e->whole.s.score);
    say_spans(k, &b, &e->whole);
    for (size_t i = 0; i < e->n; i++) {
        buf_put(&b, STR("\n"));
        buf_put(&b, e->about[i]->ticker);
        buf_put(&b, STR(": "));
        finance_say_score(&b, e->parts[i].s.score);
        if (e->parts[i].s.mention_count == 0)
            buf_put(&b, STR(" (not named in the text: as the whole)"));
        else
            say_spans(k, &b, &e->parts[i]);
    }
    return finance_say(k, &b);
}

static bool names_one(finance_work_t *k)
{
    int64_t id;
    bool by_id = warder_mcp_integer(k->call, "id", &id);
    return by_id != (finance_argument(k, "url").p != NULL);
}

/* By id or by address; RC_NOT_FOUND. */
static rc_t find(finance_work_t *k, articles_hit_t *out)
{
    int64_t id;
    if (warder_mcp_integer(k->call, "id", &id))
        return articles_get(k->f->articles, k->a, id, out);
    return articles_by_url(k->f->articles, k->a, finance_argument(k, "url"), out);
}

rc_t finance_explain(finance_work_t *k)
{
    explained_t *e = ARENA_NEW(k->a, explained_t);
    str_t asked = finance_argument(k, "ticker"), ticker = finance_ticker(k->a, asked);
    if (!e)
        return RC_MEMORY;
    if (asked.p && !finance_is_ticker(asked)) {
        warder_mcp_error(k->call, "Give `ticker` as a stock symbol, or leave it out.");
        return RC_OK;
    }
    if (asked.p && !ticker.p)
        return RC_MEMORY;
    if (!names_one(k)) {
        warder_mcp_error(k->call, "Give the `id` of an article or its `url`, one of the two.");
        return RC_OK;
    }
    rc_t rc = find(k, &e->h);
    if (rc == RC_NOT_FOUND) {
        warder_mcp_error(k->call, "There is no such article: give an `id` or `url` that "
                                  "get_news_sentiment has answered with.");
        return RC_OK;
    }
    TRY(rc);
    TRY(explain(k->a, e->h.x.title, e->h.x.summary, (str_list_t){0}, &e->whole));
    TRY(read_parts(k, ticker, e));
    if (ticker.p && e->n == 0) {
        warder_mcp_error(k->call, "The article is not about this `ticker`: leave it out for all "
                                  "that it is about.");
        return RC_OK;
    }
    structured(k, e);
    return text(k, e);
}
