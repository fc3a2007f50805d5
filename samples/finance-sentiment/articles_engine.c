/* The engine as the store sees it: one score for the whole article. */
#include "articles.h"

static rc_t score(void *ctx, arena_t *scratch, const article_t *x, articles_score_t *out)
{
    sentiment_t s;
    (void)ctx;
    str_t text =
        arena_printf(scratch, "%" PRIstr ". %" PRIstr, STR_ARG(x->title), STR_ARG(x->summary));
    if (!text.p)
        return RC_MEMORY;
    TRY(engine_analyze(scratch, text, &s));
    *out = (articles_score_t){.score = s.score};
    return RC_OK;
}

articles_engine_t articles_engine(void)
{
    return (articles_engine_t){.digest = STR("rules-1"), .score = score};
}
