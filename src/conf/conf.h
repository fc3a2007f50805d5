/* The settings: one table, one checked struct. Defaults < file < environment < flags. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "core/arena.h"
#include "core/secret.h"

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

/** How often. */
typedef struct {
    enum {
        CONF_PER_SUBJECT,
        CONF_PER_CLIENT,
        CONF_PER_TOOL, /* of one subject at one tool */
        CONF_PER_RULE, /* of all together */
    } per;
    uint32_t calls, seconds;
} conf_rate_t;

/** A condition on one argument of a tool or prompt: a path of member names and list indices
 *  ("order.lines.0"), and what must hold. An absent argument fits only `optional`; null and values
 *  of another type never fit. Of a rule that denies, what cannot be judged fits. */
typedef struct {
    str_t path;
    str_list_t one_of;  /* texts, or numbers and booleans as JSON writes them; empty: any */
    str_list_t matches; /* patterns, as names have them; one must fit; empty: any */
    bool has_min, has_max;
    double min, max;    /* of a number; within what a double counts by ones */
    int64_t max_length; /* of a text in code points, of a list in elements; -1: any */
    bool optional;
} conf_condition_t;

/** One rule. The first whose objects fit a message decides on it; but a rule that denies with
 *  conditions only denies whom they fit, and one with `next` only decides on whom they fit.
 * Patterns are those of core/glob.h. docs/POLICY.md has the whole. */
typedef struct {
    str_t name;
    bool deny;
    bool next; /* otherwise: next: where the conditions do not fit, later rules are asked */
    /* what it is about: names or patterns; none at all: everything but what the protocol needs */
    str_list_t tools, resources, prompts, methods;
    /* conditions: all that are given must hold */
    str_list_t groups, roles;              /* one of each, in the claims of those names */
    str_list_t issuers, clients, subjects; /* one of each; patterns, but for issuers */
    const conf_claim_t *claims;            /* all of them; values are patterns */
    size_t n_claims;
    const conf_condition_t *arguments; /* all of them */
    size_t n_arguments;
    /* what else a call needs */
    str_list_t scopes; /* all of them; the segment `{name}` stands for the object's name */
    const conf_rate_t *rates;
    size_t n_rates;
    int64_t max_bytes; /* of the message; 0: that of the upstream */
    int64_t max_age;   /* seconds since the person signed in; 0: any */
    str_list_t acr;    /* one of them; empty: any */
    bool initial;      /* its scopes are in the first challenge */
} conf_gate_rule_t;

/** A policy:
 *    policies:
 *      - name: finance
 *        default: deny             # or {scopes: ["mcp:tools:{name}"], initial: false}
 *        groups_claim: groups      # where groups and roles stand: a claim, or a path to one
 *        roles_claim: roles
 *        rules:
 *          - name: read
 *            tools: [get_*, weather]
 *            scopes: [news:read]
 *            initial: true
 *          - name: trade
 *            tools: [place_order]
 *            scopes: [orders:write]
 *            groups: [traders]
 *            arguments:
 *              - {path: amount, max: 10000}
 *            rates: [{per: subject, calls: 10, seconds: 60}]
 *            max_age: 300 */
typedef struct {
    str_t name;
    str_list_t default_scopes; /* empty: what no rule names is denied */
    bool default_initial;      /* they are in the first challenge */
    str_t groups_claim, roles_claim;
    const conf_gate_rule_t *rules;
    size_t n_rules;
} conf_policy_t;

/** Whose tokens an upstream takes, instead of this server's. */
typedef struct {
    str_t issuer;
    str_t jwks_uri, introspection_uri;   /* unset: from the metadata */
    str_t client_id, client_secret_file; /* for introspection */
    secret_t client_secret;              /* of that file, once the shell has read it */
    str_list_t audiences; /* what `aud` may be beside the resource: only for providers that cannot
                           * name it */
    int64_t keys_fresh_s; /* fetched again after that; 0: 300 */
    int64_t keys_stale_s; /* and used for so long while that fails, then nobody comes in; 0: 3600 */
    str_t profile; /* of a known provider: how its tokens differ (docs/PROVIDERS.md); unset: none */
} conf_provider_t;

