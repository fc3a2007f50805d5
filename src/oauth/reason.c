#include "oauth/reason.h"

#include "core/json.h"
#include "core/limits.h"
#include "oauth/plain.h"

typedef struct {
    str_t name, error;
    int status;
    str_t description, audit, rule;
} row_t;

static const row_t ROWS[OAUTH_REASON_COUNT] = {
    [OAUTH_FINE] = {STR_INIT("allowed"), STR_INIT(""), 200, STR_INIT(""), STR_INIT(""),
                    STR_INIT("")},
#define REASON(name, text, error, status, description, audit, rule)                                \
    [OAUTH_##name] = {STR_INIT(text),        STR_INIT(error), status,                              \
                      STR_INIT(description), STR_INIT(audit), STR_INIT(rule)},
#include "oauth/reasons.def"
#undef REASON
};

str_t oauth_reason_name(oauth_reason_t r)
{
    return ROWS[r].name;
}

str_t oauth_reason_error(oauth_reason_t r)
{
    return ROWS[r].error;
}

int oauth_reason_status(oauth_reason_t r)
{
    return ROWS[r].status;
}

str_t oauth_reason_description(oauth_reason_t r)
{
    return ROWS[r].description;
}

str_t oauth_reason_audit(oauth_reason_t r)
{
    return ROWS[r].audit;
}

str_t oauth_reason_rule(oauth_reason_t r)
{
    return ROWS[r].rule;
}

rc_t oauth_reason_json(arena_t *a, oauth_reason_t r, str_t description, str_t *out)
{
    str_t plain;
    buf_t text = buf_new(a, LIMIT_ANSWER_BYTES);
    oauth_plain_put(&text, str_is_set(description) ? description : ROWS[r].description);
    TRY(buf_done(&text, &plain));
    buf_t b = buf_new(a, LIMIT_ANSWER_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("error"), ROWS[r].error);
    json_member_str(&w, STR("error_description"), plain);
    json_end_object(&w);
    return buf_done(&b, out);
}
