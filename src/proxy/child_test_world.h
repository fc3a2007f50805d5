/* A child port on two real workers, spoken to by the test's own thread. */
#ifndef PROXY_CHILD_TEST_WORLD_H
#define PROXY_CHILD_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/upstream_child.h"

typedef struct {
    const char *mode; /* of child_test_play.c */
    bool shared;
    int64_t max_children, idle_s, message_bytes, start_s, memory_mb, starts_per_minute;
    const char *const *command; /* instead of the played child; NULL ends it */
} child_world_options_t;

typedef struct child_world child_world_t;
child_world_t *child_world_new(child_world_options_t options);
void child_world_free(child_world_t *w);
/** Frees the port as replaced settings do, while the workers go on. All calls have ended. */
void child_world_replace(child_world_t *w);

typedef struct {
    unsigned worker;
    const char *who;  /* subject; NULL: alice */
    const char *body; /* of a POST; NULL: GET, or DELETE */
    bool delete;
    bool stateless;
    const char *version; /* NULL: 2025-11-25 */
    const char *session, *last_event;
    bool paused; /* from the start */
} child_ask_test_t;

/** What has come so far. Fields are stable once `ended`. */
typedef struct child_answer child_answer_t;
struct child_answer {
    int status;
    char type[64], session[64], retry[16];
    char *body; /* a C string */
    size_t n;
    bool ended;
    http_outbound_end_t how;
};

child_answer_t *child_world_send(child_world_t *w, child_ask_test_t ask);
/** Waits until it has ended. */
child_answer_t *child_world_ask(child_world_t *w, child_ask_test_t ask);
void child_world_end(child_world_t *w, child_answer_t *answer);
/** Waits until the body holds the text; fails after a minute. */
void child_world_hear(child_world_t *w, child_answer_t *answer, const char *text);
/** Whether it does so within `ms`. */
bool child_world_hears(child_world_t *w, child_answer_t *answer, const char *text, int ms);
void child_world_cancel(child_world_t *w, child_answer_t *answer);
void child_world_resume(child_world_t *w, child_answer_t *answer);
/** Opens a session of the handshake era; its id, borrowed until the world ends. */
const char *child_world_open(child_world_t *w, const char *who);
/** How often the trail and the log have the text. */
unsigned child_world_trail(child_world_t *w, const char *reason);
unsigned child_world_log(child_world_t *w, const char *text);
bool child_world_wait_trail(child_world_t *w, const char *reason, unsigned n);
bool child_world_is_ready(child_world_t *w);
/** The number behind "NAME": in the body. */
long child_world_number(const child_answer_t *answer, const char *name);
/** Whether the process is gone, within a minute. */
bool child_world_gone(long pid);

#endif
