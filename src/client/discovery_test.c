/* What a discovery keeps, chooses and refuses. */
#include "client/client_test_replay.h"

#include "client/client_test_util.h"
#include "core/buf.h"

static const replay_row_t DEFAULT[REPLAY_ROWS] = {{H RM "/mcp", .body = RESOURCE(H "/mcp", A)},
                                                  {A AS, .body = SERVER(A)}};

static void texts_are_kept_as_they_were_written(void **state)
{
    replay_t r;
    client_discovery_want_t want = {.url = STR("HTTPS://H.example:443/mcp"),
                                    .metadata = STR("https://H.EXAMPLE/x")};
    const replay_row_t rows[REPLAY_ROWS] = {
        {"https://H.EXAMPLE/x", .body = RESOURCE("https://h.EXAMPLE", "https://A.example:443")},
        {"https://A.example:443" AS, .body = SERVER("https://A.example:443")}};
    replay(*state, &want, rows, &r);
    assert_int_equal(r.d.failure.reason, CLIENT_FINE);
    assert_str(r.d.resource.resource, STR("https://h.EXAMPLE"));
    assert_str(r.d.issuer, STR("https://A.example:443"));
    assert_str(r.d.server.issuer, STR("https://A.example:443"));
    assert_str(r.d.resource_place, STR("https://H.EXAMPLE/x"));
    assert_str(r.d.server_place, STR("https://A.example:443" AS));
}

static void endpoints_that_are_guessed(void **state)
{
    replay_t r;
    client_discovery_want_t want = {.url = STR("http://LOCALHOST:8080/v1/mcp?x")};
    const replay_row_t rows[REPLAY_ROWS] = {{0}};
    replay(*state, &want, rows, &r);
    assert_true(r.d.guessed);
    assert_str(r.d.server.authorization_endpoint, STR("http://localhost:8080/authorize"));
    assert_str(r.d.server.token_endpoint, STR("http://localhost:8080/token"));
    assert_str(r.d.server.registration_endpoint, STR("http://localhost:8080/register"));
    assert_false(str_is_set(r.d.server.issuer));
    assert_str(r.d.issuer, STR("http://localhost:8080"));
    assert_int_equal(client_server_check_code(&r.d.server), CLIENT_FINE);
}

static void without_the_fallback(void **state)
{
    replay_t r;
    client_discovery_want_t want = {.url = STR(H "/mcp"), .no_fallback = true};
    const replay_row_t rows[REPLAY_ROWS] = {{H AS, .body = SERVER(H)}};
    replay(*state, &want, rows, &r);
    assert_int_equal(r.d.failure.reason, CLIENT_RESOURCE_METADATA_NONE);
    assert_str(r.d.failure.detail, STR(H RM "/mcp: 404; " H RM ": 404"));
    assert_false(r.d.legacy);
}

static void the_server_that_was_used_before_is_chosen(void **state)
{
    static const struct {
        const char *before, *chosen;
    } CASES[] = {{NULL, A "/1"}, {A "/2", A "/2"}, {A "/3", A "/1"}};
    const replay_row_t rows[REPLAY_ROWS] = {{H RM, .body = "{\"resource\":\"" H
                                                           "\",\"authorization_servers\":[\"" A
                                                           "/1\",\"" A "/2\"]}"},
                                            {A AS "/1", .body = SERVER(A "/1")},
                                            {A AS "/2", .body = SERVER(A "/2")}};
    for (size_t i = 0; i < ROWS(CASES); i++) {
        replay_t r;
        client_discovery_want_t want = {.url = STR(H), .issuer = str_c(CASES[i].before)};
        replay(*state, &want, rows, &r);
        assert_int_equal(r.d.failure.reason, CLIENT_FINE);
        assert_str(r.d.issuer, str_c(CASES[i].chosen));
    }
}

