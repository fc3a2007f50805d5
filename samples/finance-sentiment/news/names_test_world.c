#include "names_test_world.h"

#include <stdlib.h>

#define CSV                                                                                        \
    "ticker,name,aliases\n# companies\nACME,Acme Instruments,Acme\r\nORBT,\"Orbit, Grain\"\n\n"    \
    "HLDN,Halden Marine,Halden Marine Group|Halden Shipping\nTWO,Twin Co,Common Name\n"            \
    "TWN,Twain,Common Name\n"

int names_setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    size_t line;
    f->a = arena_new(512 << 20);
    *state = f;
    return names_read(f->a, STR(CSV), &f->names, &line) == RC_OK ? 0 : -1;
}

int names_teardown(void **state)
{
    fixture_t *f = *state;
    arena_free(f->a);
    free(f);
    return 0;
}

void assert_str(str_t got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("'%.*s' is not '%s'", STR_ARG(got), want ? want : "unset");
}

void assert_tickers(const article_t *x, const char *want)
{
    char got[256];
    buf_t b = buf_fixed(got, sizeof got);
    for (size_t i = 0; i < x->ticker_count; i++)
        buf_fmt(&b, "%s%" PRIstr ":%.1f", i ? " " : "", STR_ARG(x->tickers[i].ticker),
                x->tickers[i].relevance);
    assert_str(buf_str(&b), want);
}
