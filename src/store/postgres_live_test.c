/* The driver against a real server: calls, many at once, connections that are killed under way. */
#include "store/postgres_test_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PLAY(name)                                                                                 \
    pg_play_t *name = *state;                                                                      \
    if (!name)                                                                                     \
    skip()

static void a_call_is_answered(void **state)
{
    PLAY(p);
    family_t f = test_family(STR("f"));
    put_family(&p->play, &f);
    const family_t *got = get_family(&p->play, STR("f"));
    assert_non_null(got);
    assert_str(got->id, STR("f"));
    assert_null(get_family(&p->play, STR("g")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POSTGRES(a_call_is_answered),
        ON_PROXIED(a_call_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