/* A public server must not send a client, or its browser, into a network of which it knows. */
static void servers_out_of_reach(void **state)
{
    static const struct {
        const char *url, *issuer;
        http_reach_t reach;
        client_reason_t reason;
    } CASES[] = {
        {H, "https://10.0.0.1", HTTP_REACH_PUBLIC, CLIENT_URL_OUT_OF_REACH},
        {H, "http://localhost:9", HTTP_REACH_PUBLIC, CLIENT_URL_OUT_OF_REACH},
        {H, "http://localhost:9", HTTP_REACH_LOOPBACK, CLIENT_SERVER_METADATA_NONE},
        {H, "https://10.0.0.1", HTTP_REACH_ANY, CLIENT_SERVER_METADATA_NONE},
        {"http://127.0.0.1:8", "http://localhost:9", HTTP_REACH_PUBLIC,
         CLIENT_SERVER_METADATA_NONE},
        {"http://127.0.0.1:8", "https://10.0.0.1", HTTP_REACH_PUBLIC, CLIENT_URL_OUT_OF_REACH},
        {"https://10.0.0.2", "https://10.0.0.1", HTTP_REACH_PUBLIC, CLIENT_SERVER_METADATA_NONE},
        {H, "http://a.example", HTTP_REACH_ANY, CLIENT_URL_PLAIN},
        {H, "javascript:alert(1)", HTTP_REACH_ANY, CLIENT_URL_SCHEME},
        {H, "a.example", HTTP_REACH_ANY, CLIENT_URL_BAD},
        {H, A "?x", HTTP_REACH_ANY, CLIENT_URL_BAD},
        {H, A "#x", HTTP_REACH_ANY, CLIENT_URL_BAD},
    };
    arena_t *a = *state;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        replay_t r;
        str_t place = arena_printf(a, "%s" RM, CASES[i].url);
        str_t body = arena_printf(a, RESOURCE("%s", "%s"), CASES[i].url, CASES[i].issuer);
        const replay_row_t rows[REPLAY_ROWS] = {{place.p, .body = body.p}};
        client_discovery_want_t want = {.url = str_c(CASES[i].url), .reach = CASES[i].reach};
        replay(a, &want, rows, &r);
        if (r.d.failure.reason != CASES[i].reason)
            fail_msg("%s and %s: %d", CASES[i].url, CASES[i].issuer, r.d.failure.reason);
    }
}

static void endpoints_out_of_reach(void **state)
{
    static const char *MEMBERS[] = {"authorization_endpoint", "token_endpoint",
                                    "registration_endpoint"};
    arena_t *a = *state;
    for (size_t i = 0; i <= ROWS(MEMBERS); i++) {
        replay_t r;
        str_t body = arena_printf(a, "{\"issuer\":\"" A "\"");
        for (size_t k = 0; k < ROWS(MEMBERS); k++)
            body = arena_printf(a, "%" PRIstr ",\"%s\":\"%s\"", STR_ARG(body), MEMBERS[k],
                                k == i ? "https://192.168.1.1/reboot" : A "/x");
        body = arena_printf(a, "%" PRIstr "}", STR_ARG(body));
        const replay_row_t rows[REPLAY_ROWS] = {{H RM, .body = RESOURCE(H, A)},
                                                {A AS, .body = body.p}};
        client_discovery_want_t want = {.url = STR(H)};
        replay(a, &want, rows, &r);
        assert_int_equal(r.d.failure.reason,
                         i < ROWS(MEMBERS) ? CLIENT_URL_OUT_OF_REACH : CLIENT_FINE);
    }
}

static void bombs_are_bounded(void **state)
{
    arena_t *a = *state;
    static const struct {
        const char *piece;
        size_t times;
    } BOMBS[] = {{"[", 100}, {"[],", 20000}, {"{\"a\":", 100}};
    for (size_t i = 0; i < ROWS(BOMBS); i++) {
        replay_t r;
        size_t used = arena_used(a);
        buf_t b = buf_new(a, 1 << 20);
        buf_put(&b, STR("{\"x\":["));
        for (size_t k = 0; k < BOMBS[i].times; k++)
            buf_put(&b, str_c(BOMBS[i].piece));
        buf_put(&b, STR("[]]}\0"));
        buf_char(&b, '\0');
        const replay_row_t rows[REPLAY_ROWS] = {{H RM, .body = buf_str(&b).p}};
        client_discovery_want_t want = {.url = STR(H)};
        replay(a, &want, rows, &r);
        assert_int_equal(r.d.failure.reason, CLIENT_RESOURCE_METADATA_BAD);
        assert_true(arena_used(a) - used < 4 << 20);
    }
}

