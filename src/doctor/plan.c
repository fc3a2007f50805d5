#include "doctor/plan.h"

#include "client/url_rule.h"

#define INITIALIZE                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"                         \
    "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},"                                      \
    "\"clientInfo\":{\"name\":\"warder-doctor\",\"version\":\"1\"}}}"
#define DISCOVER                                                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{\"_meta\":{"         \
    "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                                  \
    "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"warder-doctor\",\"version\":\"1\"},"       \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}}}"
#define LIST "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\",\"params\":{}}"
/* A verifier of the right form (RFC 7636 appendix B has it, with its challenge). */
#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define TOKEN_FORM                                                                                 \
    "grant_type=authorization_code&code=warder-doctor-no-code&client_id=" DOCTOR_NOBODY            \
    "&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback&code_verifier=" VERIFIER
#define AUTHORIZE_QUERY                                                                            \
    "response_type=code&client_id=" DOCTOR_NOBODY                                                  \
    "&redirect_uri=https%3A%2F%2Fwarder-doctor.invalid%2Fcallback&state=warder-doctor"             \
    "&code_challenge=" CHALLENGE "&code_challenge_method=S256"

str_t doctor_body_initialize(void)
{
    return STR(INITIALIZE);
}

str_t doctor_body_list(void)
{
    return STR(LIST);
}

str_t doctor_endpoint(const doctor_facts_t *f, str_t member)
{
    return json_get_str(f->server, member);
}

/* Targets: a URL, or unset where there is none. */

static str_t at_endpoint(arena_t *a, const doctor_facts_t *f)
{
    return f->url;
}

static str_t at_query(arena_t *a, const doctor_facts_t *f)
{
    char sign = str_is_set(f->parts.query) ? '&' : '?';
    return arena_printf(a, "%" PRIstr "%caccess_token=" DOCTOR_BOGUS, STR_ARG(f->url), sign);
}

/* The path with a last slash where it has none, and the other way round; unset where it has none to
 * speak of. */
static str_t other_path(arena_t *a, const doctor_facts_t *f)
{
    str_t path = f->parts.path;
    if (path.n < 2)
        return STR_UNSET;
    return path.p[path.n - 1] == '/' ? str_first(path, path.n - 1)
                                     : arena_printf(a, "%" PRIstr "/", STR_ARG(path));
}

static str_t at_slash(arena_t *a, const doctor_facts_t *f)
{
    str_t path = other_path(a, f), origin = doctor_origin(a, f->url);
    if (!str_is_set(path) || !str_is_set(origin))
        return STR_UNSET;
    return arena_printf(a, "%" PRIstr "%" PRIstr "%s%" PRIstr, STR_ARG(origin), STR_ARG(path),
                        str_is_set(f->parts.query) ? "?" : "", STR_ARG(f->parts.query));
}

static str_t well_known(arena_t *a, str_t url, const char *name, str_t path)
{
    str_t origin = doctor_origin(a, url);
    if (!str_is_set(origin))
        return STR_UNSET;
    return arena_printf(a, "%" PRIstr "/.well-known/%s%" PRIstr, STR_ARG(origin), name,
                        STR_ARG(path));
}

#define RESOURCE_NAME "oauth-protected-resource"
#define SERVER_NAME   "oauth-authorization-server"
#define OPENID_NAME   "openid-configuration"
#define UNKNOWN_NAME  "warder-doctor-nothing"

static str_t at_prm_challenge(arena_t *a, const doctor_facts_t *f)
{
    return doctor_origin(a, f->challenge.resource_metadata).p ? f->challenge.resource_metadata
                                                              : STR_UNSET;
}

static str_t at_prm_path(arena_t *a, const doctor_facts_t *f)
{
    return f->parts.path.n < 2 ? STR_UNSET : well_known(a, f->url, RESOURCE_NAME, f->parts.path);
}

static str_t at_prm_root(arena_t *a, const doctor_facts_t *f)
{
    return well_known(a, f->url, RESOURCE_NAME, STR_UNSET);
}

