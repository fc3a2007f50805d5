/* warder audit verify */
#include "audit/reader.h"
#include "cmd/command.h"
#include "cmd/settings.h"
#include "conf/conf_table.h"

#include <errno.h>
#include <stdio.h>

enum { ARENA_BYTES = 4 << 20, FILES_MAX = 256, HEAD_BYTES = 128 };

typedef struct {
    audit_chain_t chain;
    const char *path; /* of the file at hand */
} verify_t;

static int out_of_memory(void)
{
    return command_fail(EXIT_FAILED, "out of memory");
}

static int cannot_read(const char *path)
{
    return command_fail(EXIT_FAILED, "the audit trail '%s' cannot be read: %s", path,
                        strerror(errno));
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
        TRY(audit_chain_line(&v->chain, line));
    }
    return RC_OK;
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
    if (rc == RC_OK)
        return EXIT_DONE;
    return rc == RC_MEMORY ? out_of_memory() : cannot_read(path);
}

static int report_fault(const verify_t *v)
{
    audit_fault_t fault = v->chain.fault;
    return command_fail(EXIT_REFUSED, "%s line %llu: %" PRIstr ": %" PRIstr, v->path,
                        (unsigned long long)v->chain.line, STR_ARG(audit_fault_name(fault)),
                        STR_ARG(audit_fault_about(fault)));
}

static int report_sound(const audit_chain_t *c)
{
    char text[HEAD_BYTES];
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
    if (c->first.seq > 1)
        printf("line %llu and those before it stand in an older file: name it first to check the "
               "seam\n",
               (unsigned long long)(c->first.seq - 1));
    return EXIT_DONE;
}

static int check_files(arena_t *a, const str_t *files, size_t n, const audit_head_t *expect)
{
    arena_t *scratch = arena_new(ARENA_BYTES);
    if (!scratch)
        return out_of_memory();
    verify_t v = {.chain = audit_chain_begin(scratch, expect)};
    int code = EXIT_DONE;
    for (size_t i = 0; i < n && code == EXIT_DONE && v.chain.fault == AUDIT_FAULT_NONE; i++) {
        const char *path = arena_cstr(a, files[i]);
        code = path ? check_file(&v, path) : out_of_memory();
    }
    if (code == EXIT_DONE) {
        audit_chain_end(&v.chain);
        code = v.chain.fault == AUDIT_FAULT_NONE ? report_sound(&v.chain) : report_fault(&v);
    }
    arena_free(scratch);
    return code;
}

static int verify(arena_t *a, int argc, char **argv)
{
    str_t files[FILES_MAX];
    size_t n = 0;
    settings_t settings;
    audit_head_t head;
    option_t *rows = ARENA_ARRAY(a, CONF_N_ROWS + 3, option_t);
    const option_t *of_settings = settings_options(a);
    if (!rows || !of_settings)
        return out_of_memory();
    rows[0].name = "expect-last";
    memcpy(rows + 1, of_settings, (CONF_N_ROWS + 2) * sizeof *rows);
    if (!options_parse(argc, argv, rows, files, FILES_MAX, &n))
        return EXIT_USAGE;
    str_t expect = option_get(rows, "expect-last");
    if (str_is_set(expect) && !audit_head_parse(expect, &head))
        return command_fail(EXIT_USAGE, "--expect-last wants SEQ:HASH, as the line 'head' of this "
                                        "command prints it");
    if (n == 0) {
        int code = settings_load(a, rows, &settings);
        if (code != EXIT_DONE)
            return code;
        files[n++] = settings.conf.audit_file;
    }
    return check_files(a, files, n, str_is_set(expect) ? &head : NULL);
}

static int run(int argc, char **argv)
{
    arena_t *a = arena_new(ARENA_BYTES);
    int code = a ? verify(a, argc, argv) : out_of_memory();
    arena_free(a);
    return code;
}

const command_t CMD_AUDIT_VERIFY = {
    "audit verify", "[FILE...] [--expect-last SEQ:HASH]",
    "checks the whole chain; names the first line that does not fit", run};
