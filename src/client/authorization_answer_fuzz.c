/* The query of a callback, behind a byte that says what is known of the server. */
#include "client/authorization.h"

#include "core/form.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* What was taken is what a form reader finds, once, and from nobody else. */
static void check_good(arena_t *a, const client_pending_t *pending, str_t query, str_t code)
{
    form_t form;
    str_t value;
    must(form_parse(a, query, &form) == RC_OK);
    must(form_get(&form, STR("state"), &value) == FORM_ONCE && str_eq(value, pending->state));
    must(form_get(&form, STR("code"), &value) == FORM_ONCE && str_eq(value, code));
    must(form_get(&form, STR("error"), &value) == FORM_ABSENT);
    form_found_t iss = form_get(&form, STR("iss"), &value);
    must(iss != FORM_REPEATED || !str_is_set(pending->issuer));
    must(!pending->iss_parameter || iss == FORM_ONCE);
    must(iss != FORM_ONCE || !str_is_set(pending->issuer) || str_eq(value, pending->issuer));
}

static void check(arena_t *a, const client_pending_t *pending, str_t query)
{
    str_t code, why;
    bool mine;
    rc_t rc;
    client_reason_t reason =
        client_authorization_answer(a, pending, query, &code, &mine, &why, &rc);
    must(rc == RC_OK || rc == RC_MEMORY);
    must(reason == CLIENT_FINE || !str_is_set(code));
    must(reason != CLIENT_STATE_WRONG || (!mine && !str_is_set(why)));
    must(mine || reason == CLIENT_STATE_WRONG || reason == CLIENT_PARAMETER_REPEATED);
    must(reason != CLIENT_ISS_WRONG || !str_is_set(why) || str_starts(why, STR("iss is ")));
    if (reason == CLIENT_FINE && rc == RC_OK)
        check_good(a, pending, query, code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = size > 0 ? arena_new(1 << 20) : NULL;
    if (!a)
        return 0;
    client_pending_t pending = {.state = STR("st"), .iss_parameter = data[0] & 1};
    if (!(data[0] & 2) || pending.iss_parameter)
        pending.issuer = STR("https://as.test");
    check(a, &pending, str_of(data + 1, size - 1));
    arena_free(a);
    return 0;
}
