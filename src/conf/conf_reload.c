#include "conf/conf_reload.h"

#include "conf/conf_table.h"

/* All others are read when the server starts, by parts of it that nobody can exchange under way. */
static const str_t TAKEN[] = {
    STR_INIT("log_level"),
    STR_INIT("upstream"),
    STR_INIT("upstream_command"),
    STR_INIT("upstream_path"),
    STR_INIT("upstream_name"),
    STR_INIT("upstream_policy"),
    STR_INIT("upstream_plain_hosts"),
    STR_INIT("tls_certificate"),
    STR_INIT("tls_key_file"),
};

bool conf_reload_takes(str_t key)
{
    return str_list_has((str_list_t){TAKEN, sizeof TAKEN / sizeof TAKEN[0]}, key);
}

static bool same_list(str_list_t one, str_list_t other)
{
    if (one.n != other.n)
        return false;
    for (size_t i = 0; i < one.n; i++)
        if (!str_eq(one.v[i], other.v[i]))
            return false;
    return true;
}

static bool same_value(const conf_row_t *row, const void *one, const void *other)
{
    switch (row->type) {
    case CONF_INT:
        return *(const int64_t *)one == *(const int64_t *)other;
    case CONF_BOOL:
        return *(const bool *)one == *(const bool *)other;
    case CONF_STRS:
        return same_list(*(const str_list_t *)one, *(const str_list_t *)other);
    default:
        return str_eq(*(const str_t *)one, *(const str_t *)other);
    }
}

static void keep_value(const conf_row_t *row, void *to, const void *from)
{
    switch (row->type) {
    case CONF_INT:
        *(int64_t *)to = *(const int64_t *)from;
        return;
    case CONF_BOOL:
        *(bool *)to = *(const bool *)from;
        return;
    case CONF_STRS:
        *(str_list_t *)to = *(const str_list_t *)from;
        return;
    default:
        *(str_t *)to = *(const str_t *)from;
    }
}

static bool same_rule(const conf_rule_t *one, const conf_rule_t *other)
{
    if (!str_eq(one->name, other->name) || one->n_claims != other->n_claims ||
        !same_list(one->resources, other->resources) || !same_list(one->scopes, other->scopes))
        return false;
    for (size_t i = 0; i < one->n_claims; i++)
        if (!str_eq(one->claims[i].name, other->claims[i].name) ||
            !str_eq(one->claims[i].value, other->claims[i].value) ||
            one->claims[i].prefix != other->claims[i].prefix)
            return false;
    return true;
}

static bool same_issuer(const conf_issuer_t *one, const conf_issuer_t *other)
{
    bool same =
        str_eq(one->issuer, other->issuer) && str_eq(one->jwks_uri, other->jwks_uri) &&
        str_eq(one->jwks_file, other->jwks_file) &&
        str_eq(one->tenant_claim, other->tenant_claim) && one->for_id_jag == other->for_id_jag &&
        one->for_workload == other->for_workload &&
        one->for_software_statement == other->for_software_statement &&
        one->reuse == other->reuse && one->n_rules == other->n_rules &&
        same_list(one->algorithms, other->algorithms) && same_list(one->tenants, other->tenants) &&
        same_list(one->resources, other->resources) && same_list(one->scopes, other->scopes);
    for (size_t i = 0; same && i < one->n_rules; i++)
        same = same_rule(&one->rules[i], &other->rules[i]);
    return same;
}

static bool same_issuers(const conf_t *one, const conf_t *other)
{
    if (one->n_issuers != other->n_issuers)
        return false;
    for (size_t i = 0; i < one->n_issuers; i++)
        if (!same_issuer(&one->issuers[i], &other->issuers[i]))
            return false;
    return true;
}

/* A listener is plain or it is not; another certificate is no matter. */
static bool is_switch(const conf_t *running, const conf_t *next, str_t key)
{
    bool tls = str_eq(key, STR("tls_certificate")) || str_eq(key, STR("tls_key_file"));
    return tls && (running->tls_certificate.n > 0) != (next->tls_certificate.n > 0);
}

rc_t conf_reload(arena_t *a, const conf_t *running, conf_t *next, str_list_t *kept)
{
    size_t n = 0;
    str_t *names = ARENA_ARRAY(a, CONF_N_ROWS + 1, str_t);
    bool *keep = ARENA_ARRAY(a, CONF_N_ROWS, bool);
    if (!names || !keep)
        return RC_MEMORY;
    for (size_t i = 0; i < CONF_N_ROWS; i++) {
        const conf_row_t *row = &CONF_ROWS[i];
        keep[i] =
            (!conf_reload_takes(row->key) || is_switch(running, next, row->key)) &&
            !same_value(row, (const char *)running + row->offset, (const char *)next + row->offset);
    }
    for (size_t i = 0; i < CONF_N_ROWS; i++) {
        if (!keep[i])
            continue;
        keep_value(&CONF_ROWS[i], (char *)next + CONF_ROWS[i].offset,
                   (const char *)running + CONF_ROWS[i].offset);
        names[n++] = CONF_ROWS[i].key;
    }
    if (!same_issuers(running, next))
        names[n++] = STR("trusted_issuers");
    next->issuers = running->issuers;
    next->n_issuers = running->n_issuers;
    next->catalogue = running->catalogue;
    next->listen_host = running->listen_host;
    next->listen_port = running->listen_port;
    *kept = (str_list_t){names, n};
    return RC_OK;
}
