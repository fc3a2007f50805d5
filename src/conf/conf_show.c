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
    return buf_done(&b, out);
}
