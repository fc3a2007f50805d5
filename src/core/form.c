#include "core/form.h"

#include "core/hex.h"
#include "core/limits.h"

/* Decodes into `out` (as long as raw). Returns the length, or SIZE_MAX for a bad escape or a NUL.
 */
static size_t unescape(str_t raw, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i] == '+' ? ' ' : raw.p[i];
        if (c == '%') {
            if (raw.n - i < 3)
                return SIZE_MAX;
            int high = hex_value(raw.p[i + 1]), low = hex_value(raw.p[i + 2]);
            if (high < 0 || low < 0)
                return SIZE_MAX;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0')
            return SIZE_MAX;
        out[n++] = c;
    }
    return n;
}

rc_t form_decode(arena_t *a, str_t raw, str_t *out)
{
    *out = STR_UNSET;
    char *p = arena_alloc(a, raw.n + 1);
    if (!p)
        return RC_MEMORY;
    size_t n = unescape(raw, p);
    if (n == SIZE_MAX || !str_is_utf8(str_of(p, n)))
        return RC_MALFORMED;
    *out = str_of(p, n);
    return RC_OK;
}

static rc_t parse_field(arena_t *a, str_t piece, form_field_t *field)
{
    size_t eq = str_find(piece, '=', 0);
    TRY(form_decode(a, str_first(piece, eq), &field->name));
    return form_decode(a, eq < piece.n ? str_skip(piece, eq + 1) : STR(""), &field->value);
}

rc_t form_parse(arena_t *a, str_t text, form_t *out)
{
    *out = (form_t){0};
    form_field_t fields[LIMIT_FORM_FIELDS];
    size_t n = 0;
    str_t piece;
    for (str_t rest = text; str_split(&rest, '&', &piece);) {
        if (piece.n == 0)
            continue;
        if (n == LIMIT_FORM_FIELDS)
            return RC_LIMIT;
        TRY(parse_field(a, piece, &fields[n++]));
    }
    form_field_t *v = ARENA_ARRAY(a, n ? n : 1, form_field_t);
    if (!v)
        return RC_MEMORY;
    if (n > 0)
        memcpy(v, fields, n * sizeof *v);
    *out = (form_t){v, n};
    return RC_OK;
}

form_found_t form_get(const form_t *f, str_t name, str_t *out)
{
    *out = STR_UNSET;
    size_t seen = 0;
    str_t value = STR_UNSET;
    for (size_t i = 0; i < f->n; i++) {
        if (!str_eq(f->v[i].name, name))
            continue;
        seen++;
        value = f->v[i].value;
    }
    if (seen > 1)
        return FORM_REPEATED;
    if (seen == 0 || value.n == 0)
        return FORM_ABSENT;
    *out = value;
    return FORM_ONCE;
}

rc_t form_get_all(arena_t *a, const form_t *f, str_t name, str_list_t *out)
{
    *out = (str_list_t){0};
    str_t *v = ARENA_ARRAY(a, f->n ? f->n : 1, str_t);
    if (!v)
        return RC_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++)
        if (str_eq(f->v[i].name, name) && f->v[i].value.n > 0)
            v[n++] = f->v[i].value;
    *out = (str_list_t){v, n};
    return RC_OK;
}
