/* Lines: Cache-Control, Expires, Date, Age, Vary. */
#include <stdlib.h>

#include "http/freshness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    http_fetch_result_t r = {0};
    str_t in = str_of(data, size);
    str_t *const FIELDS[] = {&r.cache_control, &r.expires, &r.date, &r.age, &r.vary};
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++)
        str_split(&in, '\n', FIELDS[i]);
    int64_t seconds = http_freshness(&r, 1700000000);
    if (seconds < HTTP_FRESHNESS_UNSAID)
        abort();
    if (str_contains(r.cache_control, STR("no-store")) && seconds > 0 &&
        str_eq(r.cache_control, STR("no-store")))
        abort();
    return 0;
}
