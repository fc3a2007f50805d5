/* The agent against a server that plays whatever it likes. */
#include <limits.h>
#include <stdlib.h>

#include "core/core_test_util.h"
#include "core/limits.h"
#include "http/http_test_peer.h"

static test_peer_t *peer;
static http_agent_t *agent;

static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/* Texts that are said and after which the connection stays open (or is closed: "close"). */
static const struct {
    const char *path, *text;
    bool close;
} SAID[] = {
    {"/ok", OK, false},
    {"/moved", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", false},
    {"/hints",
     "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
     "HTTP/1.1 201 Created\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\nok",
     false},
    {"/chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: "
     "X-T\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n"
     "0\r\nX-T: 1\r\n\r\n",
     false},
    {"/to-the-end", "HTTP/1.0 200 OK\r\n\r\nall of it", true},
    {"/gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nraw", false},
    {"/unauthorized",
     "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer scope=\"a\"\r\nContent-Length: "
     "0\r\n\r\n",
     false},
    /* Hostile. */
    {"/none", "", true},
    {"/no-http", "SSH-2.0-OpenSSH_9.2\r\n", true},
    {"/old", "just some text", true},
    {"/short", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", true},
    {"/short-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort", true},
    {"/bad-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", true},
    {"/bad-length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok", true},
    {"/switch", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
     true},
    {"/fold", "HTTP/1.1 200 OK\r\nX-A: 1\r\n  2\r\nContent-Length: 2\r\n\r\nok", true},
    {"/space", "HTTP/1.1 200 OK\r\nX-A : 1\r\nContent-Length: 2\r\n\r\nok", true},
    {"/no-colon", "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nok", true},
    {"/escape", "HTTP/1.1 200 OK\r\nX-A: \x1b[2J\r\nContent-Length: 2\r\n\r\nok", true},
};

/* What begins well and goes on too long. */
static const struct {
    const char *path, *first, *then;
    unsigned times;
} BOMBS[] = {
    {"/line-bomb", "HTTP/1.1 200 OK\r\nX-A: ", "aaaaaaaaaaaaaaaa", 100000},
    {"/head-bomb", "HTTP/1.1 200 OK\r\n", "X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", 100000},
    {"/field-bomb", "HTTP/1.1 200 OK\r\n", "A: b\r\n", LIMIT_HTTP_HEADERS + 1},
    {"/hint-bomb", "", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 100000},
    {"/endless", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     "10\r\n0123456789abcdef\r\n", UINT_MAX},
    {"/trailer-bomb", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
     "X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", 100000},
    /* These stop, and do not end. */
    {"/silent", "", "", 0},
    {"/events",
     "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: a comment\n"
     "event: endpoint\ndata: /m\n\n",
     "", 0},
    {"/half-event", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n", "", 0},
    {"/page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>\n\n", "", 0},
    {"/half-head", "HTTP/1.1 200 OK\r\nX-A: ", "", 0},
    {"/half", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "", 0},
};

static void bomb(test_visit_t *v, size_t row)
{
    bool is_there = test_visit_says(v, BOMBS[row].first);
    for (unsigned i = 0; is_there && i < BOMBS[row].times; i++)
        is_there = test_visit_says(v, BOMBS[row].then);
    if (is_there && BOMBS[row].times == LIMIT_HTTP_HEADERS + 1)
        is_there = test_visit_says(v, "\r\n");
    if (is_there)
        test_visit_wait_gone(v);
}

static bool play(test_visit_t *v)
{
    for (size_t i = 0; i < ROWS(SAID); i++) {
        if (str_eq(v->path, str_c(SAID[i].path)))
            return test_visit_says(v, SAID[i].text) && !SAID[i].close;
    }
    for (size_t i = 0; i < ROWS(BOMBS); i++) {
        if (str_eq(v->path, str_c(BOMBS[i].path)))
            bomb(v, i);
    }
    return false;
}

static int set_up(void **state)
{
    /* This machine is asked without a proxy, whatever these say. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    peer = test_peer_start(play, NULL);
    agent = test_agent_start();
    return 0;
}

static int tear_down(void **state)
{
    http_agent_free(agent);
    test_peer_stop(peer);
    return 0;
}

static http_answer_t get(arena_t *a, const char *path)
{
    return test_agent_ask(agent, a, test_get(a, peer, path));
}

static const char *last_asked(void)
{
    return test_peer_asked(peer, atomic_load(&peer->requests) - 1);
}

static void an_answer_comes_whole(void **state)
{
    http_answer_t answer = get(*state, "/unauthorized#not-sent");
    assert_int_equal(answer.end, HTTP_AGENT_DONE);
    assert_int_equal(answer.status, 401);
    assert_str(answer.why, STR(""));
    assert_str(answer.body, STR(""));
    assert_str(http_headers_get(answer.headers, STR("www-authenticate")),
               STR("Bearer scope=\"a\""));
    assert_true(strncmp(last_asked(), "GET /unauthorized HTTP/1.1\r\n", 28) == 0);
    assert_non_null(strstr(last_asked(), "\r\nUser-Agent: warder\r\n"));
    assert_null(strcasestr(last_asked(), "accept-encoding"));
    assert_str(get(*state, "/chunks").body, STR("abcde"));
    assert_str(get(*state, "/to-the-end").body, STR("all of it"));
    assert_str(get(*state, "/gzip").body, STR("raw"));
}

static void interim_answers_are_passed_over(void **state)
{
    http_answer_t answer = get(*state, "/hints");
    assert_int_equal(answer.status, 201);
    assert_int_equal(http_headers_count(answer.headers, STR("X-A")), 2);
    assert_int_equal(http_headers_count(answer.headers, STR("Link")), 0);
}

static void a_request_goes_out_as_it_was_said(void **state)
{
    http_agent_request_t r = test_get(*state, peer, "/ok");
    r.method = STR("POST");
    r.body = STR("{\"a\":1}");
    r.headers = HTTP_HEADERS({STR("Content-Type"), STR("application/json")},
                             {STR("Authorization"), STR("Bearer t")}, {STR("X-Unset"), STR_UNSET},
                             {STR("X-Empty"), STR("")}, {STR("User-Agent"), STR("me/1")});
    assert_str(test_agent_ask(agent, *state, r).body, STR("ok"));
    assert_non_null(strstr(last_asked(), "POST /ok HTTP/1.1\r\n"));
    assert_non_null(strstr(last_asked(), "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(last_asked(), "\r\nAuthorization: Bearer t\r\n"));
    assert_non_null(strstr(last_asked(), "\r\nX-Empty:"));
    assert_non_null(strstr(last_asked(), "\r\nUser-Agent: me/1\r\n"));
    assert_non_null(strstr(last_asked(), "\r\nContent-Length: 7\r\n"));
    assert_non_null(strstr(last_asked(), "\r\n\r\n{\"a\":1}"));
    assert_null(strstr(last_asked(), "X-Unset"));
    assert_null(strcasestr(last_asked(), "expect"));
}

static void a_long_body_waits_for_no_continue(void **state)
{
    static char body[2 << 20]; /* beyond what libcurl sends unasked */
    http_agent_request_t r = test_get(*state, peer, "/ok");
    memset(body, 'b', sizeof body);
    r.method = STR("POST");
    r.body = str_of(body, sizeof body);
    assert_int_equal(test_agent_ask(agent, *state, r).status, 200);
    assert_null(strcasestr(last_asked(), "expect"));
    assert_null(strcasestr(last_asked(), "content-type"));
    assert_true(strlen(last_asked()) > sizeof body);
}

static void methods_are_sent_as_they_are(void **state)
{
    static const char *const METHODS[] = {"DELETE", "OPTIONS", "PUT", "POST", "HEAD", "REPORT"};
    for (size_t i = 0; i < ROWS(METHODS); i++) {
        http_agent_request_t r = test_get(*state, peer, "/unauthorized");
        r.method = str_c(METHODS[i]);
        assert_int_equal(test_agent_ask(agent, *state, r).status, 401);
        assert_true(strncmp(last_asked(), METHODS[i], r.method.n) == 0);
    }
}

static void a_redirect_is_not_followed(void **state)
{
    http_agent_request_t r = test_get(*state, peer, "/moved");
    unsigned before = atomic_load(&peer->requests);
    r.headers = HTTP_HEADERS({STR("Authorization"), STR("Bearer t")});
    http_answer_t answer = test_agent_ask(agent, *state, r);
    assert_int_equal(answer.status, 302);
    assert_str(http_headers_get(answer.headers, STR("location")), STR("/ok"));
    assert_int_equal(atomic_load(&peer->requests), before + 1);
}

static void connections_are_used_again(void **state)
{
    get(*state, "/ok");
    unsigned before = atomic_load(&peer->connections);
    for (int i = 0; i < 5; i++)
        assert_int_equal(get(*state, "/ok").status, 200);
    assert_int_equal(atomic_load(&peer->connections), before);
}

static void a_field_that_would_split_the_message_is_refused(void **state)
{
    static const struct {
        const char *method, *name, *value;
    } BAD[] = {
        {"GET", "X-A", "1\r\nX-B: 2"}, {"GET", "X-A", "1\nX-B: 2"},
        {"GET", "X-A", "\x01"},        {"GET", "X A", "1"},
        {"GET", "X-A:", "1"},          {"GET", "", "1"},
        {"GET", "X-A\r\nB", "1"},      {"GE T", "X-A", "1"},
        {"GET\r\n", "X-A", "1"},       {"", "X-A", "1"},
        {"GET", "Expect", "1"},        {"GET", "Content-Length", "1"},
        {"GET", "connection", "x"},    {"GET", "transfer-encoding", "chunked"},
    };
    http_ask_port_t port = http_agent_ask(agent);
    http_answer_t out;
    unsigned before = atomic_load(&peer->requests);
    for (size_t i = 0; i < ROWS(BAD); i++) {
        http_agent_request_t r = test_get(*state, peer, "/ok");
        r.method = str_c(BAD[i].method);
        r.headers = HTTP_HEADERS({str_c(BAD[i].name), str_c(BAD[i].value)});
        if (port.ask(port.ctx, *state, &r, &out) != RC_MALFORMED)
            fail_msg("row %zu was taken", i);
    }
    assert_int_equal(atomic_load(&peer->requests), before);
    assert_int_equal(get(*state, "/ok").status, 200);
}

static void what_is_no_answer_has_its_end(void **state)
{
    static const struct {
        const char *path;
        http_agent_end_t end;
        int status; /* of a head that was whole before it went on too long */
    } BAD[] = {
        {"/none", HTTP_AGENT_BROKEN},
        {"/no-http", HTTP_AGENT_BROKEN},
        {"/old", HTTP_AGENT_BROKEN},
        {"/short", HTTP_AGENT_BROKEN},
        {"/short-chunk", HTTP_AGENT_BROKEN},
        {"/bad-chunk", HTTP_AGENT_BROKEN},
        {"/bad-length", HTTP_AGENT_BROKEN},
        {"/switch", HTTP_AGENT_BROKEN},
        {"/fold", HTTP_AGENT_BROKEN},
        {"/space", HTTP_AGENT_BROKEN},
        {"/no-colon", HTTP_AGENT_BROKEN},
        {"/escape", HTTP_AGENT_BROKEN},
        {"/line-bomb", HTTP_AGENT_TOO_LONG},
        {"/head-bomb", HTTP_AGENT_TOO_LONG},
        {"/field-bomb", HTTP_AGENT_TOO_LONG},
        {"/hint-bomb", HTTP_AGENT_TOO_LONG},
        {"/trailer-bomb", HTTP_AGENT_TOO_LONG, 200},
        {"/endless", HTTP_AGENT_TOO_LONG, 200},
    };
    for (size_t i = 0; i < ROWS(BAD); i++) {
        http_answer_t answer = get(*state, BAD[i].path);
        bool is_told = answer.why.n > 10 && str_is_printable_ascii(answer.why);
        if (answer.end != BAD[i].end || !is_told || answer.status != BAD[i].status)
            fail_msg("%s: %s: %" PRIstr, BAD[i].path, http_agent_end_name(answer.end).p,
                     STR_ARG(answer.why));
    }
    assert_int_equal(get(*state, "/ok").status, 200);
}

static void urls_that_are_not_taken(void **state)
{
    static const char *const BAD[] = {
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "/relative",
        "http://u:p@127.0.0.1",
        "http://u@127.0.0.1/",
        "http://127.0.0.1/a b",
        "",
        "http://127.1/",
        "http://%31%32%37.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "gopher://127.0.0.1/",
        "http://a\\b/",
    };
    for (size_t i = 0; i < ROWS(BAD); i++) {
        http_agent_request_t r = {
            .method = STR("GET"), .url = str_c(BAD[i]), .reach = HTTP_REACH_ANY};
        http_answer_t answer = test_agent_ask(agent, *state, r);
        if (answer.end != HTTP_AGENT_BAD_URL || answer.why.n == 0)
            fail_msg("%s: %s", BAD[i], http_agent_end_name(answer.end).p);
    }
}

static void the_body_is_bounded(void **state)
{
    http_agent_request_t r = test_get(*state, peer, "/ok");
    r.max_body = 1;
    http_answer_t cut = test_agent_ask(agent, *state, r);
    assert_int_equal(cut.end, HTTP_AGENT_TOO_LONG);
    assert_int_equal(cut.status, 200); /* its head is whole */
    assert_true(cut.headers.n > 0);
    assert_null(cut.body.p);
    http_answer_t none = test_agent_ask(agent, *state, test_get(*state, peer, "/head-bomb"));
    assert_int_equal(none.end, HTTP_AGENT_TOO_LONG);
    assert_int_equal(none.status, 0);
    r.max_body = 2;
    assert_int_equal(test_agent_ask(agent, *state, r).end, HTTP_AGENT_DONE);
    r.max_body = SIZE_MAX;
    assert_int_equal(test_agent_ask(agent, *state, r).end, HTTP_AGENT_DONE);
}

static void a_stream_of_events_is_whole_with_its_first(void **state)
{
    http_agent_request_t r = test_get(*state, peer, "/events");
    r.first_event = true;
    http_answer_t answer = test_agent_ask(agent, *state, r);
    assert_int_equal(answer.end, HTTP_AGENT_DONE);
    assert_int_equal(answer.status, 200);
    assert_str(answer.body, STR(": a comment\nevent: endpoint\ndata: /m\n\n"));
    static const char *const OTHERS[] = {"/half-event", "/page"};
    for (size_t i = 0; i < ROWS(OTHERS); i++) {
        r = test_get(*state, peer, OTHERS[i]);
        r.first_event = true;
        r.total_ms = 200;
        assert_int_equal(test_agent_ask(agent, *state, r).end, HTTP_AGENT_TIMEOUT);
    }
}

static void an_arena_that_is_full_is_no_answer(void **state)
{
    arena_t *small = arena_new(100000);
    http_agent_request_t r = test_get(*state, peer, "/endless");
    http_ask_port_t port = http_agent_ask(agent);
    http_answer_t out;
    r.max_body = SIZE_MAX;
    assert_int_equal(port.ask(port.ctx, small, &r, &out), RC_MEMORY);
    arena_free(small);
}

static void times_are_kept(void **state)
{
    static const struct {
        const char *path;
        int64_t head_ms, total_ms;
    } LATE[] = {
        {"/silent", 30, 0},   {"/silent", 0, 30},  {"/half-head", 30, 0},
        {"/half", 10000, 30}, {"/silent", -1, 30},
    };
    for (size_t i = 0; i < ROWS(LATE); i++) {
        http_agent_request_t r = test_get(*state, peer, LATE[i].path);
        r.head_ms = LATE[i].head_ms;
        r.total_ms = LATE[i].total_ms;
        http_answer_t answer = test_agent_ask(agent, *state, r);
        if (answer.end != HTTP_AGENT_TIMEOUT || answer.why.n == 0)
            fail_msg("row %zu: %s", i, http_agent_end_name(answer.end).p);
    }
}

/* A head in time is enough for a stream. */
static void the_time_of_a_head_ends_with_it(void **state)
{
    http_agent_request_t r = test_get(*state, peer, "/half");
    r.head_ms = 2000;
    r.total_ms = 3000;
    http_answer_t answer = test_agent_ask(agent, *state, r);
    assert_str(answer.why, STR("the answer did not end in time"));
}

static void nobody_listens(void **state)
{
    test_peer_t *gone = test_peer_start(play, NULL);
    http_agent_request_t r = test_get(*state, gone, "/ok");
    test_peer_stop(gone);
    http_answer_t answer = test_agent_ask(agent, *state, r);
    assert_int_equal(answer.end, HTTP_AGENT_REFUSED);
    assert_true(answer.why.n > 0);
    r.url = STR("http://a.invalid/"); /* which would be the proxy's to find */
    assert_int_equal(test_agent_ask(agent, *state, r).end, HTTP_AGENT_REFUSED);
}

static void a_file_of_authorities_must_be_there(void **state)
{
    http_agent_t *out;
    http_agent_config_t config = {.ca_file = STR("/nonexistent/ca.pem")};
    assert_int_equal(http_agent_new(&config, &out), RC_CONFIG);
    config.ca_file = STR("/dev/null");
    assert_int_equal(http_agent_new(&config, &out), RC_CONFIG);
}

static void each_end_has_a_name(void **state)
{
    for (int i = HTTP_AGENT_DONE; i <= HTTP_AGENT_CANCELLED; i++)
        assert_true(http_agent_end_name((http_agent_end_t)i).n > 2);
    assert_str(http_agent_end_name(HTTP_AGENT_TLS), STR("tls"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(an_answer_comes_whole),
        ARENA_TEST(interim_answers_are_passed_over),
        ARENA_TEST(a_request_goes_out_as_it_was_said),
        ARENA_TEST(a_long_body_waits_for_no_continue),
        ARENA_TEST(methods_are_sent_as_they_are),
        ARENA_TEST(a_redirect_is_not_followed),
        ARENA_TEST(connections_are_used_again),
        ARENA_TEST(a_field_that_would_split_the_message_is_refused),
        ARENA_TEST(what_is_no_answer_has_its_end),
        ARENA_TEST(urls_that_are_not_taken),
        ARENA_TEST(a_stream_of_events_is_whole_with_its_first),
        ARENA_TEST(the_body_is_bounded),
        ARENA_TEST(an_arena_that_is_full_is_no_answer),
        ARENA_TEST(times_are_kept),
        ARENA_TEST(the_time_of_a_head_ends_with_it),
        ARENA_TEST(nobody_listens),
        ARENA_TEST(a_file_of_authorities_must_be_there),
        ARENA_TEST(each_end_has_a_name),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
