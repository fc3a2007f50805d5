/* The ways of real clients: each ends where that client would, and for the reason that is given. */
#include "doctor/doctor_test_play.h"

#include "doctor/profiles.h"

typedef struct {
    const char *client;
    const char *verdict, *check; /* check NULL: connects */
    play_case_t server;
} row_t;

#define SERVER(...)                                                                                \
    {                                                                                              \
        .expected = "", .edits = { __VA_ARGS__ }                                                   \
    }
#define PATH_ISSUER                                                                                \
    PLAY_CHANGE_ALL("[\"https://as.example\"]", "[\"https://as.example/t\"]"),                     \
        PLAY_CHANGE_ALL("\"issuer\":\"https://as.example\"",                                       \
                        "\"issuer\":\"https://as.example/t\"")
#define NO_METADATA_URL PLAY_ANSWER(INITIALIZE, 401, "WWW-Authenticate: Bearer\n", "")
#define NO_REGISTRATION                                                                            \
    PLAY_CHANGE_ALL("\"registration_endpoint\":\"https://as.example/register\",", "")
#define SLASH PLAY_CHANGE_ALL("\"https://mcp.example/mcp\"", "\"https://mcp.example/mcp/\"")
#define WIDER PLAY_CHANGE_ALL("\"https://mcp.example/mcp\"", "\"https://mcp.example\"")

static const row_t ROWS_[] = {
    /* The resource, compared byte for byte by some. */
    {"vscode", "fails", "resource_slash", SERVER(SLASH)},
    {"gemini-cli", "fails", "resource_slash", SERVER(SLASH)},
    {"strict-2026-07-28", "fails", "resource_wider", SERVER(WIDER)},
    {"cursor", "connects", NULL, SERVER(SLASH)},
    {"codex", "connects", NULL, SERVER(WIDER)},
    {"cursor", "fails", "resource_other_origin",
     SERVER(PLAY_CHANGE_ALL("\"resource\":\"https://mcp.", "\"resource\":\"https://inner."))},
    /* Where the resource's metadata is looked for. */
    {"claude", "fails", "resource_metadata_root_only",
     SERVER(NO_METADATA_URL, PLAY_ANSWER(PRM_PATH, 404, "", ""))},
    {"codex", "connects", NULL, SERVER(NO_METADATA_URL, PLAY_ANSWER(PRM_PATH, 404, "", ""))},
    {"claude", "connects", NULL, SERVER(PLAY_ANSWER(PRM_PATH, 404, "", ""))},
    {"cursor", "fails", "resource_metadata_gone", SERVER(PLAY_ANSWER(PRM_CHALLENGE, 404, "", ""))},
    /* Where the server's metadata is looked for. */
    {"claude-code", "fails", "server_metadata_places",
     SERVER(PATH_ISSUER, PLAY_ANSWER(AS_ROOT, 404, "", ""))},
    {"gemini-cli", "fails", "server_metadata_places",
     SERVER(PATH_ISSUER, PLAY_ANSWER(AS_ROOT, 404, "", ""))},
    {"cursor", "connects", NULL, SERVER(PATH_ISSUER, PLAY_ANSWER(AS_ROOT, 404, "", ""))},
    {"chatgpt", "fails", "server_metadata_places",
     SERVER(PATH_ISSUER, PLAY_ANSWER(AS_RFC8414, 404, "", ""))},
    {"strict-2026-07-28", "fails", "issuer_slash",
     SERVER(PLAY_CHANGE_ALL("\"issuer\":\"https://as.example\"",
                            "\"issuer\":\"https://as.example/\""))},
    /* How they become known. */
    {"cursor", "fails", "registration_documents_only", SERVER(NO_REGISTRATION)},
    {"vscode", "connects", NULL, SERVER(NO_REGISTRATION)},
    {"codex", "fails", "documents_without_none",
     SERVER(NO_REGISTRATION, PLAY_CHANGE_ALL("\"none\",", ""))},
    {"claude", "connects", NULL, SERVER(NO_REGISTRATION, PLAY_CHANGE_ALL("\"none\",", ""))},
    {"vscode", "fails", "registration_none",
     SERVER(NO_REGISTRATION,
            PLAY_CHANGE_ALL("\"client_id_metadata_document_supported\":true,", ""))},
    /* Only a browser asks first. */
    {"inspector", "fails", "preflight_wants_token", SERVER(PLAY_ANSWER(PREFLIGHT, 401, "", ""))},
    {"claude-code", "connects", NULL, SERVER(PLAY_ANSWER(PREFLIGHT, 401, "", ""))},
    /* And only one takes a document at the endpoint for metadata. */
    {"codex", "fails", "get_is_json",
     SERVER(PLAY_ANSWER(GET, 200, "Content-Type: application/json\n", "{}"))},
    /* No token at all. */
    {"cursor", "connects_without_token", NULL,
     SERVER(PLAY_ANSWER(INITIALIZE, 200, "", "{}"), PLAY_ANSWER(DISCOVER, 200, "", "{}"),
            PLAY_ANSWER(LIST, 200, "", "{}"), PLAY_ANSWER(PRM_PATH, 404, "", ""),
            PLAY_ANSWER(PRM_ROOT, 404, "", ""))},
};

