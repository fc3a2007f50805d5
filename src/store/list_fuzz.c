/* The bytes of a column, damaged in any way; what is taken must be written as it was read. */
#include "store/list.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(8 << 20);
    str_list_t list;
    str_t again;
    if (store_list_read(a, str_of(data, size), &list) == RC_OK) {
        if (store_list_write(list, &again) != RC_OK)
            abort();
        if (again.n != size || (size > 0 && memcmp(again.p, data, size) != 0))
            abort();
        free((void *)(uintptr_t)again.p);
    }
    arena_free(a);
    return 0;
}
