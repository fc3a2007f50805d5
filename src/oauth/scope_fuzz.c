/* Two scope lists, cut at the first newline: the rules of the grammar must hold for any bytes. */
#include "oauth/scope.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check(arena_t *a, str_t left, str_t right)
{
    str_t one, both, narrow, again;
    if (oauth_scope_parse(a, left, &one) != RC_OK)
        return;
    must(!str_is_set(one) || oauth_scope_is_valid(one));
    must(oauth_scope_covers(one, one));
    must(oauth_scope_parse(a, one, &again) == RC_OK && str_eq(one, again));
    if (oauth_scope_parse(a, right, &right) != RC_OK)
        return;
    if (oauth_scope_narrow(a, one, right, &narrow) == RC_OK) {
        must(oauth_scope_covers(right, narrow));
        must(oauth_scope_covers(one, narrow));
        must(oauth_scope_covers(right, one) == str_eq(narrow, one));
    }
    if (oauth_scope_union(a, one, right, &both) == RC_OK)
        must(oauth_scope_covers(both, one) && oauth_scope_covers(both, right));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(1 << 20);
    if (!a)
        return 0;
    str_t text = str_of(data, size);
    size_t cut = str_find(text, '\n', 0);
    check(a, str_first(text, cut), str_skip(text, cut + 1));
    arena_free(a);
    return 0;
}
