#include "client/url_rule.h"
#include "jose/pem.h"
#include "mcp_client/library.h"

enum { SECOND_MS = 1000 };

static rc_t refuse(str_t *why, str_t sentence)
{
    *why = sentence;
    return RC_CONFIG;
}

/* ---- what must fit ---- */

static rc_t check_way(const warder_client_config_t *c, str_t *why)
{
    bool provider = c->provider_issuer || c->provider_token_endpoint;
    switch (c->way) {
    case WARDER_CLIENT_PERSON:
    case WARDER_CLIENT_OPEN:
        return RC_OK;
    case WARDER_CLIENT_DEVICE:
        return c->callbacks.code ? RC_OK
                                 : refuse(why, STR("WARDER_CLIENT_DEVICE needs callbacks.code"));
    case WARDER_CLIENT_MACHINE:
        return c->client_id && (c->client_secret || c->private_key_pem)
                   ? RC_OK
                   : refuse(why, STR("WARDER_CLIENT_MACHINE needs client_id, and client_secret or "
                                     "private_key_pem"));
    case WARDER_CLIENT_WORKLOAD:
        return c->assertion || c->assertion_file
                   ? RC_OK
                   : refuse(why, STR("WARDER_CLIENT_WORKLOAD needs assertion or assertion_file"));
    case WARDER_CLIENT_ENTERPRISE:
        return c->id_token && c->provider_client_id && provider
                   ? RC_OK
                   : refuse(why,
                            STR("WARDER_CLIENT_ENTERPRISE needs id_token, provider_client_id, and "
                                "provider_issuer or provider_token_endpoint"));
    case WARDER_CLIENT_TOKEN:
        return c->token ? RC_OK : refuse(why, STR("WARDER_CLIENT_TOKEN needs token"));
    }
    return refuse(why, STR("way is none of warder_client_way_t"));
}

static rc_t check_extensions(arena_t *a, const char *text, str_t *why)
{
    const json_t *root = NULL;
    if (!text)
        return RC_OK;
    rc_t rc = json_parse(a, str_c(text), NULL, &root);
    if (rc == RC_MEMORY)
        return rc;
    return json_is(root, JSON_OBJECT) ? RC_OK
                                      : refuse(why, STR("extensions must be a JSON object"));
}

static rc_t check_url(const warder_client_config_t *c, str_t *why)
{
    if (!c->url)
        return refuse(why, STR("url is missing"));
    client_reason_t reason = client_url_check(str_c(c->url), c->plain_http);
    return reason == CLIENT_FINE ? RC_OK : refuse(why, client_reason_row(reason)->sentence);
}

static rc_t check(arena_t *a, const warder_client_config_t *c, str_t *why)
{
    TRY(check_url(c, why));
    TRY(check_way(c, why));
    bool era = c->era == WARDER_CLIENT_AUTO || c->era == WARDER_CLIENT_HANDSHAKE ||
               c->era == WARDER_CLIENT_STATELESS;
    if (!era)
        return refuse(why, STR("era is none of warder_client_era_t"));
    return check_extensions(a, c->extensions, why);
}

/* ---- the key ---- */

static rc_t read_key(warder_client_t *c, const warder_client_config_t *config, str_t *why)
{
    if (!config->private_key_pem)
        return RC_OK;
    rc_t rc = pem_private_read(c->a, str_c(config->private_key_pem), &c->key.key);
    if (rc == RC_MALFORMED)
        return refuse(why, STR("private_key_pem is no private key in PKCS#8 that is taken here"));
    TRY(rc);
    c->key.alg = config->algorithm ? alg_parse(str_c(config->algorithm))
                                   : jose_key_usual_alg(jose_key_kind(c->key.key));
    if (!jose_key_fits(jose_key_kind(c->key.key), c->key.alg))
        return refuse(why, STR("algorithm does not fit the key"));
    c->key.kid = config->key_id ? arena_dup(c->a, str_c(config->key_id)) : STR_UNSET;
    return config->key_id && !c->key.kid.p ? RC_MEMORY : RC_OK;
}

/* ---- what is below ---- */

static rc_t open_keep(warder_client_t *c, const char *folder, tokens_keep_t *out, str_t *why)
{
    if (folder) {
        TRY(tokens_folder_open(c->a, str_c(folder), &c->folder, why));
        *out = tokens_folder_keep(c->folder);
        return RC_OK;
    }
    TRY(tokens_memory_new(&c->memory));
    *out = tokens_memory_keep(c->memory);
    return RC_OK;
}

