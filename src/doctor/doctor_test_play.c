#include "doctor/doctor_test_play.h"

#include "doctor/plan.h"

#include <stdlib.h>

#define JSON        "Content-Type: application/json\n"
#define PAGE        "Content-Type: text/html; charset=utf-8\n"
#define OPEN        "Access-Control-Allow-Origin: *\n"
#define METADATA    "https://mcp.example/.well-known/oauth-protected-resource/mcp"
#define BEARER      "WWW-Authenticate: Bearer resource_metadata=\"" METADATA "\", scope=\"mcp:use\"\n"
#define REFUSED     401, JSON BEARER, "{}"
#define NOT_HERE    404, JSON, "{\"error\":\"not_found\"}"
#define LETS(names) 204, OPEN "Access-Control-Allow-Headers: " names "\n", ""

#define RESOURCE                                                                                   \
    "{\"resource\":\"" PLAY_URL "\",\"authorization_servers\":[\"https://as.example\"],"           \
    "\"scopes_supported\":[\"mcp:use\"],\"bearer_methods_supported\":[\"header\"]}"
#define SERVER                                                                                     \
    "{\"issuer\":\"https://as.example\","                                                          \
    "\"authorization_endpoint\":\"https://as.example/authorize\","                                 \
    "\"token_endpoint\":\"https://as.example/token\","                                             \
    "\"registration_endpoint\":\"https://as.example/register\","                                   \
    "\"jwks_uri\":\"https://as.example/jwks\","                                                    \
    "\"response_types_supported\":[\"code\"],"                                                     \
    "\"grant_types_supported\":[\"authorization_code\",\"refresh_token\",\"client_credentials\"]," \
    "\"token_endpoint_auth_methods_supported\":[\"none\",\"private_key_jwt\",\"client_secret_"     \
    "basic\"],"                                                                                    \
    "\"code_challenge_methods_supported\":[\"S256\"],"                                             \
    "\"authorization_response_iss_parameter_supported\":true,"                                     \
    "\"client_id_metadata_document_supported\":true,"                                              \
    "\"subject_types_supported\":[\"public\"],"                                                    \
    "\"id_token_signing_alg_values_supported\":[\"ES256\"]}"

static const struct {
    int status;
    const char *headers, *body;
} SOUND[DOCTOR_ASK_COUNT] = {
    [DOCTOR_ASK_INITIALIZE] = {REFUSED},
    [DOCTOR_ASK_DISCOVER] = {REFUSED},
    [DOCTOR_ASK_LIST] = {REFUSED},
    [DOCTOR_ASK_GET] = {REFUSED},
    [DOCTOR_ASK_BOGUS] = {401,
                          JSON "WWW-Authenticate: Bearer error=\"invalid_token\", "
                               "resource_metadata=\"" METADATA "\"\n",
                          "{}"},
    [DOCTOR_ASK_QUERY] = {REFUSED},
    [DOCTOR_ASK_SLASH] = {REFUSED},
    [DOCTOR_ASK_PRM_CHALLENGE] = {200, JSON, RESOURCE},
    [DOCTOR_ASK_PRM_PATH] = {200, JSON, RESOURCE},
    [DOCTOR_ASK_PRM_ROOT] = {200, JSON, RESOURCE},
    [DOCTOR_ASK_PRM_SLASH] = {200, JSON, RESOURCE},
    [DOCTOR_ASK_UNKNOWN] = {NOT_HERE},
    [DOCTOR_ASK_AS_RFC8414] = {200, JSON, SERVER},
    [DOCTOR_ASK_AS_OIDC_INSERTED] = {200, JSON, SERVER},
    [DOCTOR_ASK_AS_OIDC] = {200, JSON, SERVER},
    [DOCTOR_ASK_AS_ROOT] = {200, JSON, SERVER},
    [DOCTOR_ASK_AS_ORIGIN] = {NOT_HERE},
    [DOCTOR_ASK_AS_UNKNOWN] = {NOT_HERE},
    [DOCTOR_ASK_JWKS] = {200, JSON, "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"1\"}]}"},
    [DOCTOR_ASK_REGISTER] = {405, JSON, "{}"},
    [DOCTOR_ASK_AUTHORIZE] = {400, PAGE, "<p>Nobody knows this client"},
    [DOCTOR_ASK_TOKEN] = {401, JSON "Cache-Control: no-store\n", "{\"error\":\"invalid_client\"}"},
    [DOCTOR_ASK_PREFLIGHT] = {LETS("authorization, content-type, mcp-protocol-version, "
                                   "mcp-session-id")},
    [DOCTOR_ASK_BROWSER] = {401,
                            JSON BEARER OPEN "Access-Control-Expose-Headers: WWW-Authenticate\n",
                            "{}"},
    [DOCTOR_ASK_PRM_PREFLIGHT] = {LETS("mcp-protocol-version")},
    [DOCTOR_ASK_PRM_BROWSER] = {200, JSON OPEN, RESOURCE},
    [DOCTOR_ASK_AS_PREFLIGHT] = {LETS("mcp-protocol-version")},
    [DOCTOR_ASK_AS_BROWSER] = {200, JSON OPEN, SERVER},
    [DOCTOR_ASK_REGISTER_PREFLIGHT] = {LETS("content-type")},
    [DOCTOR_ASK_TOKEN_PREFLIGHT] = {LETS("content-type")},
    [DOCTOR_ASK_AUTHORIZE_PREFLIGHT] = {405, PAGE, ""},
};

