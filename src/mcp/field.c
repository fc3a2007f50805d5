#include "mcp/field.h"

#include "core/b64.h"

static const str_t BEGIN = STR_INIT("=?base64?"), END = STR_INIT("?=");

size_t mcp_field_find(mcp_fields_t fields, str_t name, str_t *value)
{
    size_t found = 0;
    *value = STR_UNSET;
    for (size_t i = 0; i < fields.n; i++) {
        if (!str_eq_nocase(fields.v[i].name, name))
            continue;
        *value = fields.v[i].value;
        found++;
    }
    return found;
}

static bool is_field_text(str_t value)
{
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if ((c < 0x20 || c > 0x7e) && c != '\t')
            return false;
    }
    return true;
}

static bool is_sentinel(str_t s)
{
    return s.n >= BEGIN.n + END.n && str_starts(s, BEGIN) && str_ends(s, END);
}

rc_t mcp_field_decode(arena_t *a, str_t value, str_t *out)
{
    *out = value;
    if (!is_field_text(value))
        return RC_MALFORMED;
    if (!is_sentinel(value))
        return RC_OK;
    return b64_decode(a, str_of(value.p + BEGIN.n, value.n - BEGIN.n - END.n), out);
}

/* Blanks at the ends do not survive HTTP, and tabs not every reader of it. */
static bool survives(str_t text)
{
    return str_is_printable_ascii(text) && str_trim(text, " ").n == text.n && !is_sentinel(text);
}

rc_t mcp_field_encode(arena_t *a, str_t text, str_t *out)
{
    *out = text;
    if (survives(text))
        return RC_OK;
    str_t code = b64_encode(a, text.p, text.n);
    *out = code.p ? arena_printf(a, "=?base64?%" PRIstr "?=", STR_ARG(code)) : STR_UNSET;
    return out->p ? RC_OK : RC_MEMORY;
}

rc_t mcp_fields_write(arena_t *a, const mcp_message_t *message, mcp_params_t params,
                      mcp_fields_t *out)
{
    mcp_field_t *v = ARENA_ARRAY(a, params.n + 2, mcp_field_t);
    size_t n = 0;
    if (!v)
        return RC_MEMORY;
    if (!is_field_text(message->method))
        return RC_MALFORMED;
    v[n++] = (mcp_field_t){STR("Mcp-Method"), message->method};
    str_t name = json_get_str(message->params, mcp_name_member(message->method));
    if (name.p) {
        v[n].name = STR("Mcp-Name");
        TRY(mcp_field_encode(a, name, &v[n++].value));
    }
    const json_t *arguments = json_get(message->params, STR("arguments"));
    for (size_t i = 0; i < params.n; i++) {
        TRY(mcp_param_write(a, &params.v[i], arguments, &v[n]));
        n += v[n].name.p != NULL;
    }
    *out = (mcp_fields_t){v, n};
    return RC_OK;
}
