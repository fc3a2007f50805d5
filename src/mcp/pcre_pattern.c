#include "mcp/pattern.h"

#include "mcp/pattern_syntax.h"
#include "mcp/schema.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    HEAP_KIB = 2048,     /* what one match may remember to go back to */
    DEPTH = 20000,       /* how far back */
    PACE = 32,           /* bytes between two callouts that count as one step more */
    CALLOUTS_A_STEP = 8, /* a callout takes some 20 ns, a keyword of a check longer */
    ERROR_BYTES = 160,
};

struct mcp_pattern {
    pcre2_code *code;
};

static void free_code(void *code)
{
    pcre2_code_free(code);
}

static str_t sentence(arena_t *a, int error)
{
    PCRE2_UCHAR text[ERROR_BYTES];
    int n = pcre2_get_error_message(error, text, sizeof text);
    return n > 0 ? arena_dup(a, str_of(text, (size_t)n)) : STR("it cannot be compiled");
}

/* ECMA-262: $ is the very end; a group that took part in no match is matched by its back reference.
 * Callouts before every item are what bounds a match: PCRE2's own limit counts anew at each place
 * where a match may begin. Without automatic possessive quantifiers each way back is seen. */
static const uint32_t OPTIONS = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
                                PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C |
                                PCRE2_AUTO_CALLOUT | PCRE2_NO_AUTO_POSSESS;

rc_t mcp_pattern_read(arena_t *a, str_t text, mcp_pattern_t **out, str_t *why)
{
    if (text.n > MCP_SCHEMA_PATTERN_BYTES) {
        *why = STR("it is longer than 1024 bytes");
        return RC_CONFIG;
    }
    str_t pcre;
    TRY(mcp_pattern_translate(a, text, &pcre, why));
    mcp_pattern_t *p = ARENA_NEW(a, mcp_pattern_t);
    if (!p)
        return RC_MEMORY;
    int error;
    size_t at;
    p->code = pcre2_compile((PCRE2_SPTR)pcre.p, pcre.n, OPTIONS, &error, &at, NULL);
    if (!p->code) {
        *why = sentence(a, error);
        return error == PCRE2_ERROR_NOMEMORY ? RC_MEMORY : RC_CONFIG;
    }
    *out = p;
    return arena_cleanup(a, free_code, p->code);
}

typedef struct {
    uint64_t left;
} pace_t;

static int count(pcre2_callout_block *block, void *ctx)
{
    pace_t *pace = ctx;
    size_t from = block->start_match, at = block->current_position;
    uint64_t cost = 1 + (at > from ? (at - from) / PACE : 0);
    if (cost > pace->left)
        return PCRE2_ERROR_MATCHLIMIT;
    pace->left -= cost;
    return 0;
}

static rc_t match(const pcre2_code *code, str_t subject, pcre2_match_data *data,
                  pcre2_match_context *context)
{
    int n = pcre2_match(code, (PCRE2_SPTR)subject.p, subject.n, 0, 0, data, context);
    if (n >= 0)
        return RC_OK;
    switch (n) {
    case PCRE2_ERROR_NOMATCH:
        return RC_NOT_FOUND;
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
        return RC_LIMIT;
    case PCRE2_ERROR_NOMEMORY:
        return RC_MEMORY;
    default:
        return RC_IO;
    }
}

rc_t mcp_pattern_match(const mcp_pattern_t *p, str_t subject, uint64_t *steps, bool *matches)
{
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pace_t pace = {*steps > UINT64_MAX / CALLOUTS_A_STEP ? UINT64_MAX : *steps * CALLOUTS_A_STEP};
    rc_t rc = RC_MEMORY;
    if (context && data) {
        pcre2_set_heap_limit(context, HEAP_KIB);
        pcre2_set_depth_limit(context, DEPTH);
        pcre2_set_callout(context, count, &pace);
        rc = match(p->code, subject, data, context);
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    *steps = pace.left / CALLOUTS_A_STEP;
    *matches = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}
