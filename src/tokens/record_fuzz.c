/* What is kept, read from any bytes. What can be read is written and read again to the same. */
#include "tokens/record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* RC_LIMIT: escapes made it longer than is kept. */
static bool wrote(rc_t rc)
{
    must(rc == RC_OK || rc == RC_LIMIT || rc == RC_MEMORY);
    return rc == RC_OK;
}

static void check_client(arena_t *a, str_t text)
{
    tokens_client_t one, again;
    secret_t first, second;
    if (tokens_client_read(a, text, &one) != RC_OK || !wrote(tokens_client_write(a, &one, &first)))
        return;
    if (tokens_client_read(a, first.hidden, &again) == RC_OK &&
        wrote(tokens_client_write(a, &again, &second)))
        must(secret_eq(first, second));
}

static void check_tokens(arena_t *a, str_t text)
{
    tokens_record_t one, again;
    secret_t first, second;
    if (tokens_record_read(a, text, &one) != RC_OK || !wrote(tokens_record_write(a, &one, &first)))
        return;
    must(!str_is_empty(one.token.access_token.hidden));
    if (tokens_record_read(a, first.hidden, &again) == RC_OK &&
        wrote(tokens_record_write(a, &again, &second)))
        must(secret_eq(first, second));
}

static void check_server(arena_t *a, str_t text)
{
    tokens_server_t one, again;
    secret_t first, second;
    if (tokens_server_read(a, text, &one) != RC_OK || !wrote(tokens_server_write(a, &one, &first)))
        return;
    if (tokens_server_read(a, first.hidden, &again) == RC_OK &&
        wrote(tokens_server_write(a, &again, &second)))
        must(secret_eq(first, second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(8 << 20);
    if (!a)
        return 0;
    check_client(a, str_of(data, size));
    check_tokens(a, str_of(data, size));
    check_server(a, str_of(data, size));
    arena_free(a);
    return 0;
}
