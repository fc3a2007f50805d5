#include "oauth/oauth_test_tokens.h"

#include "oauth/handle.h"

void tokens_begin(tokens_play_t *p)
{
    *p = (tokens_play_t){0};
    world_begin(&p->w);
    p->w.settings.registrable_grants = UINT32_MAX;
    p->keys = (jwks_t){.v = ARENA_NEW(p->w.a, jwk_t), .n = 1};
    assert_non_null(p->keys.v);
    *p->keys.v = (jwk_t){.alg = ALG_ES256, .kid = STR("k")};
    assert_int_equal(jose_key_generate(ALG_ES256, &p->keys.v->key), RC_OK);
    assert_int_equal(signer_local_new(&p->keys, &p->signer), RC_OK);
    p->w.client.auth = CLIENT_AUTH_SECRET_POST;
    p->w.client.expires_at = 0;
    p->family = (family_t){.id = STR("family-1"),
                           .client_id = p->w.client.id,
                           .user_id = p->w.user.id,
                           .scope = STR("a:read"),
                           .resource = STR("https://rs.test/mcp"),
                           .expires_at = TEST_NOW + 100000};
    p->opaque = (access_token_t){.id = oauth_handle_hash(STR("the-opaque")),
                                 .jti = STR("family-1.j"),
                                 .family_id = STR("family-1"),
                                 .client_id = p->w.client.id,
                                 .sub = p->w.user.id,
                                 .scope = STR("a:read"),
                                 .resource = STR("https://rs.test/mcp"),
                                 .created_at = TEST_NOW - 10,
                                 .expires_at = TEST_NOW + 590};
    p->refresh = (refresh_t){.id = oauth_handle_hash(STR("the-refresh")),
                             .family_id = STR("family-1"),
                             .created_at = TEST_NOW - 10,
                             .expires_at = TEST_NOW + 1000};
}

void tokens_end(tokens_play_t *p)
{
    signer_local_free(p->signer);
    jose_key_free(p->keys.v->key);
    world_end(&p->w);
}

str_t tokens_sign(tokens_play_t *p, str_t typ, str_t claims)
{
    signer_port_t port = signer_local_port(p->signer);
    const jws_sign_t what = {ALG_ES256, STR("k"), typ, claims};
    str_t token;
    assert_int_equal(jws_sign(p->w.a, &port, &what, &token), RC_OK);
    return token;
}

const char *tokens_form(tokens_play_t *p, str_t token)
{
    return arena_printf(p->w.a, "client_id=client-1&client_secret=%" PRIstr "&token=%" PRIstr,
                        STR_ARG(p->w.secret), STR_ARG(token))
        .p;
}

static bool is(const tokens_play_t *p, const hash_t *id)
{
    return memcmp(&p->query.token.hash, id, sizeof *id) == 0;
}

void tokens_read(tokens_play_t *p, const char *text)
{
    form_t form = world_form(&p->w, text);
    assert_int_equal(oauth_client_auth_read(p->w.a, (str_list_t){0}, &form, &p->claim), RC_OK);
    assert_int_equal(
        oauth_token_query_read(p->w.a, &form, &p->keys, p->w.settings.issuer, &p->query), RC_OK);
    const oauth_own_token_t *t = &p->query.token;
    p->known = (oauth_own_facts_t){0};
    if (t->is_jwt)
        p->known.access = &t->access;
    else if (is(p, &p->opaque.id))
        p->known.access = &p->opaque;
    else if (is(p, &p->refresh.id))
        p->known.refresh = &p->refresh;
    bool of_family =
        p->known.refresh || (p->known.access && str_eq(p->known.access->family_id, p->family.id));
    if (!of_family)
        return;
    p->known.family = &p->family;
    p->known.owner = &p->w.user;
}

const client_t *tokens_client(const tokens_play_t *p)
{
    return str_eq(p->claim.client_id, p->w.client.id) ? &p->w.client : NULL;
}
