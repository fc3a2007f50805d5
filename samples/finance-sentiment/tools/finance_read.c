/* Resources, the list of tickers as a tool, and completion. */
#include "core/json.h"
#include "finance_say.h"

#include "core/num.h"

enum { LISTED = 1000, SUGGESTED = 100, CARD_FRESH_S = 3600, LIST_FRESH_S = 60 };

rc_t finance_read_card(finance_work_t *k)
{
    char *card = arena_cstr(k->a, engine_card());
    if (!card)
        return RC_MEMORY;
    warder_mcp_fresh(k->call, CARD_FRESH_S, true);
    warder_mcp_text(k->call, card);
    return RC_OK;
}

/* --- tickers --- */

/* What there is no memory for fails the document. */
static void member_time(arena_t *a, json_writer_t *w, str_t name, str_t news_time)
{
    str_t text = news_time_text(a, news_time);
    if (!str_is_set(text))
        buf_fail(w->buf, RC_MEMORY);
    json_member_str(w, name, text);
}

static void write_known(arena_t *a, json_writer_t *w, const articles_known_t *t)
{
    json_begin_object(w);
    json_member_str(w, STR("ticker"), t->ticker);
    json_member_str(w, STR("name"), t->name);
    json_member_int(w, STR("articles"), (int64_t)t->count);
    if (t->latest.p)
        member_time(a, w, STR("latest"), t->latest);
    json_end_object(w);
}

