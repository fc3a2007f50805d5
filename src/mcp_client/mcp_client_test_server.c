#include "mcp_client/mcp_client_test_server.h"

#include "core/json.h"
#include "core/ports.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_BYTES = 9 << 20, TURN_MS = 20 };

typedef struct {
    test_mcp_t *s;
    int fd;
} connection_t;

static void nap(void)
{
    nanosleep(&(struct timespec){0, 2000000}, NULL);
}

/* ---- requests ---- */

static size_t head_end(const char *p, size_t n)
{
    const char *at = memmem(p, n, "\r\n\r\n", 4);
    return at ? (size_t)(at - p) + 4 : 0;
}

static size_t body_length(const char *p, size_t head)
{
    for (const char *at = p; at < p + head; at++) {
        if (strncasecmp(at, "\r\ncontent-length:", 17) == 0)
            return strtoul(at + 17, NULL, 10);
    }
    return 0;
}

/* The length of the first whole request in it; 0: there is more to come. */
static size_t whole(const char *p, size_t n)
{
    size_t head = head_end(p, n);
    size_t all = head ? head + body_length(p, head) : 0;
    return all && all <= n ? all : 0;
}

static test_asked_t keep(test_mcp_t *s, const char *p, size_t n)
{
    char *copy = malloc(n + 1);
    memcpy(copy, p, n);
    copy[n] = 0;
    size_t head = head_end(copy, n);
    test_asked_t r = {.text = {copy, n},
                      .method = {copy, strcspn(copy, " ")},
                      .head = {copy, head},
                      .body = {copy + head, n - head},
                      .at_ms = clock_micros() / 1000};
    pthread_mutex_lock(&s->lock);
    r.nth = (unsigned)s->n_asked;
    if (s->n_asked < TEST_ASKED)
        s->asked[s->n_asked++] = r;
    else
        abort();
    pthread_mutex_unlock(&s->lock);
    return r;
}

static bool readable(test_mcp_t *s, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (!atomic_load(&s->ending)) {
        if (poll(&p, 1, TURN_MS) > 0)
            return true;
    }
    return false;
}

static void *serve(void *arg)
{
    connection_t c = *(connection_t *)arg;
    char *p = malloc(REQUEST_BYTES);
    size_t n = 0;
    bool open = true;
    free(arg);
    while (open && readable(c.s, c.fd)) {
        ssize_t got = recv(c.fd, p + n, REQUEST_BYTES - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
        for (size_t all; open && (all = whole(p, n)) > 0; n -= all) {
            test_asked_t r = keep(c.s, p, all);
            open = c.s->answer(c.s, &r, c.fd);
            memmove(p, p + all, n - all);
        }
    }
    free(p);
    shutdown(c.fd, SHUT_RDWR);
    return NULL;
}

static void *take_connections(void *arg)
{
    test_mcp_t *s = arg;
    while (s->n_connections < TEST_CONNECTIONS && readable(s, s->listener)) {
        connection_t *c = malloc(sizeof *c);
        *c = (connection_t){s, accept(s->listener, NULL, NULL)};
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        s->fds[s->n_connections] = c->fd;
        pthread_create(&s->connections[s->n_connections++], NULL, serve, c);
    }
    return NULL;
}

test_mcp_t *test_mcp_start(test_answer_fn answer, void *ctx)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    test_mcp_t *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->answer = answer;
    s->ctx = ctx;
    pthread_mutex_init(&s->lock, NULL);
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->listener, TEST_CONNECTIONS), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &n), 0);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u/mcp", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, take_connections, s), 0);
    return s;
}

void test_mcp_stop(test_mcp_t *s)
{
    atomic_store(&s->ending, true);
    pthread_join(s->thread, NULL);
    for (size_t i = 0; i < s->n_connections; i++)
        shutdown(s->fds[i], SHUT_RDWR);
    for (size_t i = 0; i < s->n_connections; i++) {
        pthread_join(s->connections[i], NULL);
        close(s->fds[i]);
    }
    for (size_t i = 0; i < s->n_asked; i++)
        free((void *)(uintptr_t)s->asked[i].text.p);
    close(s->listener);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- looking ---- */

size_t test_mcp_count(test_mcp_t *s)
{
    pthread_mutex_lock(&s->lock);
    size_t n = s->n_asked;
    pthread_mutex_unlock(&s->lock);
    return n;
}

bool test_mcp_wait(test_mcp_t *s, size_t n)
{
    int64_t until = clock_micros() / 1000 + TEST_PATIENCE_MS;
    while (test_mcp_count(s) < n && clock_micros() / 1000 < until)
        nap();
    return test_mcp_count(s) >= n;
}

test_asked_t test_mcp_asked(test_mcp_t *s, size_t nth)
{
    assert_true(nth < test_mcp_count(s));
    pthread_mutex_lock(&s->lock);
    test_asked_t r = s->asked[nth];
    pthread_mutex_unlock(&s->lock);
    return r;
}

size_t test_mcp_holding(test_mcp_t *s, const char *part)
{
    size_t n = 0, all = test_mcp_count(s);
    for (size_t i = 0; i < all; i++)
        n += str_contains(test_mcp_asked(s, i).text, str_c(part));
    return n;
}

str_t test_field(const test_asked_t *r, const char *name)
{
    str_t rest = r->head, line;
    size_t n = strlen(name);
    while (str_split(&rest, '\n', &line)) {
        if (line.n > n && line.p[n] == ':' && str_eq_nocase(str_first(line, n), str_c(name)))
            return str_trim(str_skip(line, n + 1), " \r");
    }
    return STR_UNSET;
}

const char *test_id(const test_asked_t *r, char out[64])
{
    arena_t *a = arena_new(64 << 20);
    const json_t *root = NULL;
    (void)!json_parse(a, r->body, &(json_limits_t){16 << 20, 64, 200000}, &root);
    const json_t *id = json_get(root, STR("id"));
    snprintf(out, 64, "%" PRIstr, STR_ARG(id ? id->raw : STR("null")));
    arena_free(a);
    return out;
}

bool test_asks(const test_asked_t *r, const char *method)
{
    char want[128];
    int n = snprintf(want, sizeof want, "\"method\":\"%s\"", method);
    return str_contains(r->body, str_of(want, (size_t)n));
}

void test_pause(test_mcp_t *s, int64_t ms)
{
    int64_t until = clock_micros() / 1000 + ms;
    while (!atomic_load(&s->ending) && clock_micros() / 1000 < until)
        nap();
}

/* ---- answering ---- */

static bool put(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

bool test_say(int fd, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    bool sent = n >= 0 && put(fd, text, (size_t)n);
    free(text);
    return sent;
}

bool test_json(int fd, int status, const char *fields, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    bool sent = n >= 0 &&
                test_say(fd,
                         "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%sContent-Length: "
                         "%d\r\n\r\n",
                         status, fields, n) &&
                put(fd, text, (size_t)n);
    free(text);
    return sent;
}

bool test_result(int fd, const test_asked_t *r, const char *fields, const char *result)
{
    char id[64];
    return test_json(fd, 200, fields, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":%s}",
                     test_id(r, id), result);
}

bool test_status(int fd, int status, const char *fields)
{
    return test_say(fd, "HTTP/1.1 %d X\r\n%sContent-Length: 0\r\n\r\n", status, fields);
}

bool test_stream(int fd, const char *fields)
{
    return test_say(fd,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n%sConnection: "
                    "close\r\n\r\n",
                    fields);
}
