/* A table of bytes that break servers, and of what becomes of each (probe_cases.def). */
#include "http/http_test_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct {
    const char *name;
    str_t before, unit;
    size_t times;
    str_t after;
    int status;
    const char *saw; /* NULL: not compared */
    const char *has;
    const char *rfc;
} probe_t;

#define G    "GET / HTTP/1.1\r\nHost: a.test\r\n"
#define GC   "GET /cached HTTP/1.1\r\nHost: a.test\r\n"
#define P    "POST / HTTP/1.1\r\nHost: a.test\r\n"
#define CH   "Transfer-Encoding: chunked\r\n"
#define NEXT "GET /next HTTP/1.1\r\nHost: a.test\r\n\r\n"

#define BYTES(s)                                                                                   \
    {                                                                                              \
        (s), sizeof(s) - 1                                                                         \
    }
#define PROBE_HAS(name, bytes, status, saw, has, rfc)                                              \
    {name, BYTES(bytes), {"", 0}, 0, {"", 0}, status, saw, has, rfc},
#define PROBE(name, bytes, status, saw, rfc) PROBE_HAS(name, bytes, status, saw, "", rfc)
#define PROBE_LONG(name, before, unit, times, after, status, rfc)                                  \
    {name, BYTES(before), BYTES(unit), times, BYTES(after), status, NULL, "", rfc},

static const probe_t PROBES[] = {
#include "http/probe_cases.def"
};
enum { PROBE_COUNT = sizeof PROBES / sizeof *PROBES };

static struct {
    char text[64 << 10];
    size_t n;
} saw;
static test_wire_t t;

static void note(str_t s)
{
    assert_true(saw.n + s.n < sizeof saw.text);
    if (s.n)
        memcpy(saw.text + saw.n, s.p, s.n);
    saw.n += s.n;
}

/* Remembers what came: method, path, cookies, body. */
static void remember(http_exchange_t *x)
{
    size_t at = 0;
    str_t cookie;
    note(http_method_name(x->method));
    note(STR(" "));
    note(x->path);
    note(STR(" "));
    for (size_t i = 0; http_headers_next(x->headers, STR("cookie"), &at, &cookie); i++) {
        note(i ? STR(" cookie ") : STR("cookie "));
        note(cookie);
    }
    note(x->body);
    note(STR(";"));
}

static void echo(http_exchange_t *x)
{
    remember(x);
    http_reply(x, 200, HTTP_HEADERS({STR("Content-Type"), STR("text/plain")}), STR("seen"));
}

static void cached(http_exchange_t *x)
{
    remember(x);
    http_reply_cached(x, STR("\"v1\""), HTTP_NO_HEADERS, STR("document"));
}

static const http_route_t ROUTES[] = {
    {STR_INIT("/"), HTTP_M(GET) | HTTP_M(POST), echo, 65536,
     .flags = HTTP_ROUTE_PREFIX | HTTP_ROUTE_ANY_TYPE},
    {STR_INIT("/form"), HTTP_M(POST), echo, 65536, HTTP_BODY_FORM},
    {STR_INIT("/cached"), HTTP_M(GET), cached},
};
static const http_app_t APP = {.routes = {ROUTES, sizeof ROUTES / sizeof *ROUTES}};

static str_t bytes_of(const probe_t *p)
{
    size_t n = p->before.n + p->unit.n * p->times + p->after.n, at = p->before.n;
    char *text = malloc(n + 1);
    assert_non_null(text);
    memcpy(text, p->before.p, p->before.n);
    for (size_t i = 0; i < p->times; i++, at += p->unit.n)
        memcpy(text + at, p->unit.p, p->unit.n);
    memcpy(text + at, p->after.p, p->after.n);
    return str_of(text, n);
}

/* The status of the first answer that is no 1xx; 0: none. */
static int first_status(void)
{
    static const char GO_ON[] = "HTTP/1.1 100 Continue\r\n\r\n";
    str_t heard = test_wire_heard(&t);
    if (str_starts(heard, str_c(GO_ON)))
        heard = str_skip(heard, sizeof GO_ON - 1);
    return str_starts(heard, STR("HTTP/1.1 ")) ? atoi(heard.p + 9) : 0;
}

/* A refusal of the bytes, rather than of what they ask for. */
static bool ends_connection(int status)
{
    return status == 0 || (status >= 400 && status != 404 && status != 405);
}

