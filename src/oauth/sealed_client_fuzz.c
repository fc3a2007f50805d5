/* Any text as a client id, and any bytes as what one holds: what can be read comes out of writing
 * and reading it again as it was. */
#include "oauth/sealed_client.h"
#include "oauth/sealed_content.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const str_t KEY = STR_INIT("0123456789abcdef0123456789abcdef");

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void round_trip(arena_t *a, const client_t *c)
{
    str_t once, twice;
    client_t again = {0}, third = {0};
    if (oauth_sealed_content_write(a, c, &once) != RC_OK)
        return;
    must(oauth_sealed_content_read(a, once, &again) == RC_OK);
    must(oauth_sealed_content_write(a, &again, &twice) == RC_OK && str_eq(once, twice));
    must(oauth_sealed_content_read(a, twice, &third) == RC_OK);
    must(again.redirect_uris.n == c->redirect_uris.n && again.contacts.n == c->contacts.n);
    must(str_eq(again.name, c->name) && str_eq(again.jwks, c->jwks));
}

static void seal_and_open(arena_t *a, client_t *c)
{
    random_fake_t state = {0};
    random_port_t random = random_fake(&state);
    const str_list_t keys = {&KEY, 1};
    oauth_sealed_secrets_t secrets;
    const client_t *out;
    if (oauth_sealed_client_seal(a, keys, &random, c, &secrets) != RC_OK)
        return;
    must(oauth_sealed_client_open(a, keys, c->id, &out, NULL) == RC_OK && out);
    must(out->grants == c->grants && str_eq(out->id, c->id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(4 << 20);
    if (!a)
        return 0;
    client_t client = {0};
    const client_t *out;
    const str_list_t keys = {&KEY, 1};
    must(oauth_sealed_client_open(a, keys, str_of(data, size), &out, NULL) == RC_OK && !out);
    if (oauth_sealed_content_read(a, str_of(data, size), &client) == RC_OK) {
        round_trip(a, &client);
        seal_and_open(a, &client);
    }
    arena_free(a);
    return 0;
}
