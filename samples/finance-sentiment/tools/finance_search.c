/* get_news_sentiment: articles, newest first or by what else is asked, each with its score. */
#include "finance_say.h"

enum { KNOWN_NAMES = 20 };

/* The hits together. */
typedef struct {
    double score; /* mean, by relevance */
    size_t good, neutral, bad;
} summary_t;

static summary_t sum_up(const articles_page_t *page)
{
    summary_t s = {0};
    double sum = 0, weight = 0;
    for (size_t i = 0; i < page->n; i++) {
        const articles_hit_t *h = &page->v[i];
        sentiment_label_t label = engine_label(h->score);
        sum += h->score * h->relevance;
        weight += h->relevance;
        s.good += label > SENTIMENT_NEUTRAL;
        s.neutral += label == SENTIMENT_NEUTRAL;
        s.bad += label < SENTIMENT_NEUTRAL;
    }
    s.score = weight > 0 ? sum / weight : 0;
    return s;
}

/* --- what is asked --- */

static articles_sort_t sort_of(str_t name)
{
    static const struct {
        str_t name;
        articles_sort_t sort;
    } ROWS[] = {
        {STR_INIT("latest"), ARTICLES_LATEST},       {STR_INIT("earliest"), ARTICLES_EARLIEST},
        {STR_INIT("relevance"), ARTICLES_RELEVANCE}, {STR_INIT("best"), ARTICLES_BEST},
        {STR_INIT("worst"), ARTICLES_WORST},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (str_eq(ROWS[i].name, name))
            return ROWS[i].sort;
    }
    return ARTICLES_LATEST;
}

static rc_t read_topics(finance_work_t *k, str_list_t *out)
{
    size_t n = warder_mcp_count(k->call, "topics");
    n = n > ARTICLES_ASKED ? ARTICLES_ASKED : n;
    str_t *v = ARENA_ARRAY(k->a, n + 1, str_t);
    if (!v)
        return RC_MEMORY;
    *out = (str_list_t){v, 0};
    for (size_t i = 0; i < n; i++) {
        v[out->n] = news_topic(k->a, finance_element(k, "topics", i));
        out->n += str_is_set(v[out->n]);
    }
    return RC_OK;
}

/* `ticker` is what the list was before it was one. */
static bool read_tickers(finance_work_t *k, str_list_t *out)
{
    str_t one = finance_argument(k, "ticker");
    if (!one.p)
        return finance_tickers(k, "tickers", FINANCE_ASKED, out);
    if (warder_mcp_count(k->call, "tickers") == 0 && finance_is_ticker(one))
        return finance_split_tickers(k, one, 1, out);
    warder_mcp_error(k->call, "Give `ticker`, a stock symbol such as \"ACME\": 1 to 20 letters, "
                              "digits, '.', ':' or '-'; or `tickers`, a list of them.");
    return false;
}

/* False: the call has its error, or *rc is one. */
static bool read_query(finance_work_t *k, articles_query_t *q, rc_t *rc)
{
    int64_t limit = FINANCE_ARTICLES;
    *q = (articles_query_t){0};
    *rc = RC_OK;
    warder_mcp_integer(k->call, "limit", &limit);
    q->limit = (size_t)limit;
    q->sort = sort_of(finance_argument(k, "sort"));
    q->text = finance_argument(k, "q");
    q->cursor = finance_argument(k, "cursor");
    q->all_tickers = str_eq(finance_argument(k, "match"), STR("all"));
    if (!read_tickers(k, &q->tickers) || !finance_time(k, "from", "time_from", &q->from) ||
        !finance_time(k, "to", "time_to", &q->to))
        return false;
    if (q->from.p && q->to.p && str_cmp(q->from, q->to) >= 0) {
        warder_mcp_error(k->call, "Give a `from` that is before `to`.");
        return false;
    }
    *rc = read_topics(k, &q->topics);
    return *rc == RC_OK;
}

/* --- the answer --- */

static void put_counts(warder_json_t *w, const summary_t *s)
{
    warder_json_object(w, "counts");
    warder_json_integer(w, "good", (int64_t)s->good);
    warder_json_integer(w, "neutral", (int64_t)s->neutral);
    warder_json_integer(w, "bad", (int64_t)s->bad);
    warder_json_end(w);
}

static const char NOTHING[] =
    "No article fits: ask for fewer things at once, or widen from and to.";

static void structured(finance_work_t *k, const articles_query_t *q, const articles_page_t *page,
                       const finance_fresh_t *fresh)
{
    summary_t s = sum_up(page);
    warder_json_t *w = warder_mcp_structured(k->call);
    if (q->tickers.n == 1)
        finance_put_str(k, w, "ticker", q->tickers.v[0]);
    warder_json_list(w, "tickers");
    for (size_t i = 0; i < q->tickers.n; i++)
        finance_put_str(k, w, NULL, q->tickers.v[i]);
    warder_json_end(w);
    finance_put_score(w, s.score);
    put_counts(w, &s);
    warder_json_string(w, "provenance", FINANCE_PROVENANCE);
    if (page->n == 0)
        warder_json_string(w, "note", NOTHING);
    finance_put_fresh(k, w, fresh);
    warder_json_list(w, "articles");
    for (size_t i = 0; i < page->n; i++)
        finance_put_article(k, w, NULL, &page->v[i]);
    warder_json_end(w);
    finance_put_str(k, w, "next_cursor", page->next);
    warder_json_end(w);
}

