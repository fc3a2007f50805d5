/* A feed as a file brings it, and what must hold of every article that is let in. */
#include "news.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 32 << 20, OUT_BYTES = 1 << 20 };

static void must(bool good)
{
    if (!good)
        abort();
}

/* Clean text is UTF-8 within its bound, and cleaning it again changes nothing. */
static void check_text(arena_t *a, str_t s, size_t max)
{
    must(s.n <= max && str_is_utf8(s));
    for (size_t i = 0; i < s.n; i++)
        must((unsigned char)s.p[i] >= ' ');
    must(s.n == 0 || str_eq(news_clean(a, s, max), s));
}

static void check_article(arena_t *a, const article_t *x)
{
    check_text(a, x->title, NEWS_TITLE_BYTES);
    check_text(a, x->summary, NEWS_SUMMARY_BYTES);
    check_text(a, x->source, NEWS_NAME_BYTES);
    must(x->title.n > 0 && x->time.n == NEWS_TIME);
    must(!x->url.p || str_is_printable_ascii(x->url));
    for (size_t i = 0; i < x->ticker_count; i++) {
        const news_ticker_t *t = &x->tickers[i];
        check_text(a, t->ticker, NEWS_NAME_BYTES);
        must(t->relevance >= 0 && t->relevance <= 1 && t->score >= -1 && t->score <= 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    news_t news;
    news_verdict_t verdict;
    arena_t *a = arena_new(ARENA_BYTES);
    if (!a)
        return 0;
    if (news_parse(a, str_of(data, size), &news, &verdict) == RC_OK) {
        must(verdict == NEWS_OK || news.n == 0);
        for (size_t i = 0; i < news.n; i++)
            check_article(a, &news.v[i]);
    }
    arena_free(a);
    return 0;
}
