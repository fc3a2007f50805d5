#include "news.h"

#include <stdlib.h>

enum { NAMES_BYTES = 8192, NAMES_MAX = 64 };

rc_t news_append(arena_t *a, news_t *all, const news_t *more)
{
    article_t *v = ARENA_ARRAY(a, all->n + more->n + 1, article_t);
    if (!v)
        return RC_MEMORY;
    if (all->n > 0)
        memcpy(v, all->v, all->n * sizeof *v);
    if (more->n > 0)
        memcpy(v + all->n, more->v, more->n * sizeof *v);
    *all = (news_t){v, all->n + more->n};
    return RC_OK;
}

static bool is_within(const article_t *x, const news_query_t *q)
{
    return (!q->from.p || str_cmp(x->time, q->from) >= 0) &&
           (!q->to.p || str_cmp(x->time, q->to) < 0);
}

static size_t collect(const news_t *s, const news_query_t *q, news_hit_t *v, news_hits_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const news_ticker_t *about = news_find_ticker(&s->v[i], q->ticker);
        out->known += about != NULL;
        if (about && is_within(&s->v[i], q))
            v[n++] = (news_hit_t){&s->v[i], about};
    }
    return n;
}

/* Newest first; the more relevant of two at the same time; then by title, so that an answer does
 * not depend on the order of files. */
static int newer_first(const void *left, const void *right)
{
    const news_hit_t *a = left, *b = right;
    int time = str_cmp(b->article->time, a->article->time);
    if (time != 0)
        return time;
    if (a->about->relevance != b->about->relevance)
        return a->about->relevance > b->about->relevance ? -1 : 1;
    return str_cmp(a->article->title, b->article->title);
}

/* A feed file and the live service may both have an article: its address says so. */
static bool is_repeat(const news_hit_t *v, size_t n, const article_t *x)
{
    for (size_t i = 0; i < n && x->url.p; i++) {
        if (str_eq(v[i].article->url, x->url))
            return true;
    }
    return false;
}

rc_t news_search(arena_t *a, const news_t *sources, size_t count, const news_query_t *q,
                 news_hits_t *out)
{
    size_t all = 0, n = 0;
    for (size_t i = 0; i < count; i++)
        all += sources[i].n;
    news_hit_t *v = ARENA_ARRAY(a, all + 1, news_hit_t);
    *out = (news_hits_t){.v = v};
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < count; i++)
        n += collect(&sources[i], q, v + n, out);
    qsort(v, n, sizeof *v, newer_first);
    for (size_t i = 0; i < n && out->n < q->limit; i++) {
        if (!is_repeat(v, out->n, v[i].article))
            v[out->n++] = v[i];
    }
    return RC_OK;
}

static bool has(const str_t *names, size_t n, str_t name)
{
    return str_list_has((str_list_t){names, n}, name);
}

static void add_names(const article_t *x, size_t max, str_t *names, size_t *n)
{
    for (size_t i = 0; i < x->ticker_count && *n < max; i++) {
        if (!has(names, *n, x->tickers[i].ticker))
            names[(*n)++] = x->tickers[i].ticker;
    }
}

str_t news_ticker_names(arena_t *a, const news_t *news, size_t max)
{
    str_t names[NAMES_MAX], out;
    size_t n = 0;
    max = max < NAMES_MAX ? max : NAMES_MAX;
    for (size_t i = 0; i < news->n && n < max; i++)
        add_names(&news->v[i], max, names, &n);
    buf_t b = buf_new(a, NAMES_BYTES);
    for (size_t i = 0; i < n; i++) {
        buf_put(&b, i > 0 ? STR(", ") : STR(""));
        buf_put(&b, names[i]);
    }
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}
