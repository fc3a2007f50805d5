#include "web/web_test_page.h"

enum { DEPTH_MAX = 16, IDS_MAX = 8192 };

typedef struct {
    str_t rest;
    str_t open[DEPTH_MAX];
    size_t depth;
    str_t ids[IDS_MAX], references[IDS_MAX], labels[IDS_MAX], inputs[IDS_MAX];
    size_t n_ids, n_references, n_labels, n_inputs;
    size_t h1, main, title;
} reader_t;

static const str_t TAGS[] = {
    STR_INIT("html"), STR_INIT("head"),  STR_INIT("meta"),  STR_INIT("title"),  STR_INIT("link"),
    STR_INIT("body"), STR_INIT("a"),     STR_INIT("img"),   STR_INIT("span"),   STR_INIT("header"),
    STR_INIT("main"), STR_INIT("h1"),    STR_INIT("h2"),    STR_INIT("p"),      STR_INIT("form"),
    STR_INIT("div"),  STR_INIT("label"), STR_INIT("input"), STR_INIT("button"), STR_INIT("ul"),
    STR_INIT("li"),   STR_INIT("dl"),    STR_INIT("dt"),    STR_INIT("dd"),     STR_INIT("strong"),
    STR_INIT("code"), STR_INIT("bdi"),   STR_INIT("time"),
};
static const str_t VOID_TAGS[] = {STR_INIT("meta"), STR_INIT("link"), STR_INIT("img"),
                                  STR_INIT("input")};
static const str_t ATTRIBUTES[] = {
    STR_INIT("lang"),
    STR_INIT("charset"),
    STR_INIT("name"),
    STR_INIT("content"),
    STR_INIT("rel"),
    STR_INIT("href"),
    STR_INIT("type"),
    STR_INIT("class"),
    STR_INIT("src"),
    STR_INIT("alt"),
    STR_INIT("width"),
    STR_INIT("height"),
    STR_INIT("id"),
    STR_INIT("role"),
    STR_INIT("for"),
    STR_INIT("value"),
    STR_INIT("method"),
    STR_INIT("action"),
    STR_INIT("required"),
    STR_INIT("autocomplete"),
    STR_INIT("datetime"),
    STR_INIT("spellcheck"),
    STR_INIT("autocapitalize"),
    STR_INIT("http-equiv"),
    STR_INIT("aria-describedby"),
    STR_INIT("aria-labelledby"),
    STR_INIT("aria-invalid"),
};
static const str_t ENTITIES[] = {STR_INIT("&amp;"), STR_INIT("&lt;"), STR_INIT("&gt;"),
                                 STR_INIT("&quot;"), STR_INIT("&#39;")};

#define AMONG(table, s) str_list_has((str_list_t){(table), sizeof(table) / sizeof(table)[0]}, (s))

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static str_t take_name(reader_t *r)
{
    size_t n = 0;
    while (n < r->rest.n && is_name_byte(r->rest.p[n]))
        n++;
    str_t name = str_first(r->rest, n);
    r->rest = str_skip(r->rest, n);
    return name;
}

static bool take(reader_t *r, str_t text)
{
    bool there = str_starts(r->rest, text);
    if (there)
        r->rest = str_skip(r->rest, text.n);
    return there;
}

/* Text up to one of `ends`: no bare mark, only entities of ours. */
static bool take_text(reader_t *r, const char *ends, str_t *text)
{
    const char *begin = r->rest.p;
    while (r->rest.n > 0 && !strchr(ends, r->rest.p[0])) {
        size_t i = 0, n = sizeof ENTITIES / sizeof ENTITIES[0];
        if (strchr("<>\"'", r->rest.p[0]))
            return false;
        while (i < n && !take(r, ENTITIES[i]))
            i++;
        if (i == n && r->rest.p[0] == '&')
            return false;
        if (i == n)
            r->rest = str_skip(r->rest, 1);
    }
    *text = str_of(begin, (size_t)(r->rest.p - begin));
    return true;
}

typedef struct {
    str_t id, type, action, method, href;
} seen_t;

/* Each part of a list of ids is a reference. */
static void refer(reader_t *r, str_t ids)
{
    str_t one;
    while (str_split(&ids, ' ', &one) && r->n_references < IDS_MAX)
        r->references[r->n_references++] = one;
}

static const char *note_attribute(reader_t *r, seen_t *seen, str_t name, str_t value)
{
    if (str_eq(name, STR("id"))) {
        if (str_list_has((str_list_t){r->ids, r->n_ids}, value) || value.n == 0)
            return "an id twice";
        r->ids[r->n_ids++] = seen->id = value;
    }
    if (str_eq(name, STR("for")))
        r->labels[r->n_labels++] = value;
    if (str_starts(name, STR("aria-")) && str_ends(name, STR("edby")))
        refer(r, value);
    if (str_eq(name, STR("type")))
        seen->type = value;
    if (str_eq(name, STR("action")))
        seen->action = value;
    if (str_eq(name, STR("method")))
        seen->method = value;
    if (str_eq(name, STR("href")))
        seen->href = value;
    return NULL;
}

