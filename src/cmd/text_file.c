#include "cmd/text_file.h"

#include <stdio.h>

rc_t text_file_read(arena_t *a, const char *path, size_t max, str_t *out)
{
    char *bytes = path ? arena_alloc(a, max + 1) : NULL;
    if (!bytes)
        return RC_MEMORY;
    FILE *f = fopen(path, "rb");
    if (!f)
        return RC_IO;
    *out = str_of(bytes, fread(bytes, 1, max + 1, f));
    rc_t rc = ferror(f) ? RC_IO : RC_OK;
    fclose(f);
    return rc;
}
