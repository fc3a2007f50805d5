#include "client/answer.h"

#include "core/limits.h"
#include "core/num.h"

enum { DEPTH = 16, NODES = 2048, CODE_BYTES = 64 };

/* The error of an object; unset when it has none. */
static rc_t take_error(arena_t *a, const json_t *json, client_answer_t *out)
{
    str_t code, words;
    if (!client_answer_text(json, STR("error"), &code) || !str_is_set(code))
        return RC_OK;
    out->kind = CLIENT_ANSWER_REFUSED;
    out->error = code.n <= CODE_BYTES && str_is_printable_ascii(code) ? code : STR_UNSET;
    out->why = code;
    if (!client_answer_text(json, STR("error_description"), &words) || !str_is_set(words))
        return RC_OK;
    out->why = arena_printf(a, "%" PRIstr ": %" PRIstr, STR_ARG(code), STR_ARG(words));
    return str_is_set(out->why) ? RC_OK : RC_MEMORY;
}

static rc_t say_bad(arena_t *a, int status, client_answer_t *out)
{
    out->kind = CLIENT_ANSWER_BAD;
    out->why = STR("not one JSON object");
    if (status / 100 != 2)
        out->why = arena_printf(a, "status %d", status);
    return str_is_set(out->why) ? RC_OK : RC_MEMORY;
}

rc_t client_answer_read(arena_t *a, int status, str_t body, client_answer_t *out)
{
    static const json_limits_t LIMITS = {LIMIT_HTTP_FETCH_BYTES, DEPTH, NODES};
    *out = (client_answer_t){.kind = CLIENT_ANSWER_GOOD};
    rc_t rc = json_parse(a, body, &LIMITS, &out->json);
    if (rc == RC_MEMORY)
        return rc;
    bool object = rc == RC_OK && json_is(out->json, JSON_OBJECT);
    if (object)
        TRY(take_error(a, out->json, out));
    if (out->kind == CLIENT_ANSWER_REFUSED || (object && status / 100 == 2))
        return RC_OK;
    return say_bad(a, status, out);
}

bool client_answer_text(const json_t *answer, str_t name, str_t *out)
{
    const json_t *v = json_get(answer, name);
    *out = STR_UNSET;
    if (!v || json_is(v, JSON_NULL))
        return true;
    if (!str_is_empty(v->str))
        *out = v->str;
    return json_is(v, JSON_STRING);
}

bool client_answer_word(const json_t *answer, str_t name, size_t max, str_t *out)
{
    return client_answer_text(answer, name, out) && out->n <= max && str_is_printable_ascii(*out);
}

bool client_answer_number(const json_t *answer, str_t name, int64_t max, int64_t *out)
{
    const json_t *v = json_get(answer, name);
    uint64_t digits = 0;
    double number = 0;
    if (json_is(v, JSON_STRING)) {
        if (!num_u64(v->str, UINT64_MAX, &digits))
            return false;
        *out = digits < (uint64_t)max ? (int64_t)digits : max;
        return true;
    }
    if (!json_f64(v, &number))
        return false;
    *out = number < 0 ? 0 : number < (double)max ? (int64_t)number : max;
    return true;
}
