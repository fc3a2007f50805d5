#include "explain.h"

static const str_t BETWEEN = STR_INIT(". ");

/* Of bytes that begin no character of UTF-8, none counts. */
static size_t characters(str_t s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static void place(const evidence_t *e, str_t title, str_t summary, explain_span_t *out)
{
    size_t behind = title.n + BETWEEN.n;
    bool in_title = e->start < behind;
    str_t field = in_title ? title : summary;
    size_t from = in_title ? e->start : e->start - behind;
    size_t to = in_title ? e->end : e->end - behind;
    from = from < field.n ? from : field.n;
    to = to < field.n ? to : field.n;
    out->field = in_title ? EXPLAIN_TITLE : EXPLAIN_SUMMARY;
    out->text = str_of(field.p ? field.p + from : "", to > from ? to - from : 0);
    out->start = characters(str_first(field, from));
    out->end = out->start + characters(out->text);
    out->weight = e->weight;
    out->rule = e->rule;
}

rc_t explain(arena_t *a, str_t title, str_t summary, str_list_t names, explain_t *out)
{
    *out = (explain_t){0};
    str_t text = arena_printf(a, "%" PRIstr "%" PRIstr "%" PRIstr, STR_ARG(title), STR_ARG(BETWEEN),
                              STR_ARG(summary));
    if (!str_is_set(text))
        return RC_MEMORY;
    TRY(names.n > 0 ? engine_analyze_target(a, text, names, &out->s)
                    : engine_analyze(a, text, &out->s));
    explain_span_t *v = ARENA_ARRAY(a, out->s.evidence_count + 1, explain_span_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < out->s.evidence_count; i++) {
        place(&out->s.evidence[i], title, summary, &v[out->count]);
        out->count += v[out->count].text.n > 0;
    }
    out->spans = v;
    return RC_OK;
}
