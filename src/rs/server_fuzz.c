/* Metadata of an authorization server from anywhere: what is taken may be fetched. */
#include "rs/settings.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const rs_server_t SERVERS[] = {
        {.issuer = STR_INIT("https://as.test")},
        {.issuer = STR_INIT("http://127.0.0.1:8080"), .loopback = true},
    };
    for (size_t i = 0; i < 2; i++) {
        arena_t *a = arena_new(1 << 20);
        rs_places_t p;
        if (rs_server_read_metadata(a, &SERVERS[i], str_of(data, size), &p) == RC_OK &&
            (!rs_server_may_fetch(&SERVERS[i], p.jwks_uri) ||
             (str_is_set(p.revocations_uri) &&
              !rs_server_may_fetch(&SERVERS[i], p.revocations_uri))))
            abort();
        arena_free(a);
    }
    return 0;
}
