/* warder audit merge */
#include "audit/merge.h"
#include "audit/tail.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/trail.h"
#include "conf/conf_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ARENA_BYTES = 16 << 20,
    SHOWN_BYTES = 4 << 20,
    TRAILS_MAX = 256,
    NODE_WIDTH = 16, /* the column of names */
};

typedef struct {
    arena_t *a, *scratch;
    audit_source_t *sources;
    size_t n;
    audit_merge_t *merge;
    char *shown;         /* SHOWN_BYTES */
    bool json, terminal; /* lines as they are; and what could command a terminal made visible */
    bool faulty;
    int error; /* errno of the first write to standard output that failed; 0: none did */
} merge_t;

static const option_t OPTIONS[] = {
    {.name = "public-key", .many = true}, {.name = "json", .is_switch = true}, {0}};

/* ---- what was named ---- */

static const char *key_beside(arena_t *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) + 1 : 0;
    return arena_printf(a, "%.*saudit-key.pub.pem", (int)n, path).p;
}

/* [NAME=]FILE; a file is called as its node, or by its path. */
static int read_word(merge_t *m, str_t word, audit_source_t *out)
{
    size_t equals = str_find(word, '=', 0);
    bool named = equals < word.n && conf_is_node_name(str_first(word, equals));
    out->path = arena_cstr(m->a, named ? str_skip(word, equals + 1) : word);
    out->name = named ? str_first(word, equals) : str_is_utf8(word) ? word : STR("a trail");
    return out->path ? EXIT_DONE : command_out_of_memory();
}

/* A trail is held to the keys of its own folder, unless some are given for all. */
static int find_keys(merge_t *m, const jwks_t *given, audit_source_t *source)
{
    jwks_t *keys = ARENA_NEW(m->a, jwks_t);
    const char *path = key_beside(m->a, source->path);
    source->keys = given;
    if (given)
        return EXIT_DONE;
    if (!keys || !path)
        return command_out_of_memory();
    int code = trail_keys_beside(m->a, path, keys);
    source->keys = code == EXIT_DONE && keys->n > 0 ? keys : NULL;
    if (code == EXIT_DONE && !source->keys)
        command_fail(EXIT_DONE,
                     "%" PRIstr ": signatures are not checked: there is no '%s'; give the audit "
                     "key by --public-key",
                     STR_ARG(source->name), path);
    return code;
}

static int read_sources(merge_t *m, const str_t *words, const option_t *rows)
{
    static const size_t SIZE = sizeof(audit_source_t);
    const option_t *keys = option_row(rows, "public-key");
    jwks_t *given = keys->n > 0 ? ARENA_NEW(m->a, jwks_t) : NULL;
    int code = EXIT_DONE;
    m->sources = arena_alloc(m->a, SIZE * (m->n + 1));
    if (!m->sources || (keys->n > 0 && !given))
        return command_out_of_memory();
    if (given)
        code = trail_public_keys(m->a, keys->values, keys->n, given);
    for (size_t i = 0; code == EXIT_DONE && i < m->n; i++) {
        m->sources[i] = (audit_source_t){0};
        code = read_word(m, words[i], &m->sources[i]);
        if (code == EXIT_DONE)
            code = find_keys(m, given, &m->sources[i]);
    }
    return code;
}

/* ---- what is told ---- */

static void write_out(merge_t *m, const buf_t *b)
{
    if (m->error == 0 && fwrite(b->p, 1, b->n, stdout) != b->n)
        m->error = errno;
}

/* The bytes of a line are what its hash is of: only one that bears no node gets a member. */
static void put_json(const merge_t *m, buf_t *b, const audit_merged_t *next)
{
    str_t line = str_trim(next->line, "\n");
    bool bears = str_is_set(audit_line_node(line));
    if (!bears) {
        buf_put(b, STR("{\"node\":"));
        json_writer_t w = json_writer(b);
        json_str(&w, next->node);
        buf_char(b, ',');
        line = str_skip(line, 1);
    }
    if (m->terminal)
        audit_put_visible(b, line);
    else
        buf_put(b, line);
    buf_char(b, '\n');
}

static void put_node(buf_t *b, str_t node)
{
    size_t before = b->n;
    audit_put_visible(b, node);
    buf_char(b, ' ');
    while (b->n - before < NODE_WIDTH)
        buf_char(b, ' ');
}

static void show(merge_t *m, const audit_merged_t *next)
{
    buf_t b = buf_fixed(m->shown, SHOWN_BYTES);
    if (m->json) {
        put_json(m, &b, next);
    } else {
        put_node(&b, next->node);
        audit_put_human(&b, m->scratch, next->line);
    }
    write_out(m, &b);
}

static void show_heads(merge_t *m)
{
    buf_t b = buf_fixed(m->shown, SHOWN_BYTES);
    put_node(&b, STR("NODE"));
    buf_put(&b, audit_human_heads());
    if (!m->json && m->terminal)
        write_out(m, &b);
}

