/* What the official conformance suite calls in its client mode: warder-conformance-client
 * [--any-era] URL, with the scenario, the revision and what it needs in the environment; --any-era
 * lets the library find out which era the server speaks. A stranger's program: the public header
 * and the library. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHY_BYTES = 512, JSON_BYTES = 65536, SIGN_IN_S = 20, CALL_S = 50, TEXTS = 16 };

/* Never fetched by the suite (basic-cimd). */
#define DOCUMENT "https://conformance-test.local/client-metadata.json"

typedef struct {
    const char *scenario;
    piece_t context;
    warder_client_t *client;
    bool failed;
    char *texts[TEXTS + 1]; /* of the context */
    size_t n_texts;
} run_t;

/* ---- what the server asks ---- */

static char *answer(void *ctx, const char *method, const char *params)
{
    (void)ctx;
    (void)params;
    if (strcmp(method, "elicitation/create") == 0)
        return strdup("{\"action\":\"accept\",\"content\":{}}");
    if (strcmp(method, "roots/list") == 0)
        return strdup("{\"roots\":[]}");
    return strdup("{\"role\":\"assistant\",\"model\":\"none\",\"content\":{\"type\":\"text\","
                  "\"text\":\"ok\"}}");
}

/* ---- calls ---- */

static void look(run_t *r, const char *what, warder_client_end_t end, const char *why)
{
    if (end == WARDER_CLIENT_DONE)
        return;
    fprintf(stderr, "%s: %s\n", what, why);
    r->failed = true;
}

static char *request(run_t *r, const char *method, const char *params)
{
    char why[WHY_BYTES], *result;
    look(r, method,
         warder_client_request(r->client, method, params, NULL, &result, why, sizeof why), why);
    return result;
}

static void ask(run_t *r, const char *method, const char *params)
{
    warder_client_free_text(request(r, method, params));
}

static void call(run_t *r, const char *tool, const char *arguments)
{
    char why[WHY_BYTES], *result;
    look(r, tool, warder_client_call(r->client, tool, arguments, NULL, &result, why, sizeof why),
         why);
    warder_client_free_text(result);
}

static char *tools(run_t *r)
{
    char why[WHY_BYTES], *result;
    look(r, "tools/list", warder_client_tools(r->client, &result, why, sizeof why), why);
    return result;
}

static void list(run_t *r)
{
    warder_client_free_text(tools(r));
}

/* ---- scenarios ---- */

static void only_list(run_t *r)
{
    list(r);
}

static void add(run_t *r)
{
    list(r);
    call(r, "add_numbers", "{\"a\":5,\"b\":3}");
}

static void take_defaults(run_t *r)
{
    list(r);
    call(r, "test_client_elicitation_defaults", NULL);
}

static void reconnect(run_t *r)
{
    list(r);
    call(r, "test_reconnection", NULL);
}

static void echo_state(run_t *r)
{
    list(r);
    call(r, "test_mrtr_echo_state", NULL);
    call(r, "test_mrtr_unrelated", NULL);
    call(r, "test_mrtr_no_state", NULL);
    call(r, "test_mrtr_no_result_type", NULL);
}

static void standard_headers(run_t *r)
{
    list(r);
    call(r, "test_headers", NULL);
    call(r, "my-hyphenated-tool", NULL);
    ask(r, "resources/list", NULL);
    ask(r, "resources/read", "{\"uri\":\"file:///path/to/file%20name.txt\"}");
    ask(r, "resources/read", "{\"uri\":\"https://example.com/resource?id=123\"}");
    ask(r, "prompts/list", NULL);
    ask(r, "prompts/get", "{\"name\":\"test_prompt\"}");
}

static void custom_headers(run_t *r)
{
    piece_t calls = piece_member(r->context, "toolCalls"), one;
    list(r);
    for (size_t at = 0; (one = piece_next(calls, &at)).p;) {
        char *name = piece_text(piece_member(one, "name"));
        char *arguments = piece_raw(piece_member(one, "arguments"));
        call(r, name, arguments);
        free(name);
        free(arguments);
    }
}

static void call_survivors(run_t *r)
{
    char *text = tools(r);
    piece_t one;
    for (size_t at = 0; text && (one = piece_next(piece_of(text), &at)).p;) {
        char *name = piece_text(piece_member(one, "name"));
        call(r, name, "{\"region\":\"us-west1\"}");
        free(name);
    }
    warder_client_free_text(text);
}

/* Gives back the schema that came, byte for byte. */
static void echo_schema(run_t *r)
{
    char *text = tools(r), arguments[JSON_BYTES];
    piece_t one;
    for (size_t at = 0; text && (one = piece_next(piece_of(text), &at)).p;) {
        char *name = piece_text(piece_member(one, "name"));
        char *schema = piece_raw(piece_member(one, "inputSchema"));
        snprintf(arguments, sizeof arguments, "{\"schema\":%s}", schema ? schema : "null");
        if (name && strcmp(name, "json_schema_2020_12_tool") == 0)
            call(r, "json_schema_echo", arguments);
        free(name);
        free(schema);
    }
    warder_client_free_text(text);
}

