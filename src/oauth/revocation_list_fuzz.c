/* A page of the list of revocations from anywhere, and the query of who asks for one. */
#include "oauth/revocation_list.h"

#include "core/limits.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(8 << 20);
    oauth_revocation_page_t page;
    uint64_t since;
    rc_t rc = oauth_revocation_list_read(a, str_of(data, size), &page);
    if (rc == RC_OK && page.n > LIMIT_REVOCATIONS_PAGE)
        abort();
    for (size_t i = 0; rc == RC_OK && i < page.n; i++)
        if (page.v[i].at < 0)
            abort();
    if (oauth_revocation_list_since(a, str_of(data, size), &since) && since > INT64_MAX)
        abort();
    arena_free(a);
    return 0;
}
