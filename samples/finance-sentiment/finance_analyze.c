#include "finance.h"
#include "finance_write.h"

#include <math.h>

enum { EVIDENCE_TEXT_BYTES = 120 };

double finance_round(double v)
{
    double r = round(v * 10000) / 10000;
    return r == 0 ? 0 : r;
}

void finance_write_score(json_writer_t *w, double score)
{
    json_key(w, STR("score"));
    json_double(w, finance_round(score));
    json_member_str(w, STR("label"), engine_label_name(engine_label(score)));
}

void finance_put_score(buf_t *b, double score)
{
    buf_fmt(b, "%+.2f %" PRIstr, finance_round(score),
            STR_ARG(engine_label_name(engine_label(score))));
}

static str_t words(arena_t *a, str_t text, const evidence_t *e)
{
    return news_clean(a, str_of(text.p + e->start, e->end - e->start), EVIDENCE_TEXT_BYTES);
}

static size_t listed(const sentiment_t *s)
{
    return s->evidence_count < FINANCE_EVIDENCE_MAX ? s->evidence_count : FINANCE_EVIDENCE_MAX;
}

static rc_t write_structured(arena_t *a, str_t text, const sentiment_t *s, str_t *out)
{
    buf_t b = buf_new(a, FINANCE_STRUCTURED_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    finance_write_score(&w, s->score);
    json_member_int(&w, STR("evidence_count"), (int64_t)s->evidence_count);
    json_key(&w, STR("evidence"));
    json_begin_array(&w);
    for (size_t i = 0; i < listed(s); i++) {
        json_begin_object(&w);
        json_member_str(&w, STR("text"), words(a, text, &s->evidence[i]));
        json_member_str(&w, STR("rule"), s->evidence[i].rule);
        json_key(&w, STR("weight"));
        json_double(&w, finance_round(s->evidence[i].weight));
        json_end_object(&w);
    }
    json_end_array(&w);
    json_end_object(&w);
    return buf_done(&b, out);
}

static rc_t write_text(arena_t *a, str_t text, const sentiment_t *s, str_t *out)
{
    buf_t b = buf_new(a, FINANCE_TEXT_BYTES);
    buf_put(&b, STR("Sentiment: "));
    finance_put_score(&b, s->score);
    buf_put(&b, s->evidence_count > 0 ? STR("\nBecause of:")
                                      : STR("\nNo words in it speak of good or bad news."));
    for (size_t i = 0; i < listed(s); i++) {
        buf_fmt(&b, "\n- %+.2f \"", s->evidence[i].weight);
        buf_put(&b, words(a, text, &s->evidence[i]));
        buf_put(&b, STR("\" ("));
        buf_put(&b, s->evidence[i].rule);
        buf_put(&b, STR(")"));
    }
    if (s->evidence_count > listed(s))
        buf_fmt(&b, "\n- and %zu more", s->evidence_count - listed(s));
    return buf_done(&b, out);
}

static rc_t analyze(arena_t *a, arena_t *scratch, str_t text, mcp_tool_result_t *out)
{
    sentiment_t s;
    rc_t rc = engine_analyze(scratch, text, &s);
    if (rc == RC_LIMIT) {
        *out = (mcp_tool_result_t){
            .is_error = true,
            .text = STR("The text has too many words: send it in parts, or only what matters.")};
        return RC_OK;
    }
    TRY(rc);
    TRY(write_structured(a, text, &s, &out->structured));
    return write_text(a, text, &s, &out->text);
}

void finance_analyze_run(void *ctx, mcp_call_t *call)
{
    str_t text;
    mcp_tool_result_t r = {0};
    (void)ctx;
    r.text = finance_analyze_arguments(call->arguments, &text);
    r.is_error = r.text.p != NULL;
    if (r.is_error) {
        mcp_call_done(call, &r);
        return;
    }
    arena_t *scratch = arena_new(ENGINE_ARENA_BYTES);
    rc_t rc = scratch ? analyze(call->x->arena, scratch, text, &r) : RC_MEMORY;
    arena_free(scratch);
    if (rc == RC_OK)
        mcp_call_done(call, &r);
    else
        mcp_call_failed(call, rc);
}
