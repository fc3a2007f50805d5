#include "conf/conf_test_util.h"

int test_arena_setup(void **state)
{
    *state = arena_new(16 << 20);
    return *state ? 0 : -1;
}

int test_arena_teardown(void **state)
{
    arena_free(*state);
    return 0;
}

conf_sources_t test_file(str_t text)
{
    return (conf_sources_t){.file_name = STR("warder.yaml"), .file = text};
}

const conf_t *test_load(arena_t *a, const conf_sources_t *sources)
{
    const conf_t *conf;
    str_t why;
    if (conf_load(a, sources, &conf, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    return conf;
}

const conf_t *test_load_file(arena_t *a, str_t text)
{
    conf_sources_t sources = test_file(text);
    return test_load(a, &sources);
}

str_t test_refusal(arena_t *a, const conf_sources_t *sources)
{
    const conf_t *conf = (const conf_t *)1;
    str_t why = STR_UNSET;
    assert_int_equal(conf_load(a, sources, &conf, &why), RC_CONFIG);
    assert_null(conf);
    assert_true(why.n > 0 && why.n < 600);
    assert_true(str_is_printable_ascii(why));
    return why;
}

str_t test_file_refusal(arena_t *a, str_t text)
{
    conf_sources_t sources = test_file(text);
    return test_refusal(a, &sources);
}
