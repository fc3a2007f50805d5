/* Any body as a registration. A client that comes out of it obeys the rules, and the answer is JSON
 * without null. */
#include "core/json.h"
#include "oauth/redirect_uri.h"
#include "oauth/register.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_client(const client_t *c)
{
    oauth_redirect_kind_t kind;
    must(c->origin == CLIENT_BY_REGISTRATION && (c->expires_at > 0) == !c->sealed);
    must(!(c->grants & GRANT_CLIENT_CREDENTIALS));
    must((c->auth == CLIENT_AUTH_SECRET_BASIC || c->auth == CLIENT_AUTH_SECRET_POST) ==
         c->has_secret);
    must((c->auth == CLIENT_AUTH_PRIVATE_KEY_JWT) ==
         (str_is_set(c->jwks) != str_is_set(c->jwks_uri)));
    must(c->redirect_uris.n > 0);
    for (size_t i = 0; i < c->redirect_uris.n; i++) {
        must(oauth_redirect_uri_check(c->redirect_uris.v[i], NULL, &kind) == OAUTH_FINE);
        must(kind == OAUTH_REDIRECT_HTTPS || c->type == CLIENT_NATIVE);
    }
    must(!str_is_set(c->name) || str_is_utf8(c->name));
}

static void check_answer(arena_t *a, const oauth_register_verdict_t *out)
{
    const json_t *json;
    must(json_parse(a, out->body, NULL, &json) == RC_OK);
    for (const json_t *m = json->child; m; m = m->next)
        must(m->type != JSON_NULL);
    must((out->status == 201) == (out->reason == OAUTH_FINE));
    must((out->client != NULL) == (out->reason == OAUTH_FINE));
    must((out->effects.n > 0) == (out->client && !out->client->sealed));
    if (out->client)
        check_client(out->client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(8 << 20);
    if (!a)
        return 0;
    random_fake_t state = {0};
    random_port_t random = random_fake(&state);
    oauth_settings_t settings = oauth_settings_default();
    const oauth_resources_t resources = {0};
    static const str_t KEY = STR_INIT("0123456789abcdef0123456789abcdef"),
                       SCHEME = STR_INIT("cursor");
    settings.issuer = STR("https://as.test");
    settings.redirects.schemes = (str_list_t){&SCHEME, 1};
    const oauth_register_facts_t facts = {.settings = &settings,
                                          .random = &random,
                                          .now = 1000,
                                          .resources = &resources,
                                          .body = str_of(data, size),
                                          .seal_keys = {&KEY, size % 2}};
    oauth_register_verdict_t out;
    if (oauth_register_decide(a, &facts, &out) == RC_OK)
        check_answer(a, &out);
    arena_free(a);
    return 0;
}