/* Only where the endpoint is there under both spellings. */
static str_t at_prm_slash(arena_t *a, const doctor_facts_t *f)
{
    str_t path = other_path(a, f);
    bool both = doctor_status(f, DOCTOR_ASK_SLASH) == 401;
    return both && path.n > 1 ? well_known(a, f->url, RESOURCE_NAME, path) : STR_UNSET;
}

static str_t at_unknown(arena_t *a, const doctor_facts_t *f)
{
    return well_known(a, f->url, UNKNOWN_NAME, STR_UNSET);
}

/* The path of the issuer without a last slash (RFC 8414 section 3.1); empty: it has none. */
static str_t issuer_path(const doctor_facts_t *f)
{
    url_t u;
    if (!str_is_set(f->issuer) || url_parse(f->issuer, &u) != RC_OK)
        return STR("");
    bool slash = u.path.n > 0 && u.path.p[u.path.n - 1] == '/';
    return str_first(u.path, u.path.n - (slash ? 1 : 0));
}

static str_t at_rfc8414(arena_t *a, const doctor_facts_t *f)
{
    return well_known(a, f->issuer, SERVER_NAME, issuer_path(f));
}

static str_t at_openid_inserted(arena_t *a, const doctor_facts_t *f)
{
    str_t path = issuer_path(f);
    return path.n ? well_known(a, f->issuer, OPENID_NAME, path) : STR_UNSET;
}

static str_t at_openid(arena_t *a, const doctor_facts_t *f)
{
    str_t origin = doctor_origin(a, f->issuer), path = issuer_path(f);
    if (!str_is_set(origin))
        return STR_UNSET;
    return arena_printf(a, "%" PRIstr "%" PRIstr "/.well-known/" OPENID_NAME, STR_ARG(origin),
                        STR_ARG(path));
}

static str_t at_server_root(arena_t *a, const doctor_facts_t *f)
{
    return well_known(a, f->issuer, SERVER_NAME, STR_UNSET);
}

static str_t at_server_origin(arena_t *a, const doctor_facts_t *f)
{
    return well_known(a, f->url, SERVER_NAME, STR_UNSET);
}

static str_t at_server_unknown(arena_t *a, const doctor_facts_t *f)
{
    return well_known(a, f->issuer, UNKNOWN_NAME, STR_UNSET);
}

static str_t usable(arena_t *a, str_t url)
{
    return str_is_set(doctor_origin(a, url)) ? url : STR_UNSET;
}

static str_t at_jwks(arena_t *a, const doctor_facts_t *f)
{
    return usable(a, doctor_endpoint(f, STR("jwks_uri")));
}

static str_t at_register(arena_t *a, const doctor_facts_t *f)
{
    return usable(a, doctor_endpoint(f, STR("registration_endpoint")));
}

static str_t at_token(arena_t *a, const doctor_facts_t *f)
{
    return usable(a, doctor_endpoint(f, STR("token_endpoint")));
}

static str_t at_authorize_bare(arena_t *a, const doctor_facts_t *f)
{
    return usable(a, doctor_endpoint(f, STR("authorization_endpoint")));
}

static str_t at_authorize(arena_t *a, const doctor_facts_t *f)
{
    str_t url = at_authorize_bare(a, f);
    if (!str_is_set(url))
        return STR_UNSET;
    char sign = str_find(url, '?', 0) < url.n ? '&' : '?';
    return arena_printf(a, "%" PRIstr "%c%s", STR_ARG(url), sign, AUTHORIZE_QUERY);
}

static str_t at_resource_found(arena_t *a, const doctor_facts_t *f)
{
    return f->resource ? f->at[f->resource_at].url : STR_UNSET;
}

static str_t at_server_found(arena_t *a, const doctor_facts_t *f)
{
    return f->server ? f->at[f->server_at].url : STR_UNSET;
}

/* Header fields. */

#define JSON_BODY                                                                                  \
    {                                                                                              \
        STR_INIT("Content-Type"), STR_INIT("application/json")                                     \
    }
#define TAKES_RPC                                                                                  \
    {                                                                                              \
        STR_INIT("Accept"), STR_INIT("application/json, text/event-stream")                        \
    }
#define ORIGIN                                                                                     \
    {                                                                                              \
        STR_INIT("Origin"), STR_INIT("http://localhost:6274")                                      \
    }
