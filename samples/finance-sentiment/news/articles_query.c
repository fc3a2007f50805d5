#include "articles_query.h"

#include <math.h>

/* --- the full text --- */

/* Whether FTS5's tokenizer finds a letter or digit in it, near enough: the blocks of punctuation
 * and symbols that news use are left out. */
static bool has_letter(str_t term)
{
    for (size_t i = 0; i < term.n; i++) {
        unsigned char c = (unsigned char)term.p[i];
        bool ascii = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool wide = c >= 0xc3 && c != 0xe2 && c != 0xef && c != 0xf0;
        if (ascii || wide)
            return true;
    }
    return false;
}

static void put_term(buf_t *b, str_t term, size_t *n)
{
    if (!has_letter(term) || *n >= ARTICLES_TERMS)
        return;
    buf_put(b, (*n)++ > 0 ? STR(" AND \"") : STR("\""));
    buf_put(b, term);
    buf_char(b, '"');
}

static void put_terms(buf_t *b, str_t words, size_t *n)
{
    str_t word;
    while (str_split(&words, ' ', &word))
        put_term(b, word, n);
}

/* Parts between quotes are phrases; an odd quote at the end begins nothing. */
static size_t put_text(buf_t *b, str_t text)
{
    size_t n = 0;
    bool quoted = false;
    str_t part;
    while (str_split(&text, '"', &part)) {
        if (quoted && text.p)
            put_term(b, part, &n);
        else
            put_terms(b, part, &n);
        quoted = !quoted;
    }
    return n;
}

static void put_marks(buf_t *b, char kind, str_list_t names, const char *between)
{
    for (size_t i = 0; i < names.n; i++) {
        buf_put(b, i > 0 ? str_c(between) : STR(" AND marks : ("));
        put_mark(b, kind, names.v[i]);
    }
    if (names.n > 0)
        buf_char(b, ')');
}

rc_t articles_match(arena_t *a, const articles_query_t *q, str_t *out)
{
    buf_t b = buf_new(a, MATCH_BYTES);
    str_t text = news_clean(a, q->text, ARTICLES_TEXT_BYTES);
    *out = STR_UNSET;
    if (!text.p)
        return RC_MEMORY;
    buf_put(&b, STR("{title summary} : ("));
    size_t terms = put_text(&b, text);
    buf_char(&b, ')');
    put_marks(&b, 't', q->tickers, q->all_tickers ? " AND " : " OR ");
    put_marks(&b, 'o', q->topics, " OR ");
    return terms > 0 ? buf_done(&b, out) : RC_OK;
}

/* --- the plan --- */

static bool is_time(arena_t *a, str_t t)
{
    return !t.p || (t.n == NEWS_TIME && str_eq(news_time(a, t), t));
}

static bool are_names(str_list_t names)
{
    for (size_t i = 0; i < names.n; i++) {
        if (names.v[i].n == 0 || names.v[i].n > NEWS_NAME_BYTES)
            return false;
    }
    return names.n <= ARTICLES_ASKED;
}

static bool check(arena_t *a, const articles_query_t *q)
{
    return are_names(q->tickers) && are_names(q->topics) && q->limit >= 1 &&
           q->limit <= ARTICLES_LIMIT && is_time(a, q->from) && is_time(a, q->to) &&
           q->sort <= ARTICLES_WORST;
}

static int64_t id_of(str_t time)
{
    return news_seconds(time) << ID_BITS;
}

/* In the order of ids a cursor is one more bound of them. */
static void set_bounds(plan_t *p)
{
    p->low = p->q->from.p ? id_of(p->q->from) : 0;
    p->high = p->q->to.p ? id_of(p->q->to) : INT64_MAX;
    if (!p->behind || !p->by_id)
        return;
    if (p->q->sort == ARTICLES_EARLIEST)
        p->low = p->id + 1 > p->low ? p->id + 1 : p->low;
    else
        p->high = p->id < p->high ? p->id : p->high;
}

