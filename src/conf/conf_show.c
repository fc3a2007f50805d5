#include "conf/conf_table.h"

#include "core/json.h"

enum { SHOW_MAX = 1 << 20 };

/* YAML takes what JSON writes. */
static void put_setting(json_writer_t *w, const conf_row_t *row, const conf_t *conf)
{
    const void *field = (const char *)conf + row->offset;
    str_list_t list;
    switch (row->type) {
    case CONF_INT:
        json_int(w, *(const int64_t *)field);
        break;
    case CONF_BOOL:
        json_bool(w, *(const bool *)field);
        break;
    case CONF_STRS:
        list = *(const str_list_t *)field;
        json_begin_array(w);
        for (size_t i = 0; i < list.n; i++)
            json_str(w, list.v[i]);
        json_end_array(w);
        break;
    default:
        json_str(w, *(const str_t *)field);
    }
}

rc_t conf_show(arena_t *a, const conf_sources_t *sources, const conf_t *conf, str_t *out)
{
    static const char *const ORIGIN[] = {"default", "file", "environment", "command line"};
    conf_raw_t *raw = ARENA_ARRAY(a, CONF_N_ROWS, conf_raw_t);
    if (!raw)
        return RC_MEMORY;
    str_t why;
    conf_nodes_t nodes;
    TRY(conf_merge(a, sources, raw, &nodes, &why));
    buf_t b = buf_new(a, SHOW_MAX);
    for (size_t i = 0; i < CONF_N_ROWS; i++) {
        json_writer_t w = json_writer(&b);
        buf_put(&b, CONF_ROWS[i].key);
        buf_put(&b, STR(": "));
        put_setting(&w, &CONF_ROWS[i], conf);
        buf_fmt(&b, "  # %s\n", ORIGIN[raw[i].origin]);
    }
    for (size_t i = 0; i < conf->n_resources; i++)
        buf_fmt(&b, "# resource %" PRIstr " with %zu scopes\n", STR_ARG(conf->resources[i].uri),
                conf->resources[i].n_scopes);
    for (size_t i = 0; i < conf->n_issuers; i++)
        buf_fmt(&b, "# trusted issuer %" PRIstr " with %zu rules\n",
                STR_ARG(conf->issuers[i].issuer), conf->issuers[i].n_rules);
    for (size_t i = 0; i < conf->n_policies; i++)
        buf_fmt(&b, "# policy %" PRIstr " with %zu rules\n", STR_ARG(conf->policies[i].name),
                conf->policies[i].n_rules);
    for (size_t i = 0; i < conf->n_upstreams; i++)
        buf_fmt(&b, "# upstream %" PRIstr " under policy %" PRIstr "\n",
                STR_ARG(conf->upstreams[i].path), STR_ARG(conf->upstreams[i].policy->name));
    return buf_done(&b, out);
}

static void put_upper(buf_t *b, str_t s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_char(b, s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 32) : s.p[i]);
}

static void put_flag(buf_t *b, str_t s)
{
    buf_put(b, STR("--"));
    for (size_t i = 0; i < s.n; i++)
        buf_char(b, s.p[i] == '_' ? '-' : s.p[i]);
}

static void put_values(buf_t *b, const conf_row_t *row)
{
    switch (row->type) {
    case CONF_INT:
        buf_fmt(b, "%lld to %lld", (long long)row->min, (long long)row->max);
        break;
    case CONF_ENUM:
        buf_put(b, row->words);
        break;
    case CONF_BOOL:
        buf_put(b, STR("true false"));
        break;
    case CONF_STRS:
        buf_put(b, STR("a list; in environment and flags separated by commas"));
        break;
    case CONF_STR:
        buf_put(b, STR("text"));
        break;
    }
}

