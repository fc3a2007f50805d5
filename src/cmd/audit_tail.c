/* warder audit tail */
#include "audit/reader.h"
#include "cmd/command.h"
#include "cmd/settings.h"
#include "conf/conf_table.h"
#include "core/limits.h"
#include "core/num.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ARENA_BYTES = 4 << 20,
    SHOWN_BYTES =
        12 * LIMIT_AUDIT_LINE_BYTES, /* what a reader gives at most, each byte as \uXXXX */
    LINES_DEFAULT = 10,
    LINES_MAX = 1000000000,
    PAUSE_MS = 200, /* between two looks at the file */
};

typedef struct {
    audit_reader_t reader;
    audit_filter_t filter;
    arena_t *scratch;
    uint64_t lines;
    bool follow, terminal, json;
    char *shown; /* SHOWN_BYTES */
    int error;   /* errno of the first write to standard output that failed; 0: none did */
} tail_t;

static const option_t OPTIONS[] = {
    {.name = "lines"},
    {.name = "follow", .is_switch = true},
    {.name = "json", .is_switch = true},
    {.name = "kind"},
    {.name = "user"},
    {.name = "client"},
};
enum { N_OPTIONS = sizeof OPTIONS / sizeof OPTIONS[0] };

static int cannot_read(const char *path)
{
    if (errno == ENOENT)
        return command_fail(EXIT_FAILED,
                            "there is no audit trail at '%s' yet; name another data "
                            "folder by --data",
                            path);
    return command_fail(EXIT_FAILED, "the audit trail '%s' cannot be read: %s", path,
                        strerror(errno));
}

static void put(tail_t *t, const char *p, size_t n)
{
    if (fwrite(p, 1, n, stdout) != n && t->error == 0)
        t->error = errno;
}

/* Whether somebody still takes what is shown. */
static bool flush(tail_t *t)
{
    if (fflush(stdout) != 0 && t->error == 0)
        t->error = errno;
    return t->error == 0;
}

/* A pipe gets the bytes of the file; a terminal nothing that could command it. */
static void show(tail_t *t, str_t line)
{
    if (!audit_filter_takes(&t->filter, t->scratch, line))
        return;
    buf_t b = buf_fixed(t->shown, SHOWN_BYTES);
    if (!t->terminal) {
        buf_put(&b, line);
    } else if (t->json) {
        audit_put_visible(&b, str_trim(line, "\n"));
        buf_char(&b, '\n');
    } else {
        audit_put_human(&b, t->scratch, line);
    }
    put(t, b.p, b.n);
}

/* Shows all that is there. RC_OK also when the last line has no end yet. */
static rc_t show_lines(tail_t *t)
{
    str_t line;
    rc_t rc;
    while ((rc = audit_reader_line(&t->reader, &line)) == RC_OK || rc == RC_LIMIT)
        show(t, line);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Until the reader of our output goes away. */
static rc_t follow(tail_t *t)
{
    struct pollfd output = {.fd = STDOUT_FILENO};
    for (;;) {
        rc_t rc = audit_reader_follow(&t->reader);
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            return rc;
        TRY(show_lines(t));
        if (!flush(t))
            return RC_OK;
        if (poll(&output, 1, rc == RC_OK ? 0 : PAUSE_MS) > 0)
            return RC_OK;
    }
}

static rc_t show_tail(tail_t *t)
{
    if (t->terminal && !t->json) {
        str_t heads = audit_human_heads();
        put(t, heads.p, heads.n);
    }
    TRY(audit_reader_seek_last(&t->reader, &t->filter, t->scratch, t->lines));
    TRY(show_lines(t));
    return flush(t) && t->follow ? follow(t) : RC_OK;
}

/* A reader that goes away has seen what it wanted to see; a full disk has lost lines. */
static int finish(const tail_t *t)
{
    if (t->error == 0 || t->error == EPIPE)
        return EXIT_DONE;
    return command_fail(EXIT_FAILED, "standard output could not be written: %s",
                        strerror(t->error));
}

static int show_file(tail_t *t, const char *path)
{
    rc_t rc = audit_reader_open(&t->reader, path);
    if (rc == RC_OK) {
        rc = show_tail(t);
        audit_reader_close(&t->reader);
    }
    if (rc == RC_OK)
        return finish(t);
    return rc == RC_MEMORY ? command_out_of_memory() : cannot_read(path);
}

static int read_options(tail_t *t, const option_t *rows)
{
    str_t lines = option_get(rows, "lines");
    t->lines = LINES_DEFAULT;
    if (str_is_set(lines) && !num_u64(lines, LINES_MAX, &t->lines))
        return command_fail(EXIT_USAGE, "--lines wants a number, not '%" PRIstr "'",
                            STR_ARG(lines));
    t->filter.kind = option_get(rows, "kind");
    t->filter.user = option_get(rows, "user");
    t->filter.client = option_get(rows, "client");
    if (str_is_set(t->filter.kind) && !audit_kind_exists(t->filter.kind))
        return command_fail(EXIT_USAGE,
                            "there is no kind of event '%" PRIstr "'; docs/AUDIT.md lists them",
                            STR_ARG(t->filter.kind));
    t->follow = option_is_set(rows, "follow");
    t->json = option_is_set(rows, "json");
    t->terminal = isatty(STDOUT_FILENO) == 1;
    return EXIT_DONE;
}

static int tail(arena_t *a, tail_t *t, int argc, char **argv)
{
    settings_t settings;
    option_t *rows = ARENA_ARRAY(a, N_OPTIONS + CONF_N_ROWS + 2, option_t);
    const option_t *of_settings = settings_options(a);
    if (!rows || !of_settings || !t->scratch || !t->shown)
        return command_out_of_memory();
    memcpy(rows, OPTIONS, sizeof OPTIONS);
    memcpy(rows + N_OPTIONS, of_settings, (CONF_N_ROWS + 2) * sizeof *rows);
    if (!options_parse(argc, argv, rows, NULL, 0, NULL))
        return EXIT_USAGE;
    int code = read_options(t, rows);
    if (code == EXIT_DONE)
        code = settings_load(a, rows, &settings);
    if (code != EXIT_DONE)
        return code;
    const char *path = arena_cstr(a, settings.conf.audit_file);
    return path ? show_file(t, path) : command_out_of_memory();
}

static int run(int argc, char **argv)
{
    arena_t *a = arena_new(ARENA_BYTES);
    tail_t t = {.scratch = arena_new(ARENA_BYTES), .shown = malloc(SHOWN_BYTES)};
    int code = a ? tail(a, &t, argc, argv) : command_out_of_memory();
    free(t.shown);
    arena_free(t.scratch);
    arena_free(a);
    return code;
}

const command_t CMD_AUDIT_TAIL = {
    "audit tail", "[--lines N] [--follow] [--kind K] [--user U] [--client C] [--json]",
    "prints audit events", run};
