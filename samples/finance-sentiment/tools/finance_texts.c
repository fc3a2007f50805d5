/* analyze_sentiment: one text, or many, with the words that made each score. */
#include "finance_say.h"

enum {
    EVIDENCE_TEXT_BYTES = 120,
    TEXTS_BYTES = 256 << 10, /* of all of a call: what its arena and a tenth of a second hold */
};

/* One text, and whom it is read for. */
typedef struct {
    str_t text, target; /* target unset: the text as a whole */
    sentiment_t s;
} reading_t;

static size_t listed(const sentiment_t *s)
{
    return s->evidence_count < FINANCE_EVIDENCE_MAX ? s->evidence_count : FINANCE_EVIDENCE_MAX;
}

static str_t words(const reading_t *r, const evidence_t *e)
{
    return str_of(r->text.p + e->start, e->end - e->start);
}

/* --- what is asked --- */

static bool is_blank(str_t s)
{
    return str_trim(s, " \t\r\n").n == 0;
}

static bool refuse(finance_work_t *k, const char *sentence)
{
    warder_mcp_error(k->call, sentence);
    return false;
}

static bool check_text(finance_work_t *k, str_t text)
{
    if (is_blank(text))
        return refuse(k, "Give `text`, the financial text to score, as a string that is not empty; "
                         "or `texts`, a list of them.");
    if (text.n > ENGINE_TEXT_BYTES)
        return refuse(k, "The text is longer than 65536 bytes: send it in parts, or only what "
                         "matters.");
    return true;
}

/* The target of text number i: its own, or that of all. */
static str_t target_of(finance_work_t *k, size_t i)
{
    str_t own = finance_element(k, "targets", i);
    str_t target = own.p ? own : finance_argument(k, "target");
    return is_blank(target) ? STR_UNSET : target;
}

static bool read_texts(finance_work_t *k, reading_t *v, size_t *n)
{
    str_t one = finance_argument(k, "text");
    size_t many = warder_mcp_count(k->call, "texts"),
           targets = warder_mcp_count(k->call, "targets");
    if (one.p && many > 0)
        return refuse(k, "Give `text` or `texts`, not both.");
    *n = many > 0 ? many : 1;
    if (targets > 0 && targets != *n)
        return refuse(k, "Give one of `targets` for each text, or `target` for all.");
    size_t sum = 0;
    for (size_t i = 0; i < *n && i < FINANCE_TEXTS; i++) {
        v[i].text = many > 0 ? finance_element(k, "texts", i) : one;
        v[i].target = target_of(k, i);
        if (!check_text(k, v[i].text))
            return false;
        sum += v[i].text.n;
    }
    if (sum > TEXTS_BYTES)
        return refuse(k, "The texts are longer than 262144 bytes together: send them in several "
                         "calls.");
    return true;
}

/* A known ticker is what the company is called, too. */
static rc_t names_of(finance_work_t *k, str_t target, str_list_t *out)
{
    articles_known_t known;
    str_t *room = ARENA_ARRAY(k->a, ARTICLES_NAMES, str_t), ticker = finance_ticker(k->a, target);
    if (!room)
        return RC_MEMORY;
    *out = articles_names(target, STR_UNSET, room);
    if (!ticker.p || !k->f->articles)
        return RC_OK;
    TRY(articles_known(k->f->articles, k->a, ticker, &known));
    *out = articles_names(target, known.names, room);
    return RC_OK;
}

static rc_t read_one(finance_work_t *k, reading_t *r)
{
    str_list_t names;
    if (!r->target.p)
        return engine_analyze(k->a, r->text, &r->s);
    TRY(names_of(k, r->target, &names));
    return engine_analyze_target(k->a, r->text, names, &r->s);
}

/* --- the answer --- */

static void put_probability(warder_json_t *w, const sentiment_t *s)
{
    warder_json_string(w, "class", engine_class_name(s->class).p);
    warder_json_object(w, "probability");
    for (int c = 0; c < CLASSES; c++)
        finance_put_number(w, engine_class_name((sentiment_class_t)c).p, s->probability[c]);
    warder_json_end(w);
}

static void put_evidence(finance_work_t *k, warder_json_t *w, const reading_t *r)
{
    warder_json_integer(w, "evidence_count", (int64_t)r->s.evidence_count);
    warder_json_list(w, "evidence");
    for (size_t i = 0; i < listed(&r->s); i++) {
        const evidence_t *e = &r->s.evidence[i];
        warder_json_object(w, NULL);
        finance_put_clean(k, w, "text", words(r, e), EVIDENCE_TEXT_BYTES);
        finance_put_str(k, w, "rule", e->rule);
        finance_put_number(w, "weight", e->weight);
        warder_json_end(w);
    }
    warder_json_end(w);
}