/* On both: whoever reads the lines sees where something is missing, too. */
static void tell_fault(merge_t *m, const audit_merged_t *next)
{
    char place[96] = "";
    unsigned long long due = next->due, found = next->found;
    m->faulty = true;
    if (due > 0 && found > 0 && found != due)
        snprintf(place, sizeof place, "; number %llu was to come, and %llu stands there", due,
                 found);
    else if (due > 0)
        snprintf(place, sizeof place, "; number %llu was to come", due);
    fflush(stdout);
    command_fail(EXIT_REFUSED, "%" PRIstr ": %s line %llu: %" PRIstr ": %" PRIstr "%s",
                 STR_ARG(next->node), next->path, (unsigned long long)next->at,
                 STR_ARG(audit_fault_name(next->fault)), STR_ARG(audit_fault_about(next->fault)),
                 place);
}

static void put_fault(merge_t *m, const audit_merged_t *next)
{
    buf_t b = buf_fixed(m->shown, SHOWN_BYTES);
    if (m->json) {
        json_writer_t w = json_writer(&b);
        json_begin_object(&w);
        json_member_str(&w, STR("node"), next->node);
        json_member_str(&w, STR("fault"), audit_fault_name(next->fault));
        json_member_str(&w, STR("file"), str_c(next->path));
        json_member_int(&w, STR("line"), (int64_t)next->at);
        json_member_int(&w, STR("due"), (int64_t)next->due);
        json_member_int(&w, STR("found"), (int64_t)next->found);
        json_end_object(&w);
        buf_char(&b, '\n');
    } else {
        put_node(&b, next->node);
        buf_put(&b, STR("-- "));
        buf_put(&b, audit_fault_name(next->fault));
        buf_put(&b, STR(": "));
        buf_put(&b, audit_fault_about(next->fault));
        buf_char(&b, '\n');
    }
    write_out(m, &b);
}

/* ---- the whole ---- */

static int cannot_read(rc_t rc, const char *path)
{
    if (rc == RC_MEMORY)
        return command_out_of_memory();
    return command_fail(EXIT_FAILED, "the audit trail '%s' cannot be read: %s", path,
                        strerror(errno));
}

static int finish(merge_t *m)
{
    if (fflush(stdout) != 0 && m->error == 0)
        m->error = errno;
    if (m->error != 0 && m->error != EPIPE)
        return command_fail(EXIT_FAILED, "standard output could not be written: %s",
                            strerror(m->error));
    return m->faulty ? EXIT_REFUSED : EXIT_DONE;
}

static int merge_all(merge_t *m)
{
    rc_t rc = RC_OK;
    audit_merged_t next;
    show_heads(m);
    while (m->error == 0 && (rc = audit_merge_next(m->merge, &next)) == RC_OK) {
        if (next.fault == AUDIT_FAULT_NONE) {
            show(m, &next);
            continue;
        }
        put_fault(m, &next);
        tell_fault(m, &next);
    }
    return rc == RC_OK || rc == RC_NOT_FOUND ? finish(m) : cannot_read(rc, next.path);
}

static int merge(merge_t *m, int argc, char **argv)
{
    size_t failed;
    str_t words[TRAILS_MAX];
    option_t rows[sizeof OPTIONS / sizeof OPTIONS[0]];
    memcpy(rows, OPTIONS, sizeof OPTIONS);
    if (!options_parse(argc, argv, rows, words, TRAILS_MAX, &m->n))
        return EXIT_USAGE;
    if (m->n == 0)
        return command_fail(EXIT_USAGE, "name the trails: [NAME=]FILE, one for each node");
    m->terminal = isatty(STDOUT_FILENO) == 1;
    m->json = option_is_set(rows, "json") || !m->terminal;
    int code = read_sources(m, words, rows);
    if (code != EXIT_DONE)
        return code;
    rc_t rc = audit_merge_open(m->sources, m->n, &m->merge, &failed);
    return rc == RC_OK ? merge_all(m) : cannot_read(rc, m->sources[failed].path);
}

static int run(int argc, char **argv)
{
    merge_t m = {.a = arena_new(ARENA_BYTES),
                 .scratch = arena_new(ARENA_BYTES),
                 .shown = malloc(SHOWN_BYTES)};
    int code = m.a && m.scratch && m.shown ? merge(&m, argc, argv) : command_out_of_memory();
    audit_merge_close(m.merge);
    free(m.shown);
    arena_free(m.scratch);
    arena_free(m.a);
    return code;
}

const command_t CMD_AUDIT_MERGE = {
    "audit merge", "[NAME=]FILE... [--public-key FILE...] [--json]",
    "prints the events of several nodes in the order of time, and checks each trail", run};
