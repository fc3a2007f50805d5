#include "conf/conf_upstream.h"

#include "conf/conf_field.h"
#include "conf/conf_node.h"
#include "conf/conf_policy.h"
#include "conf/conf_table.h"
#include "core/command_line.h"

#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(conf_upstream_t, member)

enum { MEGABYTE = 1 << 20 };

static const str_t NAME = STR_INIT("upstreams");

#define FIELD(key, kind, member)                                                                   \
    {                                                                                              \
        STR_INIT(key), CONF_FIELD_##kind, AT(member), {NULL, 0}, 0, 0                              \
    }
#define CHOICE(key, member, words)                                                                 \
    {                                                                                              \
        STR_INIT(key), CONF_FIELD_CHOICE, AT(member), STR_INIT(words), 0, 0                        \
    }
#define NUMBER(key, member, min, max)                                                              \
    {                                                                                              \
        STR_INIT(key), CONF_FIELD_INT, AT(member), {NULL, 0}, min, max                             \
    }

static const conf_field_t FIELDS[] = {
    FIELD("path", TEXT, path),
    FIELD("name", TEXT, name),
    FIELD("url", TEXT, url),
    FIELD("certificate_authorities", TEXT, certificate_authorities),
    FIELD("command", WORDS, child.command),
    CHOICE("lists", lists, "filter mark pass"),
    CHOICE("pins", pins, "report withhold off"),
    CHOICE("identity", identity, "none headers jwt"),
    FIELD("identity_header", TEXT, identity_header),
    FIELD("strip", WORDS, strip),
    FIELD("origins", WORDS, origins),
    FIELD("audit_arguments", BOOL, audit_arguments),
    FIELD("redact", WORDS, redact),
    FIELD("dpop_required", BOOL, dpop_required),
    FIELD("repeat_scopes", BOOL, repeat_scopes),
    NUMBER("max_body_bytes", max_body_bytes, 1024, MEGABYTE),
    NUMBER("max_answer_bytes", max_answer_bytes, 1024, 64 * MEGABYTE),
    NUMBER("timeout_s", timeout_s, 1, 86400),
    NUMBER("stream_idle_s", stream_idle_s, 0, 604800),
    NUMBER("stream_check_s", stream_check_s, 1, 86400),
    NUMBER("max_connections", max_connections, 1, 65536),
    NUMBER("streams_per_subject", streams_per_subject, 1, 1000000),
};
static const conf_fields_t ALL = {FIELDS, sizeof FIELDS / sizeof FIELDS[0]};

conf_upstream_t conf_upstream_default(void)
{
    static const conf_scope_t TEXT = {STR_INIT("mcp:use"), STR_INIT("Use this server")};
    return (conf_upstream_t){
        .policy = conf_policy_ready(),
        .scopes = &TEXT,
        .n_scopes = 1,
        .identity_header = STR("X-Warder-Identity"),
        .child = {.max_children = 64,
                  .memory_mb = 1024,
                  .idle_s = 600,
                  .message_bytes = 4 * MEGABYTE,
                  .start_s = 30,
                  .starts_per_minute = 120},
        .max_body_bytes = MEGABYTE,
        .max_answer_bytes = 8 * MEGABYTE,
        .timeout_s = 300,
        .stream_check_s = 60,
        .max_connections = 1024,
        .streams_per_subject = 64,
    };
}

static rc_t refuse(arena_t *a, const conf_node_t *node, const char *mend, str_t *why)
{
    return conf_node_refuse(a, node, NAME, mend, why);
}

static rc_t read_policy(arena_t *a, const conf_node_t *node, const conf_t *conf,
                        const conf_policy_t **out, str_t *why)
{
    str_t name;
    TRY(conf_node_text(a, node, NAME, &name, why));
    *out = conf_policy_find(conf, name);
    return *out ? RC_OK
                : refuse(a, node, "policy and shadow name a policy that stands in policies", why);
}

