/* What the tests of this room share: a small world of records, and tests named after reasons. */
#ifndef OAUTH_OAUTH_TEST_WORLD_H
#define OAUTH_OAUTH_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/form.h"
#include "core/json.h"
#include "core/ports.h"
#include "model/effect.h"
#include "oauth/reason.h"
#include "oauth/settings.h"

enum { TEST_NOW = 1000000, TEST_ARENA_BYTES = 8 << 20 };

/** A server at https://as.test with the resources https://rs.test/mcp (a:read by default, a:write)
 *  and https://other.test (b), a hosted client, and alice, who is signed in. Everything may be
 *  bent before a call. */
typedef struct {
    arena_t *a;
    random_fake_t random_state;
    random_port_t random;
    oauth_settings_t settings;
    scope_text_t scopes[4];
    str_t aliases[2];
    resource_t resource[2];
    oauth_resources_t resources;
    str_t redirect_uris[3];
    client_t client;
    str_t secret; /* that the client would have if it were confidential */
    user_t user;
    session_t session;
} world_t;

/** Fills `w`; free with world_end. */
void world_begin(world_t *w);
void world_end(world_t *w);

/** The form of a text like "a=b&c=d", in the world's arena. */
form_t world_form(world_t *w, const char *text);
/** The reason of that name; fails the test when there is none. */
oauth_reason_t world_reason(const char *name);
/** A random port that fails. */
random_port_t world_no_random(void);
/** Runs fn with arenas of growing budgets until it succeeds; before that it must say RC_MEMORY. The
 *  number of budgets at which it failed is more than zero. */
void world_starve(rc_t (*fn)(world_t *w, arena_t *a, void *ctx), world_t *w, void *ctx);
/** The value of one parameter of a URL's query, decoded; unset when absent; fails when repeated. */
str_t world_parameter(world_t *w, str_t url, const char *name);
/** The JSON of `text`. */
const json_t *world_json(world_t *w, str_t text);
/** Whether the effects are exactly these kinds, in order; ended by EFFECT_COUNT. */
void world_assert_effects(const effects_t *effects, const effect_kind_t *kinds);

#define assert_effects(effects, ...)                                                               \
    world_assert_effects((effects), (const effect_kind_t[]){__VA_ARGS__, EFFECT_COUNT})
#define assert_no_effects(effects) assert_int_equal((effects)->n, 0)

void world_assert_str(str_t left, str_t right, const char *file, int line);
#define assert_str(left, right) world_assert_str((left), (right), __FILE__, __LINE__)
#define assert_text(left, lit)  assert_str((left), STR(lit))
#define assert_unset(s)         assert_false(str_is_set(s))
void world_assert_reason(oauth_reason_t left, oauth_reason_t right, const char *file, int line);
#define assert_reason(left, right) world_assert_reason((left), (right), __FILE__, __LINE__)

/** A test of the name, whose state is the row. */
struct CMUnitTest world_row_test(const char *name, CMUnitTestFunction fn, const void *row);
/** Runs `n` tests whose names and rows are made at run time; the exit code of main. */
int world_run(const struct CMUnitTest *tests, size_t n);

#endif
