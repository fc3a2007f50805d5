/* Any body that may carry a software statement: without a key of the issuer none is believed. */
#include "oauth/statement.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(8 << 20);
    if (!a)
        return 0;
    oauth_settings_t settings = oauth_settings_default();
    settings.issuer = STR("https://as.test");
    const oauth_issuer_t issuer = {.issuer = STR("https://vouch.test"),
                                   .jwks = STR("{\"keys\":[]}"),
                                   .uses = OAUTH_ISSUER_SOFTWARE_STATEMENT};
    settings.issuers = (oauth_issuers_t){&issuer, 1};
    const oauth_statement_facts_t facts = {&settings, STR_UNSET, false, 1000, size % 2 == 1};
    oauth_statement_t s;
    if (oauth_statement_take(a, &facts, str_of(data, size), &s) == RC_OK) {
        must(!s.claims);
        must(!s.given || s.reason != OAUTH_FINE);
    }
    arena_free(a);
    return 0;
}
