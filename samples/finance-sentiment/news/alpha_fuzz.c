/* The live service's answer as the network brings it: the first byte picks the status and the
 * verdict of the fetch, the rest is the body. */
#include "alpha.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 16 << 20 };

typedef struct {
    const uint8_t *p;
    size_t n;
} input_t;

static rc_t get(void *ctx, arena_t *a, const http_fetch_request_t *req, http_fetch_result_t *out)
{
    const input_t *in = ctx;
    (void)a;
    (void)req;
    *out = (http_fetch_result_t){.verdict = in->p[0] & 1 ? HTTP_FETCH_FAILED : HTTP_FETCH_OK,
                                 .status = in->p[0] & 2 ? 500 : 200,
                                 .body = str_of(in->p + 1, in->n - 1)};
    return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_t in = {data, size};
    alpha_config_t c = {.key = secret_of(STR("SECRETKEY")), .fetch = {get, &in}};
    alpha_answer_t out;
    arena_t *a = size > 0 ? arena_new(ARENA_BYTES) : NULL;
    if (!a)
        return 0;
    rc_t rc = alpha_fetch(&c, a, STR("ACME"), &out);
    if (rc == RC_OK ? data[0] & 3 : !out.why.p)
        abort();
    arena_free(a);
    return 0;
}
