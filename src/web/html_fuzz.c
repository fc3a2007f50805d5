/* Any bytes in each kind of hole: what comes out cannot leave its place, is whole UTF-8 within its
 * length, and is seen as it stands (cleaning it once more changes nothing). */
#include "core/limits.h"
#include "web/html.h"
#include "web/link.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static const struct {
    str_t escape;
    char plain;
} ESCAPES[] = {{STR_INIT("&amp;"), '&'},
               {STR_INIT("&lt;"), '<'},
               {STR_INIT("&gt;"), '>'},
               {STR_INIT("&quot;"), '"'},
               {STR_INIT("&#39;"), '\''}};

/* Takes the escapes away; nothing else may hold one of the five marks. */
static str_t plain(arena_t *a, str_t html)
{
    buf_t b = buf_new(a, html.n + 1);
    while (html.n > 0) {
        size_t i = 0, n = sizeof ESCAPES / sizeof ESCAPES[0];
        while (i < n && !str_starts(html, ESCAPES[i].escape))
            i++;
        must(i < n || !strchr("&<>\"'", html.p[0]));
        must((uint8_t)html.p[0] >= 0x20 && html.p[0] != 0x7f);
        buf_char(&b, i < n ? ESCAPES[i].plain : html.p[0]);
        html = str_skip(html, i < n ? ESCAPES[i].escape.n : 1);
    }
    must(b.failed == RC_OK);
    return buf_str(&b);
}

static str_t fill(arena_t *a, str_t markup, str_t value)
{
    buf_t b = buf_new(a, LIMIT_PAGE_BYTES);
    web_html_fill(&b, markup, &value, 1);
    must(b.failed == RC_OK);
    return plain(a, buf_str(&b));
}

static void check(arena_t *a, str_t text)
{
    static const struct {
        str_t hole;
        size_t max;
    } HOLES[] = {{STR_INIT("{}"), LIMIT_WEB_LABEL_BYTES},
                 {STR_INIT("{text}"), LIMIT_WEB_TEXT_BYTES},
                 {STR_INIT("{uri}"), LIMIT_WEB_URI_BYTES},
                 {STR_INIT("{host}"), LIMIT_WEB_URI_BYTES}};
    for (size_t i = 0; i < sizeof HOLES / sizeof HOLES[0]; i++) {
        str_t shown = fill(a, HOLES[i].hole, text);
        must(str_is_utf8(shown) && shown.n <= HOLES[i].max);
        must((shown.n == 0) == web_html_is_blank(text));
        str_t again = fill(a, HOLES[i].hole, shown);
        must(shown.n + 3 > HOLES[i].max || str_eq(shown, again));
    }
    str_t exact = fill(a, STR("{=}"), text);
    must(exact.n == 0 || str_eq(exact, text));
    must(!web_link_leads_away(text) || str_eq(exact, text));
    must(!web_link_is_ours(text) || text.n > LIMIT_WEB_EXACT_BYTES || str_eq(exact, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(16 << 20);
    if (!a || size > 65536) {
        arena_free(a);
        return 0;
    }
    check(a, str_of(data, size));
    arena_free(a);
    return 0;
}