rc_t articles_plan(arena_t *a, const articles_query_t *q, plan_t *out, articles_verdict_t *verdict)
{
    bool plain = !q->text.p && q->tickers.n == 0 && q->topics.n == 0;
    *out = (plan_t){.q = q, .behind = q->cursor.p != NULL};
    *verdict = ARTICLES_BAD_QUERY;
    if (!check(a, q))
        return RC_OK;
    *verdict = ARTICLES_BAD_TEXT;
    if (q->text.n > ARTICLES_TEXT_BYTES)
        return RC_OK;
    if (q->text.p)
        TRY(articles_match(a, q, &out->match));
    if (q->text.p && !out->match.p)
        return RC_OK;
    *verdict = ARTICLES_BAD_CURSOR;
    if (out->behind &&
        (!articles_cursor_read(q, &out->key, &out->id) || !isfinite(out->key) || out->id < 0))
        return RC_OK;
    *verdict = ARTICLES_OK;
    out->by_id = q->sort <= ARTICLES_EARLIEST || (q->sort == ARTICLES_RELEVANCE && plain);
    set_bounds(out);
    return RC_OK;
}

/* --- the statement --- */

static void add(sql_t *s, const char *text, arg_t arg)
{
    buf_put(&s->sql, str_c(text));
    if (s->n < SQL_ARGS)
        s->arg[s->n++] = arg;
    else
        buf_fail(&s->sql, RC_LIMIT);
}

static void put(sql_t *s, const char *text)
{
    buf_put(&s->sql, str_c(text));
}

static void add_bounds(sql_t *s, const plan_t *p, const char *column)
{
    buf_fmt(&s->sql, " %s", column);
    add(s, " >= ?", A_I(p->low));
    buf_fmt(&s->sql, " AND %s", column);
    add(s, " < ?", A_I(p->high));
}

static void add_names(sql_t *s, str_list_t names)
{
    for (size_t i = 0; i < names.n; i++)
        add(s, i > 0 ? ", ?" : "(?", A_T(names.v[i]));
    put(s, ")");
}

static const char *direction(const plan_t *p)
{
    return p->q->sort == ARTICLES_EARLIEST ? "" : " DESC";
}

static void end_by_id(sql_t *s, const plan_t *p)
{
    buf_fmt(&s->sql, " ORDER BY id%s", direction(p));
    add(s, " LIMIT ?", A_I((int64_t)p->q->limit + 1));
}

static void add_topics_filter(sql_t *s, const plan_t *p)
{
    if (p->q->topics.n == 0)
        return;
    put(s, " AND EXISTS(SELECT 1 FROM topics o WHERE o.article = m.article AND o.topic IN ");
    add_names(s, p->q->topics);
    put(s, ")");
}

/* Articles about one ticker, along its index. */
static void add_ticker(sql_t *s, const plan_t *p, size_t i)
{
    add(s, "SELECT m.article AS id FROM mentions m WHERE m.ticker = ? AND",
        A_T(p->q->tickers.v[i]));
    add_bounds(s, p, "m.article");
    for (size_t k = 1; k < p->q->tickers.n && p->q->all_tickers; k++)
        add(s, " AND EXISTS(SELECT 1 FROM mentions k WHERE k.article = m.article AND k.ticker = ?)",
            A_T(p->q->tickers.v[k]));
    add_topics_filter(s, p);
}

static void add_topic(sql_t *s, const plan_t *p, size_t i)
{
    add(s, "SELECT m.article AS id FROM topics m WHERE m.topic = ? AND", A_T(p->q->topics.v[i]));
    add_bounds(s, p, "m.article");
}

/* Each name gives its first few; the first few of all are among them. */
static void add_any(sql_t *s, const plan_t *p, size_t n,
                    void (*one)(sql_t *s, const plan_t *p, size_t i))
{
    put(s, "SELECT id, 0.0 AS key FROM (");
    for (size_t i = 0; i < n; i++) {
        put(s, i > 0 ? " UNION SELECT id FROM (" : "SELECT id FROM (");
        one(s, p, i);
        end_by_id(s, p);
        put(s, ")");
    }
    put(s, ")");
    end_by_id(s, p);
}

static void by_id(sql_t *s, const plan_t *p)
{
    const articles_query_t *q = p->q;
    if (p->match.p) {
        add(s, "SELECT rowid AS id, 0.0 AS key FROM words WHERE words MATCH ? AND", A_T(p->match));
        add_bounds(s, p, "rowid");
        buf_fmt(&s->sql, " ORDER BY rowid%s", direction(p));
        add(s, " LIMIT ?", A_I((int64_t)q->limit + 1));
        return;
    }
    if (q->tickers.n > 0) {
        add_any(s, p, q->all_tickers ? 1 : q->tickers.n, add_ticker);
        return;
    }
    if (q->topics.n > 0) {
        add_any(s, p, q->topics.n, add_topic);
        return;
    }
    put(s, "SELECT id, 0.0 AS key FROM articles WHERE lead = 0 AND");
    add_bounds(s, p, "id");
    end_by_id(s, p);
}

