#include "gate/upstream_token.h"

#include "core/b64.h"
#include "core/limits.h"
#include "oauth/scope.h"

#define ACCESS_TOKEN "urn:ietf:params:oauth:token-type:access_token"
#define JWT          "urn:ietf:params:oauth:token-type:jwt"

enum { AUTHORIZATION_BYTES = 16384 };

str_t gate_token_reason_name(gate_token_reason_t reason)
{
    static const str_t NAMES[] = {
        STR_INIT("credential_good"),
#define TOKEN_REASON(name, text, about) STR_INIT(text),
#include "gate/token_reasons.def"
#undef TOKEN_REASON
    };
    return NAMES[reason];
}

/* A scope of a rule may have a hole for the name of what is called. */
static bool is_rule_scope(str_t rule, str_t token)
{
    str_t hole = STR("{name}");
    size_t open = str_find(rule, '{', 0);
    if (!str_starts(str_skip(rule, open), hole))
        return str_eq(rule, token);
    str_t behind = str_skip(rule, open + hole.n);
    return token.n >= open + behind.n && str_starts(token, str_first(rule, open)) &&
           str_ends(token, behind);
}

static bool is_in(str_list_t rules, str_t token)
{
    for (size_t i = 0; i < rules.n; i++) {
        if (is_rule_scope(rules.v[i], token))
            return true;
    }
    return false;
}

/* Whether this server can grant it, so that it means something that the caller may lack. */
static bool is_known_here(const conf_upstream_t *u, str_t token)
{
    const conf_policy_t *p = u->policy;
    for (size_t i = 0; i < u->n_scopes; i++) {
        if (str_eq(u->scopes[i].name, token))
            return true;
    }
    if (!p)
        return false;
    for (size_t i = 0; i < p->n_rules; i++) {
        if (is_in(p->rules[i].scopes, token))
            return true;
    }
    return is_in(p->default_scopes, token);
}

static rc_t narrow(arena_t *a, const gate_token_ask_t *ask, str_t *out)
{
    str_t token, rest = ask->upstream->credential.scope;
    buf_t b = buf_new(a, rest.n + 1);
    while (oauth_scope_next(&rest, &token)) {
        if (is_known_here(ask->upstream, token) && !oauth_scope_has(ask->who->scope, token))
            continue;
        if (b.n > 0)
            buf_char(&b, ' ');
        buf_put(&b, token);
    }
    TRY(buf_done(&b, out));
    return out->n > 0 ? RC_OK : RC_NOT_FOUND;
}

rc_t gate_token_scope(arena_t *a, const gate_token_ask_t *ask, str_t *out)
{
    str_t configured = ask->upstream->credential.scope;
    *out = configured.n > 0 ? configured : STR_UNSET;
    if (!ask->who)
        return RC_OK;
    if (configured.n > 0)
        return narrow(a, ask, out);
    *out = ask->who->scope.n > 0 ? ask->who->scope : STR_UNSET;
    return RC_OK;
}

static void put_pair(buf_t *b, str_t name, str_t value)
{
    if (value.n == 0)
        return;
    if (b->n > 0)
        buf_char(b, '&');
    buf_put(b, name);
    buf_char(b, '=');
    buf_form(b, value);
}

void gate_token_form(buf_t *b, const gate_token_ask_t *ask, str_t scope)
{
    const conf_credential_t *c = &ask->upstream->credential;
    if (ask->who) {
        put_pair(b, STR("grant_type"), STR("urn:ietf:params:oauth:grant-type:token-exchange"));
        put_pair(b, STR("subject_token"), ask->token);
        put_pair(b, STR("subject_token_type"), STR(ACCESS_TOKEN));
        put_pair(b, STR("requested_token_type"), STR(ACCESS_TOKEN));
    } else {
        put_pair(b, STR("grant_type"), STR("client_credentials"));
    }
    put_pair(b, STR("audience"), c->audience);
    put_pair(b, STR("resource"), c->resource);
    put_pair(b, STR("scope"), scope);
}

str_t gate_token_authorization(arena_t *a, const conf_credential_t *c)
{
    str_t pair;
    buf_t b = buf_new(a, AUTHORIZATION_BYTES);
    buf_form(&b, c->client_id);
    buf_char(&b, ':');
    buf_form(&b, c->secret.hidden);
    if (buf_done(&b, &pair) != RC_OK)
        return STR_UNSET;
    str_t code = b64_encode(a, pair.p, pair.n);
    return code.p ? arena_printf(a, "Basic %" PRIstr, STR_ARG(code)) : STR_UNSET;
}

static bool is_token_text(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < 0x21 || s.p[i] > 0x7e)
            return false;
    }
    return s.n > 0 && s.n <= GATE_TOKEN_BYTES;
}

/* A scope that is stated may hold nothing that was not asked for. */
static bool is_within(const json_t *scope, str_t asked)
{
    str_t token, rest = json_is(scope, JSON_STRING) ? scope->str : STR_UNSET;
    if (scope && !rest.p)
        return false;
    while (oauth_scope_next(&rest, &token)) {
        if (!oauth_scope_has(asked, token))
            return false;
    }
    return true;
}

