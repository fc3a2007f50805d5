#include "conf/conf_issuer.h"

#include "conf/conf_node.h"
#include "conf/conf_rule.h"
#include "conf/conf_table.h"
#include "core/url.h"

static rc_t refuse(arena_t *a, const conf_node_t *node, const char *mend, str_t *why)
{
    return conf_node_refuse(a, node, STR("trusted_issuers"), mend, why);
}

static rc_t read_use(arena_t *a, const conf_node_t *node, str_t word, conf_issuer_t *issuer,
                     str_t *why)
{
    if (str_eq(word, STR("id-jag")))
        issuer->for_id_jag = true;
    else if (str_eq(word, STR("workload")))
        issuer->for_workload = true;
    else if (str_eq(word, STR("software-statement")))
        issuer->for_software_statement = true;
    else
        return refuse(a, node, "uses are id-jag, workload and software-statement", why);
    return RC_OK;
}

static rc_t read_uses(arena_t *a, const conf_node_t *node, conf_issuer_t *issuer, str_t *why)
{
    str_list_t words;
    TRY(conf_node_words(a, node, STR("trusted_issuers"), &words, why));
    for (size_t i = 0; i < words.n; i++)
        TRY(read_use(a, node, words.v[i], issuer, why));
    return RC_OK;
}

static rc_t read_algorithms(arena_t *a, const conf_node_t *node, conf_issuer_t *issuer, str_t *why)
{
    static const str_t KNOWN[] = {STR_INIT("ES256"), STR_INIT("EdDSA"), STR_INIT("RS256"),
                                  STR_INIT("PS256")};
    const str_list_t known = {KNOWN, sizeof KNOWN / sizeof KNOWN[0]};
    TRY(conf_node_words(a, node, STR("trusted_issuers"), &issuer->algorithms, why));
    for (size_t i = 0; i < issuer->algorithms.n; i++)
        if (!str_list_has(known, issuer->algorithms.v[i]))
            return refuse(a, node, "algorithms are ES256, EdDSA, RS256 and PS256", why);
    return RC_OK;
}

static rc_t read_reuse(arena_t *a, const conf_node_t *node, conf_issuer_t *issuer, str_t *why)
{
    issuer->reuse = node->kind == CONF_SCALAR && str_eq(node->value, STR("true"));
    if (issuer->reuse || (node->kind == CONF_SCALAR && str_eq(node->value, STR("false"))))
        return RC_OK;
    return refuse(a, node, "reuse is true or false", why);
}

static rc_t read_lists(arena_t *a, const conf_node_t *c, conf_issuer_t *issuer, str_t *why)
{
    if (str_eq(c->key, STR("uses")))
        return read_uses(a, c, issuer, why);
    if (str_eq(c->key, STR("algorithms")))
        return read_algorithms(a, c, issuer, why);
    if (str_eq(c->key, STR("tenants")))
        return conf_node_words(a, c, STR("trusted_issuers"), &issuer->tenants, why);
    if (str_eq(c->key, STR("resources")))
        return conf_node_urls(a, c, STR("trusted_issuers"), &issuer->resources, why);
    if (str_eq(c->key, STR("scopes")))
        return conf_node_scopes(a, c, STR("trusted_issuers"), &issuer->scopes, why);
    if (str_eq(c->key, STR("reuse")))
        return read_reuse(a, c, issuer, why);
    if (str_eq(c->key, STR("rules")))
        return conf_read_rules(a, c, issuer, why);
    return refuse(a, c,
                  "an issuer has issuer, jwks_uri, jwks_file, uses, algorithms, tenant_claim, "
                  "tenants, resources, scopes, reuse and rules",
                  why);
}

