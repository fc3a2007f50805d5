#include "oauth/oauth_test_world.h"

#include "core/limits.h"
#include "oauth/parameters.h"

static oauth_reason_t read(world_t *w, str_t text, form_t *form)
{
    oauth_reason_t reason;
    assert_int_equal(oauth_parameters_read(w->a, text, form, &reason), RC_OK);
    return reason;
}

/* attack case: TOK-014 */
static void request_malformed(void **state)
{
    (void)state;
    static const str_t BAD[] = {STR_INIT("%"),    STR_INIT("a=%G0"),   STR_INIT("a=%u0041"),
                                STR_INIT("a=%0"), STR_INIT("a=b%00"),  STR_INIT("a=%ff"),
                                STR_INIT("%00"),  STR_INIT("a=b\0=c"), STR_INIT("a=%c3")};
    world_t w;
    form_t form;
    world_begin(&w);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        assert_reason(read(&w, BAD[i], &form), OAUTH_REQUEST_MALFORMED);
        assert_int_equal(form.n, 0);
    }
    buf_t b = buf_new(w.a, 65536);
    for (size_t i = 0; i < LIMIT_FORM_FIELDS; i++)
        buf_fmt(&b, "p%zu=1&", i);
    assert_reason(read(&w, buf_str(&b), &form), OAUTH_FINE);
    buf_put(&b, STR("more"));
    assert_reason(read(&w, buf_str(&b), &form), OAUTH_REQUEST_MALFORMED);
    world_end(&w);
}

/* attack case: TOK-014 */
static void corners_that_are_fine(void **state)
{
    (void)state;
    static const str_t GOOD[] = {STR_INIT(""), STR_INIT("&&&"), STR_INIT("="), STR_INIT("a"),
                                 STR_INIT("+")};
    world_t w;
    form_t form;
    world_begin(&w);
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++)
        assert_reason(read(&w, GOOD[i], &form), OAUTH_FINE);
    world_end(&w);
}

static rc_t read_in(world_t *w, arena_t *a, void *ctx)
{
    form_t form;
    oauth_reason_t reason;
    (void)w;
    (void)ctx;
    return oauth_parameters_read(a, STR("a=b&c=d"), &form, &reason);
}

static void without_memory(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    world_starve(read_in, &w, NULL);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_malformed),
        cmocka_unit_test(corners_that_are_fine),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