static void put_names(buf_t *b, str_list_t tickers)
{
    for (size_t i = 0; i < tickers.n; i++) {
        buf_put(b, i > 0 ? STR(", ") : STR(" of "));
        buf_put(b, tickers.v[i]);
    }
}

static void say_summary(buf_t *b, const summary_t *s, size_t n)
{
    finance_say_score(b, s->score);
    buf_fmt(b, ", from %zu article%s (%zu good, %zu neutral, %zu bad).", n, n == 1 ? "" : "s",
            s->good, s->neutral, s->bad);
}

static rc_t text(finance_work_t *k, const articles_query_t *q, const articles_page_t *page,
                 const finance_fresh_t *fresh)
{
    summary_t s = sum_up(page);
    buf_t b = buf_new(k->a, FINANCE_TEXT_BYTES);
    buf_put(&b, STR("News sentiment"));
    put_names(&b, q->tickers);
    buf_put(&b, STR(": "));
    if (page->n > 0)
        say_summary(&b, &s, page->n);
    else
        buf_put(&b, STR("none."));
    finance_say_fresh(k, &b, fresh);
    buf_fmt(&b, "\n%s", page->n > 0 ? FINANCE_PROVENANCE : NOTHING);
    for (size_t i = 0; i < page->n; i++)
        finance_say_article(k, &b, &page->v[i], i + 1, true);
    if (str_is_set(page->next))
        buf_put(&b, STR("\nThere are more: give the next_cursor as `cursor`."));
    return finance_say(k, &b);
}

/* Nobody knows the tickers: say which are known, or why not more is known. */
static rc_t unknown(finance_work_t *k, str_list_t tickers, const finance_fresh_t *fresh)
{
    articles_tickers_t known;
    TRY(articles_tickers(k->f->articles, k->a, STR_UNSET, KNOWN_NAMES, &known));
    buf_t b = buf_new(k->a, FINANCE_TEXT_BYTES);
    buf_put(&b, STR("There are no news about "));
    for (size_t i = 0; i < tickers.n; i++) {
        buf_put(&b, i > 0 ? STR(", ") : STR(""));
        buf_put(&b, tickers.v[i]);
    }
    buf_put(&b, STR("."));
    finance_say_fresh(k, &b, fresh);
    for (size_t i = 0; i < known.n; i++) {
        buf_put(&b, i > 0 ? STR(", ") : STR(" There are news about, for example: "));
        buf_put(&b, known.v[i].ticker);
    }
    buf_put(&b, known.n > 0 ? STR(".") : STR(""));
    buf_char(&b, '\0');
    TRY(b.failed);
    warder_mcp_error(k->call, buf_str(&b).p);
    return RC_OK;
}

static rc_t some_known(finance_work_t *k, str_list_t tickers, bool *out)
{
    *out = tickers.n == 0;
    for (size_t i = 0; i < tickers.n && !*out; i++) {
        articles_known_t known;
        TRY(articles_known(k->f->articles, k->a, tickers.v[i], &known));
        *out = known.count > 0;
    }
    return RC_OK;
}

static const char *refusal(articles_verdict_t verdict)
{
    static const char *const SENTENCES[] = {
        [ARTICLES_BAD_CURSOR] =
            "This `cursor` is not one of this server for these arguments: leave "
            "it out to begin at the first page.",
        [ARTICLES_BAD_TEXT] =
            "Give `q` as words to look for, at most 200 bytes; words \"in quotes\" "
            "must stand together.",
        [ARTICLES_BAD_QUERY] = "Give at most 10 tickers and 10 topics, and a `limit` from 1 to 50.",
    };
    return SENTENCES[verdict];
}

rc_t finance_get_news(finance_work_t *k)
{
    articles_query_t q;
    articles_page_t page;
    articles_verdict_t verdict;
    finance_fresh_t fresh;
    rc_t rc;
    bool known;
    if (!read_query(k, &q, &rc))
        return rc;
    TRY(finance_refresh(k, q.tickers, &fresh));
    TRY(articles_find(k->f->articles, k->a, &q, &page, &verdict));
    if (verdict != ARTICLES_OK) {
        warder_mcp_error(k->call, refusal(verdict));
        return RC_OK;
    }
    if (page.n == 0) {
        TRY(some_known(k, q.tickers, &known));
        if (!known)
            return unknown(k, q.tickers, &fresh);
    }
    structured(k, &q, &page, &fresh);
    return text(k, &q, &page, &fresh);
}
