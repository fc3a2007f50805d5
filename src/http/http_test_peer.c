#include "http/http_test_peer.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 60, TLS_HANDSHAKE = 0x16 };

/* The peer. */

static ssize_t hear(test_visit_t *v)
{
    size_t room = sizeof v->bytes - v->n - 1;
    if (v->ssl)
        return SSL_read(v->ssl, v->bytes + v->n, (int)room);
    return recv(v->fd, v->bytes + v->n, room, 0);
}

static size_t body_bytes(const char *head)
{
    const char *at = strcasestr(head, "\r\ncontent-length:");
    return at ? strtoul(at + strlen("\r\ncontent-length:"), NULL, 10) : 0;
}

/* The next request, whole, into v->request. */
static bool hear_request(test_visit_t *v)
{
    memmove(v->bytes, v->bytes + v->taken, v->n - v->taken);
    v->n -= v->taken;
    v->taken = 0;
    for (;;) {
        v->bytes[v->n] = '\0';
        const char *end = strstr(v->bytes, "\r\n\r\n");
        size_t whole = end ? (size_t)(end - v->bytes) + 4 : 0;
        if (end)
            whole += body_bytes(v->bytes);
        if (end && v->n >= whole) {
            v->taken = whole;
            v->request = str_of(v->bytes, whole);
            return true;
        }
        ssize_t got = hear(v);
        if (got <= 0)
            return false;
        v->n += (size_t)got;
        if (!v->ssl && v->bytes[0] == TLS_HANDSHAKE) { /* as web servers do */
            test_visit_says(v, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            return false;
        }
    }
}

static void keep_request(test_visit_t *v)
{
    test_peer_t *p = v->peer;
    str_t rest = v->request, method;
    pthread_mutex_lock(&p->lock);
    unsigned i = atomic_fetch_add(&p->requests, 1);
    if (i < TEST_PEER_REQUESTS)
        p->asked[i] = strndup(v->request.p, v->request.n);
    pthread_mutex_unlock(&p->lock);
    str_split(&rest, ' ', &method);
    str_split(&rest, ' ', &v->path);
}

static void *visit(void *arg)
{
    test_visit_t *v = arg;
    bool is_open = true;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE); /* OpenSSL writes to whoever is gone */
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    if (v->peer->tls) {
        v->ssl = SSL_new(v->peer->tls);
        SSL_set_fd(v->ssl, v->fd);
        is_open = SSL_accept(v->ssl) == 1;
    }
    for (v->nth = 0; is_open && hear_request(v); v->nth++) {
        keep_request(v);
        is_open = v->peer->play(v);
    }
    if (v->ssl)
        SSL_shutdown(v->ssl);
    SSL_free(v->ssl);
    shutdown(v->fd, SHUT_RDWR);
    return NULL;
}

static void *accept_all(void *arg)
{
    test_peer_t *p = arg;
    for (;;) {
        int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
        unsigned i = atomic_load(&p->connections);
        if (fd < 0 || i == TEST_PEER_CONNECTIONS) {
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        test_visit_t *v = calloc(1, sizeof *v);
        v->peer = p;
        v->fd = fd;
        v->connection = i;
        pthread_mutex_lock(&p->lock);
        p->visits[i] = v;
        pthread_mutex_unlock(&p->lock);
        atomic_fetch_add(&p->connections, 1);
        pthread_create(&v->thread, NULL, visit, v);
    }
}

test_peer_t *test_peer_start(test_play_t play, SSL_CTX *tls)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof name;
    test_peer_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->play = play;
    p->tls = tls;
    pthread_mutex_init(&p->lock, NULL);
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(p->listener, (void *)&name, n), 0);
    assert_int_equal(listen(p->listener, 64), 0);
    assert_int_equal(getsockname(p->listener, (void *)&name, &n), 0);
    p->port = ntohs(name.sin_port);
    assert_int_equal(pthread_create(&p->thread, NULL, accept_all, p), 0);
    return p;
}

