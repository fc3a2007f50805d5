/* What is asked in which order, and what comes of it. */
#include "client/client_test_replay.h"

typedef struct {
    const char *name;
    const char *url, *metadata;
    replay_row_t rows[REPLAY_ROWS];
    const char *asked;
    client_reason_t reason;
    bool legacy, guessed;
} case_t;

/* The set-ups of the official conformance suite. */
static const case_t SUITE[] = {
    {.name = "auth/metadata-default",
     .url = H "/mcp",
     .metadata = H RM "/mcp",
     .rows = {{H RM "/mcp", .body = RESOURCE(H "/mcp", A)}, {A AS, .body = SERVER(A)}},
     .asked = H RM "/mcp\n" A AS "\n"},
    {.name = "auth/metadata-var1",
     .url = H "/mcp",
     .rows = {{H RM "/mcp", .body = RESOURCE(H "/mcp", A)}, {A OC, .body = SERVER(A)}},
     .asked = H RM "/mcp\n" A AS "\n" A OC "\n"},
    {.name = "auth/metadata-var2",
     .url = H "/mcp",
     .rows = {{H RM, .body = RESOURCE(H, A "/tenant1")},
              {A AS "/tenant1", .body = SERVER(A "/tenant1")}},
     .asked = H RM "/mcp\n" H RM "\n" A AS "/tenant1\n"},
    {.name = "auth/metadata-var3",
     .url = H "/mcp",
     .metadata = H "/custom/metadata/location.json",
     .rows = {{H "/custom/metadata/location.json", .body = RESOURCE(H "/mcp", A "/tenant1")},
              {A "/tenant1" OC, .body = SERVER(A "/tenant1")}},
     .asked = H "/custom/metadata/location.json\n" A AS "/tenant1\n" A OC "/tenant1\n" A
                "/tenant1" OC "\n"},
    {.name = "auth/2025-03-26-oauth-metadata-backcompat",
     .url = H "/mcp",
     .rows = {{H AS, .body = SERVER(H)}},
     .asked = H RM "/mcp\n" H RM "\n" H AS "\n",
     .legacy = true},
    {.name = "auth/2025-03-26-oauth-endpoint-fallback",
     .url = H "/mcp",
     .asked = H RM "/mcp\n" H RM "\n" H AS "\n",
     .legacy = true,
     .guessed = true},
    {.name = "auth/resource-mismatch",
     .url = H "/mcp",
     .metadata = H RM "/mcp",
     .rows = {{H RM "/mcp", .body = RESOURCE("https://evil.example/mcp", A)}},
     .asked = H RM "/mcp\n",
     .reason = CLIENT_RESOURCE_MISMATCH},
    {.name = "auth/metadata-issuer-mismatch",
     .url = H "/mcp",
     .metadata = H RM "/mcp",
     .rows = {{H RM "/mcp", .body = RESOURCE(H "/mcp", A)},
              {A AS, .body = SERVER("https://attacker.example.com")},
              {A OC, .body = SERVER(A)}},
     .asked = H RM "/mcp\n" A AS "\n",
     .reason = CLIENT_ISSUER_MISMATCH},
};

