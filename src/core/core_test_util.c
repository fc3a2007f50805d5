#include "core/core_test_util.h"

#include <stdio.h>
#include <stdlib.h>

int test_arena_setup(void **state)
{
    *state = arena_new(TEST_ARENA_BYTES);
    return *state ? 0 : -1;
}

int test_arena_teardown(void **state)
{
    arena_free(*state);
    return 0;
}

str_t test_exact(arena_t *a, str_t s)
{
    char *p = malloc(s.n ? s.n : 1);
    assert_non_null(p);
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    assert_int_equal(arena_cleanup(a, free, p), RC_OK);
    return str_of(p, s.n);
}

str_t test_read_file(arena_t *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return STR_UNSET;
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    char *p = arena_alloc(a, (size_t)size + 1);
    assert_non_null(p);
    size_t n = fread(p, 1, (size_t)size, f);
    fclose(f);
    return str_of(p, n);
}

const char *test_path(arena_t *a, const char *name, const char *tail)
{
    const char *folder = getenv(name);
    return folder ? arena_printf(a, "%s/%s", folder, tail).p : NULL;
}
