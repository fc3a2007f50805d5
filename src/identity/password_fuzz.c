/* A new password, and the same bytes as a stored hash. What is taken can be hashed; and a hash is
 * of the cost that it names, or of none. Nothing is hashed here, for it takes too long. */
#include "identity/password.h"

#include "core/limits.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_stored(str_t text)
{
    static const identity_password_cost_t ONE = {1, 8192}, OTHER = {3, 32u << 20};
    must(identity_password_needs_rehash(&ONE, text) ||
         identity_password_needs_rehash(&OTHER, text));
    if (!identity_password_needs_rehash(&ONE, text))
        must(str_starts(text, STR("$argon2id$v=19$m=")) && str_is_printable_ascii(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str_t text = str_of(data, size);
    identity_password_fault_t fault = identity_password_check(secret_of(text), STR("alice"));
    must(fault < IDENTITY_PASSWORD_FAULT_COUNT);
    if (fault == IDENTITY_PASSWORD_FINE) {
        must(str_is_utf8(text) && text.n >= IDENTITY_PASSWORD_CHARS_MIN);
        must(text.n <= LIMIT_PASSWORD_BYTES && str_find(text, '\0', 0) == text.n);
    }
    check_stored(text);
    return 0;
}
