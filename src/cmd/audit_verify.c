/* warder audit verify */
#include "audit/reader.h"
#include "audit/rotated.h"
#include "cmd/command.h"
#include "cmd/settings.h"
#include "cmd/trail.h"
#include "conf/conf_table.h"
#include "core/limits.h"
#include "core/num.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

enum {
    ARENA_BYTES = 8 << 20,
    SCRATCH_BYTES = 4 << 20,
    FILES_MAX = 4096,
    HEAD_BYTES = 128,
    TRIES = 10,
};

typedef struct {
    audit_chain_t chain;
    const char *path; /* of the file at hand */
    const char **files;
    size_t n;
    bool by_settings; /* the files are those that the settings lead to */
    const audit_head_t *expect;
    const jwks_t *keys; /* NULL: none were given, and none is there */
    uint64_t unproven_max;
} verify_t;

static const option_t OPTIONS[] = {
    {.name = "expect-last"},
    {.name = "public-key", .many = true},
    {.name = "closed", .is_switch = true},
    {.name = "max-unproven"},
};
enum { N_OPTIONS = sizeof OPTIONS / sizeof OPTIONS[0] };

static int cannot_read(const char *path)
{
    return command_fail(EXIT_FAILED, "the audit trail '%s' cannot be read: %s", path,
                        strerror(errno));
}

/* As it comes upon the line: there may be more than one. */
static void report_mend(const audit_chain_t *c)
{
    printf("mended: line %llu says that %lld bytes behind line %llu were put aside in %s",
           (unsigned long long)c->head.seq, (long long)c->mend.bytes,
           (unsigned long long)c->head.seq - 1, c->mend.file);
    if (c->mend.signed_seq > 0)
        printf("; a checkpoint in them, number %lld, signs lines that are not here",
               (long long)c->mend.signed_seq);
    printf("\n");
}

/* All lines of an open file; what has no end is a line too, a torn one. */
static rc_t check_lines(verify_t *v, audit_reader_t *r)
{
    str_t line;
    rc_t rc;
    while (v->chain.fault == AUDIT_FAULT_NONE) {
        rc = audit_reader_line(r, &line);
        if (rc == RC_NOT_FOUND && line.n == 0)
            return RC_OK;
        if (rc == RC_IO)
            return rc;
        uint64_t mends = v->chain.mends;
        TRY(audit_chain_line(&v->chain, line));
        if (v->chain.mends > mends)
            report_mend(&v->chain);
    }
    return RC_OK;
}

static int finish_file(verify_t *v, rc_t rc)
{
    if (rc == RC_OK)
        return EXIT_DONE;
    return rc == RC_MEMORY ? command_out_of_memory() : cannot_read(v->path);
}

static int check_file(verify_t *v, const char *path)
{
    audit_reader_t r;
    v->path = path;
    audit_chain_next_file(&v->chain);
    rc_t rc = audit_reader_open(&r, path);
    if (rc == RC_OK) {
        rc = audit_reader_freeze(&r);
        if (rc == RC_OK)
            rc = check_lines(v, &r);
        audit_reader_close(&r);
    }
    return finish_file(v, rc);
}

static int report_fault(const verify_t *v)
{
    char place[128] = "";
    const audit_chain_t *c = &v->chain;
    unsigned long long due = c->head.seq + 1, found = c->seq;
    if (c->fault == AUDIT_FAULT_UNPROVEN)
        snprintf(place, sizeof place, "; the last checkpoint is number %llu, the last line %llu",
                 (unsigned long long)c->signed_seq, due - 1);
    else if (c->lines > 0 && found > 0 && found != due)
        snprintf(place, sizeof place, "; number %llu was to come, and %llu stands there", due,
                 found);
    else if (c->lines > 0)
        snprintf(place, sizeof place, "; number %llu was to come", due);
    return command_fail(EXIT_REFUSED, "%s line %llu: %" PRIstr ": %" PRIstr "%s", v->path,
                        (unsigned long long)c->line, STR_ARG(audit_fault_name(c->fault)),
                        STR_ARG(audit_fault_about(c->fault)), place);
}

static void report_signed(const verify_t *v)
{
    const audit_chain_t *c = &v->chain;
    if (c->checkpoints > 0 && !v->keys)
        printf("signatures were not checked: give the audit key by --public-key\n");
    if (!v->keys)
        return;
    printf("signed: up to %llu, by %llu checkpoints\n", (unsigned long long)c->signed_seq,
           (unsigned long long)c->checkpoints);
    if (c->head.seq > c->signed_seq)
        printf("unproven: %llu lines behind the last checkpoint\n",
               (unsigned long long)(c->head.seq - c->signed_seq));
}

