/* The lines of an export, damaged in any way. A record that is taken is written again as a line
 * that is taken and written the same. The digest is one that every tail of zeros fits. */
#include "store/archive.h"

#include <stdlib.h>

static void more(void *ctx, str_t bytes)
{
    (void)ctx;
    (void)bytes;
}

static void end(void *ctx, uint8_t out[ARCHIVE_DIGEST])
{
    (void)ctx;
    memset(out, 0, ARCHIVE_DIGEST);
}

static str_t write(arena_t *a, table_id_t table, const void *record)
{
    str_t line;
    buf_t b = buf_new(a, 16 << 20);
    archive_write_record(&b, table, record);
    if (buf_done(&b, &line) != RC_OK || line.n == 0)
        abort();
    return str_first(line, line.n - 1);
}

static void read_again(const archive_reader_t *r, const archive_line_t *line)
{
    arena_t *a = arena_new(64 << 20);
    archive_line_t again;
    archive_reader_t copy = *r;
    copy.head.format = ARCHIVE_FORMAT; /* as it is written now */
    str_t first = write(a, line->table, line->record);
    if (archive_read(&copy, a, first, &again) != RC_OK || again.table != line->table)
        abort();
    if (!str_eq(write(a, again.table, again.record), first))
        abort();
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    archive_reader_t r = {.digest = {more, end, NULL}};
    str_t rest = str_of(data, size);
    rc_t rc = RC_OK;
    while (rc == RC_OK && rest.n > 0) {
        arena_t *a = arena_new(64 << 20);
        archive_line_t line;
        size_t n = str_find(rest, '\n', 0);
        rc = archive_read(&r, a, str_first(rest, n), &line);
        rest = n < rest.n ? str_skip(rest, n + 1) : str_first(rest, 0);
        if (rc == RC_OK && line.kind == ARCHIVE_LINE_RECORD)
            read_again(&r, &line);
        if (rc == RC_MALFORMED && archive_refusal_text(r.refusal).n == 0)
            abort();
        arena_free(a);
    }
    if (rc == RC_OK && archive_read_end(&r) == RC_OK && !r.has_tail)
        abort();
    return 0;
}
