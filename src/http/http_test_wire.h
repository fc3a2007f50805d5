/* What the tests of this room share: a connection on a wire that takes as much as a test lets it,
 * under a clock that a test moves. */
#ifndef HTTP_HTTP_TEST_WIRE_H
#define HTTP_HTTP_TEST_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/conn.h"

enum { TEST_WIRE_OUT = 2 << 20, TEST_WIRE_MS = 1000 };

/** The peer takes `window` more bytes at once; what is beyond stays where it is until it is taken,
 *  so that ASan sees when it does not. Every time of the hub is TEST_WIRE_MS. */
typedef struct {
    http_wire_t wire;
    http_hub_t hub;
    http_conn_t *conn; /* NULL once the server has closed or cut */
    clock_fake_t clock;
    random_fake_t random;
    size_t window;
    bool dead;    /* sends find that the peer is gone */
    bool aborted; /* the server cut, rather than closed */
    bool paused;  /* the last look found no room to read */
    struct iovec pending[4];
    unsigned pending_n;
    size_t out_n;
    char *out;
} test_wire_t;

/** A fresh connection; end with test_wire_end, which fails the test if anything is left over. */
void test_wire_begin(test_wire_t *t, const http_app_t *app);
void test_wire_end(test_wire_t *t);
/** The client sends; bytes the server has no room for are dropped and `paused` is set. */
void test_wire_say(test_wire_t *t, str_t bytes);
/** The client takes up to n pending bytes. */
void test_wire_take(test_wire_t *t, size_t n);
/** The client ends its side. */
void test_wire_finish(test_wire_t *t);
/** The connection breaks. */
void test_wire_break(test_wire_t *t);
/** Time passes, and the hub looks at its deadlines. */
void test_wire_pass(test_wire_t *t, int64_t ms);
/** All bytes that arrived at the client. */
str_t test_wire_heard(const test_wire_t *t);
/** How often `part` stands in `s`. */
size_t test_count(str_t s, str_t part);

void test_assert_str(str_t left, str_t right, const char *file, int line);
#define assert_str(left, right)  test_assert_str((left), (right), __FILE__, __LINE__)
#define assert_text(left, lit)   assert_str((left), STR(lit))
#define assert_unset(s)          assert_false(str_is_set(s))
#define assert_heard(t, lit)     assert_true(str_contains(test_wire_heard(t), STR(lit)))
#define assert_not_heard(t, lit) assert_false(str_contains(test_wire_heard(t), STR(lit)))

#endif
