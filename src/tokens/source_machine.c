/* Ways without a person: client credentials, workload identity, the enterprise's identity provider.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tokens/source_object.h"

enum { ASSERTION_BYTES = 65536 };

static const str_t JWT_BEARER = STR_INIT("urn:ietf:params:oauth:grant-type:jwt-bearer");

/* Asks with a key where tokens are bound, and keeps what comes. */
static client_reason_t get(source_round_t *r, const source_client_t *client,
                           const source_grant_t *grant)
{
    client_token_want_t want;
    client_token_t token;
    str_t key_text;
    jwk_t key;
    GO(source_want(r, client, &want));
    GO(source_scope(r, &want.scope));
    GO(source_bind(r, &key_text, &key));
    source_says(r, "Asking for a token at", r->s->place.issuer);
    GO(source_grant(r, &want, grant, key.key ? &key : NULL, &token));
    return source_got(r, client, &token, want.scope, key_text);
}

/* Servers in the field forget to list what they take: where there is no list, it is tried. */
static client_reason_t offered(source_round_t *r, str_t grant)
{
    const client_server_metadata_t *server = &r->s->place.found.server;
    if (!server->has_grant_types || client_server_has_grant(server, grant))
        return CLIENT_FINE;
    return source_fail(r, CLIENT_GRANT_MISSING, grant);
}

client_reason_t source_machine(source_round_t *r, source_client_t *client)
{
    GO(offered(r, STR("client_credentials")));
    GO(source_client(r, STR_UNSET, client));
    const source_grant_t grant = {.kind = SOURCE_CREDENTIALS};
    return get(r, client, &grant);
}

static rc_t read_all(int fd, char *room, size_t *n)
{
    while (*n < ASSERTION_BYTES) {
        ssize_t got = read(fd, room + *n, ASSERTION_BYTES - *n);
        if (got == 0)
            return RC_OK;
        if (got < 0 && errno != EINTR)
            return RC_IO;
        *n += got > 0 ? (size_t)got : 0;
    }
    return RC_LIMIT;
}

static rc_t read_file(arena_t *a, str_t path, str_t *out)
{
    const char *name = arena_cstr(a, path);
    char *room = secret_alloc(a, ASSERTION_BYTES);
    size_t n = 0;
    if (!name || !room)
        return RC_MEMORY;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return RC_NOT_FOUND;
    rc_t rc = read_all(fd, room, &n);
    close(fd);
    *out = str_trim(str_of(room, n), " \t\r\n");
    return rc;
}

/* Platforms write a new one into the file before the old one ends. */
static client_reason_t assertion(source_round_t *r, str_t *out)
{
    const tokens_config_t *c = &r->s->config;
    *out = c->assertion;
    if (str_is_set(c->assertion_file)) {
        rc_t rc = read_file(r->a, c->assertion_file, out);
        if (rc == RC_MEMORY)
            return source_rc(r, rc);
        if (rc != RC_OK)
            return source_fail(r, CLIENT_ASSERTION_MISSING, c->assertion_file);
    }
    return out->n > 0 ? CLIENT_FINE : source_fail(r, CLIENT_ASSERTION_MISSING, STR_UNSET);
}

client_reason_t source_workload(source_round_t *r, source_client_t *client)
{
    source_grant_t grant = {.kind = SOURCE_JWT_BEARER};
    GO(assertion(r, &grant.text));
    GO(offered(r, JWT_BEARER));
    GO(source_client(r, STR_UNSET, client));
    return get(r, client, &grant);
}

static client_reason_t provider(source_round_t *r, client_server_metadata_t *out)
{
    const tokens_provider_t *p = &r->s->config.provider;
    if (!str_is_set(p->token_endpoint))
        return source_find_server(r, r->a, p->issuer, out);
    *out = (client_server_metadata_t){.issuer = p->issuer, .token_endpoint = p->token_endpoint};
    return CLIENT_FINE;
}

/* The ID token for an ID-JAG, at the person's identity provider. */
static client_reason_t exchange(source_round_t *r, str_t *jag)
{
    const tokens_provider_t *p = &r->s->config.provider;
    const source_place_t *place = &r->s->place;
    const client_credentials_t who = {.client_id = p->client_id, .secret = p->client_secret};
    client_server_metadata_t server;
    GO(provider(r, &server));
    client_token_want_t want = {.server = &server,
                                .who = &who,
                                .resource = place->resource,
                                .random = r->s->config.random,
                                .now = clock_seconds(&r->s->config.clock)};
    if (!client_method_choose(&server, &who, &want.method))
        return source_fail(r, CLIENT_METHOD_UNKNOWN, server.token_endpoint);
    GO(source_scope(r, &want.scope));
    const source_grant_t grant = {
        .kind = SOURCE_EXCHANGE, .text = p->id_token, .audience = place->issuer};
    client_token_t token;
    source_says(r, "Asking the identity provider at", server.token_endpoint);
    client_reason_t reason = source_grant(r, &want, &grant, NULL, &token);
    /* Its errors are about another client than the one at the authorization server. */
    r->error = STR_UNSET;
    *jag = token.access_token.hidden;
    return reason;
}

client_reason_t source_enterprise(source_round_t *r, source_client_t *client)
{
    source_grant_t grant = {.kind = SOURCE_JWT_BEARER};
    if (r->s->config.provider.id_token.n == 0)
        return source_fail(r, CLIENT_ASSERTION_MISSING, STR_UNSET);
    GO(offered(r, JWT_BEARER));
    GO(source_client(r, STR_UNSET, client));
    GO(exchange(r, &grant.text));
    return get(r, client, &grant);
}
