/* What a client asks: first the cursor, behind a newline the words. No text may become syntax of
 * the full-text search, and no cursor but the store's own may be taken. */
#include "articles_import.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static rc_t score(void *ctx, arena_t *scratch, const article_t *x, articles_score_t *out)
{
    (void)ctx;
    (void)scratch;
    (void)x;
    *out = (articles_score_t){.score = 0.5};
    return RC_OK;
}

static void put_one(articles_t *s)
{
    article_t x = {.title = STR("Acme wins"), .time = STR("20260101T000000")};
    news_t news = {&x, 1};
    articles_from_t from = {STR("file"), STR("/f"), STR("f")};
    articles_import_t out;
    if (articles_import(s, &news, &from, &out) != RC_OK || out.added != 1)
        abort();
}

static void ask(articles_t *s, arena_t *a, str_t cursor, str_t text)
{
    for (int sort = 0; sort <= (int)ARTICLES_WORST; sort++) {
        articles_page_t page;
        articles_verdict_t verdict;
        articles_query_t q = {.sort = (articles_sort_t)sort, .limit = 1, .text = text};
        if (articles_find(s, a, &q, &page, &verdict) != RC_OK)
            abort();
        q.text = STR_UNSET;
        q.cursor = cursor;
        if (articles_find(s, a, &q, &page, &verdict) != RC_OK)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str_t text = str_of(data, size), cursor = STR_UNSET, why;
    arena_t *a = arena_new(16 << 20);
    clock_fake_t clock = {1795600000000};
    articles_config_t c = {.engine = {STR("f"), score, NULL}, .clock = clock_fake(&clock)};
    articles_t *s = NULL;
    if (a && articles_open(a, &c, &s, &why) == RC_OK) {
        put_one(s);
        str_split(&text, '\n', &cursor);
        ask(s, a, cursor, text);
    }
    articles_close(s);
    arena_free(a);
    return 0;
}
