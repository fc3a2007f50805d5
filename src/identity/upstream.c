#include "identity/upstream.h"

#include "core/b64.h"
#include "core/buf.h"
#include "core/limits.h"
#include "core/secret.h"
#include "core/url.h"
#include "identity/cookie.h"
#include "identity/handle.h"
#include "jose/digest.h"
#include "jose/seal.h"

#define WELL_KNOWN "/.well-known/openid-configuration"

/* The cookie's text holds two random words and a handle; the interaction's comes from a form. */
enum { RANDOM_BYTES = 32, WORD_MAX = 64, TEXT_MAX = 640 };

static const struct {
    str_t reason, about;
} VERDICTS[IDENTITY_UPSTREAM_COUNT] = {
#define UPSTREAM(name, reason, about)                                                              \
    [IDENTITY_UPSTREAM_##name] = {STR_INIT(reason), STR_INIT(about)},
    IDENTITY_UPSTREAM_TABLE(UPSTREAM)
#undef UPSTREAM
};

str_t identity_upstream_reason(identity_upstream_verdict_t verdict)
{
    return VERDICTS[verdict].reason;
}

str_t identity_upstream_about(identity_upstream_verdict_t verdict)
{
    return VERDICTS[verdict].about;
}

/* ---- what the provider says of itself ---- */

rc_t identity_upstream_metadata_url(arena_t *a, str_t issuer, str_t *out)
{
    if (str_ends(issuer, STR("/")))
        issuer.n--;
    *out = arena_printf(a, "%" PRIstr WELL_KNOWN, STR_ARG(issuer));
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

static bool is_endpoint(str_t text)
{
    url_t u;
    return str_is_set(text) && url_parse(text, &u) == RC_OK && url_is_http(&u) &&
           (url_is_https(&u) || url_host_is_loopback(u.host)) && !str_is_set(u.userinfo) &&
           !str_is_set(u.fragment);
}

/* A slash at the end of the issuer is not part of the place (section 4.1). */
static bool stands_at(str_t issuer, str_t url)
{
    if (!str_ends(url, STR(WELL_KNOWN)))
        return false;
    str_t place = str_first(url, url.n - (sizeof WELL_KNOWN - 1));
    if (str_ends(issuer, STR("/")))
        issuer.n--;
    return str_is_set(issuer) && str_eq(issuer, place);
}

static bool lists(const json_t *array, str_t word)
{
    for (const json_t *one = json_is(array, JSON_ARRAY) ? array->child : NULL; one; one = one->next)
        if (json_is(one, JSON_STRING) && str_eq(one->str, word))
            return true;
    return false;
}

rc_t identity_upstream_provider(arena_t *a, str_t url, str_t json,
                                identity_upstream_provider_t *out)
{
    const json_t *all;
    *out = (identity_upstream_provider_t){0};
    rc_t rc = json_parse(a, json, NULL, &all);
    if (rc != RC_OK)
        return rc == RC_MEMORY ? RC_MEMORY : RC_MALFORMED;
    const json_t *methods = json_get(all, STR("token_endpoint_auth_methods_supported"));
    const identity_upstream_provider_t p = {
        .issuer = json_get_str(all, STR("issuer")),
        .authorization_endpoint = json_get_str(all, STR("authorization_endpoint")),
        .token_endpoint = json_get_str(all, STR("token_endpoint")),
        .jwks_uri = json_get_str(all, STR("jwks_uri")),
        /* absent means Basic (section 3) */
        .takes_basic = !methods || lists(methods, STR("client_secret_basic")),
    };
    if (!stands_at(p.issuer, url) || !is_endpoint(p.authorization_endpoint) ||
        !is_endpoint(p.token_endpoint) || !is_endpoint(p.jwks_uri))
        return RC_MALFORMED;
    *out = p;
    if (!json_get_bool(all, STR("authorization_response_iss_parameter_supported"),
                       &out->says_issuer))
        out->says_issuer = false;
    return RC_OK;
}

/* ---- beginning ---- */

static rc_t new_word(arena_t *a, const random_port_t *random, str_t *out)
{
    uint8_t bytes[RANDOM_BYTES];
    TRY(random->fill(random->ctx, bytes, sizeof bytes));
    *out = b64url_encode(a, bytes, sizeof bytes);
    secret_wipe(bytes, sizeof bytes);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

static void put(buf_t *b, str_t name, str_t value)
{
    if (!str_is_set(value))
        return;
    if (b->n > 0 && b->p[b->n - 1] != '?' && b->p[b->n - 1] != '&')
        buf_char(b, '&');
    buf_put(b, name);
    buf_char(b, '=');
    buf_form(b, value);
}

/* S256 (RFC 7636 section 4.2). */
static str_t challenge_of(arena_t *a, str_t verifier)
{
    uint8_t hash[SHA256_BYTES];
    sha256(verifier, hash);
    return b64url_encode(a, hash, sizeof hash);
}

static rc_t write_url(arena_t *a, const identity_upstream_t *u,
                      const identity_upstream_provider_t *p,
                      const identity_upstream_pending_t *pending, str_t *out)
{
    str_t challenge = challenge_of(a, pending->verifier);
    buf_t b = buf_new(a, LIMIT_URL_BYTES);
    if (!str_is_set(challenge))
        return RC_MEMORY;
    buf_put(&b, p->authorization_endpoint);
    buf_char(&b,
             str_find(p->authorization_endpoint, '?', 0) < p->authorization_endpoint.n ? '&' : '?');
    put(&b, STR("response_type"), STR("code"));
    put(&b, STR("client_id"), u->client_id);
    put(&b, STR("redirect_uri"), u->redirect_uri);
    put(&b, STR("scope"), u->scopes);
    put(&b, STR("state"), pending->state);
    put(&b, STR("nonce"), pending->nonce);
    put(&b, STR("code_challenge"), challenge);
    put(&b, STR("code_challenge_method"), STR("S256"));
    if (pending->again) {
        put(&b, STR("prompt"), STR("login"));
        put(&b, STR("max_age"), STR("0"));
    }
    return buf_done(&b, out);
}

/* What the cookie is for: another provider, or another client of it, does not open it. */
static str_t purpose(arena_t *a, const identity_upstream_t *u)
{
    return arena_printf(a, "login %zu:%" PRIstr " %" PRIstr, u->issuer.n, STR_ARG(u->issuer),
                        STR_ARG(u->client_id));
}

static rc_t write_cookie(arena_t *a, const random_port_t *random, const identity_upstream_t *u,
                         str_t key, const identity_upstream_pending_t *pending, str_t *out)
{
    str_t text, sealed, ad = purpose(a, u);
    buf_t b = buf_new(a, TEXT_MAX);
    put(&b, STR("s"), pending->state);
    put(&b, STR("n"), pending->nonce);
    put(&b, STR("v"), pending->verifier);
    put(&b, STR("i"), pending->interaction);
    put(&b, STR("t"), arena_printf(a, "%lld", (long long)pending->begun_at));
    if (pending->again)
        put(&b, STR("a"), STR("1"));
    TRY(buf_done(&b, &text));
    if (!str_is_set(ad))
        return RC_MEMORY;
    TRY(jose_seal(a, *random, key, ad, text, &sealed));
    *out = b64url_encode(a, sealed.p, sealed.n);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

rc_t identity_upstream_begin(arena_t *a, const random_port_t *random, const identity_upstream_t *u,
                             const identity_upstream_provider_t *p, str_t key,
                             identity_upstream_pending_t *pending, identity_upstream_begun_t *out)
{
    TRY(new_word(a, random, &pending->state));
    TRY(new_word(a, random, &pending->nonce));
    TRY(new_word(a, random, &pending->verifier));
    TRY(write_url(a, u, p, pending, &out->url));
    return write_cookie(a, random, u, key, pending, &out->cookie);
}

/* ---- coming back ---- */

static bool read_time(str_t text, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || i > 12)
            return false;
        *out = *out * 10 + (text.p[i] - '0');
    }
    return text.n > 0;
}

/* We wrote it ourselves: what does not open or read was not. */
static bool read_cookie(arena_t *a, const identity_upstream_t *u, str_t key, str_t cookie,
                        identity_upstream_pending_t *out)
{
    form_t form;
    str_t sealed, text, time, again, ad = purpose(a, u);
    if (!str_is_set(cookie) || !str_is_set(ad) || b64url_decode(a, cookie, &sealed) != RC_OK ||
        jose_open(a, key, ad, sealed, &text) != RC_OK || form_parse(a, text, &form) != RC_OK)
        return false;
    form_get(&form, STR("i"), &out->interaction);
    form_get(&form, STR("a"), &again);
    out->again = str_is_set(again);
    return form_get(&form, STR("s"), &out->state) == FORM_ONCE &&
           form_get(&form, STR("n"), &out->nonce) == FORM_ONCE &&
           form_get(&form, STR("v"), &out->verifier) == FORM_ONCE &&
           form_get(&form, STR("t"), &time) == FORM_ONCE && read_time(time, &out->begun_at);
}

identity_upstream_verdict_t identity_upstream_open(arena_t *a, const identity_upstream_t *u,
                                                   str_t key, str_t cookie, const form_t *answer,
                                                   int64_t now, identity_upstream_pending_t *out)
{
    str_t state;
    *out = (identity_upstream_pending_t){0};
    if (!read_cookie(a, u, key, cookie, out))
        return IDENTITY_UPSTREAM_STATE_MISSING;
    if (form_get(answer, STR("state"), &state) != FORM_ONCE || !str_eq_ct(state, out->state))
        return IDENTITY_UPSTREAM_STATE_WRONG;
    if (now - out->begun_at >= IDENTITY_UPSTREAM_S)
        return IDENTITY_UPSTREAM_STATE_EXPIRED;
    return IDENTITY_UPSTREAM_FINE;
}

spent_t identity_upstream_spent(const identity_upstream_pending_t *pending)
{
    return (spent_t){.id = identity_handle_hash(pending->state),
                     .expires_at = pending->begun_at + 2 * IDENTITY_UPSTREAM_S};
}

identity_upstream_verdict_t identity_upstream_answer(const identity_upstream_provider_t *p,
                                                     const form_t *answer, str_t *code,
                                                     str_t *detail)
{
    str_t issuer;
    *detail = STR_UNSET;
    form_found_t found = form_get(answer, STR("iss"), &issuer);
    if (found == FORM_REPEATED || (found == FORM_ABSENT && p->says_issuer) ||
        (found == FORM_ONCE && !str_eq(issuer, p->issuer)))
        return IDENTITY_UPSTREAM_ANSWER_ISSUER;
    if (form_get(answer, STR("error"), detail) != FORM_ABSENT)
        return IDENTITY_UPSTREAM_PROVIDER_ERROR;
    return form_get(answer, STR("code"), code) == FORM_ONCE ? IDENTITY_UPSTREAM_FINE
                                                            : IDENTITY_UPSTREAM_CODE_MISSING;
}