static void put_issuers(buf_t *b)
{
    buf_put(b,
            STR("\nIssuers whose assertions count stand in the file only, too (RFC 7523): identity "
                "providers that\nsend people (`id-jag`), platforms whose workloads sign in by "
                "themselves "
                "(`workload`), and those who vouch for\nsoftware at registration "
                "(`software-statement`). Their keys come from `jwks_uri`, from `jwks_file`,\nor, "
                "where neither is set, from the issuer's own metadata. `tenant_claim`, `tenants`, "
                "`resources`\nand `scopes` bound `id-jag`; an empty list leaves all open. A "
                "workload may do what the first rule\nsays whose claims all fit; `*` at the end "
                "of `sub` leaves its rest open.\nTokens of a workload count once, unless `reuse: "
                "true` says that its platform writes them to a file\nfrom which each is read many "
                "times. Hosts with addresses of an inner network must stand\nin "
                "`client_document_private_hosts` to be asked for keys; `jwks_file` needs no "
                "asking:\n\n"
                "```yaml\ntrusted_issuers:\n  - issuer: https://idp.example.com\n"
                "    uses: [id-jag]\n    jwks_uri: https://idp.example.com/keys\n"
                "    algorithms: [ES256, RS256]\n    tenant_claim: tenant\n"
                "    tenants: [acme]\n    resources: [https://mcp.example.com/mcp]\n"
                "    scopes: [\"news:read\"]\n"
                "  - issuer: https://token.build.example.com\n    uses: [workload]\n"
                "    rules:\n      - name: nightly\n"
                "        claims: {sub: \"repo:acme/*\", environment: production}\n"
                "        resources: [https://mcp.example.com/mcp]\n"
                "        scopes: [\"news:read\"]\n```\n"));
}

#define UPSTREAMS                                                                                  \
    "\nMCP servers that this one protects stand in the file, too, when there are several or more " \
    "is to say of\none than the settings `upstream_*` can. Each needs `url` or `command`, and "    \
    "as a rule `path` (without it: that of\n`url`, or /mcp); all else may be left out and is "     \
    "shown here with its default, but for what stands "                                            \
    "behind a mark:\n\n"                                                                           \
    "```yaml\nupstreams:\n"                                                                        \
    "  - path: /mcp                    # public_url and this are the resource\n"                   \
    "    name: Finance                 # *\n"                                                      \
    "    url: http://127.0.0.1:3000/mcp\n"                                                         \
    "    scopes:                       # * what pages say about the scopes of the policy\n"        \
    "      \"mcp:use\": Use this server\n"                                                         \
    "    lists: filter                 # what the caller may not use: filter, mark, or pass\n"     \
    "    pins: report                  # changed tools: report, withhold, or off\n"                \
    "    identity: none                # who calls, for the server: none, headers, or jwt\n"       \
    "    identity_header: X-Warder-Identity\n"                                                     \
    "    strip: []                     # more fields that clients may not send\n"                  \
    "    credential: {kind: none}      # or static, client_credentials, token_exchange\n"          \
    "    origins: []                   # of browser pages that may call, beside loopback ones\n"   \
    "    audit_arguments: false        # their values in the trail\n"                              \
    "    redact: []                    # but for these paths\n"                                    \
    "    dpop_required: false          # no token without a key\n"                                 \
    "    repeat_scopes: false          # a 403 names what the token grants already, too\n"         \
    "    max_body_bytes: 1048576\n"                                                                \
    "    max_answer_bytes: 8388608\n"                                                              \
    "    timeout_s: 300                # for the head of an answer\n"                              \
    "    stream_idle_s: 0              # without an event; 0: for ever\n"                          \
    "    stream_check_s: 60            # opaque tokens of open streams are asked about again\n"    \
    "    max_connections: 1024         # to it, of one worker; more calls at once get 503\n"       \
    "    streams_per_subject: 64\n"                                                                \
    "  - path: /notes\n"                                                                           \
    "    command: [npx, -y, some-server]\n"                                                        \
    "    child:\n"                                                                                 \
    "      environment: []             # NAME=VALUE, beside PATH, HOME, LANG and TMPDIR\n"         \
    "      directory: /srv/notes       # * else the data folder\n"                                 \
    "      shared: false               # one child for all, or one for each session\n"             \
    "      max_children: 64\n"                                                                     \
    "      memory_mb: 1024             # of each; 0: no limit\n"                                   \
    "      idle_s: 600\n"                                                                          \
    "      message_bytes: 4194304\n"                                                               \
    "      start_s: 30\n"                                                                          \
    "      starts_per_minute: 120      # half of them by one caller\n"                             \
    "  - path: /crm\n"                                                                             \
    "    url: https://crm.example.com/mcp\n"                                                       \
    "    certificate_authorities: /etc/warder/crm.pem  # * else the system's\n"                    \
    "    identity: jwt\n"                                                                          \
    "    credential:\n"                                                                            \
    "      kind: token_exchange        # one token for each caller (RFC 8693)\n"                   \
    "      token_endpoint: https://login.example.com/token\n"                                      \
    "      client_id: warder\n"                                                                    \
    "      secret_file: /etc/warder/crm.secret\n"                                                  \
    "      audience: crm               # * as resource and scope\n"                                \
    "      header: Authorization\n"                                                                \
    "      prefix: \"Bearer \"\n"                                                                  \
    "    authorization_servers:        # * whose tokens are taken in place of this server's\n"     \
    "      - issuer: https://login.example.com\n"                                                  \
    "        jwks_uri: https://login.example.com/keys      # * else from its metadata\n"           \
    "        audiences: [api://crm]    # * for providers that cannot name the resource\n"          \
    "        profile: entra            # * docs/PROVIDERS.md\n"                                    \
    "        introspection_uri: https://login.example.com/introspect  # * for opaque tokens\n"     \
    "        client_id: warder\n"                                                                  \
    "        client_secret_file: /etc/warder/login.secret\n```\n\n"                                \
    "`policy` and `shadow` name a policy of `policies`; without one, everything needs the scope "  \
    "`mcp:use`.\nRelative files count from the folder of the settings file, but for `data`, "      \
    "`audit_file`, `key_file` and\n`login_client_secret_file`, which count from the working "      \
    "folder; those with secrets must be readable by nobody\nelse. What is unsafe is refused at "   \
    "the start: an upstream that "                                                                 \
    "is "                                                                                          \
    "this server's own address, plain\nhttp to a host that others can listen in on, `identity: "   \
    "headers` to a public host, introspection\nwithout credentials, two upstreams under one "      \
    "path, "                                                                                       \
    "or one under a path of this server's own.\n"

