/* Any bytes as the settings file. What is refused has its one sentence; what is taken is within the
 * bounds of the table, and what is shown of it loads as the same settings. */
#include "conf/conf_table.h"
#include "core/num.h"

#include <stdlib.h>

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_row(const conf_row_t *row, const conf_t *a, const conf_t *b)
{
    const char *x = (const char *)a + row->offset, *y = (const char *)b + row->offset;
    const str_list_t *left = (const void *)x, *right = (const void *)y;
    switch (row->type) {
    case CONF_INT:
        check(*(const int64_t *)(const void *)x >= row->min);
        check(*(const int64_t *)(const void *)x <= row->max);
        check(*(const int64_t *)(const void *)x == *(const int64_t *)(const void *)y);
        break;
    case CONF_BOOL:
        check(*(const bool *)x == *(const bool *)y);
        break;
    case CONF_STRS:
        check(left->n == right->n);
        for (size_t i = 0; i < left->n; i++)
            check(str_eq(left->v[i], right->v[i]));
        break;
    default:
        check(str_eq(*(const str_t *)(const void *)x, *(const str_t *)(const void *)y));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(64 << 20);
    conf_sources_t s = {.file_name = STR("f"), .file = str_of(data, size)};
    const conf_t *conf, *again;
    str_t why, shown;
    rc_t rc = conf_load(a, &s, &conf, &why);
    check(rc == RC_OK || (rc == RC_CONFIG && why.n > 0 && str_is_printable_ascii(why)));
    if (rc == RC_OK) {
        check(conf_show(a, &s, conf, &shown) == RC_OK);
        s.file = shown;
        check(conf_load(a, &s, &again, &why) == RC_OK);
        for (size_t i = 0; i < CONF_N_ROWS; i++)
            check_row(&CONF_ROWS[i], conf, again);
    }
    arena_free(a);
    return 0;
}
