/* A Cookie header. What is read is a handle that stands in it, and only once under its name; and
 * what we set is what we read back. */
#include "core/buf.h"
#include "identity/cookie.h"
#include "identity/session.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check(arena_t *a, str_t header, identity_cookie_t which, bool secure)
{
    str_t set, value = identity_cookie_read(header, which, secure);
    if (!str_is_set(value))
        return;
    must(which == IDENTITY_COOKIE_UPSTREAM ? value.n <= IDENTITY_COOKIE_SEALED_MAX
                                           : identity_session_is_handle(value));
    must(value.p > header.p && value.p + value.n <= header.p + header.n && value.p[-1] == '=');
    if (identity_cookie_set(a, which, secure, value, 60, &set) == RC_OK) {
        must(str_eq(identity_cookie_read(set, which, secure), value));
        buf_t twice = buf_new(a, 1 << 19);
        buf_put(&twice, header);
        buf_char(&twice, ';');
        buf_put(&twice, set);
        must(!str_is_set(identity_cookie_read(buf_str(&twice), which, secure)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(1 << 20);
    if (!a)
        return 0;
    for (identity_cookie_t which = 0; which <= IDENTITY_COOKIE_UPSTREAM; which++) {
        check(a, str_of(data, size), which, true);
        check(a, str_of(data, size), which, false);
    }
    arena_free(a);
    return 0;
}
