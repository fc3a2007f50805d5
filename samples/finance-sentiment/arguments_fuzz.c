/* The arguments of both tools, as a client sends them. */
#include "finance.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const json_t *v;
    news_query_t q;
    str_t text;
    arena_t *a = arena_new(4 << 20);
    if (!a)
        return 0;
    if (json_parse(a, str_of(data, size), NULL, &v) == RC_OK) {
        if (!finance_news_arguments(a, v, &q).p) {
            must(q.ticker.n > 0 && q.ticker.n <= ALPHA_TICKER_BYTES);
            must(str_is_printable_ascii(q.ticker) && q.limit >= 1 &&
                 q.limit <= FINANCE_ARTICLES_MAX);
        }
        if (!finance_analyze_arguments(v, &text).p)
            must(text.n > 0 && text.n <= ENGINE_TEXT_BYTES);
    }
    arena_free(a);
    return 0;
}
