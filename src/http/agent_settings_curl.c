/* What an agent takes from its caller, and from the environment as it is then. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/agent_call.h"

/* Whether somebody's certificate stands there; what is wrong in it shows at the first handshake. */
static bool holds_certificate(const char *path)
{
    char line[128];
    bool holds = false;
    FILE *f = fopen(path, "re");
    while (f && !holds && fgets(line, sizeof line, f))
        holds = strstr(line, "-----BEGIN CERTIFICATE-----") ||
                strstr(line, "-----BEGIN TRUSTED CERTIFICATE-----");
    if (f)
        fclose(f);
    return holds;
}

/* The first of two variables that is set, as it is now. */
static str_t variable(arena_t *a, const char *first, const char *second)
{
    const char *value = getenv(first);
    if (!value && second)
        value = getenv(second);
    return arena_dup(a, str_c(value));
}

/* HTTP_PROXY is left out: a web server may have made it of a header field. */
static http_proxy_vars_t read_proxies(arena_t *a)
{
    return (http_proxy_vars_t){
        .http = variable(a, "http_proxy", NULL),
        .https = variable(a, "https_proxy", "HTTPS_PROXY"),
        .all = variable(a, "all_proxy", "ALL_PROXY"),
        .none = variable(a, "no_proxy", "NO_PROXY"),
    };
}

/* Whose certificates count without a word of the caller: those of the file that SSL_CERT_FILE
 * names, else those of the system's file. libcurl would look into the system's folder besides, and
 * would then read the whole file again for each connection: some 40 ms in which nobody is served.
 */
static str_t system_authorities(void)
{
    const char *named = getenv("SSL_CERT_FILE");
    if (named && *named)
        return str_c(named);
    const char *file = curl_version_info(CURLVERSION_NOW)->cainfo;
    return file && holds_certificate(file) ? str_c(file) : STR_UNSET;
}

rc_t http_agent_settings_read(arena_t *a, const http_agent_config_t *config,
                              http_agent_settings_t *s)
{
    bool is_named = !str_is_empty(config->ca_file);
    str_t file = is_named ? config->ca_file : system_authorities();
    s->user_agent =
        arena_cstr(a, str_is_set(config->user_agent) ? config->user_agent : STR("warder"));
    s->connect_ms = config->connect_ms > 0 ? config->connect_ms : LIMIT_HTTP_AGENT_CONNECT_MS;
    s->proxies = read_proxies(a);
    if (str_is_set(file))
        s->ca_file = arena_cstr(a, file);
    if (!s->user_agent || (str_is_set(file) && !s->ca_file))
        return RC_MEMORY;
    return is_named && !holds_certificate(s->ca_file) ? RC_CONFIG : RC_OK;
}