static tokens_way_t way_of(warder_client_way_t way)
{
    static const tokens_way_t WAYS[] = {
        [WARDER_CLIENT_PERSON] = TOKENS_PERSON,
        [WARDER_CLIENT_DEVICE] = TOKENS_DEVICE,
        [WARDER_CLIENT_MACHINE] = TOKENS_MACHINE,
        [WARDER_CLIENT_WORKLOAD] = TOKENS_WORKLOAD,
        [WARDER_CLIENT_ENTERPRISE] = TOKENS_ENTERPRISE,
        [WARDER_CLIENT_TOKEN] = TOKENS_GIVEN,
        [WARDER_CLIENT_OPEN] = TOKENS_NONE,
    };
    return WAYS[way];
}

static const char *name_of(const warder_client_config_t *config)
{
    return config->name ? config->name : "warder-client";
}

static tokens_config_t tokens_of(warder_client_t *c, const warder_client_config_t *config)
{
    return (tokens_config_t){
        .url = str_c(config->url),
        .way = way_of(config->way),
        .who = {.client_id = str_c(config->client_id),
                .secret = secret_of(str_c(config->client_secret)),
                .key = c->key.key ? &c->key : NULL},
        .who_issuer = str_c(config->client_issuer),
        .document = str_c(config->metadata_url),
        .registration = {.name = str_c(name_of(config)),
                         .software_version = str_c(config->version)},
        .scope = str_c(config->scope),
        .issuer = str_c(config->issuer),
        .assertion = str_c(config->assertion),
        .assertion_file = str_c(config->assertion_file),
        .provider = {.issuer = str_c(config->provider_issuer),
                     .token_endpoint = str_c(config->provider_token_endpoint),
                     .client_id = str_c(config->provider_client_id),
                     .client_secret = secret_of(str_c(config->provider_client_secret)),
                     .id_token = str_c(config->id_token)},
        .given = str_c(config->token),
        .dpop = config->dpop,
        .strict = config->strict_resource ? CLIENT_RESOURCE_EXACT : CLIENT_RESOURCE_PREFIX,
        .plain_ok = config->plain_http,
        .reach = config->private_networks ? HTTP_REACH_ANY : HTTP_REACH_PUBLIC,
        .callback_port = config->callback_port,
        .sign_in_ms = (int64_t)config->sign_in_s * SECOND_MS,
        .person = library_person(c),
        .http = http_agent_ask(c->agent),
        .clock = clock_system(),
        .random = random_system(),
    };
}

static rc_t wire_tokens(warder_client_t *c, const warder_client_config_t *config, str_t *why)
{
    if (config->way == WARDER_CLIENT_OPEN)
        return RC_OK;
    TRY(read_key(c, config, why));
    tokens_config_t tokens = tokens_of(c, config);
    TRY(open_keep(c, config->folder, &tokens.keep, why));
    return tokens_source_new(&tokens, &c->tokens);
}

static mcp_client_era_t era_of(warder_client_era_t era)
{
    switch (era) {
    case WARDER_CLIENT_HANDSHAKE:
        return MCP_CLIENT_HANDSHAKE;
    case WARDER_CLIENT_STATELESS:
        return MCP_CLIENT_STATELESS;
    default:
        return MCP_CLIENT_AUTO;
    }
}

static rc_t wire_session(warder_client_t *c, const warder_client_config_t *config)
{
    c->config = (mcp_client_config_t){
        .link = {.agent = c->agent,
                 .tokens = c->tokens,
                 .url = arena_dup(c->a, str_c(config->url)),
                 /* Where it is, the program said itself. */
                 .reach = HTTP_REACH_ANY},
        .name = arena_dup(c->a, str_c(name_of(config))),
        .version = arena_dup(c->a, config->version ? str_c(config->version) : STR("0")),
        .extensions = arena_dup(c->a, str_c(config->extensions)),
        .era = era_of(config->era),
        .handlers = library_handlers(c),
        .call_ms = (int64_t)config->call_s * SECOND_MS,
        .stop = &c->stop,
    };
    bool failed = !c->config.link.url.p || !c->config.name.p || !c->config.version.p ||
                  (config->extensions && !c->config.extensions.p);
    return failed ? RC_MEMORY : RC_OK;
}

rc_t library_wire(warder_client_t *c, const warder_client_config_t *config, str_t *why)
{
    const http_agent_config_t agent = {.ca_file = str_c(config->ca_file),
                                       .user_agent = str_c(name_of(config))};
    TRY(check(c->a, config, why));
    rc_t rc = http_agent_new(&agent, &c->agent);
    if (rc == RC_CONFIG)
        return refuse(why, STR("ca_file cannot be read"));
    TRY(rc);
    TRY(wire_tokens(c, config, why));
    return wire_session(c, config);
}
