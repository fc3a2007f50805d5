#include "client/client_test_util.h"

static rc_t no_bytes(void *ctx, void *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return RC_IO;
}

random_port_t client_test_no_random(void)
{
    return (random_port_t){no_bytes, NULL};
}

void client_test_starve(rc_t (*fn)(arena_t *a, void *ctx), void *ctx)
{
    enum { STEP = 48 };
    size_t failures = 0;
    rc_t rc = RC_MEMORY;
    for (size_t budget = STEP; rc != RC_OK && budget < TEST_ARENA_BYTES; budget += STEP) {
        arena_t *a = arena_new(budget);
        assert_non_null(a);
        rc = fn(a, ctx);
        arena_free(a);
        if (rc == RC_OK)
            break;
        assert_int_equal(rc, RC_MEMORY);
        failures++;
    }
    assert_int_equal(rc, RC_OK);
    assert_true(failures > 0);
}

void client_test_wiped(arena_t *a, const str_t *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_true(texts[i].n > 0 && texts[i].p[0] != '\0');
    arena_reset(a);
    for (size_t i = 0; i < n; i++)
        for (size_t at = 0; at < texts[i].n; at++)
            assert_int_equal(texts[i].p[at], 0);
}

form_t client_test_form(arena_t *a, str_t text)
{
    form_t form;
    assert_int_equal(form_parse(a, text, &form), RC_OK);
    return form;
}

const char *client_test_reason_name(client_reason_t reason)
{
    return reason == CLIENT_FINE ? "fine" : client_reason_row(reason)->name.p;
}

str_t client_test_field(const form_t *form, const char *name)
{
    str_t value;
    if (form_get(form, str_c(name), &value) == FORM_REPEATED)
        fail_msg("%s comes twice", name);
    return value;
}
