#include "mcp/field.h"

#include "core/b64.h"

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

rc_t mcp_field_decode(arena_t *a, str_t value, str_t *out)
{
    str_t begin = STR("=?base64?"), end = STR("?=");
    *out = value;
    if (!is_field_text(value))
        return RC_MALFORMED;
    if (value.n < begin.n + end.n || !str_starts(value, begin) || !str_ends(value, end))
        return RC_OK;
    str_t code = str_of(value.p + begin.n, value.n - begin.n - end.n);
    return b64_decode(a, code, out);
}
