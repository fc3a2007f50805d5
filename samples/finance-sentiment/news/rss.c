#include "rss.h"

#include <expat.h>

#define RDF       "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define RSS1      "http://purl.org/rss/1.0/"
#define ATOM      "http://www.w3.org/2005/Atom"
#define DC        "http://purl.org/dc/elements/1.1/"
#define CONTENT   "http://purl.org/rss/1.0/modules/content/"
#define BETWEEN   '\n' /* of namespace and name; no URI holds one */
#define MENTIONED 0.9  /* in the title */
#define TOUCHED   0.5  /* in the description only */

typedef enum {
    FIELD_NONE,
    FIELD_TITLE,
    FIELD_LINK,
    FIELD_SUMMARY,
    FIELD_CONTENT, /* taken where there is no summary */
    FIELD_DATE,
    FIELD_DATE_ELSE, /* taken where there is no date of publication */
    FIELD_CATEGORY,
    FIELD_SOURCE,
    FIELD_GUID,
    FIELDS,
} field_t;

/* What an element within an item means. */
static const struct {
    const char *element;
    field_t field;
} ELEMENTS[] = {
    {"title", FIELD_TITLE},
    {"link", FIELD_LINK},
    {"description", FIELD_SUMMARY},
    {"pubDate", FIELD_DATE},
    {"category", FIELD_CATEGORY},
    {"source", FIELD_SOURCE},
    {"guid", FIELD_GUID},
    {CONTENT "\nencoded", FIELD_CONTENT},
    {DC "\ndate", FIELD_DATE_ELSE},
    {DC "\nsubject", FIELD_CATEGORY},
    {RSS1 "\ntitle", FIELD_TITLE},
    {RSS1 "\nlink", FIELD_LINK},
    {RSS1 "\ndescription", FIELD_SUMMARY},
    {ATOM "\ntitle", FIELD_TITLE},
    {ATOM "\nlink", FIELD_LINK},
    {ATOM "\nsummary", FIELD_SUMMARY},
    {ATOM "\ncontent", FIELD_CONTENT},
    {ATOM "\npublished", FIELD_DATE},
    {ATOM "\nupdated", FIELD_DATE_ELSE},
    {ATOM "\ncategory", FIELD_CATEGORY},
};

typedef struct {
    arena_t *a;       /* what is kept */
    arena_t *scratch; /* of one item */
    const names_t *names;
    XML_Parser parser;
    rss_verdict_t verdict;
    rc_t rc;
    int depth, item_at, field_at; /* 0: not within one */
    bool feed;                    /* the root is one of a feed's */
    field_t field;
    bool certain; /* the category's domain speaks of tickers */
    char *text;   /* of the field: RSS_FIELD_BYTES */
    size_t text_n;
    str_t value[FIELDS];
    names_found_t found;
    news_topic_t topics[NEWS_TOPICS];
    size_t topic_count;
    str_t outlet; /* the channel's title */
    article_t *v;
    size_t n;
} rss_t;

static void stop(rss_t *r, rss_verdict_t verdict, rc_t rc)
{
    if (r->verdict == RSS_OK && r->rc == RC_OK) {
        r->verdict = verdict;
        r->rc = rc;
    }
    XML_StopParser(r->parser, XML_FALSE);
}

static bool is(const char *name, const char *want)
{
    return strcmp(name, want) == 0;
}

static const char *attribute(const char **v, const char *name)
{
    for (; v[0]; v += 2) {
        if (is(v[0], name))
            return v[1];
    }
    return NULL;
}

/* --- within an item --- */

static void add_category(rss_t *r, str_t text)
{
    if (names_in_category(r->a, r->names, text, r->certain, &r->found) ||
        r->topic_count == NEWS_TOPICS)
        return;
    str_t topic = news_topic(r->a, text);
    for (size_t i = 0; i < r->topic_count; i++) {
        if (str_eq(r->topics[i].name, topic))
            return;
    }
    if (topic.p)
        r->topics[r->topic_count++] = (news_topic_t){topic, 1};
}

static bool speaks_of_tickers(const char *domain)
{
    static const str_t WORDS[] = {STR_INIT("ticker"), STR_INIT("symbol"), STR_INIT("stock")};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS && domain; i++) {
        if (str_contains(str_c(domain), WORDS[i]))
            return true;
    }
    return false;
}

