/* Lines: Origin, Sec-Fetch-Site, token. Only the token of this key, form, binding and subject fits,
 * whatever its mask; only our origin, in some spelling, fits; and nobody makes up a set-up link. */
#include "identity/csrf.h"
#include "identity/setup.h"

#include "core/b64.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const identity_csrf_t CSRF = {
    .key = STR_INIT("0123456789abcdef0123456789abcdef"),
    .form = IDENTITY_CSRF_LOGIN,
    .binding = STR_INIT("wss_cookie"),
    .subject = STR_INIT("wri_interaction"),
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_token(arena_t *a, str_t token)
{
    str_t bytes;
    identity_csrf_t other = CSRF;
    if (!identity_csrf_check(&CSRF, token))
        return;
    must(b64url_decode(a, token, &bytes) == RC_OK && bytes.n == 64);
    other.form = IDENTITY_CSRF_SETUP;
    must(!identity_csrf_check(&other, token));
    must(!identity_csrf_check(&CSRF, str_first(token, token.n - 1)));
}

static void check_origin(str_t origin, str_t fetch_site)
{
    if (!identity_csrf_origin_fits(origin, fetch_site, STR("https://as.test")))
        return;
    must(!str_contains(fetch_site, STR("cross")));
    str_t host = str_first(str_skip(origin, 8), 7);
    must(!str_is_set(origin) || str_eq_nocase(host, STR("as.test")));
    must(origin.n <= 15 || origin.p[15] == ':');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(1 << 16);
    if (!a)
        return 0;
    str_t rest = str_of(data, size), origin = STR_UNSET, fetch_site = STR_UNSET, token = STR_UNSET;
    (void)str_split(&rest, '\n', &origin);
    (void)str_split(&rest, '\n', &fetch_site);
    (void)str_split(&rest, '\n', &token);
    check_origin(origin, fetch_site);
    check_origin(origin, STR_UNSET);
    check_token(a, token);
    must(identity_setup_judge(CSRF.key, token, 0) == IDENTITY_SETUP_WRONG);
    arena_free(a);
    return 0;
}