static void put_upstreams(buf_t *b)
{
    buf_put(b, STR(UPSTREAMS));
}

rc_t conf_document(arena_t *a, str_t *out)
{
    buf_t b = buf_new(a, SHOW_MAX);
    buf_put(&b, STR("# Settings\n\n"
                    "Rendered from `src/conf/settings.def`. Each setting can stand in the settings "
                    "file (YAML,\n`warder serve --config FILE`), in the environment, and on the "
                    "command line; the later wins.\n\n"
                    "| setting | environment | flag | default | values | what it does |\n"
                    "|---|---|---|---|---|---|\n"));
    for (size_t i = 0; i < CONF_N_ROWS; i++) {
        const conf_row_t *row = &CONF_ROWS[i];
        buf_fmt(&b, "| `%" PRIstr "` | `WARDER_", STR_ARG(row->key));
        put_upper(&b, row->key);
        buf_put(&b, STR("` | `"));
        put_flag(&b, row->key);
        buf_fmt(&b, "` | %s%" PRIstr "%s | ", row->def.n ? "`" : "", STR_ARG(row->def),
                row->def.n ? "`" : "");
        put_values(&b, row);
        buf_fmt(&b, " | %" PRIstr " |\n", STR_ARG(row->text));
    }
    buf_put(&b, STR("\nProtected resources stand in the file only (or come by `warder admin "
                    "resource add`):\n\n"
                    "```yaml\nresources:\n  - uri: https://mcp.example.com/mcp\n"
                    "    name: Finance sentiment\n    scopes:\n"
                    "      \"news:read\": Read market news and its sentiment\n"
                    "    default_scopes: [\"news:read\"]\n    aliases: []\n"
                    "    access_token_lifetime: 300 # seconds; left out: the setting\n"
                    "    token_format: jwt          # or opaque: asked for by introspection\n"
                    "    token_binding: none        # or dpop: no token without a key\n```\n\n"
                    "What stands in the file is put into the store at each start, and no command "
                    "changes it. A resource that is taken out of the file stays until `warder "
                    "admin resource delete` removes it.\n"));
    put_issuers(&b);
    put_upstreams(&b);
    buf_put(&b,
            STR("\n`policies` stand in the file only, too; [POLICY.md](POLICY.md) has them.\n"));
    return buf_done(&b, out);
}
