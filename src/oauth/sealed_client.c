#include "oauth/sealed_client.h"

#include "core/b64.h"
#include "core/buf.h"
#include "core/limits.h"
#include "core/secret.h"
#include "jose/digest.h"
#include "jose/seal.h"
#include "oauth/handle.h"
#include "oauth/sealed_content.h"

#define PREFIX "wrx_"

bool oauth_sealed_client_is(str_t id)
{
    return str_starts(id, STR(PREFIX)) && id.n <= LIMIT_CLIENT_ID_BYTES;
}

/* A key of its own for each use, so that what is known of one tells nothing of the other. */
static rc_t subkey(arena_t *a, str_t key, str_t use, str_t *out)
{
    uint8_t bytes[SHA256_BYTES];
    hmac_sha256(key, use, bytes);
    *out = secret_dup(a, str_of(bytes, sizeof bytes)).hidden;
    secret_wipe(bytes, sizeof bytes);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

static rc_t derive(arena_t *a, str_t key, client_t *client, oauth_sealed_secrets_t *out)
{
    str_t own;
    *out = (oauth_sealed_secrets_t){0};
    TRY(subkey(a, key, STR("warder client secret"), &own));
    TRY(oauth_handle_derive(a, own, OAUTH_HANDLE_MANAGEMENT, client->id, &out->management));
    client->management = oauth_handle_hash(out->management);
    client->has_secret =
        client->auth == CLIENT_AUTH_SECRET_BASIC || client->auth == CLIENT_AUTH_SECRET_POST;
    if (!client->has_secret)
        return RC_OK;
    TRY(oauth_handle_derive(a, own, OAUTH_HANDLE_SECRET, client->id, &out->secret));
    client->secret_hash = oauth_handle_hash(out->secret);
    return RC_OK;
}

rc_t oauth_sealed_client_seal(arena_t *a, str_list_t keys, const random_port_t *random,
                              client_t *client, oauth_sealed_secrets_t *out)
{
    str_t key, content, sealed, id;
    if (keys.n == 0)
        return RC_NOT_FOUND;
    TRY(oauth_sealed_content_write(a, client, &content));
    TRY(subkey(a, keys.v[0], STR("warder client id"), &key));
    TRY(jose_seal(a, *random, key, STR(PREFIX), content, &sealed));
    buf_t b = buf_new(a, LIMIT_CLIENT_ID_BYTES);
    buf_put(&b, STR(PREFIX));
    buf_b64url(&b, (const uint8_t *)sealed.p, sealed.n);
    TRY(buf_done(&b, &id));
    client->id = id;
    client->sealed = true;
    return derive(a, keys.v[0], client, out);
}

static rc_t open_under(arena_t *a, str_t key, str_t sealed, client_t *client)
{
    str_t own, content;
    TRY(subkey(a, key, STR("warder client id"), &own));
    TRY(jose_open(a, own, STR(PREFIX), sealed, &content));
    return oauth_sealed_content_read(a, content, client);
}

rc_t oauth_sealed_client_open(arena_t *a, str_list_t keys, str_t id, const client_t **out,
                              oauth_sealed_secrets_t *secrets)
{
    str_t sealed;
    oauth_sealed_secrets_t own;
    *out = NULL;
    if (!oauth_sealed_client_is(id))
        return RC_OK;
    rc_t rc = b64url_decode(a, str_skip(id, STR(PREFIX).n), &sealed);
    client_t *client = ARENA_NEW(a, client_t);
    if (rc != RC_OK || !client)
        return rc == RC_MALFORMED ? RC_OK : RC_MEMORY;
    rc = RC_MALFORMED;
    size_t i = 0;
    for (; rc == RC_MALFORMED && i < keys.n; i++)
        rc = open_under(a, keys.v[i], sealed, client);
    if (rc != RC_OK)
        return rc == RC_MALFORMED ? RC_OK : rc;
    client->id = id;
    client->origin = CLIENT_BY_REGISTRATION;
    client->sealed = true;
    TRY(derive(a, keys.v[i - 1], client, secrets ? secrets : &own));
    *out = client;
    return RC_OK;
}

rc_t oauth_sealed_client_resolve(arena_t *a, str_list_t keys, str_t id, const client_t *row,
                                 const client_t **out)
{
    const client_t *sealed;
    *out = NULL;
    if (row && row->deleted_at != 0)
        return RC_OK;
    *out = row;
    if (row && !row->sealed)
        return RC_OK;
    TRY(oauth_sealed_client_open(a, keys, id, &sealed, NULL));
    if (!row || (!sealed && row->has_secret))
        *out = sealed;
    if (sealed || !row || row->has_secret)
        return RC_OK;
    client_t *unmanaged = ARENA_NEW(a, client_t);
    if (!unmanaged)
        return RC_MEMORY;
    *unmanaged = *row;
    unmanaged->management = (hash_t){{0}};
    *out = unmanaged;
    return RC_OK;
}
