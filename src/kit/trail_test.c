#include "core/core_test_util.h"

#include "kit/kit_test_post.h"
#include "kit/trail.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE = 1024 };

typedef struct {
    arena_t *a;
    char dir[64], path[128];
    audit_t *audit;
    loop_t loop;
    unsigned done, durable;
} fixture_t;

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    str_t why;
    f->a = arena_new(1 << 20);
    pthread_mutex_init(&f->loop.lock, NULL);
    snprintf(f->dir, sizeof f->dir, "/tmp/kit-XXXXXX");
    if (!mkdtemp(f->dir))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/audit.log", f->dir);
    *state = f;
    return kit_trail_open(f->a, f->dir, NULL, &f->audit, &why) == RC_OK ? 0 : -1;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    audit_close(f->audit);
    unlink(f->path);
    rmdir(f->dir);
    arena_free(f->a);
    pthread_mutex_destroy(&f->loop.lock);
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
    mcp_audit_port_t p = kit_trail_port(f->audit);
    p.record(p.ctx, loop_port(&f->loop), &EVENT, on_done, f);
    assert_int_equal(f->done, 0); /* the answer comes on the loop, not within the call */
    assert_true(loop_until(&f->loop, &f->done, 1));
    assert_int_equal(f->durable, 1);
    FILE *file = fopen(f->path, "r");
    char line[LINE];
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    assert_true(str_contains(str_c(line), STR("\"tool_call\"")));
    assert_true(str_contains(str_c(line), STR("\"alice\"")));
}

static void file_is_for_its_owner_alone(void **state)
{
    fixture_t *f = *state;
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void folder_that_is_not_there(void **state)
{
    fixture_t *f = *state;
    audit_t *audit = NULL;
    str_t why = STR_UNSET;
    assert_int_not_equal(kit_trail_open(f->a, "/nowhere", NULL, &audit, &why), RC_OK);
    assert_true(str_contains(why, STR("/nowhere/audit.log")));
}

#define TRAIL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(event_is_durable_before_done),
        TRAIL_TEST(file_is_for_its_owner_alone),
        TRAIL_TEST(folder_that_is_not_there),
    };
    return cmocka_run_group_tests_name("kit_trail", tests, NULL, NULL);
}
