#include "audit/merge.h"

#include "audit/reader.h"
#include "audit/rotated.h"

#include <errno.h>
#include <stdlib.h>

enum { LIST_BYTES = 4 << 20, SCRATCH_BYTES = 4 << 20 };

/* Of one trail: what it says next, and where it is. */
typedef struct {
    const audit_source_t *source;
    arena_t *a, *scratch; /* the list of files; one line */
    audit_chain_t chain;
    audit_reader_t last, other; /* the file in use, open from the beginning; an older one */
    bool other_is_open;
    audit_rotated_t *rotated;
    size_t n_rotated, next;      /* file to be read: n_rotated is the one in use, and then none */
    char time[AUDIT_TIME_BYTES]; /* what it is sorted by: never goes back */
    str_t line;                  /* waits to be told; unset: none */
    audit_merged_t fault;        /* told first; fault NONE: none */
    bool ended;
} lane_t;

struct audit_merge {
    lane_t *v;
    size_t n;
    lane_t *told; /* its line was told last: the next one is read first */
};

/* ---- opening ---- */

/* The number of the first line of the file in use; without one, all that is older stands before it.
 */
static rc_t first_number(lane_t *l, uint64_t *out)
{
    audit_record_t record;
    str_t line;
    *out = UINT64_MAX;
    rc_t rc = audit_reader_line(&l->last, &line);
    if (rc == RC_OK && audit_record_read(l->scratch, line, &record) == RC_OK)
        *out = record.seq;
    audit_reader_rewind(&l->last);
    return rc == RC_IO ? rc : RC_OK;
}

/* The file in use is held open first: a server may rotate at any moment. */
static rc_t open_lane(lane_t *l, const audit_source_t *source)
{
    uint64_t first;
    *l = (lane_t){.source = source,
                  .a = arena_new(LIST_BYTES),
                  .scratch = arena_new(SCRATCH_BYTES),
                  .last = {.fd = -1}};
    if (!l->a || !l->scratch)
        return RC_MEMORY;
    l->chain = audit_chain_begin(l->scratch, NULL);
    l->chain.keys = source->keys;
    TRY(audit_reader_open(&l->last, source->path));
    TRY(audit_reader_freeze(&l->last));
    TRY(first_number(l, &first));
    TRY(audit_rotated_list(l->a, source->path, &l->rotated, &l->n_rotated));
    size_t older = 0;
    while (older < l->n_rotated && l->rotated[older].seq < first)
        older++;
    l->n_rotated = older;
    return RC_OK;
}

static void close_lane(lane_t *l)
{
    int saved = errno;
    if (l->other_is_open)
        audit_reader_close(&l->other);
    if (l->last.bytes)
        audit_reader_close(&l->last);
    arena_free(l->a);
    arena_free(l->scratch);
    errno = saved;
}

rc_t audit_merge_open(const audit_source_t *v, size_t n, audit_merge_t **out, size_t *failed)
{
    rc_t rc = RC_MEMORY;
    audit_merge_t *m = *out = calloc(1, sizeof *m);
    *failed = 0;
    if (m)
        m->v = calloc(n + 1, sizeof *m->v);
    if (m && m->v)
        rc = RC_OK;
    while (rc == RC_OK && m->n < n) {
        *failed = m->n;
        rc = open_lane(&m->v[m->n], &v[m->n]);
        m->n++;
    }
    if (rc == RC_OK)
        return RC_OK;
    audit_merge_close(m);
    *out = NULL;
    return rc;
}

void audit_merge_close(audit_merge_t *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n; i++)
        close_lane(&m->v[i]);
    free(m->v);
    free(m);
}

/* ---- one trail ---- */

static const char *path_of(const lane_t *l)
{
    return l->next < l->n_rotated ? l->rotated[l->next].path : l->source->path;
}

static void note_fault(lane_t *l)
{
    const audit_chain_t *c = &l->chain;
    l->fault = (audit_merged_t){.fault = c->fault,
                                .path = path_of(l),
                                .at = c->line,
                                .due = c->lines > 0 ? c->head.seq + 1 : 0,
                                .found = c->seq};
}

/* Whether the line is one, in whatever place it stands. */
static bool is_line(audit_fault_t fault)
{
    return fault == AUDIT_FAULT_SEQUENCE_GAP || fault == AUDIT_FAULT_SEQUENCE_BACK ||
           fault == AUDIT_FAULT_PREV_MISMATCH || fault == AUDIT_FAULT_CHAIN_RESTARTED;
}

/* Goes on behind a fault as with a file whose beginning is not at hand. What is known of the chain
 * stays known, so that nothing of another one is taken for it. */