static const char *read_attribute(reader_t *r, seen_t *seen)
{
    str_t name = take_name(r), value;
    if (!AMONG(ATTRIBUTES, name))
        return "an attribute that no page has";
    if (!take(r, STR("=")))
        return str_eq(name, STR("required")) ? NULL : "an attribute without a value";
    if (!take(r, STR("\"")) || !take_text(r, "\"", &value) || !take(r, STR("\"")))
        return "an attribute that is not quoted";
    return note_attribute(r, seen, name, value);
}

static const char *check_tag(reader_t *r, str_t tag, const seen_t *seen)
{
    r->h1 += str_eq(tag, STR("h1"));
    r->main += str_eq(tag, STR("main"));
    r->title += str_eq(tag, STR("title"));
    if (str_eq(tag, STR("input")) && !str_eq(seen->type, STR("hidden")))
        r->inputs[r->n_inputs++] = seen->id;
    if (str_eq(tag, STR("form")))
        return str_eq(seen->method, STR("post")) && str_starts(seen->action, STR("/"))
                   ? NULL
                   : "a form that is not posted to us";
    if (str_is_set(seen->href) && str_find(seen->href, ':', 0) < seen->href.n &&
        str_starts(seen->href, STR("javascript")))
        return "a link that runs code";
    return NULL;
}

static const char *read_open(reader_t *r)
{
    seen_t seen = {0};
    str_t tag = take_name(r);
    if (!AMONG(TAGS, tag))
        return "a tag that no page has";
    while (take(r, STR(" "))) {
        const char *problem = read_attribute(r, &seen);
        if (problem)
            return problem;
    }
    if (!take(r, STR(">")))
        return "a tag that does not end";
    if (r->depth == DEPTH_MAX)
        return "too deep";
    if (!AMONG(VOID_TAGS, tag))
        r->open[r->depth++] = tag;
    return check_tag(r, tag, &seen);
}

static const char *read_close(reader_t *r)
{
    str_t tag = take_name(r);
    if (r->depth == 0 || !str_eq(r->open[--r->depth], tag) || !take(r, STR(">")))
        return "an element that does not nest";
    return NULL;
}

static const char *read_all(reader_t *r)
{
    if (!take(r, STR("<!doctype html>\n")))
        return "no doctype";
    while (r->rest.n > 0) {
        str_t text;
        const char *problem = NULL;
        if (take(r, STR("</")))
            problem = read_close(r);
        else if (take(r, STR("<")))
            problem = read_open(r);
        else if (!take_text(r, "<", &text))
            problem = "a bare mark in the text";
        if (problem)
            return problem;
    }
    return r->depth > 0 ? "an element that does not end" : NULL;
}

static const char *check_references(const reader_t *r)
{
    for (size_t i = 0; i < r->n_references; i++)
        if (!str_list_has((str_list_t){r->ids, r->n_ids}, r->references[i]))
            return "a reference to an id that is not there";
    for (size_t i = 0; i < r->n_labels; i++)
        if (!str_list_has((str_list_t){r->inputs, r->n_inputs}, r->labels[i]))
            return "a label of nothing";
    for (size_t i = 0; i < r->n_inputs; i++)
        if (!str_list_has((str_list_t){r->labels, r->n_labels}, r->inputs[i]))
            return "an input without a label";
    return r->h1 == 1 && r->main == 1 && r->title == 1 ? NULL : "not one h1, main and title";
}

/* UTF-8 of what hides or reorders text, by its first bytes. */
static const char *const UNFIT[] = {
    "\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x80\x8e", "\xe2\x80\x8f",
    "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac",
    "\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8",
    "\xe2\x81\xa9", "\xef\xbb\xbf", "\xf3\xa0",     "\xc2\xad",     "\xc2\x85",
};

static const char *check_bytes(str_t html)
{
    if (!str_is_utf8(html))
        return "bytes that are no UTF-8";
    for (size_t i = 0; i < html.n; i++)
        if (((uint8_t)html.p[i] < 0x20 && html.p[i] != '\n') || html.p[i] == 0x7f)
            return "a control character";
    for (size_t i = 0; i < sizeof UNFIT / sizeof UNFIT[0]; i++)
        if (str_contains(html, str_c(UNFIT[i])))
            return "a character that hides or reorders text";
    return NULL;
}

const char *page_problem(str_t html)
{
    static reader_t r;
    memset(&r, 0, sizeof r);
    r.rest = html;
    const char *problem = check_bytes(html);
    if (!problem)
        problem = read_all(&r);
    return problem ? problem : check_references(&r);
}