static void use(run_t *r)
{
    list(r);
    call(r, "test-tool", "{}");
}

static const struct {
    const char *name;
    void (*play)(run_t *r);
} PLAYS[] = {
    {"initialize", only_list},
    {"tools_call", add},
    {"elicitation-sep1034-client-defaults", take_defaults},
    {"sse-retry", reconnect},
    {"request-metadata", only_list},
    {"sep-2322-client-request-state", echo_state},
    {"http-standard-headers", standard_headers},
    {"http-custom-headers", custom_headers},
    {"http-invalid-tool-headers", call_survivors},
    {"json-schema-ref-no-deref", only_list},
    {"json-schema-2020-12-preservation", echo_schema},
};

static void play(run_t *r)
{
    for (size_t i = 0; i < sizeof PLAYS / sizeof *PLAYS; i++) {
        if (strcmp(PLAYS[i].name, r->scenario) == 0) {
            PLAYS[i].play(r);
            return;
        }
    }
    use(r);
}

/* ---- who the client is ---- */

static const char *of(run_t *r, const char *name)
{
    char *text = r->n_texts < TEXTS ? piece_text(piece_member(r->context, name)) : NULL;
    r->texts[r->n_texts] = text;
    r->n_texts += text != NULL;
    return text;
}

static bool is(const run_t *r, const char *scenario)
{
    return strcmp(r->scenario, scenario) == 0;
}

static bool is_protected(const run_t *r)
{
    return strncmp(r->scenario, "auth/", 5) == 0;
}

static warder_client_way_t way_of(const run_t *r)
{
    if (is(r, "auth/client-credentials-jwt") || is(r, "auth/client-credentials-basic"))
        return WARDER_CLIENT_MACHINE;
    if (is(r, "auth/enterprise-managed-authorization"))
        return WARDER_CLIENT_ENTERPRISE;
    if (is(r, "auth/wif-jwt-bearer"))
        return WARDER_CLIENT_WORKLOAD;
    return is_protected(r) ? WARDER_CLIENT_PERSON : WARDER_CLIENT_OPEN;
}

static void introduce(run_t *r, warder_client_config_t *c)
{
    c->way = way_of(r);
    c->client_id = of(r, "client_id");
    c->client_secret = of(r, "client_secret");
    c->private_key_pem = of(r, "private_key_pem");
    c->algorithm = of(r, "signing_algorithm");
    c->assertion = of(r, "valid_jwt");
    c->id_token = of(r, "idp_id_token");
    c->provider_client_id = of(r, "idp_client_id");
    c->provider_issuer = of(r, "idp_issuer");
    c->provider_token_endpoint = of(r, "idp_token_endpoint");
    c->metadata_url = is(r, "auth/basic-cimd") ? DOCUMENT : NULL;
    c->dpop = strncmp(r->scenario, "auth/dpop", 9) == 0;
}

int main(int argc, char **argv)
{
    const char *version = getenv("MCP_CONFORMANCE_PROTOCOL_VERSION");
    const char *scenario = getenv("MCP_CONFORMANCE_SCENARIO");
    char why[WHY_BYTES];
    if (argc < 2) {
        fputs("usage: warder-conformance-client [--any-era] URL, as the conformance suite's "
              "command\n",
              stderr);
        return 2;
    }
    run_t r = {.scenario = scenario ? scenario : "",
               .context = piece_of(getenv("MCP_CONFORMANCE_CONTEXT"))};
    bool any = argc > 2 && strcmp(argv[1], "--any-era") == 0;
    bool stateless = version && strcmp(version, "2026-07-28") == 0;
    warder_client_config_t config = {
        .url = argv[argc - 1],
        .era = any         ? WARDER_CLIENT_AUTO
               : stateless ? WARDER_CLIENT_STATELESS
                           : WARDER_CLIENT_HANDSHAKE,
        .name = "warder-conformance-client",
        .version = "1.0.0",
        .sign_in_s = SIGN_IN_S,
        .call_s = CALL_S,
        .callbacks =
            {.open = browse, .ask = answer, .elicits = true, .samples = true, .has_roots = true},
    };
    introduce(&r, &config);
    r.client = warder_client_new(&config, why, sizeof why);
    if (!r.client) {
        fprintf(stderr, "%s\n", why);
        return 2;
    }
    play(&r);
    warder_client_free(r.client);
    for (size_t i = 0; i < r.n_texts; i++)
        free(r.texts[i]);
    return r.failed ? 1 : 0;
}
