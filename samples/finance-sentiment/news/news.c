#include "names.h"

#include "core/num.h"
#include "core/url.h"

enum { NEWS_TREE_BYTES = 96 << 20 };

static const json_limits_t NEWS_LIMITS = {NEWS_FILE_BYTES, 16, 400000};

/* Numbers arrive as strings: "relevance_score": "0.25". Plain numbers are taken too. */
static bool get_number(const json_t *object, str_t name, double *out)
{
    const json_t *v = json_get(object, name);
    if (json_is(v, JSON_STRING))
        return num_f64(v->str, out);
    return json_f64(v, out);
}

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

/* In upper case; unset when it has not the form of a ticker: no place for a sentence. */
static str_t read_symbol(arena_t *a, str_t text)
{
    char upper[NAMES_TICKER_BYTES];
    if (text.n > sizeof upper)
        return STR_UNSET;
    for (size_t i = 0; i < text.n; i++)
        upper[i] = text.p[i] >= 'a' && text.p[i] <= 'z' ? (char)(text.p[i] & 0x5f) : text.p[i];
    str_t ticker = str_of(upper, text.n);
    return names_is_ticker(ticker) ? arena_dup(a, ticker) : STR_UNSET;
}

static bool read_ticker(arena_t *a, const json_t *v, news_ticker_t *out)
{
    *out = (news_ticker_t){.relevance = 1};
    out->ticker = read_symbol(a, json_get_str(v, STR("ticker")));
    if (get_number(v, STR("relevance_score"), &out->relevance))
        out->relevance = clamp(out->relevance, 0, 1);
    out->has_score = get_number(v, STR("ticker_sentiment_score"), &out->score);
    out->score = clamp(out->score, -1, 1);
    return out->ticker.n > 0;
}

static rc_t read_tickers(arena_t *a, const json_t *list, article_t *out)
{
    size_t n = json_is(list, JSON_ARRAY) ? list->count : 0;
    n = n > NEWS_TICKERS ? NEWS_TICKERS : n;
    news_ticker_t *v = ARENA_ARRAY(a, n + 1, news_ticker_t);
    if (!v)
        return RC_MEMORY;
    const json_t *e = n > 0 ? list->child : NULL;
    for (size_t i = 0; i < n; i++, e = e->next) {
        if (read_ticker(a, e, &v[out->ticker_count]))
            out->ticker_count++;
    }
    out->tickers = v;
    return RC_OK;
}

static rc_t read_topics(arena_t *a, const json_t *list, article_t *out)
{
    size_t n = json_is(list, JSON_ARRAY) ? list->count : 0;
    n = n > NEWS_TOPICS ? NEWS_TOPICS : n;
    news_topic_t *v = ARENA_ARRAY(a, n + 1, news_topic_t);
    if (!v)
        return RC_MEMORY;
    const json_t *e = n > 0 ? list->child : NULL;
    for (size_t i = 0; i < n; i++, e = e->next) {
        news_topic_t *t = &v[out->topic_count];
        t->name = news_topic(a, json_get_str(e, STR("topic")));
        t->relevance = 1;
        if (get_number(e, STR("relevance_score"), &t->relevance))
            t->relevance = clamp(t->relevance, 0, 1);
        out->topic_count += t->name.n > 0;
    }
    out->topics = v;
    return RC_OK;
}

/* A link goes to a reader's browser: only web addresses, as they are; and none with a name before
 * an '@', which looks like another host. */
str_t news_url(arena_t *a, str_t text)
{
    url_t u;
    if (text.n > NEWS_URL_BYTES || url_parse(text, &u) != RC_OK || !url_is_http(&u) ||
        str_is_set(u.userinfo))
        return STR_UNSET;
    return arena_dup(a, text);
}

static rc_t read_article(arena_t *a, const json_t *v, article_t *out)
{
    *out = (article_t){
        .title = news_clean(a, json_get_str(v, STR("title")), NEWS_TITLE_BYTES),
        .summary = news_clean(a, json_get_str(v, STR("summary")), NEWS_SUMMARY_BYTES),
        .source = news_clean(a, json_get_str(v, STR("source")), NEWS_NAME_BYTES),
        .url = news_url(a, json_get_str(v, STR("url"))),
        .time = news_time(a, json_get_str(v, STR("time_published"))),
    };
    TRY(read_topics(a, json_get(v, STR("topics")), out));
    return read_tickers(a, json_get(v, STR("ticker_sentiment")), out);
}

static rc_t read_articles(arena_t *a, const json_t *feed, news_t *out)
{
    article_t *v = ARENA_ARRAY(a, feed->count + 1, article_t);
    if (!v)
        return RC_MEMORY;
    for (const json_t *e = feed->child; e; e = e->next) {
        article_t *x = &v[out->n];
        TRY(read_article(a, e, x));
        out->n += x->title.n > 0 && x->time.p;
    }
    out->v = v;
    return RC_OK;
}

/* The service says "no articles" in the same member as "you have used up your calls". */
static news_verdict_t verdict_without_feed(const json_t *root)
{
    str_t information = json_get_str(root, STR("Information"));
    if (str_starts(information, STR("No articles found")))
        return NEWS_OK;
    if (information.p || json_get_str(root, STR("Note")).p ||
        json_get_str(root, STR("Error Message")).p)
        return NEWS_REFUSED;
    return NEWS_MALFORMED;
}

static rc_t read_document(arena_t *a, arena_t *tree, str_t text, news_t *out,
                          news_verdict_t *verdict)
{
    const json_t *root;
    rc_t rc = json_parse(tree, text, &NEWS_LIMITS, &root);
    if (rc == RC_MALFORMED || rc == RC_LIMIT)
        return RC_OK;
    TRY(rc);
    const json_t *feed = json_get(root, STR("feed"));
    if (!json_is(feed, JSON_ARRAY)) {
        *verdict = verdict_without_feed(root);
        return RC_OK;
    }
    if (feed->count > NEWS_ARTICLES)
        return RC_OK;
    *verdict = NEWS_OK;
    return read_articles(a, feed, out);
}

rc_t news_parse(arena_t *a, str_t text, news_t *out, news_verdict_t *verdict)
{
    *out = (news_t){0};
    *verdict = NEWS_MALFORMED;
    arena_t *tree = arena_new(NEWS_TREE_BYTES);
    rc_t rc = tree ? read_document(a, tree, text, out, verdict) : RC_MEMORY;
    arena_free(tree);
    return rc;
}

const news_ticker_t *news_find_ticker(const article_t *article, str_t ticker)
{
    for (size_t i = 0; i < article->ticker_count; i++) {
        if (str_eq_nocase(article->tickers[i].ticker, ticker))
            return &article->tickers[i];
    }
    return NULL;
}
