#include "store/archive.h"

#include "core/json.h"
#include "core/limits.h"

/* Base64url needs no escape, so it can be written behind the back of the writer of JSON. */
static void put_encoded(json_writer_t *w, const void *p, size_t n)
{
    json_raw(w, STR(""));
    buf_char(w->buf, '"');
    buf_b64url(w->buf, p, n);
    buf_char(w->buf, '"');
}

static void put_text(json_writer_t *w, str_t s)
{
    if (!str_is_set(s)) {
        json_null(w);
    } else if (str_is_utf8(s)) {
        json_str(w, s);
    } else {
        json_begin_object(w);
        json_key(w, STR("bytes"));
        put_encoded(w, s.p, s.n);
        json_end_object(w);
    }
}

static void put_list(json_writer_t *w, str_list_t list)
{
    json_begin_array(w);
    for (size_t i = 0; i < list.n; i++)
        put_text(w, list.v[i]);
    json_end_array(w);
}

static void put_scopes(json_writer_t *w, const resource_t *r)
{
    json_begin_array(w);
    for (size_t i = 0; i < r->n_scopes; i++) {
        put_text(w, r->scopes[i].name);
        put_text(w, r->scopes[i].text);
    }
    json_end_array(w);
}

static void put_field(json_writer_t *w, const field_t *f, const void *record)
{
    const void *p = (const char *)record + f->offset;
    const str_t *s = p;
    switch (f->type) {
    case FIELD_STR:
        put_text(w, *s);
        return;
    case FIELD_BYTES:
        if (str_is_set(*s))
            put_encoded(w, s->p, s->n);
        else
            json_null(w);
        return;
    case FIELD_I64:
        json_int(w, *(const int64_t *)p);
        return;
    case FIELD_U32:
        json_int(w, *(const uint32_t *)p);
        return;
    case FIELD_INT:
        json_int(w, *(const int *)p);
        return;
    case FIELD_BOOL:
        json_bool(w, *(const bool *)p);
        return;
    case FIELD_HASH:
        put_encoded(w, p, sizeof(hash_t));
        return;
    case FIELD_STRS:
        put_list(w, *(const str_list_t *)p);
        return;
    case FIELD_SCOPES:
        put_scopes(w, record);
        return;
    }
}

void archive_write_head(buf_t *b, const archive_head_t *head)
{
    json_writer_t w = json_writer(b);
    json_begin_object(&w);
    json_member_int(&w, STR("warder_store"), head->format);
    json_member_str(&w, STR("program"), head->program);
    json_member_int(&w, STR("at"), head->at);
    json_end_object(&w);
    buf_char(b, '\n');
}

void archive_write_record(buf_t *b, table_id_t table, const void *record)
{
    const table_t *t = &TABLES[table];
    size_t before = b->n;
    json_writer_t w = json_writer(b);
    json_begin_object(&w);
    json_member_str(&w, STR("table"), str_c(t->name));
    json_key(&w, STR("record"));
    json_begin_object(&w);
    for (int i = 0; i < t->n_fields; i++) {
        json_key(&w, str_c(t->fields[i].column));
        put_field(&w, &t->fields[i], record);
    }
    json_end_object(&w);
    json_end_object(&w);
    if (b->failed == RC_OK && b->n - before > LIMIT_ARCHIVE_LINE_BYTES)
        buf_fail(b, RC_LIMIT);
    buf_char(b, '\n');
}

void archive_write_tail(buf_t *b, const archive_tail_t *tail)
{
    json_writer_t w = json_writer(b);
    json_begin_object(&w);
    json_key(&w, STR("end"));
    json_begin_object(&w);
    json_member_int(&w, STR("revocation"), (int64_t)tail->revocation);
    json_key(&w, STR("counts"));
    json_begin_object(&w);
    for (int t = 0; t < TABLE_COUNT; t++) {
        if (t != TABLE_LEASE)
            json_member_int(&w, str_c(TABLES[t].name), (int64_t)tail->counts[t]);
    }
    json_end_object(&w);
    json_key(&w, STR("sha256"));
    put_encoded(&w, tail->sha256, sizeof tail->sha256);
    json_end_object(&w);
    json_end_object(&w);
    buf_char(b, '\n');
}