#define SPEAKS                                                                                     \
    {                                                                                              \
        STR_INIT("MCP-Protocol-Version"), STR_INIT("2025-11-25")                                   \
    }
#define FIELD(name, value)                                                                         \
    {                                                                                              \
        STR_INIT(name), STR_INIT(value)                                                            \
    }

static const http_header_t RPC_FIELDS[] = {JSON_BODY, TAKES_RPC};
static const http_header_t LIST_FIELDS[] = {JSON_BODY, TAKES_RPC, SPEAKS};
static const http_header_t DISCOVER_FIELDS[] = {JSON_BODY, TAKES_RPC,
                                                FIELD("MCP-Protocol-Version", "2026-07-28"),
                                                FIELD("Mcp-Method", "server/discover")};
static const http_header_t GET_FIELDS[] = {TAKES_RPC, SPEAKS};
static const http_header_t BOGUS_FIELDS[] = {JSON_BODY, TAKES_RPC,
                                             FIELD("Authorization", "Bearer " DOCTOR_BOGUS)};
static const http_header_t METADATA_FIELDS[] = {FIELD("Accept", "application/json"), SPEAKS};
static const http_header_t FORM_FIELDS[] = {
    FIELD("Accept", "application/json"),
    FIELD("Content-Type", "application/x-www-form-urlencoded")};
static const http_header_t PAGE_FIELDS[] = {FIELD("Accept", "text/html")};
static const http_header_t BROWSER_FIELDS[] = {JSON_BODY, TAKES_RPC, ORIGIN};
static const http_header_t METADATA_BROWSER_FIELDS[] = {FIELD("Accept", "application/json"), SPEAKS,
                                                        ORIGIN};
static const http_header_t PREFLIGHT_FIELDS[] = {
    ORIGIN, FIELD("Access-Control-Request-Method", "POST"),
    FIELD("Access-Control-Request-Headers",
          "authorization,content-type,mcp-protocol-version,mcp-session-id")};
static const http_header_t METADATA_PREFLIGHT_FIELDS[] = {
    ORIGIN, FIELD("Access-Control-Request-Method", "GET"),
    FIELD("Access-Control-Request-Headers", "mcp-protocol-version")};
static const http_header_t POST_PREFLIGHT_FIELDS[] = {
    ORIGIN, FIELD("Access-Control-Request-Method", "POST"),
    FIELD("Access-Control-Request-Headers", "content-type")};
static const http_header_t AUTHORIZE_PREFLIGHT_FIELDS[] = {
    ORIGIN, FIELD("Access-Control-Request-Method", "GET")};

typedef struct {
    str_t method;
    str_t (*target)(arena_t *a, const doctor_facts_t *f);
    http_headers_t headers;
    str_t body;
    bool closed_only; /* makes no sense where no token is needed */
} row_t;

#define FIELDS(list)                                                                               \
    {                                                                                              \
        (list), sizeof(list) / sizeof((list)[0])                                                   \
    }
#define GET     STR_INIT("GET")
#define POST    STR_INIT("POST")
#define OPTIONS STR_INIT("OPTIONS")
#define NO_BODY                                                                                    \
    {                                                                                              \
        NULL, 0                                                                                    \
    }
#define METADATA(where)                                                                            \
    {                                                                                              \
        GET, where, FIELDS(METADATA_FIELDS), NO_BODY, false                                        \
    }

