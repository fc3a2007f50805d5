/* A Content-Type, and behind a line end an Accept, of which the first is what is looked for. */
#include <stdlib.h>

#include "http/media.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str_t in = str_of(data, size);
    size_t end = str_find(in, '\n', 0);
    str_t type = str_first(in, end), accept = str_skip(in, end + 1);
    unsigned body = http_media_body(type);
    check(body == 0 || body == HTTP_BODY_FORM || body == HTTP_BODY_JSON);
    bool takes = http_media_accepts(accept, STR("text/html"));
    check(!takes || str_find(accept, '/', 0) < accept.n);
    return 0;
}
