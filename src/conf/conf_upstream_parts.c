#include "conf/conf_field.h"
#include "conf/conf_node.h"
#include "conf/conf_upstream.h"

#include <stddef.h>

enum { PROVIDERS_MAX = 8, GIGABYTE_MB = 1024 };

#define CREDENTIAL(member) offsetof(conf_credential_t, member)
#define CHILD(member)      offsetof(conf_child_t, member)
#define PROVIDER(member)   offsetof(conf_provider_t, member)

static const conf_field_t CREDENTIAL_FIELDS[] = {
    {STR_INIT("kind"), CONF_FIELD_CHOICE, CREDENTIAL(kind),
     STR_INIT("none static client_credentials token_exchange"), 0, 0},
    {STR_INIT("header"), CONF_FIELD_TEXT, CREDENTIAL(header), {NULL, 0}, 0, 0},
    {STR_INIT("prefix"), CONF_FIELD_MAYBE, CREDENTIAL(prefix), {NULL, 0}, 0, 0},
    {STR_INIT("secret_file"), CONF_FIELD_TEXT, CREDENTIAL(secret_file), {NULL, 0}, 0, 0},
    {STR_INIT("token_endpoint"), CONF_FIELD_TEXT, CREDENTIAL(token_endpoint), {NULL, 0}, 0, 0},
    {STR_INIT("client_id"), CONF_FIELD_TEXT, CREDENTIAL(client_id), {NULL, 0}, 0, 0},
    {STR_INIT("scope"), CONF_FIELD_TEXT, CREDENTIAL(scope), {NULL, 0}, 0, 0},
    {STR_INIT("audience"), CONF_FIELD_TEXT, CREDENTIAL(audience), {NULL, 0}, 0, 0},
    {STR_INIT("resource"), CONF_FIELD_TEXT, CREDENTIAL(resource), {NULL, 0}, 0, 0},
};

static const conf_field_t CHILD_FIELDS[] = {
    {STR_INIT("environment"), CONF_FIELD_WORDS, CHILD(environment), {NULL, 0}, 0, 0},
    {STR_INIT("directory"), CONF_FIELD_TEXT, CHILD(directory), {NULL, 0}, 0, 0},
    {STR_INIT("shared"), CONF_FIELD_BOOL, CHILD(shared), {NULL, 0}, 0, 0},
    {STR_INIT("max_children"), CONF_FIELD_INT, CHILD(max_children), {NULL, 0}, 1, 4096},
    {STR_INIT("memory_mb"), CONF_FIELD_INT, CHILD(memory_mb), {NULL, 0}, 0, 1024 * GIGABYTE_MB},
    {STR_INIT("idle_s"), CONF_FIELD_INT, CHILD(idle_s), {NULL, 0}, 1, 604800},
    {STR_INIT("message_bytes"), CONF_FIELD_INT, CHILD(message_bytes), {NULL, 0}, 1024, 64 << 20},
    {STR_INIT("start_s"), CONF_FIELD_INT, CHILD(start_s), {NULL, 0}, 1, 3600},
};

static const conf_field_t PROVIDER_FIELDS[] = {
    {STR_INIT("issuer"), CONF_FIELD_TEXT, PROVIDER(issuer), {NULL, 0}, 0, 0},
    {STR_INIT("jwks_uri"), CONF_FIELD_TEXT, PROVIDER(jwks_uri), {NULL, 0}, 0, 0},
    {STR_INIT("introspection_uri"), CONF_FIELD_TEXT, PROVIDER(introspection_uri), {NULL, 0}, 0, 0},
    {STR_INIT("client_id"), CONF_FIELD_TEXT, PROVIDER(client_id), {NULL, 0}, 0, 0},
    {STR_INIT("client_secret_file"),
     CONF_FIELD_TEXT,
     PROVIDER(client_secret_file),
     {NULL, 0},
     0,
     0},
    {STR_INIT("audiences"), CONF_FIELD_WORDS, PROVIDER(audiences), {NULL, 0}, 0, 0},
    {STR_INIT("profile"), CONF_FIELD_TEXT, PROVIDER(profile), {NULL, 0}, 0, 0},
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
