#include "cmd/text_file.h"

rc_t text_stream_read(arena_t *a, FILE *f, size_t max, str_t *out)
{
    char *bytes = arena_alloc(a, max + 1);
    if (!bytes)
        return RC_MEMORY;
    *out = str_of(bytes, fread(bytes, 1, max + 1, f));
    return ferror(f) ? RC_IO : RC_OK;
}

rc_t text_file_read(arena_t *a, const char *path, size_t max, str_t *out)
{
    if (!path)
        return RC_MEMORY;
    FILE *f = fopen(path, "rb");
    if (!f)
        return RC_IO;
    rc_t rc = text_stream_read(a, f, max, out);
    fclose(f);
    return rc;
}
