#include "doctor/secrets.h"

#include "core/form.h"
#include "core/json.h"

#define HIDDEN STR("[hidden]")

void doctor_secrets_add(arena_t *a, doctor_secrets_t *s, str_t secret)
{
    if (!str_is_set(secret) || secret.n < DOCTOR_SECRET_LEAST)
        return;
    for (size_t i = 0; i < s->n; i++)
        if (str_eq(s->v[i].hidden, secret))
            return;
    secret_t copy = s->n < DOCTOR_SECRETS_MAX ? secret_dup(a, secret) : secret_of(STR_UNSET);
    if (!str_is_set(copy.hidden)) {
        s->full = true;
        return;
    }
    s->v[s->n++] = copy;
}

static const char *const MEMBERS[] = {"access_token", "refresh_token",
                                      "id_token",     "client_secret",
                                      "device_code",  "registration_access_token",
                                      "request_uri",  NULL};
static const char *const FIELDS[] = {
    "code",      "code_verifier", "refresh_token", "client_secret", "client_assertion",
    "assertion", "subject_token", "device_code",   "token",         NULL};

static void learn_answer(arena_t *a, doctor_secrets_t *s, str_t body)
{
    const json_t *json;
    if (!str_is_set(body) || json_parse(a, body, NULL, &json) != RC_OK)
        return;
    for (const char *const *m = MEMBERS; *m; m++)
        doctor_secrets_add(a, s, json_get_str(json, str_c(*m)));
}

static void learn_form(arena_t *a, doctor_secrets_t *s, str_t body)
{
    form_t form;
    if (!str_is_set(body) || form_parse(a, body, &form) != RC_OK)
        return;
    for (const char *const *m = FIELDS; *m; m++) {
        str_t value = STR_UNSET;
        (void)form_get(&form, str_c(*m), &value);
        doctor_secrets_add(a, s, value);
    }
}

void doctor_secrets_learn(arena_t *a, doctor_secrets_t *s, const http_agent_request_t *request,
                          const http_answer_t *answer)
{
    str_t type = http_headers_get(request->headers, STR("Content-Type"));
    str_t authorization = http_headers_get(request->headers, STR("Authorization"));
    if (str_is_set(authorization))
        doctor_secrets_add(a, s, str_skip(authorization, str_find(authorization, ' ', 0) + 1));
    if (str_is_set(type) && str_starts(type, STR("application/x-www-form-urlencoded")))
        learn_form(a, s, request->body);
    if (answer->end == HTTP_AGENT_DONE && str_eq(request->method, STR("POST")))
        learn_answer(a, s, answer->body);
}

static bool hide_one(arena_t *a, str_t *text, str_t secret)
{
    const char *at = memmem(text->p, text->n, secret.p, secret.n);
    if (!at)
        return false;
    size_t front = (size_t)(at - text->p);
    *text = arena_printf(a, "%" PRIstr "%" PRIstr "%" PRIstr, STR_ARG(str_first(*text, front)),
                         STR_ARG(HIDDEN), STR_ARG(str_skip(*text, front + secret.n)));
    if (!str_is_set(*text))
        *text = HIDDEN;
    return true;
}

str_t doctor_secrets_hide(arena_t *a, const doctor_secrets_t *s, str_t text)
{
    if (!str_is_set(text))
        return text;
    if (s->full)
        return HIDDEN;
    for (size_t i = 0; i < s->n; i++)
        while (hide_one(a, &text, s->v[i].hidden)) {
        }
    return text;
}

str_t doctor_shown_url(arena_t *a, str_t url)
{
    size_t mark = str_find(url, '?', 0);
    if (!str_is_set(url) || mark == url.n)
        return url;
    return arena_printf(a, "%" PRIstr "?…", STR_ARG(str_first(url, mark)));
}
