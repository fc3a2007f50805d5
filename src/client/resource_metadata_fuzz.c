/* The URL of a server, a line end, and the metadata that came for it. */
#include "client/resource_metadata.h"

#include <stdlib.h>

#include "client/url_rule.h"
#include "core/limits.h"
#include "oauth/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_fine(const client_resource_metadata_t *m, str_t url, client_strictness_t strict)
{
    must(m->authorization_servers.n > 0 && m->authorization_servers.n <= CLIENT_ISSUERS_MAX);
    must(client_resource_fits(m->resource, url, strict));
    must(client_url_same_origin(m->resource, url));
    must(m->has_scopes == str_is_set(m->scopes_supported));
    must(m->scopes_supported.n == 0 || oauth_scope_is_valid(m->scopes_supported));
    must(m->scopes_supported.n <= LIMIT_SCOPE_BYTES);
    must(!str_is_set(m->note) || m->note.n > 0);
}

static client_reason_t read_one(arena_t *a, str_t url, str_t body, client_strictness_t strict)
{
    client_resource_metadata_t m;
    str_t why;
    rc_t rc;
    client_reason_t reason = client_resource_metadata_read(a, body, url, strict, &m, &why, &rc);
    must((reason == CLIENT_MACHINE) == (rc != RC_OK));
    must(reason == CLIENT_MACHINE || str_is_set(why) == (reason != CLIENT_FINE));
    if (reason == CLIENT_FINE)
        check_fine(&m, url, strict);
    return reason;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(8 << 20);
    str_t text = str_of(data, size);
    size_t cut = str_find(text, '\n', 0);
    str_t url = str_first(text, cut), body = str_skip(text, cut + 1);
    if (!a)
        return 0;
    if (read_one(a, url, body, CLIENT_RESOURCE_EXACT) == CLIENT_FINE)
        must(read_one(a, url, body, CLIENT_RESOURCE_PREFIX) != CLIENT_RESOURCE_MISMATCH);
    else
        (void)read_one(a, url, body, CLIENT_RESOURCE_PREFIX);
    arena_free(a);
    return 0;
}
