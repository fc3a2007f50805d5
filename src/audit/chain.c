#include "audit/chain.h"

#include "audit/checkpoint.h"
#include "audit/mend.h"
#include "core/limits.h"
#include "core/num.h"

static const str_t NAMES[] = {
#define FAULT(name, text, about) STR_INIT(text),
    AUDIT_FAULT_TABLE(FAULT)
#undef FAULT
};
static const str_t ABOUTS[] = {
#define FAULT(name, text, about) STR_INIT(about),
    AUDIT_FAULT_TABLE(FAULT)
#undef FAULT
};

/* An event is flat but for its arguments, which line.c bounds. */
static const json_limits_t LIMITS = {LIMIT_AUDIT_LINE_BYTES, 20, 2200};

str_t audit_fault_name(audit_fault_t fault)
{
    return NAMES[fault];
}

str_t audit_fault_about(audit_fault_t fault)
{
    return ABOUTS[fault];
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool audit_hash_parse(str_t hex, uint8_t out[SHA256_BYTES])
{
    if (hex.n != AUDIT_HASH_HEX)
        return false;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        int high = hex_digit(hex.p[2 * i]), low = hex_digit(hex.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_time(str_t s)
{
    static const char FORM[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    if (s.n != AUDIT_TIME_BYTES)
        return false;
    for (size_t i = 0; i < AUDIT_TIME_BYTES; i++) {
        bool digit = s.p[i] >= '0' && s.p[i] <= '9';
        if (FORM[i] == 'd' ? !digit : s.p[i] != FORM[i])
            return false;
    }
    return true;
}

static bool is_decision(str_t s)
{
    return str_eq(s, STR("allow")) || str_eq(s, STR("deny"));
}

rc_t audit_record_read(arena_t *a, str_t line, audit_record_t *out)
{
    int64_t seq;
    if (str_ends(line, STR("\n")))
        line.n--;
    rc_t rc = json_parse(a, line, &LIMITS, &out->json);
    if (rc != RC_OK)
        return rc == RC_MEMORY ? rc : RC_MALFORMED;
    if (!json_is(out->json, JSON_OBJECT) || !json_get_i64(out->json, STR("seq"), &seq) || seq < 1)
        return RC_MALFORMED;
    out->seq = (uint64_t)seq;
    out->time = json_get_str(out->json, STR("time"));
    out->event = json_get_str(out->json, STR("event"));
    out->decision = json_get_str(out->json, STR("decision"));
    if (!is_time(out->time) || !str_is_set(out->event) || !is_decision(out->decision))
        return RC_MALFORMED;
    bool good = audit_hash_parse(json_get_str(out->json, STR("prev")), out->prev);
    return good ? RC_OK : RC_MALFORMED;
}

audit_chain_t audit_chain_begin(arena_t *scratch, const audit_head_t *expect)
{
    return (audit_chain_t){.scratch = scratch, .expect = expect, .unproven_max = UINT64_MAX};
}

void audit_chain_next_file(audit_chain_t *c)
{
    if (c->fault == AUDIT_FAULT_NONE)
        c->line = 0;
}

/* The first line of all is taken on trust: it may continue a file that is not at hand. */
static audit_fault_t judge_place(const audit_chain_t *c, const audit_record_t *r)
{
    if (c->lines == 0)
        return AUDIT_FAULT_NONE;
    if (r->seq == 1 && c->line == 1)
        return AUDIT_FAULT_CHAIN_RESTARTED;
    if (r->seq <= c->head.seq)
        return AUDIT_FAULT_SEQUENCE_BACK;
    if (r->seq > c->head.seq + 1)
        return AUDIT_FAULT_SEQUENCE_GAP;
    return memcmp(r->prev, c->head.hash, SHA256_BYTES) == 0 ? AUDIT_FAULT_NONE
                                                            : AUDIT_FAULT_PREV_MISMATCH;
}

/* Line 1 names the chain; where it is not at hand, the first checkpoint does. */
static audit_fault_t judge_checkpoint(audit_chain_t *c, const audit_record_t *r)
{
    audit_checkpoint_t checkpoint;
    if (r->seq == 1) {
        c->chain.known = true;
        memcpy(c->chain.bytes, r->prev, sizeof r->prev);
    }
    if (!str_eq(r->event, audit_kind_name(AUDIT_CHECKPOINT)))
        return AUDIT_FAULT_NONE;
    if (!audit_checkpoint_read(r, &checkpoint))
        return AUDIT_FAULT_CHECKPOINT_MALFORMED;
    audit_fault_t fault = audit_checkpoint_judge(r, &checkpoint, &c->chain, c->keys);
    if (fault != AUDIT_FAULT_NONE)
        return fault;
    if (!c->chain.known)
        c->chain = checkpoint.chain;
    c->checkpoints++;
    c->signed_seq = r->seq;
    return AUDIT_FAULT_NONE;
}

/* Whether this line says that all before the first one was deleted. */
static void note_deleted(audit_chain_t *c, const audit_record_t *r)
{
    audit_deleted_t deleted;
    if (audit_deleted_read(r, &deleted) && deleted.head.seq + 1 == c->first.seq &&
        memcmp(deleted.head.hash, c->first.hash, SHA256_BYTES) == 0)
        c->deleted_by = r->seq;
}

static void note_mend(audit_chain_t *c, const audit_record_t *r)
{
    audit_mend_t mend;
    if (!audit_mend_read(r, &mend))
        return;
    c->mends++;
    memcpy(c->mend.file, mend.file.p, mend.file.n);
    c->mend.file[mend.file.n] = '\0';
    c->mend.bytes = mend.bytes;
    c->mend.signed_seq = mend.signed_seq;
}

static audit_fault_t judge_expected(const audit_chain_t *c)
{
    if (!c->expect || c->expect->seq != c->head.seq)
        return AUDIT_FAULT_NONE;
    bool same = memcmp(c->expect->hash, c->head.hash, SHA256_BYTES) == 0;
    return same ? AUDIT_FAULT_NONE : AUDIT_FAULT_HEAD_MISMATCH;
}

static void accept(audit_chain_t *c, const audit_record_t *r, str_t line)
{
    if (c->lines++ == 0) {
        c->first.seq = r->seq;
        memcpy(c->first.hash, r->prev, SHA256_BYTES);
        memcpy(c->first_time, r->time.p, AUDIT_TIME_BYTES);
    }
    memcpy(c->last_time, r->time.p, AUDIT_TIME_BYTES);
    c->head.seq = r->seq;
    sha256(line, c->head.hash);
    note_deleted(c, r);
    note_mend(c, r);
    c->fault = judge_expected(c);
}

rc_t audit_chain_line(audit_chain_t *c, str_t line)
{
    audit_record_t r;
    if (c->fault != AUDIT_FAULT_NONE)
        return RC_OK;
    c->line++;
    c->seq = 0;
    if (line.n > LIMIT_AUDIT_LINE_BYTES)
        c->fault = AUDIT_FAULT_LINE_TOO_LONG;
    else if (!str_ends(line, STR("\n")) || memchr(line.p, '\0', line.n))
        c->fault = AUDIT_FAULT_LINE_TORN;
    if (c->fault != AUDIT_FAULT_NONE)
        return RC_OK;
    arena_reset(c->scratch);
    rc_t rc = audit_record_read(c->scratch, line, &r);
    if (rc == RC_MEMORY)
        return rc;
    c->seq = rc == RC_OK ? r.seq : 0;
    c->fault = rc == RC_OK ? judge_place(c, &r) : AUDIT_FAULT_LINE_MALFORMED;
    if (c->fault == AUDIT_FAULT_NONE)
        c->fault = judge_checkpoint(c, &r);
    if (c->fault == AUDIT_FAULT_NONE)
        accept(c, &r, line);
    return RC_OK;
}

void audit_chain_end(audit_chain_t *c)
{
    bool none = c->signed_seq == 0 && c->lines > 0;
    bool much = c->signed_seq > 0 && c->head.seq - c->signed_seq > c->unproven_max;
    if (c->fault == AUDIT_FAULT_NONE && c->keys && (none || much))
        c->fault = AUDIT_FAULT_UNPROVEN;
    if (c->fault != AUDIT_FAULT_NONE || !c->expect)
        return;
    bool reached = c->lines > 0 && c->first.seq <= c->expect->seq && c->expect->seq <= c->head.seq;
    if (!reached) {
        c->line++;
        c->fault = AUDIT_FAULT_HEAD_MISSING;
    }
}

bool audit_head_parse(str_t text, audit_head_t *out)
{
    size_t colon = str_find(text, ':', 0);
    return colon < text.n && num_u64(str_first(text, colon), INT64_MAX, &out->seq) &&
           audit_hash_parse(str_skip(text, colon + 1), out->hash);
}

void audit_head_write(buf_t *b, const audit_head_t *head)
{
    buf_u64(b, head->seq);
    buf_char(b, ':');
    buf_hex(b, head->hash, sizeof head->hash);
}
