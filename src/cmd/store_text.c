#include "cmd/store_text.h"

#include "core/limits.h"

#include <errno.h>
#include <stdlib.h>

enum { SCRATCH_BYTES = 64 << 20 /* the tree of the longest line, or its copy */ };

rc_t store_tally_begin(store_tally_t *t, FILE *out)
{
    *t = (store_tally_t){.scratch = arena_new(SCRATCH_BYTES), .out = out};
    sha256_begin(&t->digest);
    return t->scratch ? RC_OK : RC_MEMORY;
}

void store_tally_free(store_tally_t *t)
{
    arena_free(t->scratch);
    t->scratch = NULL;
}

/* A line that is ready: counted in the digest, and written. */
static rc_t put(store_tally_t *t, const buf_t *b)
{
    str_t line;
    TRY(buf_done(b, &line));
    sha256_more(&t->digest, line);
    if (!t->out)
        return RC_OK;
    errno = 0;
    return fwrite(line.p, 1, line.n, t->out) == line.n ? RC_OK : RC_IO;
}

static buf_t begin_line(store_tally_t *t)
{
    arena_reset(t->scratch);
    return buf_new(t->scratch, SCRATCH_BYTES / 2);
}

rc_t store_tally_add(store_tally_t *t, table_id_t table, const void *record)
{
    buf_t b = begin_line(t);
    archive_write_record(&b, table, record);
    t->counts[table]++;
    return put(t, &b);
}

bool store_tally_same(const store_tally_t *a, const store_tally_t *b)
{
    uint8_t first[SHA256_BYTES], second[SHA256_BYTES];
    sha256_so_far(&a->digest, first);
    sha256_so_far(&b->digest, second);
    return memcmp(first, second, sizeof first) == 0 &&
           memcmp(a->counts, b->counts, sizeof a->counts) == 0;
}

uint64_t store_tally_sum(const store_tally_t *t)
{
    uint64_t sum = 0;
    for (int i = 0; i < TABLE_COUNT; i++)
        sum += t->counts[i];
    return sum;
}

static rc_t add(void *ctx, table_id_t table, const void *record)
{
    return store_tally_add(ctx, table, record);
}

static rc_t write_head(store_tally_t *t, int64_t now)
{
    buf_t b = begin_line(t);
    const archive_head_t head = {ARCHIVE_FORMAT, STR(WARDER_VERSION), now};
    archive_write_head(&b, &head);
    return put(t, &b);
}

static rc_t write_tail(store_tally_t *t, uint64_t revocation)
{
    archive_tail_t tail = {.revocation = revocation};
    memcpy(tail.counts, t->counts, sizeof tail.counts);
    sha256_so_far(&t->digest, tail.sha256);
    buf_t b = begin_line(t);
    archive_write_tail(&b, &tail);
    return put(t, &b);
}

rc_t store_text_write(store_t *store, arena_t *a, int64_t now, FILE *out, store_tally_t *t,
                      str_t *why)
{
    uint64_t revocation = 0;
    const store_sink_t sink = {add, t, &revocation};
    *why = STR_UNSET;
    TRY(store_tally_begin(t, out));
    TRY(write_head(t, now));
    TRY(store_dump(store, a, &sink, why));
    TRY(write_tail(t, revocation));
    return fflush(out) == 0 ? RC_OK : RC_IO;
}

static void more(void *ctx, str_t bytes)
{
    sha256_more(ctx, bytes);
}

static void so_far(void *ctx, uint8_t out[ARCHIVE_DIGEST])
{
    sha256_so_far(ctx, out);
}

rc_t store_text_open(store_text_t *t, FILE *in)
{
    *t = (store_text_t){.in = in,
                        .line = malloc(LIMIT_ARCHIVE_LINE_BYTES + 1),
                        .scratch = arena_new(SCRATCH_BYTES),
                        .head = arena_new(SCRATCH_BYTES)};
    sha256_begin(&t->digest);
    t->reader.digest = (archive_digest_t){more, so_far, &t->digest};
    return t->line && t->scratch && t->head ? RC_OK : RC_MEMORY;
}

void store_text_close(store_text_t *t)
{
    arena_free(t->scratch);
    arena_free(t->head);
    free(t->line);
    *t = (store_text_t){0};
}

/* One line without its end, at most one byte more than a line may have. False: there is none. */
static bool read_line(store_text_t *t, str_t *out)
{
    size_t n = 0;
    int c = EOF;
    errno = 0;
    while (n < LIMIT_ARCHIVE_LINE_BYTES + 1 && (c = getc_unlocked(t->in)) != EOF && c != '\n')
        t->line[n++] = (char)c;
    t->failed = ferror(t->in) != 0;
    *out = str_of(t->line, n);
    return !t->failed && (n > 0 || c == '\n');
}

static rc_t next_line(store_text_t *t, archive_line_t *line)
{
    str_t text;
    if (!read_line(t, &text))
        return t->failed                               ? RC_IO
               : archive_read_end(&t->reader) == RC_OK ? RC_NOT_FOUND
                                                       : RC_MALFORMED;
    /* What the head says outlives its line. */
    arena_t *a = t->reader.has_head ? t->scratch : t->head;
    arena_reset(t->scratch);
    return archive_read(&t->reader, a, text, line);
}

static rc_t next(void *ctx, table_id_t *table, const void **record)
{
    store_text_t *t = ctx;
    archive_line_t line = {.kind = ARCHIVE_LINE_HEAD};
    while (line.kind != ARCHIVE_LINE_RECORD)
        TRY(next_line(t, &line));
    *table = line.table;
    *record = line.record;
    return RC_OK;
}

store_source_t store_text_source(store_text_t *t)
{
    return (store_source_t){next, t, &t->reader.tail.revocation};
}
