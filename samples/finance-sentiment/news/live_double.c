/* Tests only: a live service that says what it was told to, and counts who asks. */
#include "live_double.h"

rc_t live_ask(live_t *l, arena_t *a, str_t ticker, live_answer_t *out)
{
    (void)a;
    (void)ticker;
    l->asked++;
    if (l->landed)
        l->landed(l->ctx);
    *out = l->says;
    return l->rc;
}
