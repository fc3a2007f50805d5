/* The authorization server of tokens_test_world.h. */
#include "tokens/tokens_test_world.h"

#include <stdio.h>

#include "core/b64.h"
#include "core/form.h"
#include "core/json.h"
#include "core/url.h"
#include "oauth/pkce.h"

#define GRANT "urn:ietf:params:oauth:grant-type:"

str_t world_field(const form_t *f, const char *name)
{
    str_t value;
    return form_get(f, str_c(name), &value) == FORM_ONCE ? value : STR_UNSET;
}

static void json_answer(arena_t *a, http_answer_t *out, int status, str_t body)
{
    world_answer(out, status, body);
    world_add_header(a, out, "Content-Type", STR("application/json"));
}

static void error(arena_t *a, http_answer_t *out, const char *code)
{
    int status = !strcmp(code, "invalid_client") ? 401 : 400;
    json_answer(a, out, status, arena_printf(a, "{\"error\":\"%s\"}", code));
}

static void member(buf_t *b, const char *name, const char *value)
{
    if (value)
        buf_fmt(b, ",\"%s\":%s", name, value);
}

static void metadata(world_t *w, arena_t *a, const char *issuer, http_answer_t *out)
{
    if (!strcmp(issuer, WORLD_ORIGIN) && !w->legacy_metadata)
        return;
    buf_t b = buf_new(a, 1 << 20);
    buf_fmt(&b,
            "{\"issuer\":\"%s\",\"authorization_endpoint\":\"%s/authorize\",\"token_endpoint\":"
            "\"%s/token\",\"response_types_supported\":[\"code\"],\"revocation_endpoint\":"
            "\"%s/revoke\",\"device_authorization_endpoint\":\"%s/device\"",
            issuer, issuer, issuer, issuer, issuer);
    member(&b, "code_challenge_methods_supported", w->no_pkce ? NULL : "[\"S256\"]");
    member(&b, "token_endpoint_auth_methods_supported", w->auth_methods);
    member(&b, "grant_types_supported", w->grant_types);
    member(&b, "client_id_metadata_document_supported", w->documents ? "true" : NULL);
    member(&b, "authorization_response_iss_parameter_supported", "true");
    member(&b, "dpop_signing_alg_values_supported",
           w->bound || w->bound_listed ? "[\"ES256\"]" : NULL);
    if (w->description)
        buf_fmt(&b, ",\"description\":\"%s\"", w->description);
    if (w->server_scopes)
        buf_fmt(&b, ",\"scopes_supported\":[\"%s\"]", w->server_scopes);
    if (!w->no_registration)
        buf_fmt(&b, ",\"registration_endpoint\":\"%s/register\"", issuer);
    if (w->pushed)
        buf_fmt(&b,
                ",\"pushed_authorization_request_endpoint\":\"%s/par\","
                "\"require_pushed_authorization_requests\":true",
                issuer);
    buf_char(&b, '}');
    json_answer(a, out, 200, buf_str(&b));
}

static world_client_t *client_of(world_t *w, const char *issuer, str_t id)
{
    for (size_t i = 0; i < w->n_clients; i++) {
        world_client_t *c = &w->clients[i];
        if (str_eq(str_c(c->id), id) && !c->gone && !strcmp(c->issuer, issuer))
            return c;
    }
    return NULL;
}

static void registration(world_t *w, arena_t *a, const char *issuer, const http_agent_request_t *q,
                         http_answer_t *out)
{
    const json_t *body;
    if (json_parse(a, q->body, NULL, &body) != RC_OK ||
        !str_eq(json_get_str(body, STR("application_type")), STR("native"))) {
        world_problem(w, "a registration is wrong");
        error(a, out, "invalid_client_metadata");
        return;
    }
    bool more = json_get(body, STR("software_version")) || json_get(body, STR("scope"));
    if (w->no_registrations || (w->bare_registrations && more)) {
        error(a, out, "invalid_client_metadata");
        return;
    }
    world_client_t *c = &w->clients[w->n_clients++];
    w->registrations++;
    world_copy(c->issuer, str_c(issuer));
    snprintf(c->id, sizeof c->id, "client-%u", ++w->made);
    const json_t *uris = json_get(body, STR("redirect_uris"));
    world_copy(c->redirect, uris && uris->child ? uris->child->str : STR(""));
    if (w->other_redirects)
        world_copy(c->redirect, STR("https://other.test/callback"));
    str_t method = json_get_str(body, STR("token_endpoint_auth_method"));
    if (!str_eq(method, STR("none")))
        snprintf(c->secret, sizeof c->secret, "secret-%u", w->made);
    json_answer(a, out, 201,
                arena_printf(a,
                             "{\"client_id\":\"%s\",\"redirect_uris\":[\"%s\"],"
                             "\"token_endpoint_auth_method\":\"%" PRIstr "\"%s%s%s}",
                             c->id, c->redirect, STR_ARG(method),
                             c->secret[0] ? ",\"client_secret\":\"" : "", c->secret,
                             c->secret[0] ? "\"" : ""));
}