/* --- sorted by a key: all that fit are looked at --- */

static const char *mentions_key(const plan_t *p)
{
    return p->q->sort == ARTICLES_RELEVANCE
               ? "max(m.relevance)"
               : "CASE WHEN sum(m.relevance) > 0 THEN sum(m.score * m.relevance) / "
                 "sum(m.relevance) ELSE avg(m.score) END";
}

static int64_t count_different(str_list_t names)
{
    int64_t n = 0;
    for (size_t i = 0; i < names.n; i++)
        n += !str_list_has((str_list_t){names.v, i}, names.v[i]);
    return n;
}

static void by_mentions(sql_t *s, const plan_t *p)
{
    const articles_query_t *q = p->q;
    buf_fmt(&s->sql, "SELECT m.article AS id, %s AS key FROM mentions m WHERE m.ticker IN ",
            mentions_key(p));
    add_names(s, q->tickers);
    put(s, " AND");
    add_bounds(s, p, "m.article");
    add_topics_filter(s, p);
    put(s, " GROUP BY m.article");
    if (q->all_tickers)
        add(s, " HAVING count(*) >= ?", A_I(count_different(q->tickers)));
}

static void by_topics(sql_t *s, const plan_t *p)
{
    bool relevance = p->q->sort == ARTICLES_RELEVANCE;
    buf_fmt(&s->sql, "SELECT m.article AS id, %s AS key FROM topics m%s WHERE m.topic IN ",
            relevance ? "max(m.relevance)" : "a.score",
            relevance ? "" : " JOIN articles a ON a.id = m.article");
    add_names(s, p->q->topics);
    put(s, " AND");
    add_bounds(s, p, "m.article");
    put(s, " GROUP BY m.article");
}

static void by_words(sql_t *s, const plan_t *p)
{
    bool relevance = p->q->sort == ARTICLES_RELEVANCE;
    put(s, "SELECT w.rowid AS id, ");
    put(s, relevance ? "article_rank(words)" : "");
    if (p->q->tickers.n > 0) {
        buf_fmt(&s->sql, "%s(SELECT %s FROM mentions m WHERE m.article = w.rowid AND m.ticker IN ",
                relevance ? " * " : "", mentions_key(p));
        add_names(s, p->q->tickers);
        put(s, ")");
    } else if (!relevance) {
        put(s, "(SELECT score FROM articles a WHERE a.id = w.rowid)");
    }
    add(s, " AS key FROM words w WHERE words MATCH ? AND", A_T(p->match));
    add_bounds(s, p, "w.rowid");
}

static void by_key(sql_t *s, const plan_t *p)
{
    const articles_query_t *q = p->q;
    bool up = q->sort == ARTICLES_WORST;
    put(s, "SELECT id, key FROM (");
    if (p->match.p)
        by_words(s, p);
    else if (q->tickers.n > 0)
        by_mentions(s, p);
    else if (q->topics.n > 0)
        by_topics(s, p);
    else {
        put(s, "SELECT id, score AS key FROM articles WHERE lead = 0");
        if (q->from.p || q->to.p) { /* else along the index of scores */
            put(s, " AND");
            add_bounds(s, p, "id");
        }
    }
    put(s, ")");
    if (p->behind) {
        put(s, up ? " WHERE (key, id) >" : " WHERE (key, id) <");
        add(s, " (?", A_R(p->key));
        add(s, ", ?)", A_I(p->id));
    }
    put(s, up ? " ORDER BY key, id" : " ORDER BY key DESC, id DESC");
    add(s, " LIMIT ?", A_I((int64_t)q->limit + 1));
}

rc_t articles_sql(arena_t *a, const plan_t *p, sql_t *out)
{
    out->sql = buf_new(a, SQL_BYTES);
    out->n = 0;
    if (p->by_id)
        by_id(out, p);
    else
        by_key(out, p);
    buf_char(&out->sql, '\0');
    return out->sql.failed;
}