static rc_t write_tickers(arena_t *a, const articles_tickers_t *t, str_t *out)
{
    buf_t b = buf_new(a, FINANCE_TEXT_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_key(&w, STR("tickers"));
    json_begin_array(&w);
    for (size_t i = 0; i < t->n; i++)
        write_known(a, &w, &t->v[i]);
    json_end_array(&w);
    json_end_object(&w);
    buf_char(&b, '\0');
    return buf_done(&b, out);
}

rc_t finance_read_tickers(finance_work_t *k)
{
    articles_tickers_t known;
    str_t text;
    TRY(articles_tickers(k->f->articles, k->a, STR_UNSET, LISTED, &known));
    TRY(write_tickers(k->a, &known, &text));
    warder_mcp_fresh(k->call, LIST_FRESH_S, true);
    warder_mcp_text(k->call, text.p);
    return RC_OK;
}

rc_t finance_list_tickers(finance_work_t *k)
{
    articles_tickers_t known;
    int64_t limit = 50;
    str_t text, given = finance_argument(k, "prefix"), prefix = finance_ticker(k->a, given);
    warder_mcp_integer(k->call, "limit", &limit);
    if (given.n > 0 && !finance_is_ticker(given)) {
        warder_mcp_error(k->call, "Give `prefix` as the beginning of a stock symbol, or leave it "
                                  "out.");
        return RC_OK;
    }
    if (given.n > 0 && !prefix.p)
        return RC_MEMORY;
    TRY(articles_tickers(k->f->articles, k->a, prefix, (size_t)limit, &known));
    TRY(write_tickers(k->a, &known, &text));
    warder_mcp_structured_json(k->call, text.p);
    buf_t b = buf_new(k->a, FINANCE_TEXT_BYTES);
    if (known.n == 0)
        buf_put(&b, STR("There are no news about such stocks."));
    else
        buf_fmt(&b, "%zu ticker%s, most news first:", known.n, known.n == 1 ? "" : "s");
    for (size_t i = 0; i < known.n; i++) {
        buf_put(&b, STR("\n"));
        buf_put(&b, known.v[i].ticker);
        buf_fmt(&b, "  %zu article%s", known.v[i].count, known.v[i].count == 1 ? "" : "s");
        if (known.v[i].name.n > 0) {
            buf_put(&b, STR("  "));
            buf_put(&b, known.v[i].name);
        }
    }
    return finance_say(k, &b);
}

/* --- what belongs to somebody, and one article --- */

rc_t finance_read_watchlist(finance_work_t *k)
{
    str_list_t list;
    str_t text;
    TRY(finance_watched(k, &list));
    buf_t b = buf_new(k->a, FINANCE_TEXT_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_strs(&w, STR("tickers"), list);
    json_end_object(&w);
    buf_char(&b, '\0');
    TRY(buf_done(&b, &text));
    warder_mcp_text(k->call, text.p);
    return RC_OK;
}

static void write_article(arena_t *a, json_writer_t *w, const articles_hit_t *h)
{
    json_begin_object(w);
    json_member_str(w, STR("provenance"), str_c(FINANCE_PROVENANCE));
    json_member_int(w, STR("id"), h->id);
    json_member_str(w, STR("title"), h->x.title);
    json_member_str(w, STR("summary"), h->x.summary);
    json_member_str(w, STR("source"), h->x.source);
    json_member_str(w, STR("url"), h->x.url);
    member_time(a, w, STR("published"), h->x.time);
    json_member_str(w, STR("via"), h->via);
    json_member_bool(w, STR("trusted"), false);
    json_key(w, STR("score"));
    json_double(w, finance_round(h->x.score));
    json_member_str(w, STR("label"), engine_label_name(engine_label(h->x.score)));
    json_end_object(w);
}

rc_t finance_read_article(finance_work_t *k)
{
    articles_hit_t h;
    uint64_t id;
    str_t text;
    rc_t rc = num_u64(finance_argument(k, "id"), INT64_MAX, &id)
                  ? articles_get(k->f->articles, k->a, (int64_t)id, &h)
                  : RC_NOT_FOUND;
    if (rc == RC_NOT_FOUND) {
        warder_mcp_not_found(k->call);
        return RC_OK;
    }
    TRY(rc);
    buf_t b = buf_new(k->a, FINANCE_TEXT_BYTES);
    json_writer_t w = json_writer(&b);
    write_article(k->a, &w, &h);
    buf_char(&b, '\0');
    TRY(buf_done(&b, &text));
    warder_mcp_fresh(k->call, LIST_FRESH_S, true);
    warder_mcp_text(k->call, text.p);
    return RC_OK;
}

/* --- completion: where it fails, nothing is suggested --- */

/* Of a list with commas the last one is completed. */
void finance_suggest_tickers(warder_mcp_call_t *call, const char *argument, const char *value,
                             void *ctx)
{
    const finance_t *f = ctx;
    articles_tickers_t known;
    arena_t *a = arena_new(FINANCE_ARENA_BYTES);
    str_t all = str_c(value);
    size_t at = all.n;
    (void)argument;
    while (at > 0 && all.p[at - 1] != ',')
        at--;
    str_t last = str_trim(str_skip(all, at), " "), prefix = a ? finance_ticker(a, last) : STR_UNSET;
    bool good = a && (last.n == 0 || prefix.p) &&
                articles_tickers(f->articles, a, prefix, SUGGESTED, &known) == RC_OK;
    for (size_t i = 0; good && i < known.n; i++) {
        str_t whole = arena_printf(a, "%" PRIstr "%" PRIstr, STR_ARG(str_first(all, at)),
                                   STR_ARG(known.v[i].ticker));
        if (whole.p)
            warder_mcp_suggest(call, whole.p);
    }
    arena_free(a);
}

void finance_suggest_articles(warder_mcp_call_t *call, const char *argument, const char *value,
                              void *ctx)
{
    const finance_t *f = ctx;
    articles_query_t q = {.sort = ARTICLES_LATEST, .limit = ARTICLES_LIMIT};
    articles_page_t page;
    articles_verdict_t verdict;
    arena_t *a = arena_new(FINANCE_ARENA_BYTES);
    (void)argument;
    bool good =
        a && articles_find(f->articles, a, &q, &page, &verdict) == RC_OK && verdict == ARTICLES_OK;
    for (size_t i = 0; good && i < page.n; i++) {
        str_t id = arena_printf(a, "%lld", (long long)page.v[i].id);
        if (id.p && str_starts(id, str_c(value)))
            warder_mcp_suggest(call, id.p);
    }
    arena_free(a);
}
