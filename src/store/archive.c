#include "store/archive.h"

#include "core/b64.h"
#include "core/json.h"
#include "core/limits.h"
#include "store/list.h"

static const json_limits_t LIMITS = {LIMIT_ARCHIVE_LINE_BYTES, 8, LIMIT_JSON_NODES};

static rc_t refuse(archive_reader_t *r, archive_refusal_t why)
{
    r->refusal = why;
    return RC_MALFORMED;
}

str_t archive_refusal_text(archive_refusal_t refusal)
{
    static const str_t TEXT[] = {
#define REFUSAL(name, sentence) STR_INIT(sentence),
        ARCHIVE_REFUSALS(REFUSAL)
#undef REFUSAL
    };
    return TEXT[refusal];
}

static rc_t read_bytes(arena_t *a, const json_t *v, str_t *out)
{
    return json_is(v, JSON_STRING) ? b64url_decode(a, v->str, out) : RC_MALFORMED;
}

/* One spelling for each text: a string where it is UTF-8. */
static rc_t read_text(arena_t *a, const json_t *v, str_t *out)
{
    *out = STR_UNSET;
    if (json_is(v, JSON_NULL))
        return RC_OK;
    if (json_is(v, JSON_OBJECT) && v->count == 1) {
        TRY(read_bytes(a, json_get(v, STR("bytes")), out));
        return str_is_utf8(*out) ? RC_MALFORMED : RC_OK;
    }
    *out = json_is(v, JSON_STRING) ? v->str : STR_UNSET;
    return str_is_set(*out) ? RC_OK : RC_MALFORMED;
}

static rc_t read_list(arena_t *a, const json_t *v, str_list_t *out)
{
    if (!json_is(v, JSON_ARRAY))
        return RC_MALFORMED;
    str_t *texts = ARENA_ARRAY(a, v->count + 1, str_t);
    if (!texts)
        return RC_MEMORY;
    *out = (str_list_t){texts, v->count};
    for (const json_t *item = v->child; item; item = item->next)
        TRY(read_text(a, item, texts++));
    return RC_OK;
}

static rc_t read_scopes(arena_t *a, const json_t *v, resource_t *r)
{
    str_list_t list;
    TRY(read_list(a, v, &list));
    return list.n % 2 == 0 ? store_scopes_read(a, list, r) : RC_MALFORMED;
}

static rc_t read_hash(const json_t *v, hash_t *out)
{
    if (!json_is(v, JSON_STRING))
        return RC_MALFORMED;
    return b64url_decode_to(v->str, out->b, sizeof out->b) == RC_OK ? RC_OK : RC_MALFORMED;
}

static rc_t read_number(const field_t *f, const json_t *v, void *record)
{
    int64_t n;
    void *p = (char *)record + f->offset;
    if (!json_i64(v, &n))
        return RC_MALFORMED;
    if (f->type == FIELD_INT)
        return table_set_enum(f, record, n) == RC_OK ? RC_OK : RC_MALFORMED;
    if (f->type == FIELD_U32 && (n < 0 || n > UINT32_MAX))
        return RC_MALFORMED;
    if (f->type == FIELD_U32)
        *(uint32_t *)p = (uint32_t)n;
    else
        *(int64_t *)p = n;
    return RC_OK;
}

static rc_t read_bool(const json_t *v, bool *out)
{
    *out = json_is(v, JSON_TRUE);
    return *out || json_is(v, JSON_FALSE) ? RC_OK : RC_MALFORMED;
}

static rc_t read_field(arena_t *a, const field_t *f, const json_t *v, void *record)
{
    void *p = (char *)record + f->offset;
    switch (f->type) {
    case FIELD_STR:
        return read_text(a, v, p);
    case FIELD_BYTES:
        *(str_t *)p = STR_UNSET;
        return json_is(v, JSON_NULL) ? RC_OK : read_bytes(a, v, p);
    case FIELD_I64:
    case FIELD_U32:
    case FIELD_INT:
        return read_number(f, v, record);
    case FIELD_BOOL:
        return read_bool(v, p);
    case FIELD_HASH:
        return read_hash(v, p);
    case FIELD_STRS:
        return read_list(a, v, p);
    case FIELD_SCOPES:
        return read_scopes(a, v, record);
    }
    return RC_MALFORMED;
}

static bool find_table(str_t name, table_id_t *out)
{
    for (int t = 0; t < TABLE_COUNT; t++) {
        *out = (table_id_t)t;
        if (t != TABLE_LEASE && str_eq(name, str_c(TABLES[t].name)))
            return true;
    }
    return false;
}

/* As many members as the format has fields, and each field is there: so none is unknown. What came
 * later is blank. */
static rc_t read_fields(archive_reader_t *r, arena_t *a, const json_t *v, archive_line_t *out)
{
    const table_t *t = &TABLES[out->table];
    uint32_t known = 0;
    for (int i = 0; i < t->n_fields; i++) {
        if (t->fields[i].since > r->head.format)
            continue;
        known++;
        const json_t *member = json_get(v, str_c(t->fields[i].column));
        if (!member)
            return refuse(r, ARCHIVE_FIELD_MISSING);
        rc_t rc = read_field(a, &t->fields[i], member, out->record);
        if (rc != RC_OK)
            return rc == RC_MEMORY ? rc : refuse(r, ARCHIVE_FIELD_FORM);
    }
    return v->count == known ? RC_OK : refuse(r, ARCHIVE_FIELD_UNKNOWN);
}

