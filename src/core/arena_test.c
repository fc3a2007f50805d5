/* The arena with an allocator that fails when told: the source itself is compiled in. */
#include "core/core_test_util.h"

#include <stdlib.h>

/* Allocations that still succeed; negative: all. One for the process, for the tests run in turn. */
static int allocations_left = -1;
static int allocations_live;

static void *counted(void *p)
{
    allocations_live += p != NULL;
    return p;
}

static bool may_allocate(void)
{
    if (allocations_left < 0)
        return true;
    if (allocations_left == 0)
        return false;
    allocations_left--;
    return true;
}

static void *failing_malloc(size_t n)
{
    return may_allocate() ? counted(malloc(n)) : NULL;
}

static void *failing_calloc(size_t n, size_t size)
{
    return may_allocate() ? counted(calloc(n, size)) : NULL;
}

static void counting_free(void *p)
{
    allocations_live -= p != NULL;
    free(p);
}

#define malloc failing_malloc
#define calloc failing_calloc
#define free   counting_free
#include "core/arena.c"
#undef malloc
#undef calloc
#undef free

static int setup(void **state)
{
    allocations_left = -1;
    return test_arena_setup(state);
}

static int teardown(void **state)
{
    allocations_left = -1;
    test_arena_teardown(state);
    return allocations_live == 0 ? 0 : -1;
}

typedef struct {
    char text[8];
    size_t n;
} trace_t;

typedef struct {
    trace_t *trace;
    char name;
} note_t;

static void note(void *ptr)
{
    note_t *n = ptr;
    n->trace->text[n->trace->n++] = n->name;
}

static void cleanups_run_last_registered_first(void **state)
{
    (void)state;
    trace_t trace = {0};
    note_t notes[] = {{&trace, 'a'}, {&trace, 'b'}, {&trace, 'c'}};
    arena_t *a = arena_new(4096);
    for (size_t i = 0; i < ROWS(notes); i++)
        assert_int_equal(arena_cleanup(a, note, &notes[i]), RC_OK);
    assert_int_equal(trace.n, 0);
    arena_free(a);
    assert_string_equal(trace.text, "cba");
}

static void a_reset_runs_cleanups_once(void **state)
{
    arena_t *a = *state;
    trace_t trace = {0};
    note_t first = {&trace, 'a'}, second = {&trace, 'b'};
    assert_int_equal(arena_cleanup(a, note, &first), RC_OK);
    arena_reset(a);
    assert_string_equal(trace.text, "a");
    assert_int_equal(arena_cleanup(a, note, &second), RC_OK);
    arena_reset(a);
    assert_string_equal(trace.text, "ab");
}

static void a_cleanup_without_memory_runs_at_once(void **state)
{
    (void)state;
    trace_t trace = {0};
    note_t n = {&trace, 'x'};
    arena_t *a = arena_new(8);
    assert_int_equal(arena_cleanup(a, note, &n), RC_MEMORY);
    assert_string_equal(trace.text, "x");
    arena_free(a);
    assert_string_equal(trace.text, "x");
}

static void memory_is_aligned_and_zeroed(void **state)
{
    arena_t *a = *state;
    for (int round = 0; round < 2; round++) {
        for (size_t size = 0; size < 300; size += 7) {
            char *p = arena_alloc(a, size);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xaa, size);
        }
        arena_reset(a);
    }
}

static void blocks_do_not_overlap(void **state)
{
    arena_t *a = *state;
    enum { N = 500 };
    unsigned char *p[N];
    size_t sizes[N];
    for (size_t i = 0; i < N; i++) {
        sizes[i] = 1 + i * 37 % 2000 + (i % 50 == 0 ? 300000 : 0);
        p[i] = arena_alloc(a, sizes[i]);
        assert_non_null(p[i]);
        memset(p[i], (int)(i & 0xff), sizes[i]);
    }
    for (size_t i = 0; i < N; i++)
        assert_true(p[i][0] == (i & 0xff) && p[i][sizes[i] - 1] == (i & 0xff));
}

