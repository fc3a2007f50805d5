/* What an authorization server says of an opaque token, from anywhere: who is let in is somebody,
 * for us, and not for ever. */
#include "core/str.h"
#include "warder/rs.h"

#include <stdlib.h>

typedef struct {
    const uint8_t *data;
    size_t size;
} answer_t;

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
    return -1;
}

static int64_t post(void *ctx, const char *url, const char *authorization, const char *form,
                    char *body, size_t cap)
{
    const answer_t *a = ctx;
    if (a->size > cap)
        return -1;
    if (a->size > 0)
        memcpy(body, a->data, a->size);
    return (int64_t)a->size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    answer_t answer = {data, size};
    const warder_rs_ports_t ports = {now_ms, mono_ms, fetch, &answer, post};
    const warder_rs_server_t server = {.issuer = "https://as.test",
                                       .jwks_uri = "https://as.test/jwks",
                                       .client_id = "id",
                                       .client_secret = "secret",
                                       .introspection_uri = "https://as.test/introspect"};
    const warder_rs_config_t config = {.resource = "https://rs.test/mcp",
                                       .servers = &server,
                                       .server_count = 1,
                                       .cache_tokens = 4,
                                       .ports = &ports};
    const char *value = "Bearer handle";
    const warder_rs_request_t request = {.headers = &value, .header_count = 1};
    warder_rs_t *rs = warder_rs_new(&config, NULL, 0);
    if (!rs)
        abort();
    warder_rs_verdict_t *v = warder_rs_check(rs, &request);
    if (v && v->outcome == WARDER_RS_ALLOW &&
        (!v->sub[0] || strcmp(v->iss, "https://as.test") != 0 || v->exp <= 1699999900))
        abort();
    warder_rs_verdict_free(v);
    warder_rs_free(rs);
    return 0;
}
