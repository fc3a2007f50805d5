/* Anything as a user code: what is taken is eight letters of the alphabet, and reads as itself. */
#include "oauth/user_code.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str_t code, again;
    arena_t *a = arena_new(1 << 16);
    if (!a)
        return 0;
    if (oauth_user_code_read(a, str_of(data, size), &code) == RC_OK && str_is_set(code)) {
        must(code.n == OAUTH_USER_CODE_LETTERS);
        for (size_t i = 0; i < code.n; i++)
            must(str_find(STR("BCDFGHJKLMNPQRSTVWXZ"), code.p[i], 0) < 20);
        str_t shown = oauth_user_code_show(a, code);
        must(oauth_user_code_read(a, shown, &again) == RC_OK && str_eq(code, again));
    }
    arena_free(a);
    return 0;
}