/* The client of a form, authenticated as it was registered; unset: none. */
static str_t authenticate(world_t *w, arena_t *a, const char *issuer, const http_agent_request_t *q,
                          const form_t *f)
{
    str_t header = http_headers_get(q->headers, STR("Authorization")),
          id = world_field(f, "client_id");
    str_t secret = world_field(f, "client_secret"), plain, rest;
    if (str_starts(header, STR("Basic "))) {
        if (b64_decode(a, str_skip(header, 6), &plain) != RC_OK)
            return STR_UNSET;
        rest = plain;
        str_split(&rest, ':', &id);
        secret = rest;
    }
    if (w->known_id && str_eq(id, str_c(w->known_id)))
        return w->known_secret && !str_eq(secret, str_c(w->known_secret)) ? STR_UNSET : id;
    if (w->documents && str_starts(id, STR("https://"))) {
        if (str_is_set(secret))
            world_problem(w, "a secret of a document's client");
        return id;
    }
    const world_client_t *c = client_of(w, issuer, id);
    if (!c || (c->secret[0] && !str_eq(secret, str_c(c->secret))))
        return STR_UNSET;
    return id;
}

static void issue(world_t *w, arena_t *a, const char *issuer, str_t client, str_t scope, str_t jkt,
                  http_answer_t *out)
{
    world_token_t *t = &w->tokens[w->n_tokens++ % ROWS(w->tokens)];
    if (w->n_tokens > ROWS(w->tokens))
        w->n_tokens = ROWS(w->tokens);
    w->granted++;
    unsigned n = ++w->made;
    *t = (world_token_t){.ends_at = w->now + w->lifetime, .access_live = true};
    world_copy(t->issuer, str_c(issuer));
    snprintf(t->access, sizeof t->access, "at-%u", n);
    if (w->access)
        world_copy(t->access, str_c(w->access));
    world_copy(t->client, client);
    world_copy(t->scope, scope);
    world_copy(t->jkt, w->unbinds ? STR("") : jkt);
    if (!w->no_refresh_tokens) {
        t->refresh_live = true;
        snprintf(t->refresh, sizeof t->refresh, "rt-%u", n);
    }
    json_answer(a, out, 200,
                arena_printf(a,
                             "{\"access_token\":\"%s\",\"token_type\":\"%s\",\"expires_in\":%lld"
                             "%s%s%s%s%s%s}",
                             t->access, t->jkt[0] ? "DPoP" : "bearer", (long long)w->lifetime,
                             t->refresh[0] ? ",\"refresh_token\":\"" : "", t->refresh,
                             t->refresh[0] ? "\"" : "", t->scope[0] ? ",\"scope\":\"" : "",
                             t->scope, t->scope[0] ? "\"" : ""));
}

/* Strict rotation: a refresh token that comes twice ends all that came of it. */
static void refresh(world_t *w, arena_t *a, const char *issuer, str_t client, const form_t *f,
                    str_t jkt, http_answer_t *out)
{
    str_t token = world_field(f, "refresh_token");
    for (size_t i = 0; i < w->n_tokens; i++) {
        world_token_t *t = &w->tokens[i];
        if (!str_eq(str_c(t->refresh), token) || !str_eq(str_c(t->client), client) ||
            strcmp(t->issuer, issuer) != 0)
            continue;
        if (!t->refresh_live)
            break;
        t->refresh_live = false;
        w->refreshes++;
        issue(w, a, issuer, client, str_c(t->scope), jkt, out);
        return;
    }
    w->bad_refreshes++;
    error(a, out, "invalid_grant");
}

static bool same_redirect(const world_t *w, str_t registered, str_t given)
{
    url_t x, y;
    if (w->exact_ports || str_eq(registered, given))
        return str_eq(registered, given);
    return url_parse(registered, &x) == RC_OK && url_parse(given, &y) == RC_OK &&
           str_eq(x.host, y.host) && str_eq(x.path, y.path);
}

