#include "conf/conf_field.h"
#include "conf/conf_node.h"
#include "conf/conf_upstream.h"

#include <stddef.h>

enum { PROVIDERS_MAX = 8 };

#define FIELD(key, kind, type, member)                                                             \
    {                                                                                              \
        STR_INIT(key), CONF_FIELD_##kind, offsetof(type, member), {NULL, 0}, 0, 0                  \
    }
#define NUMBER(key, type, member, min, max)                                                        \
    {                                                                                              \
        STR_INIT(key), CONF_FIELD_INT, offsetof(type, member), {NULL, 0}, min, max                 \
    }

static const conf_field_t CREDENTIAL_FIELDS[] = {
    {STR_INIT("kind"), CONF_FIELD_CHOICE, offsetof(conf_credential_t, kind),
     STR_INIT("none static client_credentials token_exchange"), 0, 0},
    FIELD("header", TEXT, conf_credential_t, header),
    FIELD("prefix", MAYBE, conf_credential_t, prefix),
    FIELD("secret_file", TEXT, conf_credential_t, secret_file),
    FIELD("token_endpoint", TEXT, conf_credential_t, token_endpoint),
    FIELD("client_id", TEXT, conf_credential_t, client_id),
    FIELD("scope", TEXT, conf_credential_t, scope),
    FIELD("audience", TEXT, conf_credential_t, audience),
    FIELD("resource", TEXT, conf_credential_t, resource),
};

static const conf_field_t CHILD_FIELDS[] = {
    FIELD("environment", WORDS, conf_child_t, environment),
    FIELD("directory", TEXT, conf_child_t, directory),
    FIELD("shared", BOOL, conf_child_t, shared),
    NUMBER("max_children", conf_child_t, max_children, 1, 4096),
    NUMBER("memory_mb", conf_child_t, memory_mb, 0, 1 << 20),
    NUMBER("idle_s", conf_child_t, idle_s, 1, 604800),
    NUMBER("message_bytes", conf_child_t, message_bytes, 1024, 64 << 20),
    NUMBER("start_s", conf_child_t, start_s, 1, 3600),
    NUMBER("starts_per_minute", conf_child_t, starts_per_minute, 2, 60000),
};

static const conf_field_t PROVIDER_FIELDS[] = {
    FIELD("issuer", TEXT, conf_provider_t, issuer),
    FIELD("jwks_uri", TEXT, conf_provider_t, jwks_uri),
    FIELD("introspection_uri", TEXT, conf_provider_t, introspection_uri),
    FIELD("client_id", TEXT, conf_provider_t, client_id),
    FIELD("client_secret_file", TEXT, conf_provider_t, client_secret_file),
    FIELD("audiences", WORDS, conf_provider_t, audiences),
    FIELD("profile", TEXT, conf_provider_t, profile),
    NUMBER("keys_fresh_s", conf_provider_t, keys_fresh_s, 30, 86400),
    NUMBER("keys_stale_s", conf_provider_t, keys_stale_s, 1, 604800),
};

#define FIELDS_OF(rows)                                                                            \
    {                                                                                              \
        rows, sizeof rows / sizeof rows[0]                                                         \
    }
static const conf_fields_t OF_CREDENTIAL = FIELDS_OF(CREDENTIAL_FIELDS);
static const conf_fields_t OF_CHILD = FIELDS_OF(CHILD_FIELDS);
static const conf_fields_t OF_PROVIDER = FIELDS_OF(PROVIDER_FIELDS);

/* A map that has the members of the table and no others. */
static rc_t read_map(const conf_node_t *node, const conf_fields_t *fields, conf_into_t into)
{
    bool known;
    if (node->kind != CONF_MAP)
        return conf_node_refuse(into.a, node, into.what, "here belongs a map of members", into.why);
    for (const conf_node_t *c = node->child; c; c = c->next) {
        TRY(conf_field_read(fields, c, into, &known));
        if (!known)
            return conf_node_refuse(into.a, c, into.what,
                                    "it has no member of that name; docs/SETTINGS.md lists them",
                                    into.why);
    }
    return RC_OK;
}

rc_t conf_read_credential(arena_t *a, const conf_node_t *node, conf_upstream_t *u, str_t *why)
{
    const str_t what = STR("credential of upstreams");
    return read_map(node, &OF_CREDENTIAL, (conf_into_t){a, &u->credential, what, why});
}

rc_t conf_read_child(arena_t *a, const conf_node_t *node, conf_upstream_t *u, str_t *why)
{
    const str_t what = STR("child of upstreams");
    u->child.given = true;
    return read_map(node, &OF_CHILD, (conf_into_t){a, &u->child, what, why});
}

rc_t conf_read_providers(arena_t *a, const conf_node_t *node, conf_upstream_t *u, str_t *why)
{
    const str_t what = STR("authorization_servers of upstreams");
    size_t n = conf_node_count(node);
    if (node->kind != CONF_LIST || n > PROVIDERS_MAX)
        return conf_node_refuse(a, node, what,
                                "here belongs a list of at most 8 maps, each with its issuer", why);
    conf_provider_t *v = ARENA_ARRAY(a, n + 1, conf_provider_t);
    if (!v)
        return RC_MEMORY;
    u->providers = v;
    u->n_providers = n;
    for (const conf_node_t *c = node->child; c; c = c->next, v++)
        TRY(read_map(c, &OF_PROVIDER, (conf_into_t){a, v, what, why}));
    return RC_OK;
}