static const char *fault_of(const probe_t *p)
{
    if (first_status() != p->status)
        return "another status";
    if (p->saw && !str_eq(str_of(saw.text, saw.n), str_c(p->saw)))
        return "the application saw something else";
    if (!p->saw && p->status >= 400 && saw.n)
        return "the application saw it";
    if (p->has[0] && !str_contains(test_wire_heard(&t), str_c(p->has)))
        return "the answer lacks something";
    if (ends_connection(p->status) && t.conn)
        return "the connection goes on";
    if (test_count(test_wire_heard(&t), STR("101 Switching")))
        return "it switched protocols";
    return NULL;
}

static void say(str_t bytes, size_t piece)
{
    while (bytes.n && t.conn && !t.paused) {
        test_wire_say(&t, str_first(bytes, piece));
        bytes = str_skip(bytes, piece);
    }
}

static void begin_one(void)
{
    test_wire_begin(&t, &APP);
    saw.n = 0;
}

/* After each, somebody else's plain request is answered. */
static void control(const probe_t *p)
{
    begin_one();
    test_wire_say(&t, STR(NEXT));
    if (first_status() != 200 || !str_eq(str_of(saw.text, saw.n), STR("GET /next ;")))
        fail_msg("after '%s' a plain request fails", p->name);
    test_wire_end(&t);
}

static size_t run(const probe_t *p, str_t bytes, size_t piece)
{
    begin_one();
    say(bytes, piece);
    if (!test_wire_heard(&t).n || p->status == 408)
        test_wire_pass(&t, 2 * TEST_WIRE_MS);
    const char *fault = fault_of(p);
    if (fault)
        print_error("'%s' (RFC %s), pieces of %zu: %s: %d, saw '%.*s'\n", p->name, p->rfc, piece,
                    fault, first_status(), (int)saw.n, saw.text);
    test_wire_end(&t);
    control(p);
    return fault != NULL;
}

/* attack case: GWH-001, GWH-003, GWH-005, GWH-006, GWH-007, GWH-008, GWH-011, GWH-015,
 * GWH-018 */
static void each_is_read_in_one_way(void **state)
{
    size_t faults = 0;
    for (size_t i = 0; i < PROBE_COUNT; i++) {
        str_t bytes = bytes_of(&PROBES[i]);
        faults += run(&PROBES[i], bytes, SIZE_MAX);
        /* However the network cuts them. */
        if (bytes.n < 4096)
            faults += run(&PROBES[i], bytes, 1);
        else
            faults += run(&PROBES[i], bytes, 1000);
        free((char *)(uintptr_t)bytes.p);
    }
    assert_int_equal(faults, 0);
}

/* One of 128 names that are the same to the hash of many libraries ("Aa" and "BB" collide). */
static void colliding_name(char out[16], unsigned i)
{
    for (unsigned bit = 0; bit < 7; bit++)
        memcpy(out + 2 * bit, i & (1u << bit) ? "Aa" : "BB", 2);
    out[14] = 0;
}

static int64_t parse_ns(const char *text, size_t n)
{
    static http_codec_t codec;
    struct timespec from, to;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (int i = 0; i < 200; i++) {
        http_codec_init(&codec);
        assert_int_equal(http_codec_head(&codec, text, n), HTTP_STEP_DONE);
        http_headers_t h = {codec.head.headers, codec.head.header_count};
        assert_unset(http_headers_get(h, STR("nobody")));
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    return (to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec;
}

static size_t fields(char *out, size_t cap, bool collide)
{
    size_t n = (size_t)snprintf(out, cap, "%s", G);
    for (unsigned i = 0; i < LIMIT_HTTP_HEADERS - 1; i++) {
        char name[16];
        colliding_name(name, i);
        if (!collide)
            snprintf(name, sizeof name, "N%013u", i * 2654435761u);
        n += (size_t)snprintf(out + n, cap - n, "%s: v\r\n", name);
    }
    return n + (size_t)snprintf(out + n, cap - n, "\r\n");
}

/* attack case: GWH-016 (names of fields: a bounded list, no hash) */
static void names_that_collide_take_no_longer(void **state)
{
    static char plain[8192], colliding[8192];
    size_t n = fields(plain, sizeof plain, false), m = fields(colliding, sizeof colliding, true);
    int64_t least = INT64_MAX, least_colliding = INT64_MAX;
    for (int i = 0; i < 20; i++) {
        int64_t a = parse_ns(plain, n), b = parse_ns(colliding, m);
        least = a < least ? a : least;
        least_colliding = b < least_colliding ? b : least_colliding;
    }
    assert_in_range(least_colliding, 0, 2 * least);
}

static void the_table_is_whole(void **state)
{
    assert_true(PROBE_COUNT >= 215);
    for (size_t i = 0; i < PROBE_COUNT; i++) {
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(PROBES[i].name, PROBES[k].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_read_in_one_way),
        cmocka_unit_test(names_that_collide_take_no_longer),
        cmocka_unit_test(the_table_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
