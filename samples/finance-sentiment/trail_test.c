#include "trail.h"
#include "sample_test_post.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { ARENA_BYTES = 1 << 20 };

static loop_t LOOP = {.lock = PTHREAD_MUTEX_INITIALIZER};

static post_port_t back(http_exchange_t *x)
{
    (void)x;
    return loop_port(&LOOP);
}

typedef struct {
    arena_t *a;
    char dir[64], path[128];
    trail_t trail;
    http_exchange_t x;
    unsigned done, durable;
} fixture_t;

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    str_t why;
    f->a = arena_new(ARENA_BYTES);
    f->x.arena = f->a;
    snprintf(f->dir, sizeof f->dir, "/tmp/trail-XXXXXX");
    if (!mkdtemp(f->dir))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/audit.log", f->dir);
    audit_config_t c = {str_c(f->path), NULL, clock_system()};
    f->trail.back = back;
    *state = f;
    return audit_open(f->a, &c, &f->trail.audit, &why) == RC_OK ? 0 : -1;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    audit_close(f->trail.audit);
    unlink(f->path);
    rmdir(f->dir);
    arena_free(f->a);
    free(f);
    return 0;
}

static void on_done(void *arg, bool durable)
{
    fixture_t *f = arg;
    f->done++;
    f->durable += durable;
}

static const audit_event_t EVENT = {
    .kind = AUDIT_TOOL_CALL, .allowed = true, .reason = STR_INIT("ok"), .user = STR_INIT("alice")};

static void event_is_durable_before_done(void **state)
{
    fixture_t *f = *state;
    mcp_audit_port_t p = trail_port(&f->trail);
    p.record(p.ctx, &f->x, &EVENT, on_done, f);
    assert_int_equal(f->done, 0); /* the answer comes on the loop, not within the call */
    assert_true(loop_until(&LOOP, &f->done, 1));
    assert_int_equal(f->durable, 1);
    FILE *file = fopen(f->path, "r");
    char line[256];
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    assert_string_equal(line, "tool_call allow ok user=alice client= tool=\n");
}

static void broken_trail_is_not_durable(void **state)
{
    fixture_t *f = *state;
    mcp_audit_port_t p = trail_port(&f->trail);
    unlink(f->path);
    rmdir(f->dir);
    p.record(p.ctx, &f->x, &EVENT, on_done, f);
    assert_true(loop_until(&LOOP, &f->done, 1));
    assert_int_equal(f->durable, 0);
}

static void no_memory_is_not_durable(void **state)
{
    fixture_t *f = *state;
    mcp_audit_port_t p = trail_port(&f->trail);
    f->x.arena = arena_new(1);
    p.record(p.ctx, &f->x, &EVENT, on_done, f);
    assert_int_equal(f->done, 1);
    assert_int_equal(f->durable, 0);
    arena_free(f->x.arena);
}

#define TRAIL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(event_is_durable_before_done),
        TRAIL_TEST(broken_trail_is_not_durable),
        TRAIL_TEST(no_memory_is_not_durable),
    };
    return cmocka_run_group_tests_name("trail", tests, NULL, NULL);
}
