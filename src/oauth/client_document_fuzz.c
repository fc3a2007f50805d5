/* A URL, a line end, and what it answers. A client that comes out of it obeys the rules. */
#include "oauth/client_document.h"
#include "oauth/redirect_uri.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_url(str_t url)
{
    must(str_starts(url, STR("https://")));
    must(str_find(url, '?', 0) == url.n && str_find(url, '#', 0) == url.n);
    must(str_find(url, '@', 8) == url.n || str_find(url, '@', 8) > str_find(url, '/', 8));
    must(!str_contains(url, STR("/../")) && str_is_printable_ascii(url));
}

static void check_client(const client_t *c)
{
    oauth_redirect_kind_t kind;
    must(c->origin == CLIENT_BY_DOCUMENT && !c->has_secret && c->expires_at == 0);
    must(c->auth == CLIENT_AUTH_NONE || c->auth == CLIENT_AUTH_PRIVATE_KEY_JWT);
    must(!(c->grants & GRANT_CLIENT_CREDENTIALS) || c->auth != CLIENT_AUTH_NONE);
    must(c->name.n > 0 && str_is_utf8(c->name));
    must(c->redirect_uris.n > 0);
    for (size_t i = 0; i < c->redirect_uris.n; i++)
        must(oauth_redirect_uri_check(c->redirect_uris.v[i], NULL, &kind) == OAUTH_FINE);
    must(!str_is_set(c->jwks) || !str_is_set(c->jwks_uri));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str_t in = str_of(data, size);
    str_t url = str_first(in, str_find(in, '\n', 0));
    oauth_settings_t settings = oauth_settings_default();
    const oauth_client_document_answer_t answer = {200, STR("application/json"),
                                                   str_skip(in, url.n + 1)};
    oauth_client_document_t out;
    if (oauth_client_document_check_url(&settings, url) == OAUTH_FINE)
        check_url(url);
    arena_t *a = arena_new(8 << 20);
    if (a && oauth_client_document_read(a, &settings, url, &answer, &out) == RC_OK &&
        out.reason == OAUTH_FINE)
        check_client(&out.client);
    arena_free(a);
    return 0;
}
