/* warder audit export */
#include "audit/export.h"
#include "audit/reader.h"
#include "audit/rotated.h"
#include "cmd/command.h"
#include "cmd/settings.h"
#include "conf/conf_table.h"
#include "core/num.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ARENA_BYTES = 8 << 20,
    SCRATCH_BYTES = 64 << 20, /* a record of the longest line, escaped several times */
    LIST_BYTES = 4 << 20,
    HOST_BYTES = 256,
    PAUSE_MS = 200, /* between two looks at the file */
};

typedef struct {
    audit_export_t how;
    const char *path;
    arena_t *scratch;
    char *record;  /* AUDIT_EXPORT_BYTES */
    uint64_t last; /* number of the last line that was exported; one less than --from at first */
    bool follow;
    bool began;  /* a line was exported, or --from says where to begin: a gap is to be told */
    bool faulty; /* something was passed over */
    int error;   /* errno of the first write to standard output that failed; 0: none did */
} export_t;

static const option_t OPTIONS[] = {
    {.name = "format"},
    {.name = "from"},
    {.name = "follow", .is_switch = true},
    {.name = "octets", .is_switch = true},
};
enum { N_OPTIONS = sizeof OPTIONS / sizeof OPTIONS[0] };

static int cannot_read(const char *path)
{
    return command_fail(EXIT_FAILED, "the audit trail '%s' cannot be read: %s", path,
                        strerror(errno));
}

static void pass_over(export_t *e, const char *path)
{
    e->faulty = true;
    command_fail(EXIT_REFUSED,
                 "%s: a line behind number %llu is none of a trail, and is passed "
                 "over; see 'warder audit verify'",
                 path, (unsigned long long)e->last);
}

static void tell_gap(export_t *e, uint64_t seq)
{
    if (!e->began || seq == e->last + 1)
        return;
    e->faulty = true;
    command_fail(EXIT_REFUSED, "lines %llu to %llu are not there", (unsigned long long)e->last + 1,
                 (unsigned long long)seq - 1);
}

/* Whether somebody still takes what is written. */
static bool flush(export_t *e)
{
    if (fflush(stdout) != 0 && e->error == 0)
        e->error = errno;
    return e->error == 0;
}

/* A record that is already in `b`. */
static void put(export_t *e, const buf_t *b, uint64_t seq)
{
    tell_gap(e, seq);
    if (fwrite(b->p, 1, b->n, stdout) != b->n && e->error == 0)
        e->error = errno;
    e->last = seq;
    e->began = true;
}

/* Exports what stands in one file behind e->last and before `end`. */
static rc_t export_rotated(export_t *e, const char *path, uint64_t end)
{
    audit_reader_t r;
    str_t line;
    uint64_t seq;
    rc_t rc = audit_reader_open(&r, path);
    if (rc == RC_NOT_FOUND)
        return RC_OK; /* deleted meanwhile; the gap is told */
    if (rc != RC_OK)
        return rc;
    while ((rc = audit_reader_line(&r, &line)) == RC_OK && e->error == 0) {
        buf_t b = buf_fixed(e->record, AUDIT_EXPORT_BYTES);
        rc = audit_export_line(&e->how, e->scratch, line, &b, &seq);
        if (rc == RC_OK && seq > e->last && seq < end)
            put(e, &b, seq);
        else if (rc == RC_MALFORMED)
            pass_over(e, path);
        else if (rc != RC_OK)
            break;
    }
    audit_reader_close(&r);
    return rc == RC_NOT_FOUND || rc == RC_LIMIT ? RC_OK : rc;
}

/* Whatever lies between the last line and this one stands in files that were rotated: before this
 * began, or while it was looking elsewhere. */
static rc_t fill_gap(export_t *e, uint64_t end)
{
    audit_rotated_t *files;
    size_t n;
    arena_t *a = arena_new(LIST_BYTES);
    rc_t rc = a ? audit_rotated_list(a, e->path, &files, &n) : RC_MEMORY;
    for (size_t i = 0; rc == RC_OK && i < n && e->last + 1 < end; i++)
        if (files[i].seq > e->last)
            rc = export_rotated(e, files[i].path, end);
    arena_free(a);
    return rc;
}

static rc_t export_one(export_t *e, str_t line)
{
    uint64_t seq;
    buf_t b = buf_fixed(e->record, AUDIT_EXPORT_BYTES);
    rc_t rc = audit_export_line(&e->how, e->scratch, line, &b, &seq);
    if (rc == RC_MALFORMED)
        pass_over(e, e->path);
    if (rc != RC_OK || seq <= e->last)
        return rc == RC_MALFORMED ? RC_OK : rc;
    if (seq == e->last + 1) {
        put(e, &b, seq);
        return RC_OK;
    }
    /* The record of this line is made again: its room was needed meanwhile. */
    TRY(fill_gap(e, seq));
    b = buf_fixed(e->record, AUDIT_EXPORT_BYTES);
    TRY(audit_export_line(&e->how, e->scratch, line, &b, &seq));
    put(e, &b, seq);
    return RC_OK;
}