static rc_t go_on(lane_t *l, str_t line)
{
    audit_chain_t was = l->chain;
    l->chain = audit_chain_begin(l->scratch, NULL);
    l->chain.keys = was.keys;
    l->chain.chain = was.chain;
    l->chain.checkpoints = was.checkpoints;
    l->chain.signed_seq = was.signed_seq;
    l->chain.line = was.line;
    if (!is_line(was.fault))
        return RC_OK;
    l->chain.line--;
    TRY(audit_chain_line(&l->chain, line));
    if (l->chain.fault != AUDIT_FAULT_NONE) /* a checkpoint as well, and a bad one: told once */
        return go_on(l, STR_UNSET);
    return RC_OK;
}

/* The later of its time and that of the line before. */
static void take_line(lane_t *l, str_t line, const char time[AUDIT_TIME_BYTES])
{
    if (memcmp(time, l->time, AUDIT_TIME_BYTES) > 0)
        memcpy(l->time, time, AUDIT_TIME_BYTES);
    l->line = line;
}

/* A checkpoint that is not good is an event all the same. */
static rc_t take_faulty(lane_t *l, str_t line)
{
    audit_record_t r;
    arena_reset(l->scratch);
    rc_t rc = audit_record_read(l->scratch, line, &r);
    if (rc == RC_OK)
        take_line(l, line, r.time.p);
    return rc == RC_MEMORY ? rc : RC_OK;
}

static rc_t judge(lane_t *l, str_t line)
{
    TRY(audit_chain_line(&l->chain, line));
    audit_fault_t fault = l->chain.fault;
    if (fault == AUDIT_FAULT_NONE) {
        take_line(l, line, l->chain.last_time);
        return RC_OK;
    }
    note_fault(l);
    TRY(go_on(l, line));
    return take_faulty(l, line);
}

static void end_lane(lane_t *l)
{
    l->ended = true;
    audit_chain_end(&l->chain);
    if (l->chain.fault != AUDIT_FAULT_NONE)
        note_fault(l);
}

/* The reader of the file at hand; NULL: there is no further file. */
static rc_t reader_of(lane_t *l, audit_reader_t **out)
{
    *out = NULL;
    if (l->next > l->n_rotated)
        return RC_OK;
    if (l->next == l->n_rotated) {
        *out = &l->last;
        return RC_OK;
    }
    if (!l->other_is_open) {
        TRY(audit_reader_open(&l->other, path_of(l)));
        l->other_is_open = true;
    }
    *out = &l->other;
    return RC_OK;
}

static void leave_file(lane_t *l)
{
    if (l->other_is_open)
        audit_reader_close(&l->other);
    l->other_is_open = false;
    l->next++;
    audit_chain_next_file(&l->chain);
}

/* Reads on until there is something to tell, or nothing is left. */
static rc_t fill(lane_t *l)
{
    while (!str_is_set(l->line) && l->fault.fault == AUDIT_FAULT_NONE && !l->ended) {
        audit_reader_t *r;
        str_t line;
        TRY(reader_of(l, &r));
        if (!r) {
            end_lane(l);
            return RC_OK;
        }
        rc_t rc = audit_reader_line(r, &line);
        if (rc == RC_IO)
            return rc;
        if (rc != RC_NOT_FOUND || line.n > 0)
            TRY(judge(l, line));
        if (rc == RC_NOT_FOUND) {
            l->line = STR_UNSET; /* torn: told as a fault */
            leave_file(l);
        }
    }
    return RC_OK;
}

/* ---- all of them ---- */

static str_t node_of(const lane_t *l)
{
    str_t node = audit_line_node(l->line);
    return str_is_set(node) ? node : l->source->name;
}

static bool has_something(const lane_t *l)
{
    return str_is_set(l->line) || l->fault.fault != AUDIT_FAULT_NONE;
}

/* By time, then by node, then as they were given. */
static bool is_before(const lane_t *l, const lane_t *other)
{
    int order = memcmp(l->time, other->time, AUDIT_TIME_BYTES);
    if (order == 0)
        order = str_cmp(l->source->name, other->source->name);
    return order < 0;
}

static void tell(audit_merge_t *m, lane_t *l, audit_merged_t *out)
{
    if (l->fault.fault != AUDIT_FAULT_NONE) {
        *out = l->fault;
        out->node = l->source->name;
        l->fault.fault = AUDIT_FAULT_NONE;
    } else {
        *out = (audit_merged_t){.node = node_of(l), .line = l->line};
        m->told = l;
    }
    out->source = (size_t)(l - m->v);
}

rc_t audit_merge_next(audit_merge_t *m, audit_merged_t *out)
{
    lane_t *first = NULL;
    if (m->told)
        m->told->line = STR_UNSET;
    m->told = NULL;
    for (size_t i = 0; i < m->n; i++) {
        lane_t *l = &m->v[i];
        rc_t rc = fill(l);
        if (rc != RC_OK) {
            *out = (audit_merged_t){.source = i, .path = path_of(l)};
            return rc == RC_NOT_FOUND ? RC_IO : rc;
        }
        if (has_something(l) && (!first || is_before(l, first)))
            first = l;
    }
    if (!first)
        return RC_NOT_FOUND;
    tell(m, first, out);
    return RC_OK;
}