typedef enum { CONF_LISTS_FILTER, CONF_LISTS_MARK, CONF_LISTS_PASS } conf_lists_t;
typedef enum { CONF_PINS_REPORT, CONF_PINS_WITHHOLD, CONF_PINS_OFF } conf_pins_t;
typedef enum { CONF_IDENTITY_NONE, CONF_IDENTITY_HEADERS, CONF_IDENTITY_JWT } conf_identity_t;
typedef enum {
    CONF_CREDENTIAL_NONE,
    CONF_CREDENTIAL_STATIC,             /* a header with what stands in secret_file */
    CONF_CREDENTIAL_CLIENT_CREDENTIALS, /* one token for all callers */
    CONF_CREDENTIAL_TOKEN_EXCHANGE,     /* one for each caller (RFC 8693) */
} conf_credential_kind_t;

/** What the upstream gets in place of the caller's token. */
typedef struct {
    conf_credential_kind_t kind;
    str_t header;      /* Default: Authorization */
    str_t prefix;      /* before the secret. Default for Authorization: "Bearer " */
    str_t secret_file; /* the value, or the client secret */
    secret_t secret;   /* of that file, once the shell has read it */
    str_t token_endpoint, client_id, scope, audience, resource;
} conf_credential_t;

/** A child process that speaks MCP on its standard streams. */
typedef struct {
    str_list_t command;     /* argv; empty: the upstream is a URL */
    str_list_t environment; /* NAME=VALUE, beside PATH, HOME, LANG and TMPDIR */
    str_t directory;        /* unset: the data folder */
    bool shared;            /* one child for all; else one for each session */
    int64_t max_children, memory_mb, idle_s, message_bytes, start_s;
    int64_t starts_per_minute; /* of one caller at most half of them */
    bool given;                /* the file says something of the child */
} conf_child_t;

/** A protected MCP server of the settings file, or of --upstream and --upstream-command:
 *    upstreams:
 *      - path: /mcp
 *        url: http://127.0.0.1:3000/mcp    # or command: [npx, -y, some-server]
 *        name: Finance
 *        policy: finance
 *        shadow: finance-next
 *        identity: jwt
 *        credential: {kind: static, secret_file: key}
 *        authorization_servers: [{issuer: https://login.example.com}] */
typedef struct {
    str_t path; /* decoded; public_url and this are the resource */
    str_t name;
    str_t url;                     /* canonical; unset: a child */
    str_t certificate_authorities; /* file; unset: the system's */
    conf_child_t child;
    const conf_policy_t *policy; /* never NULL: the ready one needs mcp:use for everything */
    const conf_policy_t *shadow; /* NULL: none */
    const conf_scope_t *scopes;  /* their texts, for consent */
    size_t n_scopes;
    const conf_provider_t *providers;
    size_t n_providers; /* 0: this server */
    conf_lists_t lists;
    conf_pins_t pins;
    conf_identity_t identity;
    str_t identity_header; /* of the jwt. Default: X-Warder-Identity */
    str_list_t strip;      /* further fields that clients may not send */
    conf_credential_t credential;
    str_list_t origins;   /* of browser pages that may call, beside loopback ones on loopback */
    bool audit_arguments; /* their values in the trail, but for `redact` */
    str_list_t redact;    /* paths of arguments; `*` for any member */
    bool dpop_required;
    bool repeat_scopes; /* in the challenge of a 403 */
    int64_t max_body_bytes, max_answer_bytes;
    int64_t timeout_s;      /* for the head of an answer */
    int64_t stream_idle_s;  /* without an event; 0: for ever */
    int64_t stream_check_s; /* between two questions about an opaque token behind an open stream */
    int64_t max_connections;
    int64_t streams_per_subject;
} conf_upstream_t;

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
    const conf_policy_t *policies;
    size_t n_policies;
    const conf_upstream_t *upstreams;
    size_t n_upstreams;
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