static doctor_walk_t walk(arena_t *a, const play_case_t *server, str_t name)
{
    doctor_client_t client;
    bool hit[DOCTOR_CHECK_COUNT];
    str_t seen;
    const doctor_facts_t *f = play_facts(a, server);
    for (doctor_check_t i = 0; i < DOCTOR_CHECK_COUNT; i++)
        hit[i] = doctor_check(a, f, i, &seen) == DOCTOR_CHECK_HIT;
    assert_true(doctor_client_find(name, &client));
    return doctor_walk(a, f, hit, client);
}

static void each_way_ends_where_that_client_would(void **state)
{
    for (size_t i = 0; i < ROWS(ROWS_); i++) {
        const row_t *row = &ROWS_[i];
        arena_t *a = arena_new(TEST_ARENA_BYTES);
        doctor_walk_t got = walk(a, &row->server, str_c(row->client));
        str_t check = got.check == DOCTOR_CHECK_COUNT ? STR_UNSET : doctor_check_row(got.check)->id;
        if (!str_eq(doctor_verdict_id(got.verdict), str_c(row->verdict)) ||
            !str_eq(check, str_c(row->check)))
            fail_msg("row %zu, %s: %" PRIstr " by %" PRIstr, i, row->client,
                     STR_ARG(doctor_verdict_id(got.verdict)), STR_ARG(check));
        arena_free(a);
    }
}

static void all_connect_to_a_sound_server(void **state)
{
    const play_case_t sound = {.expected = ""};
    for (doctor_client_t i = 0; i < DOCTOR_CLIENT_COUNT; i++) {
        doctor_walk_t got = walk(*state, &sound, doctor_client_row(i)->name);
        assert_int_equal(got.verdict, DOCTOR_CONNECTS);
    }
}

/* Those that call from their own cloud cannot reach this machine, and that is no fault of it. */
static void hosted_clients_do_not_reach_this_machine(void **state)
{
    const play_case_t here = {.expected = "", .url = "http://127.0.0.1:8080/mcp"};
    assert_int_equal(walk(*state, &here, STR("claude")).verdict, DOCTOR_CANNOT_REACH);
    assert_int_equal(walk(*state, &here, STR("chatgpt")).verdict, DOCTOR_CANNOT_REACH);
    assert_int_not_equal(walk(*state, &here, STR("cursor")).verdict, DOCTOR_CANNOT_REACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(each_way_ends_where_that_client_would),
        ARENA_TEST(all_connect_to_a_sound_server),
        ARENA_TEST(hosted_clients_do_not_reach_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
