#include "tokens/tokens_test_world.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/json.h"
#include "jose/jws.h"
#include "oauth/dpop.h"
#include "oauth/scope.h"

enum { CALL_ARENA = 4 << 20 };

void world_copy(char out[WORLD_TEXT], str_t s)
{
    snprintf(out, WORLD_TEXT, "%" PRIstr, STR_ARG(s));
}

void world_problem(world_t *w, const char *what)
{
    if (!w->problem[0])
        snprintf(w->problem, sizeof w->problem, "%s", what);
}

world_t *world_new(void)
{
    world_t *w = mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(w, MAP_FAILED);
    pthread_mutexattr_t shared;
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&w->lock, &shared);
    pthread_mutexattr_destroy(&shared);
    w->issuer = WORLD_ISSUER;
    w->resource = WORLD_MCP;
    w->auth_methods = "[\"none\"]";
    w->lifetime = 3600;
    w->now = 1700000000;
    return w;
}

void world_free(world_t *w)
{
    char problem[WORLD_TEXT];
    memcpy(problem, w->problem, sizeof problem);
    pthread_mutex_destroy(&w->lock);
    munmap(w, sizeof *w);
    assert_string_equal(problem, "");
}

static int64_t now_ms(void *ctx)
{
    world_t *w = ctx;
    return w->now * 1000;
}

static int64_t mono_ms(void *ctx)
{
    world_t *w = ctx;
    return atomic_fetch_add(&w->mono, w->mono_step) + w->mono_step;
}

/* Never the same twice, in whichever process. */
static rc_t fill(void *ctx, void *out, size_t n)
{
    world_t *w = ctx;
    for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
        uint64_t v = (atomic_fetch_add(&w->random, 1) + 1) * 0x9e3779b97f4a7c15u;
        memcpy((char *)out + i, &v, n - i < sizeof v ? n - i : sizeof v);
    }
    return RC_OK;
}

static bool show_code(void *ctx, str_t user_code, str_t uri, str_t complete)
{
    world_t *w = ctx;
    (void)uri;
    (void)complete;
    world_copy(w->said, user_code);
    return !w->nobody;
}

tokens_config_t world_config(world_t *w, tokens_keep_t keep)
{
    return (tokens_config_t){
        .url = STR(WORLD_MCP),
        .way = TOKENS_PERSON,
        .registration = {.name = STR("test")},
        .sign_in_ms = 20000,
        .person = {.open = world_browser, .code = show_code, .ctx = w},
        .http = world_port(w),
        .keep = keep,
        .clock = {.now_ms = now_ms, .mono_ms = mono_ms, .ctx = w},
        .random = {.fill = fill, .ctx = w},
    };
}

void world_answer(http_answer_t *out, int status, str_t body)
{
    out->end = HTTP_AGENT_DONE;
    out->status = status;
    out->body = body;
}

void world_add_header(arena_t *a, http_answer_t *out, const char *name, str_t value)
{
    http_header_t *v = ARENA_ARRAY(a, out->headers.n + 1, http_header_t);
    for (size_t i = 0; i < out->headers.n; i++)
        v[i] = out->headers.v[i];
    v[out->headers.n] = (http_header_t){str_c(name), arena_dup(a, value)};
    out->headers = (http_headers_t){v, out->headers.n + 1};
}

str_t world_proof(world_t *w, arena_t *a, const http_agent_request_t *q, str_t token)
{
    str_t value = http_headers_get(q->headers, STR("DPoP"));
    const oauth_dpop_expect_t expect = {
        .method = q->method, .url = q->url, .access_token = token, .now_ms = w->now * 1000};
    oauth_dpop_t proof;
    if (!str_is_set(value))
        return STR_UNSET;
    if (oauth_dpop_check(a, (str_list_t){&value, 1}, &expect, &proof) != RC_OK ||
        proof.reason != OAUTH_FINE) {
        world_problem(w, "a proof is wrong");
        return STR_UNSET;
    }
    return proof.jkt;
}

bool world_has_nonce(arena_t *a, const http_agent_request_t *q, const char *nonce)
{
    jws_t jws;
    const json_t *claims;
    str_t value = http_headers_get(q->headers, STR("DPoP"));
    return str_is_set(value) && jws_parse(a, value, JWS_ALLOW_JWK, &jws) == RC_OK &&
           json_parse(a, jws.payload, NULL, &claims) == RC_OK &&
           str_eq(json_get_str(claims, STR("nonce")), str_c(nonce));
}

static str_t list_of(arena_t *a, const char *words)
{
    buf_t b = buf_new(a, WORLD_TEXT);
    json_writer_t j = json_writer(&b);
    str_t rest = str_c(words), word;
    json_begin_array(&j);
    while (oauth_scope_next(&rest, &word))
        json_str(&j, word);
    json_end_array(&j);
    return buf_str(&b);
}