/* attack case: CLI-005; and every other way on, or not. */
static const case_t ORDER[] = {
    {.name = "a page in place of metadata, and a redirect",
     .url = H "/mcp",
     .rows = {{H RM "/mcp", .body = RESOURCE(H "/mcp", A "/t")},
              {A AS "/t", .type = "text/html", .body = "<html></html>"},
              {A OC "/t", .status = 302, .body = SERVER(A "/t")},
              {A "/t" OC, .body = SERVER(A "/t")}},
     .asked = H RM "/mcp\n" A AS "/t\n" A OC "/t\n" A "/t" OC "\n"},
    {.name = "a page that calls itself JSON, and a bad gateway",
     .url = H "/mcp",
     .rows = {{H RM "/mcp", .body = RESOURCE(H "/mcp", A "/t")},
              {A AS "/t", .body = "<html></html>"},
              {A OC "/t", .status = 502, .body = SERVER(A "/t")},
              {A "/t" OC, .type = "application/json; charset=utf-8", .body = SERVER(A "/t")}},
     .asked = H RM "/mcp\n" A AS "/t\n" A OC "/t\n" A "/t" OC "\n"},
    {.name = "a list, and a text",
     .url = H,
     .rows = {{H RM, .body = RESOURCE(H, A "/t")},
              {A AS "/t", .body = "[]"},
              {A OC "/t", .body = "\"issuer\""},
              {A "/t" OC, .type = "", .body = SERVER(A "/t")}},
     .asked = H RM "\n" A AS "/t\n" A OC "/t\n" A "/t" OC "\n"},
    {.name = "an error of the server at the first place of an issuer, too many at the second",
     .url = H,
     .rows = {{H RM, .body = RESOURCE(H, A "/t")},
              {A AS "/t", .status = 500, .body = SERVER(A "/t")},
              {A OC "/t", .status = 429, .body = SERVER(A "/t")},
              {A "/t" OC, .body = SERVER(A "/t")}},
     .asked = H RM "\n" A AS "/t\n" A OC "/t\n" A "/t" OC "\n"},
    {.name = "what is found first is taken",
     .url = H,
     .rows = {{H RM, .body = RESOURCE(H "/", A)},
              {A AS, .type = "application/oauth+json", .body = SERVER(A)},
              {A OC, .body = "never"}},
     .asked = H RM "\n" A AS "\n"},
    {.name = "the path first, though the root has a document",
     .url = H "/a/b?c=d",
     .rows = {{H RM "/a/b?c=d", .body = RESOURCE(H "/a/b?c=d", A)},
              {H RM, .body = RESOURCE(H, A "/other")},
              {A AS, .body = SERVER(A)}},
     .asked = H RM "/a/b?c=d\n" A AS "\n"},
    {.name = "no path of an issuer, no appended place; and never the root of one with a path",
     .url = H,
     .rows = {{H RM, .body = RESOURCE(H, A "/t")}, {A AS, .body = SERVER(A "/t")}},
     .asked = H RM "\n" A AS "/t\n" A OC "/t\n" A "/t" OC "\n",
     .reason = CLIENT_SERVER_METADATA_NONE},
    {.name = "metadata at another host, about this resource",
     .url = H "/mcp",
     .metadata = "https://cdn.example/h.json",
     .rows = {{"https://cdn.example/h.json", .body = RESOURCE(H "/mcp", A)},
              {A AS, .body = SERVER(A)}},
     .asked = "https://cdn.example/h.json\n" A AS "\n"},
    {.name = "a server of 2025-03-26 that writes its issuer with a slash",
     .url = H "/mcp",
     .rows = {{H AS, .body = SERVER(H "/")}},
     .asked = H RM "/mcp\n" H RM "\n" H AS "\n",
     .legacy = true},
    {.name = "pages everywhere are no metadata anywhere",
     .url = H,
     .rows = {{H RM, .type = "text/html", .body = "<html></html>"},
              {H AS, .type = "text/html", .body = "<html></html>"}},
     .asked = H RM "\n" H AS "\n",
     .legacy = true,
     .guessed = true},
};

