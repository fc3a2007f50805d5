/* JSON answers of an authorization server. The first byte says which one, and its status. */
#include "client/registration.h"
#include "client/token_request.h"
#include "client/url_rule.h"

#include <stdlib.h>

enum { NOW = 1800000000, FAILED = 1 << 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* What is sent on in a header can hold neither a line end nor a NUL. */
static bool is_word(str_t s)
{
    return s.n > 0 && str_is_printable_ascii(s);
}

static void check_token(arena_t *a, int status, str_t body, bool dpop, bool exchange)
{
    const client_token_expect_t expect = {.dpop = dpop, .exchange = exchange, .now = NOW};
    client_token_t got;
    str_t error, why;
    rc_t rc;
    client_reason_t reason = client_token_read(a, status, body, &expect, &got, &error, &why, &rc);
    must(rc == RC_OK || rc == RC_MEMORY);
    must(!str_is_set(error) || (reason == CLIENT_TOKEN_REFUSED && is_word(error)));
    if (reason != CLIENT_FINE || rc != RC_OK)
        return;
    must(status == 200 && is_word(got.access_token.hidden));
    must(str_find(got.access_token.hidden, ' ', 0) == got.access_token.hidden.n);
    must(!str_is_set(got.refresh_token.hidden) || is_word(got.refresh_token.hidden));
    must(got.expires_at == 0 || got.expires_at >= NOW);
    must(got.dpop == (dpop && !exchange));
}

static void check_device(arena_t *a, int status, str_t body)
{
    client_device_t got;
    str_t why;
    rc_t rc;
    client_reason_t reason = client_device_read(a, status, body, NOW, false, &got, &why, &rc);
    must(rc == RC_OK || rc == RC_MEMORY);
    if (reason != CLIENT_FINE || rc != RC_OK)
        return;
    must(is_word(got.device_code.hidden) && got.user_code.n > 0);
    must(client_url_check_page(got.verification_uri) == CLIENT_FINE);
    must(!str_is_set(got.verification_uri_complete) ||
         client_url_check_page(got.verification_uri_complete) == CLIENT_FINE);
    must(got.interval >= 1 && got.expires_at >= NOW);
}

static void check_registration(arena_t *a, int status, str_t body)
{
    client_registered_t got;
    str_t why;
    rc_t rc;
    client_reason_t reason = client_registration_read(a, status, body, &got, &why, &rc);
    must(rc == RC_OK || rc == RC_MEMORY);
    must(reason == CLIENT_FINE || !str_is_set(got.client_id));
    if (reason != CLIENT_FINE || rc != RC_OK)
        return;
    must(is_word(got.client_id) && got.secret_expires_at >= 0);
    must(str_is_set(got.registration_uri) == str_is_set(got.registration_token));
}

static void check_pushed(arena_t *a, int status, str_t body)
{
    str_t uri, why;
    rc_t rc;
    client_reason_t reason = client_pushed_read(a, status, body, &uri, &why, &rc);
    must(rc == RC_OK || rc == RC_MEMORY);
    must(str_is_set(uri) == (reason == CLIENT_FINE) && (!str_is_set(uri) || is_word(uri)));
}

static void check(arena_t *a, uint8_t which, str_t body)
{
    int status = which & FAILED ? 400 : 200;
    switch (which & 7) {
    case 0:
    case 1:
    case 2:
        check_token(a, status, body, which & 1, which & 2);
        break;
    case 3:
        check_device(a, status, body);
        break;
    case 4:
        check_registration(a, status, body);
        break;
    default:
        check_pushed(a, status, body);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = size > 0 ? arena_new(4 << 20) : NULL;
    if (!a)
        return 0;
    check(a, data[0], str_of(data + 1, size - 1));
    arena_free(a);
    return 0;
}