/* Atom says in attributes what RSS says in texts. */
static void read_attributes(rss_t *r, const char *name, const char **v)
{
    const char *href = attribute(v, "href"), *rel = attribute(v, "rel"),
               *term = attribute(v, "term"), *scheme = attribute(v, "scheme");
    r->certain = speaks_of_tickers(attribute(v, "domain")) || speaks_of_tickers(scheme);
    if (is(name, ATOM "\nlink")) {
        bool page = href && (!rel || is(rel, "alternate")) && !r->value[FIELD_LINK].p;
        if (page)
            r->value[FIELD_LINK] = arena_dup(r->scratch, str_c(href));
        r->field = FIELD_NONE;
    }
    if (is(name, ATOM "\ncategory") && term)
        add_category(r, str_c(term));
    const char *permanent = attribute(v, "isPermaLink");
    if (r->field == FIELD_GUID && permanent && is(permanent, "false"))
        r->field = FIELD_NONE;
}

static void begin_field(rss_t *r, const char *name, const char **attributes)
{
    for (size_t i = 0; i < sizeof ELEMENTS / sizeof *ELEMENTS; i++) {
        if (is(name, ELEMENTS[i].element))
            r->field = ELEMENTS[i].field;
    }
    r->field_at = r->depth;
    r->text_n = 0;
    read_attributes(r, name, attributes);
}

static void end_field(rss_t *r)
{
    str_t text = str_trim(str_of(r->text, r->text_n), " \t\r\n");
    field_t f = r->field;
    r->field = FIELD_NONE;
    r->field_at = 0;
    if (f == FIELD_CATEGORY)
        add_category(r, text);
    else if (f != FIELD_NONE && text.n > 0 && !r->value[f].p)
        r->value[f] = arena_dup(r->scratch, text);
}

static str_t either(const rss_t *r, field_t first, field_t second)
{
    return r->value[first].p ? r->value[first] : r->value[second];
}

static rc_t keep_lists(rss_t *r, article_t *x)
{
    news_ticker_t *t = ARENA_ARRAY(r->a, r->found.n + 1, news_ticker_t);
    news_topic_t *o = ARENA_ARRAY(r->a, r->topic_count + 1, news_topic_t);
    if (!t || !o)
        return RC_MEMORY;
    memcpy(t, r->found.v, r->found.n * sizeof *t);
    memcpy(o, r->topics, r->topic_count * sizeof *o);
    x->tickers = t;
    x->ticker_count = r->found.n;
    x->topics = o;
    x->topic_count = r->topic_count;
    return RC_OK;
}

/* A field as plain text, in what is kept. */
static str_t plain(rss_t *r, str_t html, size_t max)
{
    str_t text = news_html(r->scratch, html, max);
    return text.p ? arena_dup(r->a, text) : STR_UNSET;
}

static rc_t keep_item(rss_t *r)
{
    article_t *x = &r->v[r->n];
    str_t source = r->value[FIELD_SOURCE].p ? r->value[FIELD_SOURCE] : r->outlet;
    *x = (article_t){
        .title = plain(r, r->value[FIELD_TITLE], NEWS_TITLE_BYTES),
        .summary = plain(r, either(r, FIELD_SUMMARY, FIELD_CONTENT), NEWS_SUMMARY_BYTES),
        .source = plain(r, source, NEWS_NAME_BYTES),
        .url = news_url(r->a, either(r, FIELD_LINK, FIELD_GUID)),
        .time = news_date(r->a, either(r, FIELD_DATE, FIELD_DATE_ELSE)),
    };
    if (!x->title.p || !x->summary.p || !x->source.p)
        return RC_MEMORY;
    if (x->title.n == 0 || !x->time.p)
        return RC_OK;
    TRY(names_in_text(r->a, r->names, x->title, MENTIONED, &r->found));
    TRY(names_in_text(r->a, r->names, x->summary, TOUCHED, &r->found));
    TRY(keep_lists(r, x));
    r->n++;
    return RC_OK;
}

static void begin_item(rss_t *r)
{
    r->item_at = r->depth;
    arena_reset(r->scratch);
    memset(r->value, 0, sizeof r->value);
    r->found.n = 0;
    r->topic_count = 0;
    if (r->n == NEWS_ARTICLES)
        stop(r, RSS_TOO_MUCH, RC_OK);
}

/* --- what expat calls --- */

static bool is_root(const char *name)
{
    return is(name, "rss") || is(name, RDF "\nRDF") || is(name, ATOM "\nfeed");
}

static bool is_item(const char *name)
{
    return is(name, "item") || is(name, RSS1 "\nitem") || is(name, ATOM "\nentry");
}

/* The name of the feed, which stands beside its items or in the channel. */
static bool is_outlet(const rss_t *r, const char *name)
{
    return r->item_at == 0 && r->depth <= 3 &&
           (is(name, "title") || is(name, RSS1 "\ntitle") || is(name, ATOM "\ntitle"));
}