static void resource_metadata(world_t *w, arena_t *a, http_answer_t *out)
{
    str_t scopes = w->scopes ? list_of(a, w->scopes) : STR_UNSET;
    str_t body = arena_printf(
        a, "{\"resource\":\"%s\",\"authorization_servers\":[\"%s\"]%s%" PRIstr "%s}", w->resource,
        w->issuer, w->scopes ? ",\"scopes_supported\":" : "", STR_ARG(scopes),
        w->bound ? ",\"dpop_bound_access_tokens_required\":true" : "");
    world_answer(out, w->no_resource_metadata ? 404 : 200, body);
    world_add_header(a, out, "Content-Type", STR("application/json"));
}

static void challenge(world_t *w, arena_t *a, const char *error, const char *scope,
                      http_answer_t *out)
{
    str_t text =
        arena_printf(a, "%s realm=\"x\"%s%s%s%s%s%s%s", w->bound ? "DPoP" : "Bearer",
                     w->no_resource_metadata ? "" : ", resource_metadata=\"" WORLD_RESOURCE "\"",
                     error ? ", error=\"" : "", error ? error : "", error ? "\"" : "",
                     scope ? ", scope=\"" : "", scope ? scope : "", scope ? "\"" : "");
    world_add_header(a, out, "WWW-Authenticate", text);
}

static const world_token_t *token_of(const world_t *w, str_t authorization, bool *bound)
{
    str_t token = STR_UNSET;
    if (str_starts(authorization, STR("Bearer ")))
        token = str_skip(authorization, 7);
    *bound = str_starts(authorization, STR("DPoP "));
    if (*bound)
        token = str_skip(authorization, 5);
    for (size_t i = 0; i < w->n_tokens; i++) {
        const world_token_t *t = &w->tokens[i];
        if (str_is_set(token) && str_eq(str_c(t->access), token) && t->access_live &&
            t->ends_at > w->now && !strcmp(t->issuer, w->issuer) && !w->refuse_all)
            return t;
    }
    return NULL;
}

/* The endpoint: `X-Needs` names the scope of the operation. */
static void endpoint(world_t *w, arena_t *a, const http_agent_request_t *q, http_answer_t *out)
{
    bool bound;
    str_t authorization = http_headers_get(q->headers, STR("Authorization"));
    str_t needs = http_headers_get(q->headers, STR("X-Needs"));
    w->calls++;
    const world_token_t *t = token_of(w, authorization, &bound);
    if (!t) {
        world_answer(out, 401, STR(""));
        challenge(w, a, str_is_set(authorization) ? "invalid_token" : NULL, w->challenge_scope,
                  out);
        return;
    }
    if (t->jkt[0] && (!bound || !str_eq(world_proof(w, a, q, str_c(t->access)), str_c(t->jkt))))
        world_problem(w, "a bound token without its proof");
    if (w->endpoint_nonce && (w->nonce_never_taken || !world_has_nonce(a, q, "endpoint-nonce"))) {
        world_answer(out, 401, STR(""));
        challenge(w, a, "use_dpop_nonce", NULL, out);
        world_add_header(a, out, "DPoP-Nonce", STR("endpoint-nonce"));
        return;
    }
    if (str_is_set(needs) && str_eq(needs, STR("nobody"))) {
        world_answer(out, 403, STR(""));
        challenge(w, a, NULL, NULL, out);
        return;
    }
    if (str_is_set(needs) && (w->never_enough || !oauth_scope_covers(str_c(t->scope), needs))) {
        world_answer(out, 403, STR(""));
        challenge(w, a, "insufficient_scope", arena_cstr(a, needs), out);
        return;
    }
    world_answer(out, 200, STR("{}"));
}

static void dispatch(world_t *w, arena_t *a, const http_agent_request_t *q, http_answer_t *out)
{
    static const char *const SERVERS[] = {WORLD_ORIGIN, WORLD_ISSUER, WORLD_OTHER, WORLD_PROVIDER};
    world_answer(out, 404, STR(""));
    if (str_eq(q->url, STR(WORLD_MCP))) {
        endpoint(w, a, q, out);
        return;
    }
    if (str_is_set(http_headers_get(q->headers, STR("Authorization"))) &&
        str_starts(http_headers_get(q->headers, STR("Authorization")), STR("Bearer")))
        world_problem(w, "a token went elsewhere");
    if (str_eq(q->url, STR(WORLD_RESOURCE)))
        resource_metadata(w, a, out);
    for (size_t i = 0; i < ROWS(SERVERS); i++) {
        if (str_starts(q->url, str_c(SERVERS[i])))
            world_server(w, a, SERVERS[i], str_skip(q->url, strlen(SERVERS[i])), q, out);
    }
}

