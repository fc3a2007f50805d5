#include "client/authorization.h"

#include "client/url_rule.h"
#include "core/form.h"

/* Parameters that decide: one that comes twice could mean two things (OAuth 2.1 section 3.1). */
typedef struct {
    str_t state, iss, error, code;
    bool state_twice, twice;
} answer_t;

static void take(const form_t *form, answer_t *out)
{
    const struct {
        str_t name;
        str_t *value;
    } wanted[] = {
        {STR("iss"), &out->iss},
        {STR("error"), &out->error},
        {STR("code"), &out->code},
    };
    out->state_twice = form_get(form, STR("state"), &out->state) == FORM_REPEATED;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (form_get(form, wanted[i].name, wanted[i].value) == FORM_REPEATED)
            out->twice = true;
}

static bool has_state(const form_t *form, str_t state)
{
    bool found = false;
    for (size_t i = 0; i < form->n; i++)
        if (str_eq(form->v[i].name, STR("state")) && str_eq_ct(form->v[i].value, state))
            found = true;
    return found;
}

/* By plain string comparison: no case is folded, no port or slash left out. A server without
 * metadata is known by its origin alone: were iss passed over there, such a server could send the
 * browser on to another one, and be given the code of that. */
static bool is_issuer(const client_pending_t *pending, str_t iss)
{
    return str_is_set(pending->issuer) ? str_eq(iss, pending->issuer)
                                       : client_url_same_origin(iss, pending->token_endpoint);
}

/* RFC 9207 section 2.4. */
static client_reason_t judge_iss(arena_t *a, const client_pending_t *pending, str_t iss, str_t *why)
{
    str_t asked = str_is_set(pending->issuer) ? pending->issuer : pending->token_endpoint;
    if (!str_is_set(iss))
        return pending->iss_parameter ? CLIENT_ISS_MISSING : CLIENT_FINE;
    if (is_issuer(pending, iss))
        return CLIENT_FINE;
    /* Whoever wrote the answer is not trusted with a sentence: what is no URL is not shown. */
    if (str_is_printable_ascii(iss) && str_find(iss, ' ', 0) == iss.n)
        *why =
            arena_printf(a, "iss is %" PRIstr ", asked was %" PRIstr, STR_ARG(iss), STR_ARG(asked));
    return CLIENT_ISS_WRONG;
}

static void tell_refusal(arena_t *a, const form_t *form, str_t error, str_t *why, rc_t *rc)
{
    str_t words;
    (void)form_get(form, STR("error_description"), &words);
    *why = str_is_set(words)
               ? arena_printf(a, "%" PRIstr ": %" PRIstr, STR_ARG(error), STR_ARG(words))
               : error;
    if (!str_is_set(*why))
        *rc = RC_MEMORY;
}

static client_reason_t judge(arena_t *a, const client_pending_t *pending, const answer_t *answer,
                             str_t *why)
{
    if (answer->twice || answer->state_twice)
        return CLIENT_PARAMETER_REPEATED;
    client_reason_t reason = judge_iss(a, pending, answer->iss, why);
    if (reason != CLIENT_FINE)
        return reason;
    if (str_is_set(answer->error))
        return CLIENT_AUTHORIZATION_REFUSED;
    return str_is_set(answer->code) ? CLIENT_FINE : CLIENT_CODE_MISSING;
}

client_reason_t client_authorization_answer(arena_t *a, const client_pending_t *pending,
                                            str_t query, str_t *code, bool *mine, str_t *why,
                                            rc_t *rc)
{
    form_t form;
    answer_t answer = {0};
    *code = *why = STR_UNSET;
    *mine = false;
    *rc = query.n > CLIENT_CALLBACK_BYTES ? RC_LIMIT : form_parse(a, query, &form);
    if (*rc != RC_OK) {
        *rc = *rc == RC_MEMORY ? RC_MEMORY : RC_OK;
        return CLIENT_STATE_WRONG;
    }
    take(&form, &answer);
    *mine = has_state(&form, pending->state);
    if (!*mine)
        return answer.state_twice ? CLIENT_PARAMETER_REPEATED : CLIENT_STATE_WRONG;
    client_reason_t reason = judge(a, pending, &answer, why);
    if (reason == CLIENT_AUTHORIZATION_REFUSED)
        tell_refusal(a, &form, answer.error, why, rc);
    if (reason == CLIENT_FINE)
        *code = secret_dup(a, answer.code).hidden;
    if (reason == CLIENT_FINE && !str_is_set(*code))
        *rc = RC_MEMORY;
    return reason;
}