/* Each is named as its reason. */
static const case_t REFUSED[] = {
    {"url_bad", .url = "https://u@h.example/", .asked = "", .reason = CLIENT_URL_BAD},
    {"url_plain", .url = "http://h.example/", .asked = "", .reason = CLIENT_URL_PLAIN},
    {"url_scheme", .url = H "/mcp", .metadata = "file:///etc/passwd", .asked = "",
     .reason = CLIENT_URL_SCHEME},
    {"url_out_of_reach", .url = H "/mcp", .metadata = "https://169.254.169.254/latest", .asked = "",
     .reason = CLIENT_URL_OUT_OF_REACH},
    {"unreachable", .url = H "/mcp", .rows = {{H RM "/mcp", .end = HTTP_AGENT_TLS}},
     .asked = H RM "/mcp\n", .reason = CLIENT_UNREACHABLE},
    {"server_fails", .url = H "/mcp", .rows = {{H RM "/mcp", .status = 500}},
     .asked = H RM "/mcp\n", .reason = CLIENT_SERVER_FAILS},
    {"resource_metadata_none", .url = H "/mcp", .metadata = H "/gone",
     .rows = {{H RM "/mcp", .body = RESOURCE(H "/mcp", A)}, {H AS, .body = SERVER(H)}},
     .asked = H "/gone\n", .reason = CLIENT_RESOURCE_METADATA_NONE},
    {"resource_metadata_bad", .url = H "/mcp",
     .rows = {{H RM "/mcp", .body = SERVER(H)}, {H RM, .body = RESOURCE(H, A)}},
     .asked = H RM "/mcp\n", .reason = CLIENT_RESOURCE_METADATA_BAD},
    {"resource_mismatch", .url = H "/mcp",
     .rows = {{H RM "/mcp", .body = RESOURCE(H "/mcp2", A)}, {H RM, .body = RESOURCE(H, A)}},
     .asked = H RM "/mcp\n", .reason = CLIENT_RESOURCE_MISMATCH},
    {"no_authorization_server", .url = H "/mcp",
     .rows = {{H RM "/mcp", .body = "{\"resource\":\"" H "/mcp\",\"authorization_servers\":[]}"},
              {H AS, .body = SERVER(H)}},
     .asked = H RM "/mcp\n", .reason = CLIENT_NO_AUTHORIZATION_SERVER},
    {"server_metadata_none", .url = H "/mcp",
     .rows = {{H RM "/mcp", .body = RESOURCE(H "/mcp", A)}, {H AS, .body = SERVER(H)}},
     .asked = H RM "/mcp\n" A AS "\n" A OC "\n", .reason = CLIENT_SERVER_METADATA_NONE},
    {"server_metadata_bad", .url = H "/mcp",
     .rows = {{H RM "/mcp", .body = RESOURCE(H "/mcp", A)},
              {A AS, .body = "{\"issuer\":\"" A "\"}"},
              {A OC, .body = SERVER(A)}},
     .asked = H RM "/mcp\n" A AS "\n", .reason = CLIENT_SERVER_METADATA_BAD},
    /* attack case: CLI-004 */
    {"issuer_mismatch", .url = H "/mcp",
     .rows = {{H RM "/mcp", .body = RESOURCE(H "/mcp", A)},
              {A AS, .body = SERVER(A "/")},
              {A OC, .body = SERVER(A)}},
     .asked = H RM "/mcp\n" A AS "\n", .reason = CLIENT_ISSUER_MISMATCH},
};

/* Neither does a server of 2025-03-26 come in where something failed, nor an issuer of its choice.
 */
