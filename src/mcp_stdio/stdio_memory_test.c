/* The stream when memory ends: each allocation of its thread fails once. What is under test is
 * compiled here, with an allocator that fails on demand. */
#include "mcp_stdio/stdio_test_world.h"

#include <signal.h>
#include <stdlib.h>

static atomic_int allocations; /* so far */
static atomic_int fails_at;    /* the number of the one that fails; 0: none */

static bool fails(void)
{
    return atomic_fetch_add(&allocations, 1) + 1 == atomic_load(&fails_at);
}

static void *failing_malloc(size_t n)
{
    return fails() ? NULL : malloc(n);
}

static void *failing_calloc(size_t n, size_t size)
{
    return fails() ? NULL : calloc(n, size);
}

static void *failing_realloc(void *p, size_t n)
{
    return fails() ? NULL : realloc(p, n);
}

#define malloc(n)       failing_malloc(n)
#define calloc(n, size) failing_calloc(n, size)
#define realloc(p, n)   failing_realloc(p, n)
#include "mcp_stdio/line.c"
#include "mcp_stdio/posts.c"
#include "mcp_stdio/stdio.c"
#include "mcp_stdio/stdio_in.c"
#include "mcp_stdio/stdio_lane.c"
#include "mcp_stdio/stdio_out.c"
#undef malloc
#undef calloc
#undef realloc

enum { LONG_BYTES = 200 << 10, ANSWERS = 5 };

/* Of each kind one: at once, later, an error, and a line that needs room. */
static void say_all(stdio_world_t *w)
{
    char *text = arena_alloc(w->a, LONG_BYTES + 1);
    assert_non_null(text);
    memset(text, 'x', LONG_BYTES);
    (void)stdio_write(w, STR(STDIO_CALL_NEW("1", "hello", "") "\n"));
    (void)stdio_write(w, STR(STDIO_CALL_NEW("2", "soon", "") "\n{\n"));
    (void)stdio_write(w, arena_printf(w->a, STDIO_CALL_NEW("\"%s\"", "hello", "") "\n", text));
    (void)stdio_write(w, STR(STDIO_CALL_NEW("4", "hello", "") "\n"));
}

static unsigned answers_of(stdio_world_t *w)
{
    const json_t *root;
    str_t line;
    unsigned n = 0;
    while (stdio_left(w, &line)) {
        assert_int_equal(json_parse(w->a, line, NULL, &root), RC_OK);
        n++;
    }
    return n;
}

/* How many of the answers came. */
static unsigned play(int failing, rc_t *rc)
{
    void *state = NULL;
    atomic_store(&allocations, 0);
    atomic_store(&fails_at, failing);
    assert_int_equal(stdio_world_setup(&state), 0);
    stdio_world_t *w = state;
    say_all(w);
    *rc = stdio_end(w);
    unsigned n = answers_of(w);
    assert_int_equal(stdio_world_teardown(&state), 0);
    return n;
}

static void each_allocation_fails_once(void **state)
{
    rc_t rc;
    int failing = 0, ended = 0;
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    do {
        unsigned n = play(++failing, &rc);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        assert_true(rc == RC_MEMORY || n == ANSWERS);
        ended += rc == RC_MEMORY;
    } while (atomic_load(&allocations) >= failing);
    assert_true(ended > 0 && failing > 8);
    assert_int_equal(rc, RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails_once),
    };
    return cmocka_run_group_tests_name("stdio_memory", tests, NULL, NULL);
}
