#include "oauth/label.h"

#include "core/unfit.h"

rc_t oauth_label_clean(arena_t *a, str_t text, size_t max, str_t *out)
{
    *out = STR_UNSET;
    if (!str_is_utf8(text))
        return RC_OK;
    buf_t b = buf_new(a, max);
    text = str_trim(text, " ");
    while (text.n > 0) {
        size_t n;
        bool unfit = unfit_is(unfit_first(text, &n));
        if (!unfit && b.n + n > max)
            break;
        if (!unfit)
            buf_put(&b, str_first(text, n));
        text = str_skip(text, n);
    }
    TRY(buf_done(&b, out));
    *out = str_trim(*out, " ");
    if (out->n == 0)
        *out = STR_UNSET;
    return RC_OK;
}