static void the_budget_is_a_maximum(void **state)
{
    (void)state;
    arena_t *a = arena_new(64);
    assert_null(arena_alloc(a, 65));
    assert_int_equal(arena_used(a), 0);
    assert_non_null(arena_alloc(a, 48));
    assert_null(arena_alloc(a, 17));
    assert_non_null(arena_alloc(a, 16));
    assert_int_equal(arena_used(a), 64);
    assert_null(arena_alloc(a, 0));
    arena_reset(a);
    assert_int_equal(arena_used(a), 0);
    assert_non_null(arena_alloc(a, 64));
    arena_free(a);
}

static void sizes_that_overflow(void **state)
{
    (void)state;
    arena_t *a = arena_new(SIZE_MAX);
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_null(arena_alloc(a, SIZE_MAX - 16));
    assert_null(arena_alloc(a, SIZE_MAX - 31));
    assert_null(arena_array(a, SIZE_MAX / 2, 3));
    assert_null(arena_array(a, SIZE_MAX, SIZE_MAX));
    assert_non_null(arena_array(a, SIZE_MAX, 0));
    assert_non_null(arena_array(a, 3, 5));
    arena_free(a);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    int refused = 0;
    for (int left = 0; left < 12; left++) {
        allocations_left = left;
        arena_t *a = arena_new(1 << 20);
        bool whole = a != NULL;
        for (int i = 0; a && i < 5; i++)
            whole &= arena_alloc(a, 8000) != NULL;
        refused += !whole;
        /* What is there already goes on working. */
        if (a && !whole)
            assert_non_null(arena_alloc(a, 16));
        allocations_left = -1;
        arena_free(a);
    }
    /* Two for the arena; 8000 bytes fit the first block, two the next, four the one behind. */
    assert_int_equal(refused, 4);
}

static void copies(void **state)
{
    arena_t *a = *state;
    assert_str(arena_dup(a, STR("a\0b")), STR("a\0b"));
    assert_int_equal(arena_dup(a, STR("ab")).p[2], '\0');
    assert_str(arena_dup(a, STR("")), STR(""));
    assert_false(str_is_set(arena_dup(a, STR_UNSET)));
    assert_string_equal(arena_cstr(a, str_first(STR("abc"), 2)), "ab");
    assert_string_equal(arena_cstr(a, STR("")), "");
    assert_null(arena_cstr(a, STR("a\0b")));
}

static void formatting(void **state)
{
    arena_t *a = *state;
    assert_str(arena_printf(a, "%d-%" PRIstr, 7, STR_ARG(STR("x"))), STR("7-x"));
    assert_str(arena_printf(a, "%s", ""), STR(""));
    assert_str(arena_printf(a, "[%" PRIstr "]", STR_ARG(STR_UNSET)), STR("[]"));
    str_t large = arena_printf(a, "%9000d", 1);
    assert_int_equal(large.n, 9000);
}

static void copies_without_memory_are_unset(void **state)
{
    (void)state;
    arena_t *a = arena_new(16);
    assert_false(str_is_set(arena_dup(a, STR("sixteen bytes ..."))));
    assert_false(str_is_set(arena_printf(a, "%s", "sixteen bytes ...")));
    assert_null(arena_cstr(a, STR("sixteen bytes ...")));
    assert_non_null(arena_alloc(a, 16));
    arena_free(a);
}

static void freeing_nothing_is_fine(void **state)
{
    (void)state;
    arena_free(NULL);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cleanups_run_last_registered_first),
        TEST(a_reset_runs_cleanups_once),
        TEST(a_cleanup_without_memory_runs_at_once),
        TEST(memory_is_aligned_and_zeroed),
        TEST(blocks_do_not_overlap),
        TEST(the_budget_is_a_maximum),
        TEST(sizes_that_overflow),
        TEST(every_failing_allocation_is_survived),
        TEST(copies),
        TEST(formatting),
        TEST(copies_without_memory_are_unset),
        TEST(freeing_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
