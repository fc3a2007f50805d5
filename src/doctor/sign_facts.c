/* What is read of a sign-in: the claims of its token, and its redirect URI. Pure. */
#include "core/form.h"
#include "doctor/sign_in.h"

enum { PORTS = 20000, PORT_FIRST = 20001 };

static rc_t read_audience(arena_t *a, const json_t *aud, str_list_t *out)
{
    const json_t *first = json_is(aud, JSON_ARRAY) ? aud->child : aud;
    str_t *v = ARENA_ARRAY(a, json_is(aud, JSON_ARRAY) ? aud->count + 1 : 1, str_t);
    size_t n = 0;
    if (!v)
        return RC_MEMORY;
    if (json_is(aud, JSON_STRING))
        v[n++] = aud->str;
    for (const json_t *one = json_is(aud, JSON_ARRAY) ? first : NULL; one; one = one->next)
        if (json_is(one, JSON_STRING))
            v[n++] = one->str;
    *out = (str_list_t){v, n};
    return RC_OK;
}

rc_t doctor_read_claims(arena_t *a, str_t claims, doctor_signed_t *out)
{
    const json_t *json;
    int64_t from, until;
    if (!str_is_set(claims))
        return RC_OK;
    rc_t rc = json_parse(a, claims, NULL, &json);
    if (rc != RC_OK)
        return rc == RC_MEMORY ? rc : RC_OK;
    out->is_jwt = true;
    out->token_iss = json_get_str(json, STR("iss"));
    bool timed = json_get_i64(json, STR("iat"), &from) && json_get_i64(json, STR("exp"), &until);
    if (timed && out->life_s == 0 && __builtin_sub_overflow(until, from, &out->life_s))
        out->life_s = 0;
    return read_audience(a, json_get(json, STR("aud")), &out->token_aud);
}

/* "http://127.0.0.1:PORT/path" with another port. */
static str_t with_other_port(arena_t *a, str_t redirect)
{
    url_t u;
    if (url_parse(redirect, &u) != RC_OK || !doctor_is_loopback(redirect) || !str_is_set(u.port))
        return STR_UNSET;
    unsigned port = PORT_FIRST + (u.port_number + 1u) % PORTS;
    return arena_printf(a, "%" PRIstr "://%" PRIstr ":%u%" PRIstr, STR_ARG(u.scheme),
                        STR_ARG(u.host), port, STR_ARG(u.path));
}

str_t doctor_other_port(arena_t *a, str_t url)
{
    form_t form;
    str_t redirect, out;
    size_t mark = str_find(url, '?', 0);
    if (!str_is_set(url) || mark == url.n || form_parse(a, str_skip(url, mark + 1), &form) != RC_OK)
        return STR_UNSET;
    if (form_get(&form, STR("redirect_uri"), &redirect) != FORM_ONCE)
        return STR_UNSET;
    redirect = with_other_port(a, redirect);
    if (!str_is_set(redirect))
        return STR_UNSET;
    buf_t b = buf_new(a, 2 * url.n + 256);
    buf_put(&b, str_first(url, mark));
    for (size_t i = 0; i < form.n; i++) {
        bool is_it = str_eq(form.v[i].name, STR("redirect_uri"));
        buf_char(&b, i == 0 ? '?' : '&');
        buf_form(&b, form.v[i].name);
        buf_char(&b, '=');
        buf_form(&b, is_it ? redirect : form.v[i].value);
    }
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}
