#include "oauth/label.h"

#include "core/buf.h"

/* Unicode: controls (Cc), formats that join, hide or reorder (Cf), line and paragraph separators.
 */
static const struct {
    uint32_t first, last;
} UNFIT[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad},   {0x061c, 0x061c},
    {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

static bool is_unfit(uint32_t c)
{
    for (size_t i = 0; i < sizeof UNFIT / sizeof UNFIT[0]; i++)
        if (c >= UNFIT[i].first && c <= UNFIT[i].last)
            return true;
    return false;
}

/* The character that `text`, well-formed and not empty, begins with; its length in *n. */
static uint32_t first_char(str_t text, size_t *n)
{
    const uint8_t *p = (const uint8_t *)text.p;
    *n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t c = *n == 1 ? p[0] : p[0] & (0xffu >> (*n + 1));
    for (size_t i = 1; i < *n; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

rc_t oauth_label_clean(arena_t *a, str_t text, size_t max, str_t *out)
{
    *out = STR_UNSET;
    if (!str_is_utf8(text))
        return RC_OK;
    buf_t b = buf_new(a, max);
    text = str_trim(text, " ");
    while (text.n > 0) {
        size_t n;
        bool unfit = is_unfit(first_char(text, &n));
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
