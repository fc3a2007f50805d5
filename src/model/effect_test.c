#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/effect.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void effects_stand_in_order(void **state)
{
    (void)state;
    effects_t list = {0};
    for (int i = 0; i < EFFECTS_MAX; i++) {
        effect_t *e = effects_add(&list, (effect_kind_t)i, 1000 + i);
        assert_ptr_equal(e, &list.v[i]);
    }
    assert_int_equal(list.n, EFFECTS_MAX);
    for (int i = 0; i < EFFECTS_MAX; i++) {
        assert_int_equal(list.v[i].kind, i);
        assert_int_equal(list.v[i].at, 1000 + i);
    }
}

/* A list may be used again: nothing of the last decision may shine through. */
static void an_effect_begins_blank(void **state)
{
    (void)state;
    effects_t list;
    memset(&list, 0xff, sizeof list);
    list.n = 0;
    effect_t *e = effects_add(&list, EFFECT_CODE_CONSUME, 7);
    assert_int_equal(e->kind, EFFECT_CODE_CONSUME);
    assert_int_equal(e->at, 7);
    assert_null(e->u.hash);
    assert_int_equal(e->expect_interaction, 0);
    assert_int_equal(e->quota.max_clients, 0);
    assert_int_equal(e->quota.max_interactions, 0);
}

static void one_too_many_is_a_bug_that_stops(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        effects_t list = {.n = EFFECTS_MAX};
        effects_add(&list, EFFECT_CODE_INSERT, 0);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void the_table_gives_each_kind_its_number(void **state)
{
    (void)state;
    static const effect_kind_t KINDS[] = {
#define EFFECT(name, member, precondition) EFFECT_##name,
        EFFECT_TABLE(EFFECT)
#undef EFFECT
    };
    assert_int_equal(sizeof KINDS / sizeof KINDS[0], EFFECT_COUNT);
    for (size_t i = 0; i < EFFECT_COUNT; i++)
        assert_int_equal(KINDS[i], i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_stand_in_order),
        cmocka_unit_test(an_effect_begins_blank),
        cmocka_unit_test(one_too_many_is_a_bug_that_stops),
        cmocka_unit_test(the_table_gives_each_kind_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