static rc_t read_record(archive_reader_t *r, arena_t *a, const json_t *v, archive_line_t *out)
{
    const json_t *record = json_get(v, STR("record"));
    if (v->count != 2 || !json_is(record, JSON_OBJECT))
        return refuse(r, ARCHIVE_LINE);
    if (!find_table(json_get_str(v, STR("table")), &out->table))
        return refuse(r, ARCHIVE_TABLE);
    if (out->table < r->table)
        return refuse(r, ARCHIVE_ORDER);
    out->kind = ARCHIVE_LINE_RECORD;
    out->record = arena_alloc(a, TABLES[out->table].size);
    if (!out->record)
        return RC_MEMORY;
    TRY(read_fields(r, a, record, out));
    if (out->table == TABLE_CLIENT)
        ((client_t *)out->record)->stored = true;
    r->table = out->table;
    r->counts[out->table]++;
    return RC_OK;
}

static rc_t read_head(archive_reader_t *r, const json_t *v, archive_line_t *out)
{
    archive_head_t *h = &r->head;
    out->kind = ARCHIVE_LINE_HEAD;
    if (!json_get_i64(v, STR("warder_store"), &h->format) || h->format < 1)
        return refuse(r, ARCHIVE_FOREIGN);
    if (h->format > ARCHIVE_FORMAT)
        return refuse(r, ARCHIVE_NEWER);
    h->program = json_get_str(v, STR("program"));
    if (v->count != 3 || !str_is_set(h->program) || !json_get_i64(v, STR("at"), &h->at))
        return refuse(r, ARCHIVE_LINE);
    r->has_head = true;
    return RC_OK;
}

static bool read_counts(const json_t *v, uint64_t counts[TABLE_COUNT])
{
    int64_t n;
    for (int t = 0; t < TABLE_COUNT; t++) {
        counts[t] = 0;
        if (t == TABLE_LEASE)
            continue;
        if (!json_get_i64(v, str_c(TABLES[t].name), &n) || n < 0)
            return false;
        counts[t] = (uint64_t)n;
    }
    return v->count == TABLE_COUNT - 1;
}

static rc_t check_tail(archive_reader_t *r)
{
    uint8_t digest[ARCHIVE_DIGEST];
    if (memcmp(r->counts, r->tail.counts, sizeof r->counts) != 0)
        return refuse(r, ARCHIVE_COUNTS);
    r->digest.end(r->digest.ctx, digest);
    if (memcmp(digest, r->tail.sha256, sizeof digest) != 0)
        return refuse(r, ARCHIVE_CHANGED);
    r->has_tail = true;
    return RC_OK;
}

static rc_t read_tail(archive_reader_t *r, const json_t *v, const json_t *end, archive_line_t *out)
{
    int64_t revocation;
    out->kind = ARCHIVE_LINE_TAIL;
    str_t digest = json_get_str(end, STR("sha256"));
    if (v->count != 1 || !json_is(end, JSON_OBJECT) || end->count != 3 ||
        !json_get_i64(end, STR("revocation"), &revocation) || revocation < 0 ||
        !read_counts(json_get(end, STR("counts")), r->tail.counts) ||
        b64url_decode_to(digest, r->tail.sha256, sizeof r->tail.sha256) != RC_OK)
        return refuse(r, ARCHIVE_LINE);
    r->tail.revocation = (uint64_t)revocation;
    return check_tail(r);
}

static rc_t read_line(archive_reader_t *r, arena_t *a, const json_t *v, archive_line_t *out)
{
    if (!json_is(v, JSON_OBJECT))
        return refuse(r, r->has_head ? ARCHIVE_LINE : ARCHIVE_FOREIGN);
    if (!r->has_head)
        return read_head(r, v, out);
    const json_t *end = json_get(v, STR("end"));
    return end ? read_tail(r, v, end, out) : read_record(r, a, v, out);
}

rc_t archive_read(archive_reader_t *r, arena_t *a, str_t line, archive_line_t *out)
{
    const json_t *v;
    *out = (archive_line_t){0};
    r->line++;
    if (r->has_tail)
        return refuse(r, ARCHIVE_BEHIND);
    if (line.n > LIMIT_ARCHIVE_LINE_BYTES)
        return refuse(r, ARCHIVE_LONG);
    rc_t rc = json_parse(a, line, &LIMITS, &v);
    if (rc == RC_MALFORMED || rc == RC_LIMIT)
        return refuse(r, r->has_head ? ARCHIVE_LINE : ARCHIVE_FOREIGN);
    TRY(rc);
    TRY(read_line(r, a, v, out));
    if (out->kind == ARCHIVE_LINE_TAIL)
        return RC_OK;
    r->digest.more(r->digest.ctx, line);
    r->digest.more(r->digest.ctx, STR("\n"));
    return RC_OK;
}

rc_t archive_read_end(archive_reader_t *r)
{
    return r->has_tail ? RC_OK : refuse(r, ARCHIVE_CUT);
}
