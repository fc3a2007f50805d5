/* An Authorization field from anywhere through the whole way. Nobody can have signed it, so that
 * letting it in is a crash. */
#include "core/str.h"
#include "warder/rs.h"

#include <stdlib.h>

static const char KEYS[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k\","
                           "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

static int64_t now_ms(void *ctx)
{
    return 1700000000000;
}

static int64_t mono_ms(void *ctx)
{
    return 1000;
}

static int64_t fetch(void *ctx, const char *url, char *body, size_t cap)
{
    memcpy(body, KEYS, sizeof KEYS - 1);
    return sizeof KEYS - 1;
}

/* A header value has no line break, or it could end the header. */
static void check_answer(const warder_rs_verdict_t *v)
{
    if (v->outcome != WARDER_RS_DENY || v->status < 400)
        abort();
    for (const char *p = v->www_authenticate; *p; p++)
        if (*p < 0x20 || *p > 0x7e)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const warder_rs_ports_t ports = {now_ms, mono_ms, fetch, NULL};
    const warder_rs_server_t server = {"https://as.test", "https://as.test/jwks"};
    const warder_rs_config_t config = {.resource = "https://rs.test/mcp",
                                       .servers = &server,
                                       .server_count = 1,
                                       .cache_tokens = 4,
                                       .dpop = WARDER_RS_DPOP_OPTIONAL,
                                       .dpop_nonce = true,
                                       .dpop_proofs = 16,
                                       .ports = &ports};
    char *value = malloc(size + 1);
    warder_rs_t *rs = warder_rs_new(&config, NULL, 0);
    if (!value || !rs)
        abort();
    memcpy(value, data, size);
    value[size] = '\0';
    const char *values[] = {value};
    warder_rs_request_t request = {.headers = values, .header_count = 1, .scope = "a"};
    for (int i = 0; i < 2; i++) {
        warder_rs_verdict_t *v = warder_rs_check(rs, &request);
        if (v)
            check_answer(v);
        warder_rs_verdict_free(v);
    }
    warder_rs_free(rs);
    free(value);
    return 0;
}