static const row_t ROWS[DOCTOR_ASK_COUNT] = {
    [DOCTOR_ASK_INITIALIZE] = {POST, at_endpoint, FIELDS(RPC_FIELDS), STR_INIT(INITIALIZE), false},
    [DOCTOR_ASK_DISCOVER] = {POST, at_endpoint, FIELDS(DISCOVER_FIELDS), STR_INIT(DISCOVER), false},
    [DOCTOR_ASK_LIST] = {POST, at_endpoint, FIELDS(LIST_FIELDS), STR_INIT(LIST), false},
    [DOCTOR_ASK_GET] = {GET, at_endpoint, FIELDS(GET_FIELDS), NO_BODY, false},
    [DOCTOR_ASK_BOGUS] = {POST, at_endpoint, FIELDS(BOGUS_FIELDS), STR_INIT(INITIALIZE), true},
    [DOCTOR_ASK_QUERY] = {POST, at_query, FIELDS(RPC_FIELDS), STR_INIT(INITIALIZE), true},
    [DOCTOR_ASK_SLASH] = {POST, at_slash, FIELDS(RPC_FIELDS), STR_INIT(INITIALIZE), true},
    [DOCTOR_ASK_PRM_CHALLENGE] = METADATA(at_prm_challenge),
    [DOCTOR_ASK_PRM_PATH] = METADATA(at_prm_path),
    [DOCTOR_ASK_PRM_ROOT] = METADATA(at_prm_root),
    [DOCTOR_ASK_PRM_SLASH] = METADATA(at_prm_slash),
    [DOCTOR_ASK_UNKNOWN] = METADATA(at_unknown),
    [DOCTOR_ASK_AS_RFC8414] = METADATA(at_rfc8414),
    [DOCTOR_ASK_AS_OIDC_INSERTED] = METADATA(at_openid_inserted),
    [DOCTOR_ASK_AS_OIDC] = METADATA(at_openid),
    [DOCTOR_ASK_AS_ROOT] = METADATA(at_server_root),
    [DOCTOR_ASK_AS_ORIGIN] = METADATA(at_server_origin),
    [DOCTOR_ASK_AS_UNKNOWN] = METADATA(at_server_unknown),
    [DOCTOR_ASK_JWKS] = METADATA(at_jwks),
    [DOCTOR_ASK_REGISTER] = METADATA(at_register),
    [DOCTOR_ASK_AUTHORIZE] = {GET, at_authorize, FIELDS(PAGE_FIELDS), NO_BODY, false},
    [DOCTOR_ASK_TOKEN] = {POST, at_token, FIELDS(FORM_FIELDS), STR_INIT(TOKEN_FORM), false},
    [DOCTOR_ASK_PREFLIGHT] = {OPTIONS, at_endpoint, FIELDS(PREFLIGHT_FIELDS), NO_BODY, false},
    [DOCTOR_ASK_BROWSER] = {POST, at_endpoint, FIELDS(BROWSER_FIELDS), STR_INIT(INITIALIZE), true},
    [DOCTOR_ASK_PRM_PREFLIGHT] = {OPTIONS, at_resource_found, FIELDS(METADATA_PREFLIGHT_FIELDS),
                                  NO_BODY, false},
    [DOCTOR_ASK_PRM_BROWSER] = {GET, at_resource_found, FIELDS(METADATA_BROWSER_FIELDS), NO_BODY,
                                false},
    [DOCTOR_ASK_AS_PREFLIGHT] = {OPTIONS, at_server_found, FIELDS(METADATA_PREFLIGHT_FIELDS),
                                 NO_BODY, false},
    [DOCTOR_ASK_AS_BROWSER] = {GET, at_server_found, FIELDS(METADATA_BROWSER_FIELDS), NO_BODY,
                               false},
    [DOCTOR_ASK_REGISTER_PREFLIGHT] = {OPTIONS, at_register, FIELDS(POST_PREFLIGHT_FIELDS), NO_BODY,
                                       false},
    [DOCTOR_ASK_TOKEN_PREFLIGHT] = {OPTIONS, at_token, FIELDS(POST_PREFLIGHT_FIELDS), NO_BODY,
                                    false},
    [DOCTOR_ASK_AUTHORIZE_PREFLIGHT] = {OPTIONS, at_authorize_bare,
                                        FIELDS(AUTHORIZE_PREFLIGHT_FIELDS), NO_BODY, false},
};

rc_t doctor_plan(arena_t *a, const doctor_facts_t *f, doctor_ask_t ask, http_agent_request_t *out)
{
    const row_t *row = &ROWS[ask];
    if (!row->target || (row->closed_only && doctor_is_open(f)))
        return RC_NOT_FOUND;
    str_t url = row->target(a, f);
    if (!str_is_set(url))
        return RC_NOT_FOUND;
    *out = (http_agent_request_t){
        .method = row->method, .url = url, .headers = row->headers, .body = row->body};
    return RC_OK;
}
