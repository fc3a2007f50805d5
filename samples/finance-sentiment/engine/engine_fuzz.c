/* A text, and before its first NUL what it is asked about: any bytes give an answer within its
 * bounds. */
#include "engine_run.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

static void check(const sentiment_t *s, size_t bytes)
{
    double sum = s->probability[0] + s->probability[1] + s->probability[2];
    must(sum > 0.999999 && sum < 1.000001);
    must(s->score >= -1 && s->score <= 1 && s->label == engine_label(s->score));
    must(s->confidence == s->probability[s->class]);
    must(s->evidence_count <= ENGINE_EVIDENCE && s->mention_count <= ENGINE_MENTIONS);
    for (size_t i = 0; i < s->evidence_count; i++) {
        must(s->evidence[i].start < s->evidence[i].end && s->evidence[i].end <= bytes);
        must(i == 0 || s->evidence[i - 1].end <= s->evidence[i].start);
    }
    for (size_t i = 0; i < s->mention_count; i++)
        must(s->mentions[i].start < s->mentions[i].end && s->mentions[i].end <= bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str_t text = str_of(data, size), name = STR_UNSET;
    size_t at = str_find(text, '\0', 0);
    if (at < text.n) {
        name = str_first(text, at);
        text = str_skip(text, at + 1);
    }
    arena_t *a = arena_new(ENGINE_ARENA_BYTES);
    sentiment_t s;
    if (!a)
        return 0;
    rc_t rc = engine_analyze_target(a, text, (str_list_t){&name, name.p ? 1 : 0}, &s);
    must(rc == RC_OK || rc == RC_LIMIT);
    if (rc == RC_OK)
        check(&s, text.n);
    arena_free(a);
    return 0;
}