/* The claims of a token that is a JWT; NULL for others, which say nothing. Its signature is for the
 * upstream to check: who could forge it here could hand out a good one. */
static const json_t *claims_of(arena_t *a, str_t token)
{
    static const json_limits_t LIMITS = {LIMIT_JWS_BYTES, LIMIT_JWT_DEPTH, LIMIT_JWT_NODES};
    const json_t *claims;
    str_t header, payload, signature, text, rest = token;
    if (!str_split(&rest, '.', &header) || !str_split(&rest, '.', &payload) ||
        !str_split(&rest, '.', &signature) || rest.p)
        return NULL;
    if (b64url_decode(a, payload, &text) != RC_OK || json_parse(a, text, &LIMITS, &claims) != RC_OK)
        return NULL;
    return json_is(claims, JSON_OBJECT) ? claims : NULL;
}

static bool names(const json_t *aud, str_t who)
{
    if (who.n == 0)
        return false;
    if (json_is(aud, JSON_STRING))
        return str_eq(aud->str, who);
    for (const json_t *v = json_is(aud, JSON_ARRAY) ? aud->child : NULL; v; v = v->next) {
        if (json_is(v, JSON_STRING) && str_eq(v->str, who))
            return true;
    }
    return false;
}

static bool is_for_upstream(const conf_credential_t *c, const json_t *claims)
{
    const json_t *aud = json_get(claims, STR("aud"));
    if (!aud || (c->audience.n == 0 && c->resource.n == 0))
        return true;
    return names(aud, c->audience) || names(aud, c->resource);
}

static gate_token_reason_t check_claims(const gate_token_ask_t *ask, const json_t *claims,
                                        const gate_token_answer_t *answer)
{
    int64_t exp;
    if (!is_for_upstream(&ask->upstream->credential, claims))
        return GATE_TOKEN_AUDIENCE;
    if (json_get_i64(claims, STR("exp"), &exp) && exp <= answer->now_s)
        return GATE_TOKEN_EXPIRED;
    /* Of the gateway's own token scopes are between it and its server. */
    if (ask->who && !is_within(json_get(claims, STR("scope")), answer->scope))
        return GATE_TOKEN_WIDER;
    return GATE_TOKEN_GOOD;
}

static bool is_bearer(const json_t *root, bool exchanged)
{
    str_t issued = json_get_str(root, STR("issued_token_type"));
    bool access = str_eq(issued, STR(ACCESS_TOKEN)) || str_eq(issued, STR(JWT));
    return str_eq_nocase(json_get_str(root, STR("token_type")), STR("Bearer")) &&
           (access || !exchanged);
}

/* False: it ends before it could be used. Nothing is kept longer than the caller's own token. */
static bool read_life(const gate_token_ask_t *ask, const json_t *root, int64_t now_s, int64_t *out)
{
    int64_t life = GATE_TOKEN_UNSAID_S;
    if (json_get(root, STR("expires_in")) && !json_get_i64(root, STR("expires_in"), &life))
        return false;
    if (life <= 0)
        return false;
    if (life > GATE_TOKEN_KEEP_MOST_S)
        life = GATE_TOKEN_KEEP_MOST_S;
    life -= life / 4 < GATE_TOKEN_MARGIN_S ? life / 4 : GATE_TOKEN_MARGIN_S;
    if (ask->who && ask->who->expires_at > 0 && ask->who->expires_at - now_s < life)
        life = ask->who->expires_at - now_s;
    *out = life > 0 ? life : 0;
    return true;
}

gate_token_reason_t gate_token_read(arena_t *a, const gate_token_ask_t *ask,
                                    const gate_token_answer_t *answer, gate_token_t *out)
{
    const json_t *root;
    *out = (gate_token_t){STR_UNSET, 0};
    if (answer->status >= 400 && answer->status < 500 && answer->status != 429)
        return GATE_TOKEN_REFUSED;
    if (answer->status != 200)
        return GATE_TOKEN_AWAY;
    rc_t rc = json_parse(a, answer->body, NULL, &root);
    str_t token = rc == RC_OK ? json_get_str(root, STR("access_token")) : STR_UNSET;
    if (rc == RC_MEMORY)
        return GATE_TOKEN_MEMORY;
    if (!is_token_text(token))
        return GATE_TOKEN_MALFORMED;
    if (!is_bearer(root, ask->who != NULL))
        return GATE_TOKEN_TYPE;
    if (ask->who && str_eq_ct(token, ask->token))
        return GATE_TOKEN_SAME;
    if (!is_within(json_get(root, STR("scope")), answer->scope) && (ask->who || answer->scope.p))
        return GATE_TOKEN_WIDER;
    if (!read_life(ask, root, answer->now_s, &out->keep_s))
        return GATE_TOKEN_EXPIRED;
    gate_token_reason_t reason = check_claims(ask, claims_of(a, token), answer);
    if (reason == GATE_TOKEN_GOOD)
        out->token = token;
    return reason;
}
