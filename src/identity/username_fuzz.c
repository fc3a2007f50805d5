/* A name as it is typed. What is taken needs no escape anywhere, and is its own spelling. */
#include "identity/username.h"

#include "core/limits.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str_t name, again, typed = str_of(data, size);
    arena_t *a = arena_new(1 << 16);
    if (!a)
        return 0;
    if (identity_username_normalize(a, typed, &name) == RC_OK) {
        must(name.n > 0 && name.n <= LIMIT_USERNAME_BYTES && str_is_printable_ascii(name));
        must(str_eq_nocase(name, str_trim(typed, " ")));
        must(identity_username_normalize(a, name, &again) == RC_OK && str_eq(name, again));
    }
    arena_free(a);
    return 0;
}
