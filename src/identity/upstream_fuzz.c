/* What a provider says, up to the first space the claims of an ID token, behind it its metadata;
 * and the whole as the query of an answer. Signatures are jose's affair. */
#include "identity/upstream.h"
#include "identity/upstream_rule.h"

#include <stdlib.h>

#define META STR("https://op.test/.well-known/openid-configuration")

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void metadata(arena_t *a, str_t text)
{
    identity_upstream_provider_t p;
    if (identity_upstream_provider(a, META, text, &p) != RC_OK) {
        must(!str_is_set(p.token_endpoint));
        return;
    }
    must(str_starts(p.issuer, STR("https://op.test")) && p.issuer.n <= sizeof "https://op.test");
    must(str_is_set(p.authorization_endpoint) && str_is_set(p.jwks_uri));
}

static void claims(arena_t *a, str_t text)
{
    static const str_t ROWS[] = {STR_INIT("email=*@example.com"), STR_INIT("groups=staff")};
    const json_t *json;
    if (json_parse(a, text, NULL, &json) != RC_OK)
        return;
    bool verified = false;
    if (identity_upstream_is_allowed((str_list_t){ROWS, 2}, json))
        must(json_get_bool(json, STR("email_verified"), &verified) && verified &&
             json_get(json, STR("groups")));
}

static void answer(arena_t *a, str_t text)
{
    form_t form;
    str_t code, detail;
    identity_upstream_pending_t pending;
    static const identity_upstream_provider_t PROVIDER = {.issuer = STR_INIT("https://op.test"),
                                                          .says_issuer = true};
    static const identity_upstream_t SETTINGS = {.issuer = STR_INIT("https://op.test"),
                                                 .client_id = STR_INIT("c")};
    const str_t key = STR("0123456789abcdef0123456789abcdef");
    if (form_parse(a, text, &form) != RC_OK)
        return;
    if (identity_upstream_answer(&PROVIDER, &form, &code, &detail) == IDENTITY_UPSTREAM_FINE)
        must(code.n > 0);
    must(identity_upstream_open(a, &SETTINGS, key, text, &form, 0, &pending) !=
         IDENTITY_UPSTREAM_FINE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(8 << 20);
    if (!a)
        return 0;
    str_t all = str_of(data, size);
    size_t space = str_find(all, ' ', 0);
    claims(a, str_first(all, space));
    metadata(a, str_skip(all, space + 1));
    answer(a, all);
    arena_free(a);
    return 0;
}