static void redeem(world_t *w, arena_t *a, const char *issuer, str_t client, const form_t *f,
                   str_t jkt, http_answer_t *out)
{
    str_t code = world_field(f, "code");
    for (size_t i = 0; i < w->n_codes; i++) {
        world_code_t *c = &w->codes[i];
        if (!str_eq(str_c(c->code), code) || strcmp(c->issuer, issuer) != 0)
            continue;
        bool good = !c->used && str_eq(str_c(c->client), client) &&
                    str_eq(str_c(c->redirect), world_field(f, "redirect_uri")) &&
                    oauth_pkce_check_verifier(world_field(f, "code_verifier"),
                                              str_c(c->challenge)) == OAUTH_FINE &&
                    (!c->jkt[0] || str_eq(str_c(c->jkt), jkt));
        c->used = true;
        if (good) {
            issue(w, a, issuer, client, str_c(c->scope), jkt, out);
            return;
        }
    }
    world_problem(w, "a code is wrong");
    error(a, out, "invalid_grant");
}

static void device_code(world_t *w, arena_t *a, const char *issuer, str_t client, str_t jkt,
                        http_answer_t *out)
{
    if (w->pending > 0) {
        w->pending--;
        error(a, out, w->pending % 2 ? "slow_down" : "authorization_pending");
        return;
    }
    if (w->device_error)
        error(a, out, w->device_error);
    else
        issue(w, a, issuer, client, str_c(w->scope_asked), jkt, out);
}

static void exchange(world_t *w, arena_t *a, const form_t *f, http_answer_t *out)
{
    if (!str_eq(world_field(f, "audience"), str_c(w->issuer)) ||
        !str_eq(world_field(f, "resource"), str_c(w->resource)) ||
        !str_eq(world_field(f, "subject_token"), STR("id-token")))
        world_problem(w, "an exchange is wrong");
    json_answer(a, out, 200,
                STR("{\"access_token\":\"jag\",\"token_type\":\"N_A\",\"expires_in\":60,"
                    "\"issued_token_type\":\"urn:ietf:params:oauth:token-type:id-jag\"}"));
}

static void grant(world_t *w, arena_t *a, const char *issuer, str_t client, const form_t *f,
                  str_t jkt, http_answer_t *out)
{
    str_t kind = world_field(f, "grant_type"), scope = world_field(f, "scope");
    if (!str_eq(world_field(f, "resource"), str_c(w->resource)) && !w->no_resource_metadata)
        world_problem(w, "no resource in a token request");
    if (str_eq(kind, STR("authorization_code")))
        redeem(w, a, issuer, client, f, jkt, out);
    else if (str_eq(kind, STR("refresh_token")))
        refresh(w, a, issuer, client, f, jkt, out);
    else if (str_eq(kind, STR(GRANT "device_code")))
        device_code(w, a, issuer, client, jkt, out);
    else if (str_eq(kind, STR("client_credentials")) ||
             (w->assertion && str_eq(world_field(f, "assertion"), str_c(w->assertion)))) {
        world_copy(w->scope_asked, scope);
        issue(w, a, issuer, client, scope, jkt, out);
    } else
        error(a, out, "invalid_grant");
}

static void token(world_t *w, arena_t *a, const char *issuer, const http_agent_request_t *q,
                  http_answer_t *out)
{
    form_t f;
    if (w->token_down > 0) {
        w->token_down--;
        *out = (http_answer_t){.end = HTTP_AGENT_REFUSED};
        return;
    }
    if (w->token_500 > 0) {
        w->token_500--;
        world_answer(out, 503, STR("<html>"));
        return;
    }
    if (form_parse(a, q->body, &f) != RC_OK) {
        world_problem(w, "a form is wrong");
        return;
    }
    str_t jkt = world_proof(w, a, q, STR_UNSET);
    if (str_is_set(jkt) && w->server_nonce &&
        (w->nonce_never_taken || !world_has_nonce(a, q, "server-nonce"))) {
        error(a, out, "use_dpop_nonce");
        world_add_header(a, out, "DPoP-Nonce", STR("server-nonce"));
        return;
    }
    if (!strcmp(issuer, WORLD_PROVIDER)) {
        exchange(w, a, &f, out);
        return;
    }
    bool workload = w->assertion && !str_is_set(world_field(&f, "client_id")) && !w->known_id;
    str_t client = workload ? STR("") : authenticate(w, a, issuer, q, &f);
    if (str_is_set(client))
        grant(w, a, issuer, client, &f, jkt, out);
    else
        error(a, out, "invalid_client");
}

