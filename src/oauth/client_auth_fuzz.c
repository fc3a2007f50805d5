/* Authorization headers, one a line, before an empty line; then a form. What is read must be fit to
 * be looked up, and nobody is authenticated by accident. */
#include "oauth/client_auth.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check(arena_t *a, str_list_t headers, str_t body)
{
    form_t form;
    oauth_client_claim_t claim;
    if (form_parse(a, body, &form) != RC_OK ||
        oauth_client_auth_read(a, headers, &form, &claim) != RC_OK)
        return;
    must(claim.basic_tried == (headers.n > 0));
    if (claim.reason != OAUTH_FINE)
        return;
    must(claim.client_id.n > 0);
    bool has_secret =
        claim.method == CLIENT_AUTH_SECRET_BASIC || claim.method == CLIENT_AUTH_SECRET_POST;
    must(has_secret == str_is_set(claim.secret.hidden));
    must((claim.method == CLIENT_AUTH_PRIVATE_KEY_JWT) == (claim.assertion != NULL));
    must((claim.method == CLIENT_AUTH_SECRET_BASIC) == claim.basic_tried);
    must(oauth_client_auth_check(&claim, NULL, 0) == OAUTH_CLIENT_UNKNOWN);
    const client_t client = {
        .id = claim.client_id, .auth = CLIENT_AUTH_SECRET_BASIC, .has_secret = true};
    must(oauth_client_auth_check(&claim, &client, 0) != OAUTH_FINE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEADERS_MAX = 3 };
    arena_t *a = arena_new(1 << 20);
    if (!a)
        return 0;
    str_t headers[HEADERS_MAX], rest = str_of(data, size), line;
    size_t n = 0;
    while (n < HEADERS_MAX && str_split(&rest, '\n', &line) && line.n > 0)
        headers[n++] = line;
    check(a, (str_list_t){headers, n}, rest.p ? rest : STR(""));
    arena_free(a);
    return 0;
}
