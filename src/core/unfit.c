#include "core/unfit.h"

/* Unicode: controls (Cc), formats that join, hide or reorder (Cf), line and paragraph separators,
 * fillers that show as nothing, tags and the variation selectors that nothing legible needs. */
static const struct {
    uint32_t first, last;
} UNFIT[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x061c, 0x061c},
    {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},
    {0x2060, 0x206f},   {0x3164, 0x3164},   {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff9, 0xfffb},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

bool unfit_is(uint32_t c)
{
    for (size_t i = 0; i < sizeof UNFIT / sizeof UNFIT[0]; i++)
        if (c >= UNFIT[i].first && c <= UNFIT[i].last)
            return true;
    return false;
}

uint32_t unfit_first(str_t text, size_t *n)
{
    const uint8_t *p = (const uint8_t *)text.p;
    *n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t c = *n == 1 ? p[0] : p[0] & (0xffu >> (*n + 1));
    for (size_t i = 1; i < *n; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

static void put_unit(buf_t *b, uint32_t unit)
{
    const uint8_t bytes[] = {(uint8_t)(unit >> 8), (uint8_t)unit};
    buf_put(b, STR("\\u"));
    buf_hex(b, bytes, sizeof bytes);
}

void unfit_escape(buf_t *b, uint32_t c)
{
    if (c > 0xffff)
        put_unit(b, 0xd7c0 + (c >> 10));
    put_unit(b, c > 0xffff ? 0xdc00 + (c & 0x3ff) : c);
}
