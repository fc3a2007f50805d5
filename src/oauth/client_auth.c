#include "oauth/client_auth.h"

#include "core/b64.h"
#include "core/limits.h"
#include "oauth/client_assertion.h"
#include "oauth/handle.h"

/* Splits "Basic" 1*SP token68 (RFC 9110 section 11.4); the scheme is compared without case. */
static bool read_scheme(str_t header, str_t *credentials)
{
    size_t space = str_find(header, ' ', 0);
    if (!str_eq_nocase(str_first(header, space), STR("Basic")))
        return false;
    *credentials = str_trim(str_skip(header, space), " ");
    return true;
}

/* Memory failures go to the caller, everything else is the request's fault. */
static rc_t fault(rc_t rc, bool *ok)
{
    *ok = rc == RC_OK;
    return rc == RC_MEMORY ? rc : RC_OK;
}

static rc_t read_pair(arena_t *a, str_t pair, oauth_client_claim_t *out, bool *ok)
{
    str_t secret;
    size_t colon = str_find(pair, ':', 0);
    *ok = false;
    if (colon == pair.n)
        return RC_OK;
    TRY(fault(form_decode(a, str_first(pair, colon), &out->client_id), ok));
    if (!*ok)
        return RC_OK;
    TRY(fault(form_decode(a, str_skip(pair, colon + 1), &secret), ok));
    out->secret = secret_of(secret);
    *ok = *ok && out->client_id.n > 0 && secret.n > 0;
    return RC_OK;
}

static rc_t read_basic(arena_t *a, str_t header, oauth_client_claim_t *out)
{
    str_t credentials, pair;
    bool ok;
    out->basic_tried = true;
    out->method = CLIENT_AUTH_SECRET_BASIC;
    out->reason = OAUTH_CLIENT_AUTH_SCHEME;
    if (!read_scheme(header, &credentials))
        return RC_OK;
    out->reason = OAUTH_CLIENT_AUTH_MALFORMED;
    TRY(fault(b64_decode(a, credentials, &pair), &ok));
    if (!ok)
        return RC_OK;
    TRY(read_pair(a, pair, out, &ok));
    if (ok)
        out->reason = OAUTH_FINE;
    return RC_OK;
}

/* What the form says of the client; empty values count as absent. */
typedef struct {
    str_t id, secret, assertion, assertion_type;
} form_claim_t;

static bool read_form(const form_t *form, form_claim_t *out)
{
    const struct {
        str_t name, *value;
    } FIELDS[] = {
        {STR("client_id"), &out->id},
        {STR("client_secret"), &out->secret},
        {STR("client_assertion"), &out->assertion},
        {STR("client_assertion_type"), &out->assertion_type},
    };
    for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++)
        if (form_get(form, FIELDS[i].name, FIELDS[i].value) == FORM_REPEATED)
            return false;
    return true;
}

static bool has_assertion(const form_claim_t *f)
{
    return str_is_set(f->assertion) || str_is_set(f->assertion_type);
}

static rc_t from_form(arena_t *a, const form_claim_t *f, oauth_client_claim_t *out)
{
    out->client_id = f->id;
    out->secret = secret_of(f->secret);
    out->method = str_is_set(f->secret) ? CLIENT_AUTH_SECRET_POST : CLIENT_AUTH_NONE;
    if (has_assertion(f) && !str_is_set(f->secret))
        return oauth_client_assertion_read(a, f->assertion_type, f->assertion, out);
    if (has_assertion(f))
        out->reason = OAUTH_CLIENT_AUTH_SEVERAL;
    else if (!str_is_set(f->id))
        out->reason = OAUTH_CLIENT_AUTH_MISSING;
    return RC_OK;
}

rc_t oauth_client_auth_read(arena_t *a, str_list_t authorization, const form_t *form,
                            oauth_client_claim_t *out)
{
    form_claim_t f = {0};
    *out = (oauth_client_claim_t){.basic_tried = authorization.n > 0};
    if (!read_form(form, &f)) {
        out->reason = OAUTH_PARAMETER_REPEATED;
        return RC_OK;
    }
    if (authorization.n == 0)
        return from_form(a, &f, out);
    if (authorization.n > 1 || str_is_set(f.secret) || has_assertion(&f)) {
        out->reason = OAUTH_CLIENT_AUTH_SEVERAL;
        return RC_OK;
    }
    TRY(read_basic(a, authorization.v[0], out));
    if (out->reason == OAUTH_FINE && str_is_set(f.id) && !str_eq(f.id, out->client_id))
        out->reason = OAUTH_CLIENT_AUTH_OTHER_ID;
    return RC_OK;
}

/* An unknown client's secret is compared with one that nothing hashes to, so that an answer takes
 * as long as for a known one. */
static bool secret_fits(const oauth_client_claim_t *claim, const client_t *client)
{
    static const hash_t NOBODY = {{0}};
    const hash_t *expected = client && client->has_secret ? &client->secret_hash : &NOBODY;
    hash_t hash = oauth_handle_hash(claim->secret.hidden);
    return str_eq_ct(str_of(hash.b, sizeof hash.b), str_of(expected->b, sizeof expected->b));
}

oauth_reason_t oauth_client_auth_check(const oauth_client_claim_t *claim, const client_t *client,
                                       int64_t now)
{
    bool has_secret =
        claim->method == CLIENT_AUTH_SECRET_BASIC || claim->method == CLIENT_AUTH_SECRET_POST;
    bool fits = !has_secret || secret_fits(claim, client);
    if (!client || !str_eq(client->id, claim->client_id) ||
        (client->expires_at != 0 && now >= client->expires_at))
        return OAUTH_CLIENT_UNKNOWN;
    if (client->auth != claim->method)
        return OAUTH_CLIENT_AUTH_METHOD;
    if (claim->method == CLIENT_AUTH_PRIVATE_KEY_JWT)
        return claim->proof;
    return fits ? OAUTH_FINE : OAUTH_CLIENT_AUTH_SECRET;
}

str_t oauth_client_auth_challenge(const oauth_client_claim_t *claim, oauth_reason_t r)
{
    if (!claim->basic_tried || oauth_reason_status(r) != 401)
        return STR_UNSET;
    return STR("Basic realm=\"warder\", charset=\"UTF-8\"");
}

uint32_t oauth_client_grants(const oauth_settings_t *settings, const client_t *client)
{
    return client->origin == CLIENT_BY_REGISTRATION ? client->grants & settings->registrable_grants
                                                    : client->grants;
}