static rc_t read_member(arena_t *a, const conf_node_t *c, conf_issuer_t *issuer, str_t *why)
{
    const struct {
        str_t key, *into;
    } TEXTS[] = {
        {STR("issuer"), &issuer->issuer},
        {STR("jwks_uri"), &issuer->jwks_uri},
        {STR("jwks_file"), &issuer->jwks_file},
        {STR("tenant_claim"), &issuer->tenant_claim},
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        if (str_eq(c->key, TEXTS[i].key))
            return conf_node_text(a, c, STR("trusted_issuers"), TEXTS[i].into, why);
    return read_lists(a, c, issuer, why);
}

/* What is fetched: over TLS, but for tries on one machine. */
static bool can_be_fetched(str_t text)
{
    url_t u;
    if (url_parse(text, &u) != RC_OK || !url_is_http(&u))
        return false;
    if (str_is_set(u.fragment) || str_is_set(u.userinfo))
        return false;
    return url_is_https(&u) || url_host_is_loopback(u.host);
}

static const char *mend_of_keys(const conf_issuer_t *i)
{
    bool uri = str_is_set(i->jwks_uri), file = str_is_set(i->jwks_file);
    if (uri && file)
        return "jwks_uri and jwks_file exclude each other";
    if (uri && !can_be_fetched(i->jwks_uri))
        return "jwks_uri must be an https URL without user and fragment";
    if (!uri && !file && (!can_be_fetched(i->issuer) || str_find(i->issuer, '?', 0) < i->issuer.n))
        return "an issuer that is no https URL needs jwks_uri or jwks_file: where else would its "
               "keys come from?";
    return NULL;
}

static const char *mend_of_issuer(const conf_issuer_t *i)
{
    bool bounds = str_is_set(i->tenant_claim) || i->resources.n > 0 || i->scopes.n > 0;
    if (!str_is_set(i->issuer) || i->issuer.n == 0)
        return "an issuer needs its name: the value of iss in what it signs";
    if (!i->for_id_jag && !i->for_workload && !i->for_software_statement)
        return "say what the issuer is trusted for: uses: [id-jag], [workload] or "
               "[software-statement]";
    if (i->for_workload && i->n_rules == 0)
        return "uses: [workload] needs rules: without them no workload may do anything";
    if (!i->for_workload && (i->n_rules > 0 || i->reuse))
        return "rules and reuse are for uses: [workload]";
    if (!i->for_id_jag && bounds)
        return "tenant_claim, resources and scopes bound uses: [id-jag]; those of workloads stand "
               "in rules";
    if (i->tenants.n > 0 && !str_is_set(i->tenant_claim))
        return "tenants needs tenant_claim: which claim names the tenant?";
    return mend_of_keys(i);
}

static bool is_known(const conf_t *conf, const conf_issuer_t *issuer)
{
    for (const conf_issuer_t *other = conf->issuers; other < issuer; other++)
        if (str_eq(other->issuer, issuer->issuer))
            return true;
    return false;
}

static rc_t read_issuer(arena_t *a, const conf_node_t *node, conf_issuer_t *issuer, str_t *why)
{
    if (node->kind != CONF_MAP)
        return refuse(a, node, "each issuer is a map with its issuer and uses", why);
    for (const conf_node_t *c = node->child; c; c = c->next)
        TRY(read_member(a, c, issuer, why));
    const char *mend = mend_of_issuer(issuer);
    return mend ? refuse(a, node, mend, why) : RC_OK;
}

rc_t conf_read_issuers(arena_t *a, const conf_node_t *node, conf_t *conf, str_t *why)
{
    if (!node || conf_node_is_nothing(node))
        return RC_OK;
    if (node->kind != CONF_LIST)
        return refuse(a, node, "trusted_issuers is a list of maps, each with its issuer", why);
    size_t n = conf_node_count(node);
    conf_issuer_t *v = ARENA_ARRAY(a, n ? n : 1, conf_issuer_t);
    if (!v)
        return RC_MEMORY;
    conf->issuers = v;
    for (const conf_node_t *c = node->child; c; c = c->next, v++) {
        TRY(read_issuer(a, c, v, why));
        if (is_known(conf, v))
            return refuse(a, c, "an issuer of this name stands above already", why);
        conf->n_issuers++;
    }
    return RC_OK;
}