static void an_answer_that_nobody_asked_for_changes_nothing(void **state)
{
    replay_t r;
    client_discovery_want_t want = {.url = STR(H "/mcp"), .metadata = STR(H RM "/mcp")};
    replay(*state, &want, DEFAULT, &r);
    client_discovery_t before = r.d;
    http_answer_t late = {.status = 500};
    assert_int_equal(client_discovery_took(&r.d, &late), RC_OK);
    assert_memory_equal(&before, &r.d, sizeof before);
}

enum { FLOW_ANSWERS = 4 };

/* A discovery with its answers, up to its end. */
typedef struct {
    const char *metadata;
    http_answer_t answers[FLOW_ANSWERS];
    client_reason_t reason;
} flow_t;

static rc_t run_flow(arena_t *a, void *ctx)
{
    const flow_t *flow = ctx;
    client_discovery_t d;
    client_discovery_want_t want = {.url = STR(H "/mcp"), .metadata = str_c(flow->metadata)};
    str_t url;
    size_t n = 0;
    TRY(client_discovery_begin(a, &want, &d));
    while (client_discovery_next(&d, &url) == CLIENT_LOOK) {
        assert_true(n < FLOW_ANSWERS);
        TRY(client_discovery_took(&d, &flow->answers[n++]));
    }
    assert_reason(d.failure.reason, flow->reason);
    assert_true(flow->reason == CLIENT_FINE || d.failure.detail.n > 0);
    return RC_OK;
}

/* Whatever allocation fails, the machine says so, and never goes on as if nothing was. */
static void without_memory(void **state)
{
    (void)state;
    static const http_header_t HTML = {STR_INIT("Content-Type"), STR_INIT("text/html")};
    const http_answer_t gone = {.status = 404}, moved = {.status = 301};
    const http_answer_t page = {.status = 200, .headers = {&HTML, 1}, .body = STR("<html>")};
    const http_answer_t resource = {.status = 200, .body = STR(RESOURCE(H "/mcp", A "/t"))};
    const http_answer_t server = {.status = 200, .body = STR(SERVER(A "/t"))};
    const http_answer_t legacy = {.status = 200, .body = STR(SERVER(H "/"))};
    const http_answer_t broken = {.end = HTTP_AGENT_BROKEN, .why = STR("it closed early")};
    flow_t flows[] = {
        {NULL, {gone, resource, page, server}, CLIENT_FINE},
        {NULL, {moved, gone, legacy}, CLIENT_FINE},
        {NULL, {gone, gone, gone}, CLIENT_FINE},
        {H "/x", {resource, broken}, CLIENT_UNREACHABLE},
        {H "/x", {gone}, CLIENT_RESOURCE_METADATA_NONE},
        {H "/x", {legacy}, CLIENT_RESOURCE_METADATA_BAD},
        {H "/x", {resource, legacy}, CLIENT_ISSUER_MISMATCH},
        {H "/x", {{.status = 503}}, CLIENT_SERVER_FAILS},
        {"file:///x", {gone}, CLIENT_URL_SCHEME},
    };
    for (size_t i = 0; i < ROWS(flows); i++)
        client_test_starve(run_flow, &flows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(texts_are_kept_as_they_were_written),
        ARENA_TEST(endpoints_that_are_guessed),
        ARENA_TEST(without_the_fallback),
        ARENA_TEST(the_server_that_was_used_before_is_chosen),
        ARENA_TEST(servers_out_of_reach),
        ARENA_TEST(endpoints_out_of_reach),
        ARENA_TEST(bombs_are_bounded),
        ARENA_TEST(an_answer_that_nobody_asked_for_changes_nothing),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
