/* Descriptions of feeds are HTML: what a reader would see of it, in one line. */
#include "news.h"

typedef struct {
    buf_t out;
    str_t rest;
} html_t;

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Name of the tag that begins here ("/p" for its end), unset when '<' is only a sign. */
static str_t tag_name(str_t s)
{
    size_t n = 1;
    n += s.n > 1 && s.p[1] == '/';
    size_t from = n;
    while (n < s.n && is_letter(s.p[n]))
        n++;
    return n > from || (s.n > 1 && (s.p[1] == '!' || s.p[1] == '?')) ? str_of(s.p + 1, n - 1)
                                                                     : STR_UNSET;
}

/* The tag's end: quotes may hold a '>'. What never ends ends the text. */
static size_t tag_length(str_t s)
{
    char quote = '\0';
    for (size_t i = 1; i < s.n; i++) {
        char c = s.p[i];
        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            return i + 1;
    }
    return s.n;
}

static size_t find_end(str_t s, str_t end)
{
    for (size_t i = 0; i + end.n <= s.n; i++) {
        if (str_eq_nocase(str_of(s.p + i, end.n), end))
            return i + end.n;
    }
    return s.n;
}

static void skip_tag(html_t *h, str_t name)
{
    static const str_t UNSEEN[][2] = {{STR_INIT("script"), STR_INIT("</script")},
                                      {STR_INIT("style"), STR_INIT("</style")},
                                      {STR_INIT("template"), STR_INIT("</template")}};
    static const str_t INLINE[] = {
        STR_INIT("a"),    STR_INIT("b"), STR_INIT("i"),   STR_INIT("em"),  STR_INIT("strong"),
        STR_INIT("span"), STR_INIT("u"), STR_INIT("sup"), STR_INIT("sub"), STR_INIT("abbr")};
    bool space = true;
    if (str_starts(h->rest, STR("<!--"))) {
        h->rest = str_skip(h->rest, find_end(h->rest, STR("-->")));
        return;
    }
    str_t bare = str_starts(name, STR("/")) ? str_skip(name, 1) : name;
    for (size_t i = 0; i < sizeof INLINE / sizeof *INLINE; i++)
        space &= !str_eq_nocase(bare, INLINE[i]);
    if (space)
        buf_char(&h->out, ' ');
    h->rest = str_skip(h->rest, tag_length(h->rest));
    for (size_t i = 0; i < sizeof UNSEEN / sizeof *UNSEEN; i++) {
        if (!str_eq_nocase(name, UNSEEN[i][0]))
            continue;
        h->rest = str_skip(h->rest, find_end(h->rest, UNSEEN[i][1]));
        h->rest = str_skip(h->rest, str_find(h->rest, '>', 0) + 1);
    }
}

static void put_point(buf_t *b, uint32_t c)
{
    static const uint32_t LEAD[] = {0, 0xc0, 0xe0, 0xf0};
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return;
    if (c < 0x80) {
        buf_char(b, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    buf_char(b, (char)(LEAD[more] | c >> 6 * more));
    while (more-- > 0)
        buf_char(b, (char)(0x80 | (c >> 6 * more & 0x3f)));
}

static bool number_of(str_t s, uint32_t *out)
{
    bool hex = s.n > 1 && (s.p[1] == 'x' || s.p[1] == 'X');
    size_t i = hex ? 2 : 1;
    bool any = i < s.n && s.n <= 9;
    *out = 0;
    for (; i < s.n && any; i++) {
        char c = s.p[i];
        uint32_t digit = c >= '0' && c <= '9'  ? (uint32_t)(c - '0')
                         : hex && is_letter(c) ? (uint32_t)((c | 0x20) - 'a' + 10)
                                               : 99;
        any = digit < (hex ? 16u : 10u);
        *out = *out * (hex ? 16 : 10) + digit;
    }
    return any;
}

/* At '&': the character it stands for, or the sign itself. */
static void put_entity(html_t *h)
{
    static const struct {
        str_t name;
        uint32_t c;
    } NAMES[] = {
        {STR_INIT("amp"), '&'},       {STR_INIT("lt"), '<'},       {STR_INIT("gt"), '>'},
        {STR_INIT("quot"), '"'},      {STR_INIT("apos"), '\''},    {STR_INIT("nbsp"), ' '},
        {STR_INIT("ndash"), 0x2013},  {STR_INIT("mdash"), 0x2014}, {STR_INIT("lsquo"), 0x2018},
        {STR_INIT("rsquo"), 0x2019},  {STR_INIT("ldquo"), 0x201c}, {STR_INIT("rdquo"), 0x201d},
        {STR_INIT("hellip"), 0x2026}, {STR_INIT("euro"), 0x20ac},  {STR_INIT("pound"), 0xa3},
        {STR_INIT("yen"), 0xa5},      {STR_INIT("cent"), 0xa2},    {STR_INIT("copy"), 0xa9},
        {STR_INIT("reg"), 0xae},      {STR_INIT("trade"), 0x2122}, {STR_INIT("bull"), 0x2022},
        {STR_INIT("deg"), 0xb0},      {STR_INIT("eacute"), 0xe9},  {STR_INIT("uuml"), 0xfc},
        {STR_INIT("ouml"), 0xf6},     {STR_INIT("auml"), 0xe4},    {STR_INIT("szlig"), 0xdf}};
    uint32_t c = '&';
    str_t head = str_first(h->rest, 12);
    size_t end = str_find(head, ';', 1);
    str_t name = end < head.n ? str_of(head.p + 1, end - 1) : STR("");
    bool known = str_starts(name, STR("#")) && number_of(name, &c);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES && !known; i++) {
        known = str_eq(name, NAMES[i].name);
        c = known ? NAMES[i].c : '&';
    }
    put_point(&h->out, c);
    h->rest = str_skip(h->rest, known ? end + 1 : 1);
}

str_t news_html(arena_t *a, str_t html, size_t max)
{
    html_t h = {buf_new(a, NEWS_HTML_BYTES + 8), str_first(html, NEWS_HTML_BYTES)};
    str_t text;
    while (h.rest.n > 0) {
        str_t name = h.rest.p[0] == '<' ? tag_name(h.rest) : STR_UNSET;
        if (name.p) {
            skip_tag(&h, name);
        } else if (h.rest.p[0] == '&') {
            put_entity(&h);
        } else {
            buf_char(&h.out, h.rest.p[0]);
            h.rest = str_skip(h.rest, 1);
        }
    }
    return buf_done(&h.out, &text) == RC_OK ? news_clean(a, text, max) : STR_UNSET;
}