static rc_t ask(void *ctx, arena_t *a, const http_agent_request_t *q, http_answer_t *out)
{
    world_t *w = ctx;
    *out = (http_answer_t){.end = HTTP_AGENT_REFUSED};
    pthread_mutex_lock(&w->lock);
    w->asks++;
    if (w->n_log < WORLD_LOG)
        snprintf(w->log[w->n_log++], WORLD_TEXT, "%" PRIstr " %" PRIstr, STR_ARG(q->method),
                 STR_ARG(q->url));
    dispatch(w, a, q, out);
    if (w->long_refusals && out->status == 401 && str_eq(q->url, STR(WORLD_MCP)))
        out->end = HTTP_AGENT_TOO_LONG;
    out->body = arena_dup(a, out->body); /* the caller may wipe it */
    pthread_mutex_unlock(&w->lock);
    return RC_OK;
}

http_ask_port_t world_port(world_t *w)
{
    return (http_ask_port_t){.ask = ask, .ctx = w};
}

unsigned world_asked(const world_t *w, const char *line)
{
    unsigned n = 0;
    for (size_t i = 0; i < w->n_log; i++)
        n += str_starts(str_c(w->log[i]), str_c(line));
    return n;
}

/* The refusal of an answer, for the source. */
static tokens_verdict_t refused(tokens_source_t *s, arena_t *a, const http_answer_t *answer,
                                const tokens_headers_t *h, const char *scope, client_failure_t *why)
{
    str_t value = http_headers_get(answer->headers, STR("WWW-Authenticate"));
    const tokens_refusal_t r = {
        .status = answer->status,
        .challenges = {&value, str_is_set(value)},
        .nonce = http_headers_get(answer->headers, STR("DPoP-Nonce")),
        .generation = h->generation,
        .operation = arena_printf(a, "tools/call %s", scope ? scope : ""),
    };
    return tokens_source_refused(s, a, &r, why);
}

static int call(world_t *w, tokens_source_t *s, arena_t *a, const char *scope,
                client_failure_t *why)
{
    http_answer_t answer = {0};
    for (int i = 0; i < WORLD_CALLS; i++) {
        tokens_headers_t h;
        if (tokens_source_headers(s, a, STR("POST"), STR_UNSET, &h) != RC_OK)
            return -1;
        const http_header_t fields[] = {{STR("Authorization"), h.authorization},
                                        {STR("DPoP"), h.dpop},
                                        {STR("X-Needs"), str_c(scope)}};
        const http_agent_request_t q = {
            .method = STR("POST"), .url = STR(WORLD_MCP), .headers = {fields, 3}};
        if (ask(w, a, &q, &answer) != RC_OK)
            return -1;
        if (answer.status == 200) {
            tokens_source_went_well(s, arena_printf(a, "tools/call %s", scope ? scope : ""));
            return 200;
        }
        if (refused(s, a, &answer, &h, scope, why) == TOKENS_GIVE_UP)
            return 0;
    }
    return answer.status;
}

int world_call(world_t *w, tokens_source_t *s, const char *scope, client_failure_t *why)
{
    arena_t *a = arena_new(CALL_ARENA);
    *why = (client_failure_t){.reason = CLIENT_FINE};
    int status = call(w, s, a, scope, why);
    why->detail = STR_UNSET; /* it ends with the arena */
    arena_free(a);
    return status;
}

int play_setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->w = world_new();
    p->a = arena_new(TEST_ARENA_BYTES);
    assert_int_equal(tokens_memory_new(&p->memory), RC_OK);
    p->config = world_config(p->w, tokens_memory_keep(p->memory));
    *state = p;
    return 0;
}

int play_teardown(void **state)
{
    play_t *p = *state;
    tokens_source_free(p->s);
    tokens_memory_free(p->memory);
    arena_free(p->a);
    world_free(p->w);
    free(p);
    return 0;
}

void play_begin(play_t *p)
{
    tokens_source_free(p->s);
    assert_int_equal(tokens_source_new(&p->config, &p->s), RC_OK);
}

int play_call(play_t *p, const char *scope)
{
    return world_call(p->w, p->s, scope, &p->why);
}

static const char *reason_name(client_reason_t reason)
{
    return reason == CLIENT_FINE ? "fine" : client_reason_row(reason)->name.p;
}

void play_goes(play_t *p, const char *scope)
{
    int status = play_call(p, scope);
    if (status != 200)
        fail_msg("%d, %s", status, reason_name(p->why.reason));
}

void play_fails(play_t *p, const char *scope, client_reason_t reason)
{
    int status = play_call(p, scope);
    if (status != 0 || p->why.reason != reason)
        fail_msg("%d, %s", status, reason_name(p->why.reason));
}