static const case_t NO_FALLBACK[] = {
    {.name = "no connection",
     .url = H,
     .rows = {{H RM, .end = HTTP_AGENT_REFUSED}},
     .asked = H RM "\n",
     .reason = CLIENT_UNREACHABLE},
    {.name = "an error of the server at the second place",
     .url = H "/mcp",
     .rows = {{H RM, .status = 503}},
     .asked = H RM "/mcp\n" H RM "\n",
     .reason = CLIENT_SERVER_FAILS},
    {.name = "too many requests",
     .url = H "/mcp",
     .rows = {{H RM "/mcp", .status = 429}, {H RM, .body = RESOURCE(H, A)}},
     .asked = H RM "/mcp\n",
     .reason = CLIENT_SERVER_FAILS},
    {.name = "an error at one place of an issuer, nothing at the others",
     .url = H,
     .rows = {{H RM, .body = RESOURCE(H, A)}, {A AS, .status = 500}},
     .asked = H RM "\n" A AS "\n" A OC "\n",
     .reason = CLIENT_SERVER_FAILS},
    {.name = "a certificate at an issuer",
     .url = H,
     .rows = {{H RM, .body = RESOURCE(H, A)}, {A AS, .end = HTTP_AGENT_TLS}},
     .asked = H RM "\n" A AS "\n",
     .reason = CLIENT_UNREACHABLE},
    {.name = "a certificate at the third place",
     .url = H,
     .rows = {{H AS, .end = HTTP_AGENT_TLS}},
     .asked = H RM "\n" H AS "\n",
     .reason = CLIENT_UNREACHABLE,
     .legacy = true},
    {.name = "an error in place of metadata",
     .url = H,
     .rows = {{H AS, .status = 500}},
     .asked = H RM "\n" H AS "\n",
     .reason = CLIENT_SERVER_FAILS,
     .legacy = true},
    {.name = "the issuer of another",
     .url = H "/mcp",
     .rows = {{H AS, .body = SERVER(A)}},
     .asked = H RM "/mcp\n" H RM "\n" H AS "\n",
     .reason = CLIENT_ISSUER_MISMATCH,
     .legacy = true},
    {.name = "an issuer with the path of the server",
     .url = H "/mcp",
     .rows = {{H AS, .body = SERVER(H "/mcp")}},
     .asked = H RM "/mcp\n" H RM "\n" H AS "\n",
     .reason = CLIENT_ISSUER_MISMATCH,
     .legacy = true},
    {.name = "an answer that is too long",
     .url = H,
     .rows = {{H RM, .end = HTTP_AGENT_TOO_LONG}},
     .asked = H RM "\n",
     .reason = CLIENT_RESOURCE_METADATA_BAD},
    {.name = "an object that is broken",
     .url = H "/mcp",
     .rows = {{H RM "/mcp", .body = "\n {\"resource\":\"" H "/mcp\",}"},
              {H RM, .body = RESOURCE(H, A)}},
     .asked = H RM "/mcp\n",
     .reason = CLIENT_RESOURCE_METADATA_BAD},
    {.name = "metadata of a server that is broken",
     .url = H,
     .rows = {{H RM, .body = RESOURCE(H, A)}, {A AS, .body = "{"}, {A OC, .body = SERVER(A)}},
     .asked = H RM "\n" A AS "\n",
     .reason = CLIENT_SERVER_METADATA_BAD},
    {.name = "metadata of a server that is too long",
     .url = H,
     .rows = {{H RM, .body = RESOURCE(H, A)}, {A AS, .end = HTTP_AGENT_TOO_LONG}},
     .asked = H RM "\n" A AS "\n",
     .reason = CLIENT_SERVER_METADATA_BAD},
    {.name = "an address out of reach",
     .url = H,
     .rows = {{H RM, .end = HTTP_AGENT_OUT_OF_REACH}},
     .asked = H RM "\n",
     .reason = CLIENT_URL_OUT_OF_REACH},
    {.name = "a URL that the agent does not take",
     .url = H,
     .rows = {{H RM, .end = HTTP_AGENT_BAD_URL}},
     .asked = H RM "\n",
     .reason = CLIENT_URL_BAD},
    {.name = "it was stopped",
     .url = H,
     .rows = {{H RM, .end = HTTP_AGENT_CANCELLED}},
     .asked = H RM "\n",
     .reason = CLIENT_STOPPED},
};

static void try_case(arena_t *a, const case_t *c)
{
    client_discovery_want_t want = {.url = str_c(c->url), .metadata = str_c(c->metadata)};
    replay_t r;
    str_t none;
    replay(a, &want, c->rows, &r);
    if (r.d.failure.reason != c->reason ||
        !str_eq(r.asked, c->asked[0] ? str_c(c->asked) : r.asked))
        fail_msg("%s: reason %d, %" PRIstr ", asked\n%" PRIstr, c->name, r.d.failure.reason,
                 STR_ARG(r.d.failure.detail), STR_ARG(r.asked));
    assert_true(c->asked[0] || r.steps == 0);
    assert_int_equal(r.d.legacy, c->legacy);
    assert_int_equal(r.d.guessed, c->guessed);
    assert_int_equal(client_discovery_next(&r.d, &none),
                     c->reason == CLIENT_FINE ? CLIENT_FOUND : CLIENT_FAILED);
    assert_false(str_is_set(none));
    if (c->reason != CLIENT_FINE)
        assert_true(r.d.failure.detail.n > 0);
    else
        assert_true(r.d.server.token_endpoint.n > 0 && r.d.issuer.n > 0);
}

static void try_cases(void **state, const case_t *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        try_case(*state, &cases[i]);
}

static void set_ups_of_the_conformance_suite(void **state)
{
    try_cases(state, SUITE, ROWS(SUITE));
}

static void places_in_their_order(void **state)
{
    try_cases(state, ORDER, ROWS(ORDER));
}

static void reasons_not_to_go_on(void **state)
{
    try_cases(state, REFUSED, ROWS(REFUSED));
    try_case(*state, &SUITE[0]);
}

static void no_fallback_after_a_failure(void **state)
{
    try_cases(state, NO_FALLBACK, ROWS(NO_FALLBACK));
    try_case(*state, &SUITE[5]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(set_ups_of_the_conformance_suite),
        ARENA_TEST(places_in_their_order),
        ARENA_TEST(reasons_not_to_go_on),
        ARENA_TEST(no_fallback_after_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