void play_row(doctor_ask_t ask, int *status, const char **headers, const char **body)
{
    *status = SOUND[ask].status;
    *headers = SOUND[ask].headers;
    *body = SOUND[ask].body;
}

/* `text` with the first `from` replaced, in the arena. */
static str_t replaced(arena_t *a, str_t text, const char *from, const char *to, bool *done)
{
    const char *at = memmem(text.p, text.n, from, strlen(from));
    if (!at)
        return text;
    size_t front = (size_t)(at - text.p);
    *done = true;
    return arena_printf(a, "%.*s%s%" PRIstr, (int)front, text.p, to,
                        STR_ARG(str_skip(text, front + strlen(from))));
}

static http_headers_t read_headers(arena_t *a, str_t text)
{
    http_header_t *v = ARENA_ARRAY(a, 16, http_header_t);
    size_t n = 0;
    str_t rest = text, line;
    while (str_split(&rest, '\n', &line)) {
        size_t colon = str_find(line, ':', 0);
        if (colon < line.n)
            v[n++] =
                (http_header_t){str_first(line, colon), str_trim(str_skip(line, colon + 1), " ")};
    }
    return (http_headers_t){v, n};
}

/* One answer on its way. */
typedef struct {
    http_answer_t answer;
    str_t headers, body;
    int64_t ms;
} answering_t;

static void edit(arena_t *a, const play_edit_t *e, answering_t *x, bool *used)
{
    if (e->from) {
        x->headers = replaced(a, x->headers, e->from, e->to, used);
        x->body = replaced(a, x->body, e->from, e->to, used);
        return;
    }
    *used = true;
    x->ms = e->ms;
    x->answer.end = e->end;
    x->answer.why = e->why ? str_c(e->why) : STR("");
    if (e->cut)
        x->body = STR_UNSET;
    if (e->status) {
        x->answer.status = e->status;
        x->headers = str_c(e->headers ? e->headers : "");
        x->body = str_c(e->body ? e->body : "");
    }
}

static void answer(arena_t *a, doctor_facts_t *f, const play_case_t *c, doctor_ask_t ask,
                   bool used[PLAY_EDITS])
{
    answering_t x = {.answer = {.end = HTTP_AGENT_DONE, .status = SOUND[ask].status},
                     .headers = str_c(SOUND[ask].headers),
                     .body = str_c(SOUND[ask].body)};
    for (size_t i = 0; i < PLAY_EDITS; i++) {
        const play_edit_t *e = &c->edits[i];
        bool is_one = e->from || e->status || e->why || e->ms;
        if (is_one && (e->ask == ask || e->ask == PLAY_ANY))
            edit(a, e, &x, &used[i]);
    }
    x.answer.headers = read_headers(a, x.headers);
    x.answer.body = x.body;
    f->at[ask].ms = x.ms;
    assert_int_equal(doctor_facts_took(a, f, ask, &x.answer), RC_OK);
}

doctor_facts_t *play_facts(arena_t *a, const play_case_t *c)
{
    bool used[PLAY_EDITS] = {false};
    doctor_facts_t *f = ARENA_NEW(a, doctor_facts_t);
    http_agent_request_t request;
    assert_int_equal(doctor_facts_begin(str_c(c->url ? c->url : PLAY_URL), 80, f), RC_OK);
    for (doctor_ask_t ask = 0; ask < DOCTOR_ASK_COUNT; ask++) {
        if (doctor_plan(a, f, ask, &request) != RC_OK)
            continue;
        f->at[ask].method = request.method;
        f->at[ask].url = request.url;
        answer(a, f, c, ask, used);
        if (ask == DOCTOR_ASK_INITIALIZE && !doctor_reached(f))
            break;
    }
    for (size_t i = 0; i < PLAY_EDITS; i++) {
        const play_edit_t *e = &c->edits[i];
        if ((e->from || e->status || e->why || e->ms) && !used[i])
            fail_msg("%s: change %zu changes nothing", c->expected, i);
    }
    return f;
}