static void report_front(const audit_chain_t *c)
{
    unsigned long long before = c->first.seq - 1;
    if (before > 0 && c->deleted_by > 0)
        printf("lines up to %llu were deleted when their time was over, says line %llu\n", before,
               (unsigned long long)c->deleted_by);
    else if (before > 0)
        printf("line %llu and those before it stand in an older file: name it first to check the "
               "seam\n",
               before);
}

static int report_sound(const verify_t *v)
{
    char text[HEAD_BYTES];
    const audit_chain_t *c = &v->chain;
    buf_t head = buf_fixed(text, sizeof text);
    if (c->lines == 0) {
        printf("the chain holds: it has no line yet\n");
        return EXIT_DONE;
    }
    audit_head_write(&head, &c->head);
    printf("the chain holds: %llu lines\n", (unsigned long long)c->lines);
    printf("first: %llu at %.*s\n", (unsigned long long)c->first.seq, AUDIT_TIME_BYTES,
           c->first_time);
    printf("last: %llu at %.*s\n", (unsigned long long)c->head.seq, AUDIT_TIME_BYTES, c->last_time);
    printf("head: %" PRIstr "\n", STR_ARG(buf_str(&head)));
    report_signed(v);
    report_front(c);
    return EXIT_DONE;
}

static int check_words(verify_t *v)
{
    int code = EXIT_DONE;
    for (size_t i = 0; i < v->n && code == EXIT_DONE && v->chain.fault == AUDIT_FAULT_NONE; i++)
        code = check_file(v, v->files[i]);
    return code;
}

/* The number of the first line in a file that is open; INT64_MAX: it has none. */
static rc_t first_number(audit_reader_t *r, arena_t *scratch, uint64_t *out)
{
    audit_record_t record;
    str_t line;
    *out = INT64_MAX;
    arena_reset(scratch);
    rc_t rc = audit_reader_line(r, &line);
    if (rc == RC_OK && audit_record_read(scratch, line, &record) == RC_OK)
        *out = record.seq;
    audit_reader_rewind(r);
    return rc == RC_IO ? rc : RC_OK;
}

/* A server may rotate at any moment. The file in use is held open first: whatever name it has by
 * then, those that were rotated before it are there. */
static int check_trail(arena_t *a, verify_t *v, audit_reader_t *r)
{
    audit_rotated_t *rotated;
    size_t n = 0;
    uint64_t first = 0;
    const char *path = v->path;
    rc_t rc = audit_reader_freeze(r);
    if (rc == RC_OK)
        rc = first_number(r, v->chain.scratch, &first);
    if (rc == RC_OK)
        rc = audit_rotated_list(a, path, &rotated, &n);
    int code = finish_file(v, rc);
    for (size_t i = 0; code == EXIT_DONE && i < n && v->chain.fault == AUDIT_FAULT_NONE; i++)
        if (rotated[i].seq < first)
            code = check_file(v, rotated[i].path);
    if (code != EXIT_DONE || v->chain.fault != AUDIT_FAULT_NONE)
        return code;
    v->path = path;
    audit_chain_next_file(&v->chain);
    return finish_file(v, check_lines(v, r));
}

static int check_by_settings(arena_t *a, const settings_t *s, verify_t *v)
{
    static const struct timespec SHORT = {0, 10000000};
    audit_reader_t r;
    v->path = arena_cstr(a, s->conf.audit_file);
    if (!v->path)
        return command_out_of_memory();
    rc_t rc = audit_reader_open(&r, v->path);
    for (int i = 0; rc == RC_NOT_FOUND && i < TRIES; i++) { /* between a rename and the new file */
        nanosleep(&SHORT, NULL);
        rc = audit_reader_open(&r, v->path);
    }
    if (rc != RC_OK)
        return finish_file(v, rc);
    int code = check_trail(a, v, &r);
    audit_reader_close(&r);
    return code;
}

