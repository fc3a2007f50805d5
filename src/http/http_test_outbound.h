/* A client on a loop of the test's own thread, and a scripted upstream on the same thread: a test
 * says each byte, and turns the loop in between. */
#ifndef HTTP_HTTP_TEST_OUTBOUND_H
#define HTTP_HTTP_TEST_OUTBOUND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/outbound_conn.h"

typedef struct {
    http_worker_t worker;
    uv_timer_t tick; /* each 5 ms: a turn never waits longer */
    uv_prepare_t before_sleep;
    http_outbound_t *o;
    int listener;
    uint16_t port;
} test_upstream_t;

typedef struct test_answer test_answer_t;

/** What a call has told so far. */
struct test_answer {
    http_outbound_call_t *call;
    int heads, ends, status;
    bool has_length;
    uint64_t length;
    char fields[4096]; /* "name: value\n" for each */
    size_t fields_n;
    char body[1 << 16]; /* the beginning of it */
    size_t body_n;      /* all of it */
    http_outbound_end_t how;
    void (*on_head)(test_answer_t *a); /* may be NULL, as the following */
    void (*on_data)(test_answer_t *a);
    void (*on_end)(test_answer_t *a);
    test_upstream_t *up;
};

/** Zero times of `config` are short ones here; host and port are filled in. */
void test_upstream_open(test_upstream_t *up, http_outbound_config_t config);
/** Frees the client, closes the loop, and fails if anything is left of it. */
void test_upstream_close(test_upstream_t *up);
/** One turn of the loop, at most 5 ms. */
void test_turn(test_upstream_t *up);
/** Starts a request that must be accepted, without a body of POST for an unset one. */
void test_start(test_upstream_t *up, http_method_t method, str_t body, test_answer_t *a);
http_outbound_events_t test_events(test_answer_t *a);
/** Turns until the client connects; the socket. */
int test_accept(test_upstream_t *up);
/** Whether a connection waits after some turns. */
bool test_would_accept(test_upstream_t *up);
/** Turns until `want` has come; what came, borrowed until the next call. */
str_t test_hear_request(test_upstream_t *up, int fd, str_t want);
/** Sends all of it, turning in between; false when the client is gone. */
bool test_say_answer(test_upstream_t *up, int fd, str_t bytes);
/** Turns until the client has closed; false after two seconds. */
bool test_is_closed(test_upstream_t *up, int fd);
/** Turns until the call has ended. */
void test_wait_end(test_answer_t *a);
/** Turns for some milliseconds. */
void test_turn_for(test_upstream_t *up, int64_t ms);
/** Accept, hear a head, say, and wait for the end; the socket. */
int test_answer_with(test_answer_t *a, str_t bytes);

#endif