static rc_t read_scopes(arena_t *a, const conf_node_t *node, conf_upstream_t *u, str_t *why)
{
    if (node->kind != CONF_MAP)
        return refuse(a, node, "scopes are written as 'name: text'", why);
    u->n_scopes = conf_node_count(node);
    conf_scope_t *v = ARENA_ARRAY(a, u->n_scopes + 1, conf_scope_t);
    if (!v)
        return RC_MEMORY;
    u->scopes = v;
    for (const conf_node_t *c = node->child; c; c = c->next, v++) {
        v->name = c->key;
        if (!conf_is_scope(c->key))
            return refuse(
                a, c, "the name of a scope is printable ASCII without space, quote and backslash",
                why);
        TRY(conf_node_text(a, c, NAME, &v->text, why));
    }
    return RC_OK;
}

static rc_t no_such_member(arena_t *a, const conf_node_t *node, str_t *why)
{
    /* Beside the table: what has a reader of its own, below. */
    static const str_t MAPS[] = {STR_INIT("policy"), STR_INIT("shadow"),
                                 STR_INIT("scopes"), STR_INIT("credential"),
                                 STR_INIT("child"),  STR_INIT("authorization_servers")};
    enum { N_MAPS = sizeof MAPS / sizeof MAPS[0] };
    str_t keys[sizeof FIELDS / sizeof FIELDS[0] + N_MAPS];
    for (size_t i = 0; i < ALL.n; i++)
        keys[i] = ALL.v[i].key;
    memcpy(keys + ALL.n, MAPS, sizeof MAPS);
    str_t near = conf_nearest((str_list_t){keys, ALL.n + N_MAPS}, node->key);
    str_t mend = str_is_set(near) ? arena_printf(a, "did you mean '%" PRIstr "'?", STR_ARG(near))
                                  : STR("docs/SETTINGS.md lists them");
    str_t text = arena_printf(a, "an upstream has no member '%" PRIstr "'; %" PRIstr,
                              STR_ARG(conf_shown(a, node->key)), STR_ARG(mend));
    return str_is_set(text) ? refuse(a, node, text.p, why) : RC_MEMORY;
}

static rc_t read_member(arena_t *a, const conf_node_t *c, const conf_t *conf, conf_upstream_t *u,
                        str_t *why)
{
    bool known;
    TRY(conf_field_read(&ALL, c, (conf_into_t){a, u, NAME, why}, &known));
    if (known)
        return RC_OK;
    if (str_eq(c->key, STR("policy")))
        return read_policy(a, c, conf, &u->policy, why);
    if (str_eq(c->key, STR("shadow")))
        return read_policy(a, c, conf, &u->shadow, why);
    if (str_eq(c->key, STR("scopes")))
        return read_scopes(a, c, u, why);
    if (str_eq(c->key, STR("credential")))
        return conf_read_credential(a, c, u, why);
    if (str_eq(c->key, STR("child")))
        return conf_read_child(a, c, u, why);
    if (str_eq(c->key, STR("authorization_servers")))
        return conf_read_providers(a, c, u, why);
    return no_such_member(a, c, why);
}

static bool is_known(const conf_t *conf, const conf_upstream_t *u)
{
    for (const conf_upstream_t *other = conf->upstreams; other < u; other++)
        if (str_eq(other->path, u->path))
            return true;
    return false;
}

static rc_t read_upstream(arena_t *a, const conf_node_t *node, const conf_t *conf,
                          conf_upstream_t *u, str_t *why)
{
    const char *mend;
    *u = conf_upstream_default();
    if (node->kind != CONF_MAP)
        return refuse(a, node, "each upstream is a map with its path, and url or command", why);
    for (const conf_node_t *c = node->child; c; c = c->next)
        TRY(read_member(a, c, conf, u, why));
    TRY(conf_upstream_check(a, conf, u, &mend));
    if (mend)
        return refuse(a, node, mend, why);
    return is_known(conf, u)
               ? refuse(a, node, "an upstream with this path stands above already", why)
               : RC_OK;
}

