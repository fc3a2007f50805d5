/* A server in this process that answers each request with whatever a test plays, also with what is
 * no HTTP; plain or over TLS; a thread for each connection. And what a call of an agent has told.
 */
#ifndef HTTP_HTTP_TEST_PEER_H
#define HTTP_HTTP_TEST_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/agent.h"

enum { TEST_PEER_CONNECTIONS = 64, TEST_PEER_REQUESTS = 256, TEST_PEER_BYTES = 3 << 20 };

typedef struct test_peer test_peer_t;

/** A connection with the request that has just come on it, its body too. */
typedef struct {
    test_peer_t *peer;
    int fd;
    SSL *ssl; /* NULL: plain */
    str_t request, path;
    unsigned connection, nth; /* of the connection's requests; from 0 */
    char bytes[TEST_PEER_BYTES];
    size_t n, taken;
    pthread_t thread;
} test_visit_t;

/** Answers; false: the connection is closed then. On the connection's thread. */
typedef bool (*test_play_t)(test_visit_t *v);

struct test_peer {
    test_play_t play;
    SSL_CTX *tls; /* freed with the peer */
    int listener;
    uint16_t port;
    pthread_t thread;
    atomic_bool is_ending;
    atomic_uint connections, requests;
    atomic_size_t sent; /* bytes that tests count */
    pthread_mutex_t lock;
    test_visit_t *visits[TEST_PEER_CONNECTIONS];
    char *asked[TEST_PEER_REQUESTS]; /* as they came */
};

/** On 127.0.0.1, or on ::1. */
test_peer_t *test_peer_start(test_play_t play, SSL_CTX *tls);
void test_peer_stop(test_peer_t *p);
/** The i-th request; borrowed until the peer ends. */
const char *test_peer_asked(test_peer_t *p, unsigned i);
/** False: whoever asked is gone. */
bool test_visit_say(test_visit_t *v, str_t bytes);
bool test_visit_says(test_visit_t *v, const char *text);
/** Until the other side closes, or the peer ends. */
void test_visit_wait_gone(test_visit_t *v);

/** What a call has told. */
typedef struct {
    http_agent_t *agent;
    uint64_t call;
    pthread_mutex_t lock;
    pthread_cond_t news;
    unsigned heads, ends, refused; /* data() that said: not now */
    int status;
    char version[16], fields[32768], why[512]; /* "name: value\n" each */
    char body[4096];                           /* its beginning */
    size_t body_n;
    uint64_t hash; /* of all of it, by test_hash */
    http_agent_end_t end;
    size_t pause_at; /* refuses data once so much has come; SIZE_MAX: never */
    void (*on_head)(void *heard), (*on_data)(void *heard), (*on_end)(void *heard); /* or NULL */
} test_heard_t;

void test_heard_init(test_heard_t *h, http_agent_t *agent);
void test_heard_end(test_heard_t *h);
http_agent_events_t test_heard_events(test_heard_t *h);
/** Starts it, which must be accepted. */
void test_heard_start(test_heard_t *h, const http_agent_request_t *r);
/** Waits for what it names, up to a minute; then the test fails. */
void test_heard_wait_end(test_heard_t *h);
void test_heard_wait_body(test_heard_t *h, size_t n);
void test_heard_wait_refused(test_heard_t *h, unsigned times);
/** From now on data is refused once so much has come. */
void test_heard_pause_at(test_heard_t *h, size_t n);

/** Goes on with a hash (0 at first) of bytes in their order. */
uint64_t test_hash(uint64_t hash, str_t bytes);
http_agent_t *test_agent_start(void);
/** A GET of that path of the peer, by 127.0.0.1; reach: loopback. In `a`. */
http_agent_request_t test_get(arena_t *a, const test_peer_t *p, const char *path);
http_answer_t test_agent_ask(http_agent_t *agent, arena_t *a, http_agent_request_t r);
/** Waits until `ready`, up to a minute. */
bool test_until(bool (*ready)(void *ctx), void *ctx);
/** How many entries a folder has, as /proc/self/fd and /proc/self/task. */
unsigned test_entries(const char *folder);

#endif
