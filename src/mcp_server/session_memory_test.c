/* Sessions when memory ends: each allocation fails once. What is under test is compiled here, with
 * an allocator that fails on demand. */
#include <stdlib.h>
#include <string.h>

static int allocations; /* so far */
static int fails_at;    /* the number of the one that fails; 0: none */

static void *failing_malloc(size_t n)
{
    return ++allocations == fails_at ? NULL : malloc(n);
}

static void *failing_calloc(size_t n, size_t size)
{
    return ++allocations == fails_at ? NULL : calloc(n, size);
}

static void *failing_realloc(void *p, size_t n)
{
    return ++allocations == fails_at ? NULL : realloc(p, n);
}

static char *failing_strndup(const char *s, size_t n)
{
    return ++allocations == fails_at ? NULL : strndup(s, n);
}

#define malloc(n)       failing_malloc(n)
#define calloc(n, size) failing_calloc(n, size)
#define realloc(p, n)   failing_realloc(p, n)
#define strndup(s, n)   failing_strndup(s, n)
#include "core/arena.c"
#include "mcp_server/kept_json.c"
#include "mcp_server/outbox.c"
#include "mcp_server/reader.c"
#include "mcp_server/session.c"
#undef malloc
#undef calloc
#undef realloc
#undef strndup

#include "mcp_server/life_test_world.h"

static const mcp_principal_t ALICE = {STR_INIT("https://as.test"), STR_INIT("alice"),
                                      STR_INIT("c1")};

/* Opens one and has it watch something. */
static rc_t use(mcp_sessions_t *t)
{
    mcp_session_t *s;
    rc_t rc = mcp_session_open(t, &ALICE, mcp_version_assumed(), STR("{\"roots\":{}}"), &s);
    if (rc != RC_OK)
        return rc;
    rc = mcp_session_watch(s, STR("test://a"));
    assert_int_equal(mcp_session_watches(s, STR("test://a")), rc == RC_OK);
    mcp_session_end(s);
    mcp_session_drop(s);
    return rc;
}

static void test_memory_ends(void **state)
{
    clock_fake_t clock = {1};
    const mcp_sessions_config_t config = {8, 1000, clock_fake(&clock), random_system()};
    mcp_sessions_t *t = mcp_sessions_new(&config);
    (void)state;
    assert_non_null(t);
    allocations = 0;
    assert_int_equal(use(t), RC_OK);
    int whole = allocations;
    assert_in_range(whole, 5, 100);
    int refused = 0;
    for (int i = 1; i <= whole; i++) {
        allocations = 0;
        fails_at = i;
        rc_t rc = use(t);
        fails_at = 0;
        refused += rc == RC_MEMORY;
        assert_int_equal(mcp_sessions_count(t), 0);
    }
    assert_int_equal(refused, whole - 1); /* a stream ends without memory, too */
    assert_int_equal(use(t), RC_OK);
    mcp_sessions_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
