/* The first byte is how long it may become: no control character comes through, and no bad UTF-8.
 */
#include "client/plain.h"

#include <stdlib.h>

#include "core/unfit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check(arena_t *a, str_t text, size_t max)
{
    str_t plain = client_plain(a, text, max), rest = plain;
    if (!str_is_set(plain))
        return;
    must(plain.n <= max && str_is_utf8(plain));
    while (rest.n > 0) {
        size_t n;
        must(!unfit_is(unfit_first(rest, &n)));
        rest = str_skip(rest, n);
    }
    must(str_eq(client_plain(a, plain, max), plain));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(1 << 20);
    if (a && size > 0)
        check(a, str_of(data + 1, size - 1), data[0]);
    arena_free(a);
    return 0;
}
