/* What the tests of requests and their answers share. */
#ifndef CLIENT_CLIENT_TEST_UTIL_H
#define CLIENT_CLIENT_TEST_UTIL_H

#include "core/core_test_util.h"

#include "client/reason.h"
#include "core/form.h"
#include "core/ports.h"

/** A random port that fails. */
random_port_t client_test_no_random(void);
/** Runs fn with arenas of growing budgets until it succeeds; before that it must say RC_MEMORY. The
 *  number of budgets at which it failed is more than zero. */
void client_test_starve(rc_t (*fn)(arena_t *a, void *ctx), void *ctx);
/** Resets the arena and looks at what the texts were: nothing of them is there any more. Their
 * bytes must lie in the first block, which a reset keeps. */
void client_test_wiped(arena_t *a, const str_t *texts, size_t n);
/** The fields of a form, which must be one. */
form_t client_test_form(arena_t *a, str_t text);

#define assert_ok(rc) assert_int_equal((rc), RC_OK)
/* Names tell more than numbers where one differs. */
#define assert_reason(got, want)                                                                   \
    do {                                                                                           \
        client_reason_t got_ = (got), want_ = (want);                                              \
        if (got_ != want_)                                                                         \
            fail_msg("%s, not %s", client_test_reason_name(got_), client_test_reason_name(want_)); \
    } while (0)
#define assert_field(form, name, text) assert_str(client_test_field((form), (name)), str_c(text))
#define assert_no_field(form, name)    assert_false(str_is_set(client_test_field((form), (name))))

const char *client_test_reason_name(client_reason_t reason);
/** The one value of a field; unset when absent; fails when repeated. */
str_t client_test_field(const form_t *form, const char *name);

#endif