static int check(arena_t *a, const settings_t *s, verify_t *v)
{
    arena_t *scratch = arena_new(SCRATCH_BYTES);
    if (!scratch)
        return command_out_of_memory();
    v->chain = audit_chain_begin(scratch, v->expect);
    v->chain.keys = v->keys;
    v->chain.unproven_max = v->unproven_max;
    int code = v->by_settings ? check_by_settings(a, s, v) : check_words(v);
    if (code == EXIT_DONE) {
        audit_chain_end(&v->chain);
        code = v->chain.fault == AUDIT_FAULT_NONE ? report_sound(v) : report_fault(v);
    }
    arena_free(scratch);
    return code;
}

/* The public keys beside the private one: the present one, and those it replaced. */
static int keys_by_settings(arena_t *a, const settings_t *s, jwks_t *out)
{
    const char *path = trail_key_path(a, s);
    const char *public = path ? trail_public_path(a, path) : NULL;
    return public ? trail_keys_beside(a, public, out) : command_out_of_memory();
}

static int read_keys(arena_t *a, const option_t *rows, const settings_t *s, verify_t *v,
                     jwks_t *keys)
{
    const option_t *given = option_row(rows, "public-key");
    int code = EXIT_DONE;
    if (given->n > 0)
        code = trail_public_keys(a, given->values, given->n, keys);
    else if (v->by_settings)
        code = keys_by_settings(a, s, keys);
    v->keys = keys->n > 0 ? keys : NULL;
    return code;
}

static int read_options(const option_t *rows, verify_t *v, audit_head_t *head)
{
    str_t expect = option_get(rows, "expect-last"), most = option_get(rows, "max-unproven");
    if (str_is_set(expect) && !audit_head_parse(expect, head))
        return command_fail(EXIT_USAGE, "--expect-last wants SEQ:HASH, as the line 'head' of this "
                                        "command prints it");
    v->expect = str_is_set(expect) ? head : NULL;
    v->unproven_max = option_is_set(rows, "closed") ? 0 : UINT64_MAX;
    if (str_is_set(most) && !num_u64(most, INT64_MAX, &v->unproven_max))
        return command_fail(EXIT_USAGE, "--max-unproven wants a number of lines");
    return EXIT_DONE;
}

static int read_words(arena_t *a, const str_t *words, size_t n, verify_t *v)
{
    v->n = n;
    v->by_settings = n == 0;
    v->files = ARENA_ARRAY(a, n + 1, const char *);
    for (size_t i = 0; v->files && i < n; i++)
        v->files[i] = arena_cstr(a, words[i]);
    for (size_t i = 0; i < n; i++)
        if (!v->files || !v->files[i])
            return command_out_of_memory();
    return EXIT_DONE;
}

static int verify(arena_t *a, int argc, char **argv)
{
    size_t n = 0;
    settings_t settings;
    audit_head_t head;
    jwks_t keys = {0};
    verify_t v = {0};
    option_t *rows = ARENA_ARRAY(a, N_OPTIONS + CONF_N_ROWS + 2, option_t);
    const option_t *of_settings = settings_options(a);
    str_t *words = ARENA_ARRAY(a, FILES_MAX, str_t);
    if (!rows || !of_settings || !words)
        return command_out_of_memory();
    memcpy(rows, OPTIONS, sizeof OPTIONS);
    memcpy(rows + N_OPTIONS, of_settings, (CONF_N_ROWS + 2) * sizeof *rows);
    if (!options_parse(argc, argv, rows, words, FILES_MAX, &n))
        return EXIT_USAGE;
    int code = read_options(rows, &v, &head);
    if (code == EXIT_DONE)
        code = read_words(a, words, n, &v);
    if (code == EXIT_DONE && v.by_settings)
        code = settings_load(a, rows, &settings);
    if (code == EXIT_DONE)
        code = read_keys(a, rows, &settings, &v, &keys);
    if (code == EXIT_DONE && !v.keys && v.unproven_max != UINT64_MAX)
        code = command_fail(EXIT_USAGE, "signatures cannot be checked without --public-key");
    return code == EXIT_DONE ? check(a, &settings, &v) : code;
}

static int run(int argc, char **argv)
{
    arena_t *a = arena_new(ARENA_BYTES);
    int code = a ? verify(a, argc, argv) : command_out_of_memory();
    arena_free(a);
    return code;
}

const command_t CMD_AUDIT_VERIFY = {
    "audit verify",
    "[FILE...] [--public-key FILE...] [--expect-last SEQ:HASH] [--closed] [--max-unproven LINES]",
    "checks the whole chain and its signatures; names the first line that does not fit", run};
