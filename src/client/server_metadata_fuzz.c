/* An issuer, a line end, and the metadata that came for it. */
#include "client/server_metadata.h"

#include <stdlib.h>

#include "client/url_rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_fine(const client_server_metadata_t *m, str_t issuer)
{
    const str_t URLS[] = {
        m->authorization_endpoint,        m->token_endpoint,
        m->registration_endpoint,         m->revocation_endpoint,
        m->device_authorization_endpoint, m->pushed_authorization_request_endpoint};
    must(str_eq(m->issuer, issuer) && str_is_set(m->token_endpoint) && m->all);
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++)
        must(!str_is_set(URLS[i]) || client_url_check(URLS[i], false) == CLIENT_FINE);
    if (client_server_check_code(m) == CLIENT_FINE)
        must(str_is_set(m->authorization_endpoint) &&
             str_list_has(m->challenge_methods, STR("S256")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(8 << 20);
    client_server_metadata_t m;
    str_t why, text = str_of(data, size);
    size_t cut = str_find(text, '\n', 0);
    str_t issuer = str_first(text, cut);
    rc_t rc;
    if (!a)
        return 0;
    client_reason_t reason =
        client_server_metadata_read(a, str_skip(text, cut + 1), issuer, false, &m, &why, &rc);
    must((reason == CLIENT_MACHINE) == (rc != RC_OK));
    must(reason == CLIENT_MACHINE || str_is_set(why) == (reason != CLIENT_FINE));
    if (reason == CLIENT_FINE)
        check_fine(&m, issuer);
    arena_free(a);
    return 0;
}
