#include "proxy/credential_object.h"

#include "core/b64.h"

enum { KEY_BYTES = 32768 };

/* All that the claims are made of but their times. */
static rc_t assertion_key(arena_t *a, const gate_principal_t *who, str_t *out)
{
    const json_t *groups = json_get(who->claims, STR("groups"));
    buf_t b = buf_new(a, KEY_BYTES);
    credential_put_part(&b, who->issuer);
    credential_put_part(&b, who->subject);
    credential_put_part(&b, who->client);
    credential_put_part(&b, who->scope);
    credential_put_part(&b, groups ? groups->raw : STR(""));
    buf_i64(&b, who->expires_at);
    return buf_done(&b, out);
}

static rc_t sign(credential_t *c, arena_t *a, const gate_principal_t *who, str_t *jwt)
{
    uint8_t id[16];
    str_t claims;
    if (!c->config.sign)
        return RC_IO;
    TRY(c->config.random.fill(c->config.random.ctx, id, sizeof id));
    const gate_assertion_t about = {
        .issuer = c->config.issuer,
        .audience = c->config.upstream->url,
        .id = b64url_encode(a, id, sizeof id),
        .now_s = clock_seconds(&c->config.clock),
    };
    TRY(gate_identity_claims(a, &about, who, &claims));
    return c->config.sign(c->config.sign_ctx, a, GATE_IDENTITY_TYP, claims, jwt);
}

static str_t kept_assertion(credential_t *c, arena_t *a, str_t key)
{
    pthread_mutex_lock(&c->lock);
    const credential_kept_t *kept = credential_cache_get(c->assertions, key, credential_mono(c));
    str_t jwt = kept ? secret_dup(a, kept->value).hidden : STR_UNSET;
    pthread_mutex_unlock(&c->lock);
    return jwt;
}

/* For half of its life, so that the upstream gets none that is about to end. */
static void keep_assertion(credential_t *c, const gate_principal_t *who, str_t key, str_t jwt)
{
    int64_t now = clock_seconds(&c->config.clock), life = GATE_IDENTITY_LIFE_S;
    if (who->expires_at > 0 && who->expires_at - now < life)
        life = who->expires_at - now;
    const credential_kept_t kept = {jwt, GATE_TOKEN_GOOD, credential_mono(c),
                                    credential_mono(c) + life * 1000 / 2};
    pthread_mutex_lock(&c->lock);
    credential_cache_put(c->assertions, key, &kept);
    pthread_mutex_unlock(&c->lock);
}

static rc_t add_assertion(credential_waiter_t *w)
{
    credential_t *c = w->c;
    str_t key;
    TRY(assertion_key(w->ask.a, w->ask.who, &key));
    str_t jwt = kept_assertion(c, w->ask.a, key);
    if (!jwt.p) {
        TRY(sign(c, w->ask.a, w->ask.who, &jwt));
        keep_assertion(c, w->ask.who, key, jwt);
    }
    credential_add_field(w, c->config.upstream->identity_header, jwt);
    return RC_OK;
}

rc_t credential_add_identity(credential_waiter_t *w)
{
    const gate_field_t *fields;
    size_t n;
    if (w->c->config.upstream->identity == CONF_IDENTITY_JWT)
        return add_assertion(w);
    TRY(gate_identity_fields(w->ask.a, w->c->config.upstream, w->ask.who, &fields, &n));
    for (size_t i = 0; i < n; i++)
        credential_add_field(w, fields[i].name, fields[i].value);
    return RC_OK;
}
