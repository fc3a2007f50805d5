/* The engine as the store sees it: an article, and what it says of each company in it. */
#include "articles.h"

_Static_assert((int)ARTICLES_NAMES <= (int)ENGINE_NAMES, "the engine takes them all");

str_list_t articles_names(str_t first, str_t names, str_t room[ARTICLES_NAMES])
{
    str_t name;
    size_t n = 0;
    room[n++] = first;
    while (n < ARTICLES_NAMES && str_split(&names, '|', &name)) {
        if (name.n > 0 && name.n <= ENGINE_NAME_BYTES)
            room[n++] = name;
    }
    return (str_list_t){room, n};
}

/* Where nothing names the company, the whole article speaks of it. */
static rc_t score_all(arena_t *work, const article_t *x, str_t text, double *out)
{
    str_t room[ARTICLES_NAMES];
    sentiment_t s;
    for (size_t i = 0; i < x->ticker_count; i++) {
        arena_reset(work);
        str_list_t names = articles_names(x->tickers[i].ticker, x->tickers[i].names, room);
        TRY(engine_analyze_target(work, text, names, &s));
        out[i] = s.score;
    }
    return RC_OK;
}

static rc_t score_with(arena_t *scratch, arena_t *work, const article_t *x, articles_score_t *out)
{
    sentiment_t s;
    double *scores = ARENA_ARRAY(scratch, x->ticker_count + 1, double);
    str_t text =
        arena_printf(scratch, "%" PRIstr ". %" PRIstr, STR_ARG(x->title), STR_ARG(x->summary));
    if (!scores || !text.p)
        return RC_MEMORY;
    TRY(engine_analyze(work, text, &s));
    *out = (articles_score_t){s.score, scores};
    return score_all(work, x, text, scores);
}

static rc_t score(void *ctx, arena_t *scratch, const article_t *x, articles_score_t *out)
{
    (void)ctx;
    arena_t *work = arena_new(ENGINE_ARENA_BYTES);
    rc_t rc = work ? score_with(scratch, work, x, out) : RC_MEMORY;
    arena_free(work);
    return rc;
}

articles_engine_t articles_engine(void)
{
    return (articles_engine_t){.digest = engine_card(), .score = score};
}