static void put_reading(finance_work_t *k, warder_json_t *w, const reading_t *r)
{
    finance_put_score(w, r->s.score);
    put_probability(w, &r->s);
    if (r->target.p) {
        finance_put_clean(k, w, "target", r->target, EVIDENCE_TEXT_BYTES);
        warder_json_integer(w, "mentions", (int64_t)r->s.mention_count);
    }
    put_evidence(k, w, r);
}

static void structured(finance_work_t *k, const reading_t *v, size_t n, bool many)
{
    warder_json_t *w = warder_mcp_structured(k->call);
    if (many)
        warder_json_list(w, "results");
    for (size_t i = 0; i < n; i++) {
        if (many)
            warder_json_object(w, NULL);
        put_reading(k, w, &v[i]);
        if (many)
            warder_json_end(w);
    }
    if (many)
        warder_json_end(w);
    warder_json_end(w);
}

static void say_target(finance_work_t *k, buf_t *b, const reading_t *r)
{
    if (!r->target.p)
        return;
    buf_put(b, STR(" for \""));
    finance_say_clean(k, b, r->target, EVIDENCE_TEXT_BYTES);
    buf_put(b, r->s.mention_count > 0 ? STR("\"") : STR("\" (not named in it: of the whole text)"));
}

static rc_t say_one(finance_work_t *k, const reading_t *r)
{
    const sentiment_t *s = &r->s;
    buf_t b = buf_new(k->a, FINANCE_TEXT_BYTES);
    buf_put(&b, STR("Sentiment"));
    say_target(k, &b, r);
    buf_put(&b, STR(": "));
    finance_say_score(&b, s->score);
    buf_fmt(&b, " (%s, %.0f%%)", engine_class_name(s->class).p, s->confidence * 100);
    buf_put(&b, s->evidence_count > 0 ? STR("\nBecause of:")
                                      : STR("\nNo words in it speak of good or bad news."));
    for (size_t i = 0; i < listed(s); i++) {
        buf_fmt(&b, "\n- %+.2f \"", s->evidence[i].weight);
        finance_say_clean(k, &b, words(r, &s->evidence[i]), EVIDENCE_TEXT_BYTES);
        buf_put(&b, STR("\" ("));
        buf_put(&b, s->evidence[i].rule);
        buf_put(&b, STR(")"));
    }
    if (s->evidence_count > listed(s))
        buf_fmt(&b, "\n- and %zu more", s->evidence_count - listed(s));
    return finance_say(k, &b);
}

static rc_t say_many(finance_work_t *k, const reading_t *v, size_t n)
{
    enum { SHOWN_BYTES = 80 };
    buf_t b = buf_new(k->a, FINANCE_TEXT_BYTES);
    buf_fmt(&b, "Sentiment of %zu texts:", n);
    for (size_t i = 0; i < n; i++) {
        buf_fmt(&b, "\n%zu. ", i + 1);
        finance_say_score(&b, v[i].s.score);
        say_target(k, &b, &v[i]);
        buf_put(&b, STR(": "));
        finance_say_clean(k, &b, v[i].text, SHOWN_BYTES);
    }
    return finance_say(k, &b);
}

static rc_t too_many_words(finance_work_t *k)
{
    warder_mcp_error(k->call, "The text has too many words, or the target is too long: send it in "
                              "parts, or only what matters.");
    return RC_OK;
}

rc_t finance_analyze(finance_work_t *k)
{
    size_t n;
    bool many = warder_mcp_count(k->call, "texts") > 0;
    reading_t *v = ARENA_ARRAY(k->a, FINANCE_TEXTS, reading_t);
    if (!v)
        return RC_MEMORY;
    if (!read_texts(k, v, &n))
        return RC_OK;
    for (size_t i = 0; i < n; i++) {
        if (warder_mcp_cancelled(k->call))
            return RC_OK;
        rc_t rc = read_one(k, &v[i]);
        if (rc == RC_LIMIT)
            return too_many_words(k);
        TRY(rc);
        if (many)
            warder_mcp_progress(k->call, (double)(i + 1), (double)n, NULL);
    }
    structured(k, v, n, many);
    return many ? say_many(k, v, n) : say_one(k, &v[0]);
}
