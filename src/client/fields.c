#include "client/fields.h"

#include "core/limits.h"
#include "core/secret.h"

void client_fields_add(client_fields_t *f, str_t name, str_t value)
{
    if (str_is_empty(value))
        return;
    if (f->n < CLIENT_FIELDS_MAX)
        f->v[f->n] = (form_field_t){name, value};
    f->n++;
}

/* Spaces as %20, which every reader of forms and of URLs takes for a space. */
static void put_fields(buf_t *b, const client_fields_t *f)
{
    if (f->n > CLIENT_FIELDS_MAX) {
        buf_fail(b, RC_LIMIT);
        return;
    }
    for (size_t i = 0; i < f->n; i++) {
        if (i > 0)
            buf_char(b, '&');
        buf_percent(b, f->v[i].name);
        buf_char(b, '=');
        buf_percent(b, f->v[i].value);
    }
}

/* Three bytes for each byte of a value; RC_LIMIT where that cannot be a form of ours anyway. */
static rc_t room_of(const client_fields_t *f, size_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n && i < CLIENT_FIELDS_MAX; i++) {
        if (f->v[i].value.n > LIMIT_FORM_BYTES)
            return RC_LIMIT;
        n += 3 * (f->v[i].name.n + f->v[i].value.n) + 2;
    }
    *out = n < LIMIT_FORM_BYTES ? n : LIMIT_FORM_BYTES;
    return RC_OK;
}

rc_t client_fields_form(arena_t *a, const client_fields_t *f, str_t *out)
{
    size_t room = 0;
    *out = STR_UNSET;
    TRY(room_of(f, &room));
    char *p = secret_alloc(a, room);
    if (!p)
        return RC_MEMORY;
    buf_t b = buf_fixed(p, room);
    put_fields(&b, f);
    return buf_done(&b, out);
}

rc_t client_fields_url(arena_t *a, str_t url, const client_fields_t *f, str_t *out)
{
    buf_t b = buf_new(a, LIMIT_URL_BYTES);
    str_t base = str_first(url, str_find(url, '#', 0));
    bool has_query = str_find(base, '?', 0) < base.n;
    buf_put(&b, base);
    if (!has_query)
        buf_char(&b, '?');
    else if (!str_ends(base, STR("?")) && !str_ends(base, STR("&")))
        buf_char(&b, '&');
    put_fields(&b, f);
    return buf_done(&b, out);
}
