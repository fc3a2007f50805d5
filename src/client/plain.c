#include "client/plain.h"

#include "core/unfit.h"

/* Bytes of the well-formed character that `text` begins with; 0: there is none. */
static size_t char_bytes(str_t text)
{
    unsigned char lead = (unsigned char)text.p[0];
    size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return n <= text.n && str_is_utf8(str_first(text, n)) ? n : 0;
}

/* Tab, the ends of lines and pages, and the separators of Unicode. */
static bool is_break(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* Takes the next character off *rest: what is shown for it, empty for nothing. */
static str_t next_shown(str_t *rest)
{
    size_t n = char_bytes(*rest);
    if (n == 0) {
        *rest = str_skip(*rest, 1);
        return STR("?");
    }
    str_t text = str_first(*rest, n);
    uint32_t c = unfit_first(text, &n);
    *rest = str_skip(*rest, c == '\r' && str_starts(str_skip(*rest, 1), STR("\n")) ? 2 : n);
    if (is_break(c))
        return STR(" ");
    return unfit_is(c) ? STR("") : text;
}

str_t client_plain(arena_t *a, str_t text, size_t max)
{
    static const str_t MARK = STR_INIT("\xe2\x80\xa6");
    buf_t b = buf_new(a, max);
    size_t fits = 0; /* what may stay where the mark follows */
    str_t out;
    while (text.n > 0 && b.failed == RC_OK) {
        str_t shown = next_shown(&text);
        if (b.n + shown.n > max) {
            b.n = max < MARK.n ? b.n : fits;
            buf_put(&b, max < MARK.n ? STR("") : MARK);
            break;
        }
        buf_put(&b, shown);
        if (b.n + MARK.n <= max)
            fits = b.n;
    }
    if (buf_done(&b, &out) != RC_OK)
        return STR_UNSET;
    return str_is_set(out) ? out : STR("");
}