rc_t conf_read_upstreams(arena_t *a, const conf_node_t *node, conf_t *conf, str_t *why)
{
    if (!node || conf_node_is_nothing(node))
        return RC_OK;
    if (node->kind != CONF_LIST)
        return refuse(a, node, "upstreams is a list of maps, each with its path", why);
    conf_upstream_t *v = ARENA_ARRAY(a, conf_node_count(node) + 1, conf_upstream_t);
    if (!v)
        return RC_MEMORY;
    conf->upstreams = v;
    for (const conf_node_t *c = node->child; c; c = c->next, v++) {
        TRY(read_upstream(a, c, conf, v, why));
        conf->n_upstreams++;
    }
    return RC_OK;
}

/* ---- the settings upstream_* ---- */

static rc_t refuse_row(arena_t *a, const conf_raw_t *raw, const char *key, const char *mend,
                       str_t *why)
{
    size_t row = conf_row_find(str_c(key));
    return conf_refuse(a, &CONF_ROWS[row], &raw[row], str_c(mend), why);
}

/* The first of them that is set, or NULL. */
static const char *set_alone(const conf_t *conf)
{
    const struct {
        const char *key;
        str_t value;
    } ROWS[] = {{"upstream_path", conf->upstream_path},
                {"upstream_name", conf->upstream_name},
                {"upstream_policy", conf->upstream_policy}};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        if (ROWS[i].value.n > 0)
            return ROWS[i].key;
    return NULL;
}

static rc_t refuse_alone(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_t *why)
{
    const char *key = set_alone(conf);
    return key ? refuse_row(a, raw, key,
                            "it belongs to upstream or upstream_command, of which neither is set; "
                            "upstreams of the file have it among their members",
                            why)
               : RC_OK;
}

static rc_t read_command(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_list_t *out,
                         str_t *why)
{
    str_t mend;
    rc_t rc = command_line_split(a, conf->upstream_command, out, &mend);
    if (rc != RC_MALFORMED && rc != RC_LIMIT)
        return rc;
    mend = arena_printf(a, "%" PRIstr, STR_ARG(mend));
    return str_is_set(mend) ? refuse_row(a, raw, "upstream_command", mend.p, why) : RC_MEMORY;
}

static rc_t fill(arena_t *a, const conf_raw_t *raw, const conf_t *conf, conf_upstream_t *u,
                 str_t *why)
{
    bool is_url = conf->upstream.n > 0;
    const char *mend =
        conf->upstream_path.n > 0 ? conf_upstream_path_mend(conf->upstream_path) : NULL;
    if (mend)
        return refuse_row(a, raw, "upstream_path", mend, why);
    *u = conf_upstream_default();
    u->path = conf->upstream_path.n ? conf->upstream_path : STR_UNSET;
    u->name = conf->upstream_name.n ? conf->upstream_name : STR_UNSET;
    u->url = is_url ? conf->upstream : STR_UNSET;
    if (!is_url)
        TRY(read_command(a, raw, conf, &u->child.command, why));
    if (conf->upstream_policy.n > 0)
        u->policy = conf_policy_find(conf, conf->upstream_policy);
    if (!u->policy)
        return refuse_row(a, raw, "upstream_policy", "name a policy that stands in policies", why);
    TRY(conf_upstream_check(a, conf, u, &mend));
    return mend ? refuse_row(a, raw, is_url ? "upstream" : "upstream_command", mend, why) : RC_OK;
}

rc_t conf_finish_upstreams(arena_t *a, const conf_raw_t *raw, conf_t *conf, str_t *why)
{
    bool url = conf->upstream.n > 0, command = conf->upstream_command.n > 0;
    if (!url && !command)
        return refuse_alone(a, raw, conf, why);
    if (url && command)
        return refuse_row(a, raw, "upstream_command",
                          "upstream is set as well: leave one of them out, or list both as "
                          "upstreams in the settings file",
                          why);
    if (conf->n_upstreams > 0)
        return refuse_row(a, raw, url ? "upstream" : "upstream_command",
                          "the settings file has upstreams: add it to them, or leave them out",
                          why);
    conf_upstream_t *u = ARENA_NEW(a, conf_upstream_t);
    if (!u)
        return RC_MEMORY;
    TRY(fill(a, raw, conf, u, why));
    conf->upstreams = u;
    conf->n_upstreams = 1;
    return RC_OK;
}