void test_peer_stop(test_peer_t *p)
{
    atomic_store(&p->is_ending, true);
    shutdown(p->listener, SHUT_RDWR);
    pthread_join(p->thread, NULL);
    close(p->listener);
    for (size_t i = 0; i < TEST_PEER_CONNECTIONS && p->visits[i]; i++) {
        test_visit_t *v = p->visits[i];
        shutdown(v->fd, SHUT_RDWR);
        pthread_join(v->thread, NULL);
        close(v->fd);
        free(v);
    }
    for (size_t i = 0; i < TEST_PEER_REQUESTS; i++)
        free(p->asked[i]);
    SSL_CTX_free(p->tls);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

const char *test_peer_asked(test_peer_t *p, unsigned i)
{
    pthread_mutex_lock(&p->lock);
    const char *text = i < TEST_PEER_REQUESTS ? p->asked[i] : NULL;
    pthread_mutex_unlock(&p->lock);
    assert_non_null(text);
    return text;
}

bool test_visit_say(test_visit_t *v, str_t bytes)
{
    while (bytes.n) {
        ssize_t n = v->ssl ? SSL_write(v->ssl, bytes.p, (int)bytes.n)
                           : send(v->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes = str_skip(bytes, (size_t)n);
        atomic_fetch_add(&v->peer->sent, (size_t)n);
    }
    return true;
}

bool test_visit_says(test_visit_t *v, const char *text)
{
    return test_visit_say(v, str_c(text));
}

void test_visit_wait_gone(test_visit_t *v)
{
    char byte;
    while (v->ssl ? SSL_read(v->ssl, &byte, 1) > 0 : recv(v->fd, &byte, 1, 0) > 0)
        ;
}

/* A call. */

void test_heard_init(test_heard_t *h, http_agent_t *agent)
{
    pthread_condattr_t attr;
    memset(h, 0, sizeof *h);
    h->agent = agent;
    h->pause_at = SIZE_MAX;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->news, &attr);
    pthread_condattr_destroy(&attr);
}

void test_heard_end(test_heard_t *h)
{
    pthread_cond_destroy(&h->news);
    pthread_mutex_destroy(&h->lock);
}

static void tell(test_heard_t *h)
{
    pthread_cond_broadcast(&h->news);
    pthread_mutex_unlock(&h->lock);
}

uint64_t test_hash(uint64_t hash, str_t bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        hash = hash * 31 + (unsigned char)bytes.p[i];
    return hash;
}

static void on_head(void *ctx, const http_agent_head_t *head)
{
    test_heard_t *h = ctx;
    size_t n = 0;
    if (h->on_head)
        h->on_head(h);
    pthread_mutex_lock(&h->lock);
    h->heads++;
    h->status = head->status;
    snprintf(h->version, sizeof h->version, "%" PRIstr, STR_ARG(head->version));
    for (size_t i = 0; i < head->headers.n && n < sizeof h->fields; i++)
        n += (size_t)snprintf(h->fields + n, sizeof h->fields - n, "%" PRIstr ": %" PRIstr "\n",
                              STR_ARG(head->headers.v[i].name), STR_ARG(head->headers.v[i].value));
    tell(h);
}

static bool on_data(void *ctx, str_t bytes)
{
    test_heard_t *h = ctx;
    if (h->on_data)
        h->on_data(h);
    pthread_mutex_lock(&h->lock);
    bool is_taken = h->body_n < h->pause_at;
    h->refused += !is_taken;
    if (is_taken && h->body_n < sizeof h->body) {
        size_t room = sizeof h->body - h->body_n;
        memcpy(h->body + h->body_n, bytes.p, bytes.n < room ? bytes.n : room);
    }
    h->body_n += is_taken ? bytes.n : 0;
    h->hash = is_taken ? test_hash(h->hash, bytes) : h->hash;
    tell(h);
    return is_taken;
}

static void on_end(void *ctx, http_agent_end_t end, str_t why)
{
    test_heard_t *h = ctx;
    if (h->on_end)
        h->on_end(h);
    pthread_mutex_lock(&h->lock);
    h->ends++;
    h->end = end;
    snprintf(h->why, sizeof h->why, "%" PRIstr, STR_ARG(why));
    tell(h);
}

http_agent_events_t test_heard_events(test_heard_t *h)
{
    return (http_agent_events_t){on_head, on_data, on_end, h};
}

void test_heard_start(test_heard_t *h, const http_agent_request_t *r)
{
    assert_int_equal(http_agent_start(h->agent, r, test_heard_events(h), &h->call), RC_OK);
}

/* Under the lock; false: nothing has come for too long. */
static bool wait_news(test_heard_t *h, const struct timespec *until)
{
    return pthread_cond_timedwait(&h->news, &h->lock, until) == 0;
}

static struct timespec patience(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += PATIENCE_S;
    return t;
}

#define WAIT(h, condition)                                                                         \
    do {                                                                                           \
        struct timespec until_ = patience();                                                       \
        bool is_good_ = true;                                                                      \
        pthread_mutex_lock(&(h)->lock);                                                            \
        while (!(condition) && is_good_)                                                           \
            is_good_ = wait_news((h), &until_);                                                    \
        is_good_ = (condition);                                                                    \
        pthread_mutex_unlock(&(h)->lock);                                                          \
        assert_true(is_good_);                                                                     \
    } while (0)

void test_heard_wait_end(test_heard_t *h)
{
    WAIT(h, h->ends > 0);
}

void test_heard_wait_body(test_heard_t *h, size_t n)
{
    WAIT(h, h->body_n >= n);
}

void test_heard_wait_refused(test_heard_t *h, unsigned times)
{
    WAIT(h, h->refused >= times);
}

void test_heard_pause_at(test_heard_t *h, size_t n)
{
    pthread_mutex_lock(&h->lock);
    h->pause_at = n;
    pthread_mutex_unlock(&h->lock);
}

/* The agent. */

http_agent_t *test_agent_start(void)
{
    http_agent_t *agent;
    const http_agent_config_t config = {0};
    assert_int_equal(http_agent_new(&config, &agent), RC_OK);
    return agent;
}

http_agent_request_t test_get(arena_t *a, const test_peer_t *p, const char *path)
{
    return (http_agent_request_t){
        .method = STR("GET"),
        .url = arena_printf(a, "%s://127.0.0.1:%d%s", p->tls ? "https" : "http", p->port, path),
        .reach = HTTP_REACH_LOOPBACK,
    };
}

http_answer_t test_agent_ask(http_agent_t *agent, arena_t *a, http_agent_request_t r)
{
    http_answer_t out;
    http_ask_port_t port = http_agent_ask(agent);
    assert_int_equal(port.ask(port.ctx, a, &r, &out), RC_OK);
    return out;
}

bool test_until(bool (*ready)(void *ctx), void *ctx)
{
    const struct timespec nap = {0, 1000000};
    for (int i = 0; i < PATIENCE_S * 1000; i++) {
        if (ready(ctx))
            return true;
        nanosleep(&nap, NULL);
    }
    return false;
}

unsigned test_entries(const char *folder)
{
    unsigned n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}
