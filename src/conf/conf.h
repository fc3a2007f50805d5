/* The settings: one table, one checked struct. Defaults < file < environment < flags. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "core/arena.h"

/** Bounds of the life of an access token, also of one resource. Seconds. */
enum { CONF_ACCESS_TOKEN_MIN_S = 60, CONF_ACCESS_TOKEN_MAX_S = 3600 };

typedef struct {
    str_t name, text;
} conf_scope_t;

/** A protected resource of the settings file:
 *    resources:
 *      - uri: https://mcp.example.com/mcp
 *        name: Finance
 *        scopes: {"news:read": "Read market news"}
 *        default_scopes: ["news:read"]
 *        aliases: []
 *        access_token_lifetime: 300
 *        token_format: jwt
 *        token_binding: none */
typedef struct {
    str_t uri, name;
    const conf_scope_t *scopes;
    size_t n_scopes;
    str_list_t default_scopes;
    str_list_t aliases;
    int64_t access_token_lifetime; /* seconds; 0: the setting of that name */
    bool opaque;                   /* token_format: opaque */
    bool dpop_required;            /* token_binding: dpop */
} conf_resource_t;

/** A claim of a workload: equal to the value, or with `prefix` beginning with it. */
typedef struct {
    str_t name, value;
    bool prefix;
} conf_claim_t;

/** Which workload may do what. */
typedef struct {
    str_t name;
    const conf_claim_t *claims; /* all must fit; sub is among them */
    size_t n_claims;
    str_list_t resources, scopes;
} conf_rule_t;

/** Who is trusted to sign assertions, and for what, of the settings file:
 *    trusted_issuers:
 *      - issuer: https://idp.example.com
 *        uses: [id-jag]            # or workload, software-statement
 *        jwks_uri: https://idp.example.com/keys  # or jwks_file; neither: from its metadata
 *        algorithms: [ES256]       # else all
 *        tenant_claim: tenant      # of id-jag, as the following
 *        tenants: [acme]           # else all
 *        resources: []             # at most these; none: all
 *        scopes: []                # likewise
 *      - issuer: https://token.build.example.com
 *        uses: [workload]
 *        reuse: true               # its tokens come out of a file, each many times
 *        rules:
 *          - name: nightly
 *            claims: {sub: "ns:build:*", environment: production}
 *            resources: [https://mcp.example.com/mcp]
 *            scopes: ["news:read"] */
typedef struct {
    str_t issuer;
    str_t jwks_uri, jwks_file; /* unset, or one of both is not */
    str_t jwks;                /* what stands in jwks_file, once the shell has read it */
    bool for_id_jag, for_workload, for_software_statement;
    str_list_t algorithms; /* empty: all */
    str_t tenant_claim;    /* unset: the issuer has no tenants */
    str_list_t tenants;    /* empty: all */
    str_list_t resources, scopes;
    bool reuse; /* of workloads */
    const conf_rule_t *rules;
    size_t n_rules;
} conf_issuer_t;

/** All settings, checked. Lives in the arena it was loaded into; read-only. Strings that have an
 *  empty default in the table may be empty here: conf_load has no knowledge of the machine. */
typedef struct {
#define SETTING_STR(key, def, text)           str_t key;
#define SETTING_ENUM(key, def, words, text)   str_t key;
#define SETTING_INT(key, def, min, max, text) int64_t key;
#define SETTING_BOOL(key, def, text)          bool key;
#define SETTING_LIST(key, text)               str_list_t key;
#include "conf/settings.def"
#undef SETTING_STR
#undef SETTING_ENUM
#undef SETTING_INT
#undef SETTING_BOOL
#undef SETTING_LIST
    const conf_resource_t *resources;
    size_t n_resources;
    const conf_issuer_t *issuers;
    size_t n_issuers;
    const struct conf_catalogue *catalogue; /* with what client_catalogue adds, once the shell has
                                             * read it; NULL: as it is shipped */
    /* derived */
    str_t listen_host;
    uint16_t listen_port;
} conf_t;

/** One value from outside; name is the key ("public_url"). */
typedef struct {
    str_t key, value;
} conf_value_t;

typedef struct {
    str_t file_name;         /* for messages; unset: no file */
    str_t file;              /* its bytes (YAML) */
    const conf_value_t *env; /* the WARDER_ variables, keys already in lower case, without prefix */
    size_t n_env;
    const conf_value_t *flags; /* "listen" for --listen */
    size_t n_flags;
} conf_sources_t;

/** Loads and checks. RC_CONFIG: *why is one sentence that names the key, where it came from, and
 *  the mend. Pure. */
rc_t conf_load(arena_t *a, const conf_sources_t *sources, const conf_t **out, str_t *why) MUST_USE;
/** Checks a public URL: https, or http on loopback; no path, query, fragment, userinfo. *out is the
 *  issuer, without a slash at the end. *why as above. */
rc_t conf_check_public_url(arena_t *a, str_t url, str_t *out, str_t *why) MUST_USE;
/** All settings with value and source, one a line (YAML). */
rc_t conf_show(arena_t *a, const conf_sources_t *sources, const conf_t *conf, str_t *out) MUST_USE;
/** docs/SETTINGS.md, rendered from the table. */
rc_t conf_document(arena_t *a, str_t *out) MUST_USE;

#endif
