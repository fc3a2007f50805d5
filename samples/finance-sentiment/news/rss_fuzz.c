/* A feed of a stranger, as a file. What comes out must be clean, bounded and made of web links. */
#include "rss.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(arena_t *a, str_t s, size_t max)
{
    if (s.n > max || !str_is_utf8(s) || !str_eq(news_clean(a, s, max), s))
        abort();
}

static void check(arena_t *a, const article_t *x)
{
    check_text(a, x->title, NEWS_TITLE_BYTES);
    check_text(a, x->summary, NEWS_SUMMARY_BYTES);
    check_text(a, x->source, NEWS_NAME_BYTES);
    if (x->title.n == 0 || !str_eq(news_time(a, x->time), x->time))
        abort();
    if (x->url.p && !str_starts(x->url, STR("http")) && !str_starts(x->url, STR("HTTP")) &&
        (x->url.p[0] | 0x20) != 'h')
        abort();
    if (x->ticker_count > NEWS_TICKERS || x->topic_count > NEWS_TOPICS)
        abort();
    for (size_t i = 0; i < x->ticker_count; i++) {
        if (!names_is_ticker(x->tickers[i].ticker))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const str_t CSV = STR_INIT("ACME,Acme Instruments,Acme\nORBT,Orbit Grain\n");
    arena_t *a = arena_new(256 << 20);
    names_t names;
    news_t news;
    rss_verdict_t verdict;
    size_t line;
    if (!a || names_read(a, CSV, &names, &line) != RC_OK)
        return 0;
    rc_t rc = rss_read(a, str_of(data, size), &names, &news, &verdict);
    if (rc != RC_OK && rc != RC_MEMORY)
        abort();
    for (size_t i = 0; rc == RC_OK && i < news.n; i++)
        check(a, &news.v[i]);
    arena_free(a);
    return 0;
}