/* Exports all that is there. RC_OK also when the last line has no end yet. */
static rc_t export_lines(export_t *e, audit_reader_t *r)
{
    str_t line;
    rc_t rc;
    while ((rc = audit_reader_line(r, &line)) == RC_OK || rc == RC_LIMIT) {
        if (rc == RC_LIMIT)
            pass_over(e, e->path);
        else
            TRY(export_one(e, line));
        if (e->error != 0)
            return RC_OK;
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Until the reader of our output goes away. */
static rc_t follow(export_t *e, audit_reader_t *r)
{
    struct pollfd output = {.fd = STDOUT_FILENO};
    for (;;) {
        rc_t rc = audit_reader_follow(r);
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            return rc;
        TRY(export_lines(e, r));
        if (!flush(e))
            return RC_OK;
        if (poll(&output, 1, rc == RC_OK ? 0 : PAUSE_MS) > 0)
            return RC_OK;
    }
}

static rc_t export_trail(export_t *e)
{
    audit_reader_t r;
    TRY(audit_reader_open(&r, e->path));
    rc_t rc = export_lines(e, &r);
    if (rc == RC_OK)
        rc = fill_gap(e, UINT64_MAX);
    if (rc == RC_OK && flush(e) && e->follow)
        rc = follow(e, &r);
    audit_reader_close(&r);
    return rc;
}

/* A reader that goes away has what it wanted; a full disk has lost records. */
static int finish(const export_t *e)
{
    if (e->error != 0 && e->error != EPIPE)
        return command_fail(EXIT_FAILED, "standard output could not be written: %s",
                            strerror(e->error));
    return e->faulty ? EXIT_REFUSED : EXIT_DONE;
}

static int read_options(export_t *e, const option_t *rows)
{
    str_t format = option_get(rows, "format"), from = option_get(rows, "from");
    if (!str_is_set(format) || !audit_export_format(format, &e->how.format))
        return command_fail(EXIT_USAGE, "--format wants ocsf, cef, syslog or otlp");
    uint64_t first = 1;
    if (str_is_set(from) && (!num_u64(from, INT64_MAX, &first) || first == 0))
        return command_fail(EXIT_USAGE, "--from wants the number of a line");
    e->last = first - 1;
    e->began = str_is_set(from);
    e->follow = option_is_set(rows, "follow");
    e->how.octets = option_is_set(rows, "octets");
    if (e->how.octets && e->how.format != AUDIT_EXPORT_SYSLOG)
        return command_fail(EXIT_USAGE, "--octets is for --format syslog");
    return EXIT_DONE;
}

static int find_path(arena_t *a, const option_t *rows, str_t file, export_t *e)
{
    settings_t settings;
    if (!str_is_set(file)) {
        int code = settings_load(a, rows, &settings);
        if (code != EXIT_DONE)
            return code;
        file = settings.conf.audit_file;
    }
    e->path = arena_cstr(a, file);
    return e->path ? EXIT_DONE : command_out_of_memory();
}

static int export(arena_t *a, export_t *e, int argc, char **argv)
{
    str_t file = STR_UNSET;
    size_t n = 0;
    char host[HOST_BYTES] = "";
    option_t *rows = ARENA_ARRAY(a, N_OPTIONS + CONF_N_ROWS + 2, option_t);
    const option_t *of_settings = settings_options(a);
    if (!rows || !of_settings || !e->scratch || !e->record)
        return command_out_of_memory();
    memcpy(rows, OPTIONS, sizeof OPTIONS);
    memcpy(rows + N_OPTIONS, of_settings, (CONF_N_ROWS + 2) * sizeof *rows);
    if (!options_parse(argc, argv, rows, &file, 1, &n))
        return EXIT_USAGE;
    int code = read_options(e, rows);
    if (code == EXIT_DONE)
        code = find_path(a, rows, file, e);
    if (code != EXIT_DONE)
        return code;
    gethostname(host, sizeof host - 1);
    e->how.host = str_c(host);
    e->how.version = STR(WARDER_VERSION);
    rc_t rc = export_trail(e);
    if (rc == RC_OK)
        return finish(e);
    return rc == RC_MEMORY || rc == RC_LIMIT ? command_out_of_memory() : cannot_read(e->path);
}

static int run(int argc, char **argv)
{
    arena_t *a = arena_new(ARENA_BYTES);
    export_t e = {.scratch = arena_new(SCRATCH_BYTES), .record = malloc(AUDIT_EXPORT_BYTES)};
    int code = a ? export(a, &e, argc, argv) : command_out_of_memory();
    free(e.record);
    arena_free(e.scratch);
    arena_free(a);
    return code;
}

const command_t CMD_AUDIT_EXPORT = {
    "audit export", "--format ocsf|cef|syslog|otlp [--follow] [--from SEQ] [--octets] [FILE]",
    "prints audit events as other systems want them", run};