static void revocation(world_t *w, arena_t *a, const char *issuer, const http_agent_request_t *q,
                       http_answer_t *out)
{
    form_t f;
    if (w->no_revocation)
        return;
    if (form_parse(a, q->body, &f) != RC_OK || !str_is_set(authenticate(w, a, issuer, q, &f))) {
        world_problem(w, "a revocation is wrong");
        return;
    }
    for (size_t i = 0; i < w->n_tokens; i++) {
        world_token_t *t = &w->tokens[i];
        bool mine = str_eq(str_c(t->access), world_field(&f, "token"));
        if (mine || str_eq(str_c(t->refresh), world_field(&f, "token"))) {
            *(mine ? &t->access_live : &t->refresh_live) = false;
            w->revoked++;
        }
    }
    world_answer(out, 200, STR(""));
}

world_code_t *world_authorize(world_t *w, const char *issuer, const form_t *f)
{
    str_t id = world_field(f, "client_id"), redirect = world_field(f, "redirect_uri");
    const world_client_t *c = client_of(w, issuer, id);
    bool known = (w->known_id && str_eq(id, str_c(w->known_id))) ||
                 (w->documents && str_starts(id, STR("https://")));
    world_copy(w->redirect_asked, redirect);
    if (!known && (!c || !same_redirect(w, str_c(c->redirect), redirect)))
        return NULL;
    if (!str_eq(world_field(f, "resource"), str_c(w->resource)) && !w->no_resource_metadata)
        world_problem(w, "no resource in an authorization request");
    if (world_field(f, "state").n < 22 ||
        oauth_pkce_check_challenge(world_field(f, "code_challenge"),
                                   world_field(f, "code_challenge_method")) != OAUTH_FINE)
        world_problem(w, "no state or challenge");
    world_code_t *made = &w->codes[w->n_codes++];
    world_copy(made->issuer, str_c(issuer));
    snprintf(made->code, sizeof made->code, "code-%u", ++w->made);
    world_copy(made->client, id);
    world_copy(made->redirect, redirect);
    world_copy(made->challenge, world_field(f, "code_challenge"));
    str_t scope = world_field(f, "scope");
    world_copy(made->scope, scope);
    world_copy(w->scope_asked, scope);
    world_copy(made->jkt, world_field(f, "dpop_jkt"));
    return made;
}

static void push(world_t *w, arena_t *a, const char *issuer, const http_agent_request_t *q,
                 http_answer_t *out)
{
    form_t f;
    if (form_parse(a, q->body, &f) != RC_OK || !str_is_set(authenticate(w, a, issuer, q, &f))) {
        error(a, out, "invalid_client");
        return;
    }
    if (!world_authorize(w, issuer, &f)) {
        json_answer(a, out, 400,
                    STR("{\"error\":\"invalid_request\",\"error_description\":"
                        "\"redirect_uri is not registered\"}"));
        return;
    }
    /* The state is the browser's to bring back. */
    world_copy(w->said, world_field(&f, "state"));
    json_answer(
        a, out, 201,
        arena_printf(a, "{\"request_uri\":\"urn:pushed:%zu\",\"expires_in\":60}", w->n_codes - 1));
}

static void device(world_t *w, arena_t *a, const char *issuer, const http_agent_request_t *q,
                   http_answer_t *out)
{
    form_t f;
    if (form_parse(a, q->body, &f) != RC_OK || !str_is_set(authenticate(w, a, issuer, q, &f))) {
        error(a, out, "invalid_client");
        return;
    }
    world_copy(w->scope_asked, world_field(&f, "scope"));
    json_answer(a, out, 200,
                arena_printf(a,
                             "{\"device_code\":\"dc\",\"user_code\":\"%s\","
                             "\"verification_uri\":\"%s\",\"expires_in\":%d,\"interval\":1}",
                             w->user_code ? w->user_code : "ABCD-EFGH",
                             w->device_page ? w->device_page : "https://as.test/device",
                             w->device_life ? w->device_life : 600));
}

void world_server(world_t *w, arena_t *a, const char *issuer, str_t path,
                  const http_agent_request_t *q, http_answer_t *out)
{
    static const struct {
        const char *path;
        void (*serve)(world_t *, arena_t *, const char *, const http_agent_request_t *,
                      http_answer_t *);
    } POSTS[] = {{"/register", registration},
                 {"/token", token},
                 {"/revoke", revocation},
                 {"/par", push},
                 {"/device", device}};
    if (str_eq(q->method, STR("GET"))) {
        if (str_eq(path, STR("/.well-known/oauth-authorization-server")))
            metadata(w, a, issuer, out);
        return;
    }
    for (size_t i = 0; i < ROWS(POSTS); i++) {
        if (str_eq(path, str_c(POSTS[i].path)))
            POSTS[i].serve(w, a, issuer, q, out);
    }
}