static void on_start(void *arg, const char *name, const char **attributes)
{
    rss_t *r = arg;
    size_t n = 0;
    while (attributes[n])
        n++;
    if (++r->depth > RSS_DEPTH || n > 2 * RSS_ATTRIBUTES) {
        stop(r, RSS_TOO_MUCH, RC_OK);
    } else if (r->depth == 1) {
        r->feed = is_root(name);
        if (!r->feed)
            stop(r, RSS_OTHER, RC_OK);
    } else if (r->item_at == 0 && is_item(name)) {
        begin_item(r);
    } else if (r->item_at > 0 && r->depth == r->item_at + 1) {
        begin_field(r, name, attributes);
    } else if (is_outlet(r, name) && !r->outlet.p) {
        r->field_at = r->depth;
        r->field = FIELD_TITLE;
        r->text_n = 0;
    }
}

static void add_text(rss_t *r, const char *p, size_t n)
{
    size_t room = RSS_FIELD_BYTES - r->text_n;
    n = n < room ? n : room;
    memcpy(r->text + r->text_n, p, n);
    r->text_n += n;
}

static void on_text(void *arg, const char *p, int n)
{
    rss_t *r = arg;
    if (r->field != FIELD_NONE && n > 0)
        add_text(r, p, (size_t)n);
}

static void end_outlet(rss_t *r)
{
    r->outlet = arena_dup(r->a, news_html(r->scratch, str_of(r->text, r->text_n), NEWS_NAME_BYTES));
    r->field = FIELD_NONE;
    r->field_at = 0;
}

static void on_end(void *arg, const char *name)
{
    rss_t *r = arg;
    (void)name;
    if (r->field_at == r->depth && r->item_at > 0) {
        end_field(r);
    } else if (r->field_at == r->depth && r->field_at > 0) {
        end_outlet(r);
    } else if (r->item_at == r->depth && r->item_at > 0) {
        r->item_at = 0;
        rc_t rc = keep_item(r);
        if (rc != RC_OK)
            stop(r, RSS_OK, rc);
    } else if (r->field_at > 0) { /* an element of XHTML ends: words must not join */
        add_text(r, " ", 1);
    }
    r->depth--;
}

static void on_doctype(void *arg, const char *name, const char *system, const char *public, int own)
{
    (void)name;
    (void)system;
    (void)public;
    (void)own;
    stop(arg, RSS_DOCTYPE, RC_OK);
}

/* --- the whole --- */

static rc_t parse(rss_t *r, str_t text)
{
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    XML_SetParamEntityParsing(r->parser, XML_PARAM_ENTITY_PARSING_NEVER);
    bool good = XML_Parse(r->parser, text.p, (int)text.n, 1) == XML_STATUS_OK;
    if (r->rc != RC_OK || r->verdict != RSS_OK)
        return r->rc;
    if (XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY)
        return RC_MEMORY;
    r->verdict = good ? RSS_OK : RSS_MALFORMED;
    return RC_OK;
}

/* An outlet's name may stand behind its items (RSS 1.0 has it before them, Atom anywhere). */
static void name_outlets(rss_t *r)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->v[i].source.n == 0 && r->outlet.p)
            r->v[i].source = r->outlet;
    }
}

static rc_t read_with(rss_t *r, str_t text)
{
    r->text = arena_alloc(r->a, RSS_FIELD_BYTES);
    r->v = ARENA_ARRAY(r->a, NEWS_ARTICLES, article_t);
    if (!r->text || !r->v || !r->parser || !r->scratch)
        return RC_MEMORY;
    rc_t rc = parse(r, text);
    name_outlets(r);
    return rc;
}

rc_t rss_read(arena_t *a, str_t text, const names_t *names, news_t *out, rss_verdict_t *verdict)
{
    rss_t r = {.a = a,
               .scratch = arena_new((FIELDS + 8) * (2 * RSS_FIELD_BYTES)),
               .names = names,
               .parser = XML_ParserCreateNS(NULL, BETWEEN)};
    *out = (news_t){0};
    *verdict = RSS_TOO_MUCH;
    rc_t rc = text.n > NEWS_FILE_BYTES ? RC_OK : read_with(&r, text);
    if (rc == RC_OK && text.n <= NEWS_FILE_BYTES)
        *verdict = r.verdict;
    if (rc == RC_OK && *verdict == RSS_OK)
        *out = (news_t){r.v, r.n};
    if (r.parser)
        XML_ParserFree(r.parser);
    arena_free(r.scratch);
    return rc;
}

const char *rss_verdict_text(rss_verdict_t v)
{
    static const char *const TEXTS[] = {
        [RSS_OK] = "is a feed",
        [RSS_DOCTYPE] =
            "has a document type declaration (DOCTYPE), which is never read: take it out",
        [RSS_MALFORMED] = "is not well-formed XML in UTF-8, UTF-16 or Latin-1",
        [RSS_OTHER] = "is XML, but neither RSS 2.0, RSS 1.0 nor Atom",
        [RSS_TOO_MUCH] = "is too long, too deep or too rich in attributes or articles: split it",
    };
    return TEXTS[v];
}
