#include "oauth/revocation_list.h"

#include "core/b64.h"
#include "core/buf.h"
#include "core/form.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/num.h"
#include "jose/digest.h"

_Static_assert((int)OAUTH_REVOCATION_ID_BYTES == (int)SHA256_BYTES, "an id is a SHA-256");

static const str_t WORDS[REVOKED_KIND_COUNT] = {
#define REVOKED(name, word, about) [REVOKED_##name] = STR_INIT(word),
    REVOKED_TABLE(REVOKED)
#undef REVOKED
};

/* A key may be long: the id of a client that holds its registration. */
void oauth_revocation_id(revoked_kind_t kind, str_t key, uint8_t out[OAUTH_REVOCATION_ID_BYTES])
{
    char both[16 + SHA256_BYTES];
    uint8_t inner[SHA256_BYTES];
    buf_t b = buf_fixed(both, sizeof both);
    sha256(str_is_set(key) ? key : STR(""), inner);
    buf_put(&b, WORDS[kind]);
    buf_char(&b, ':');
    buf_put(&b, str_of(inner, sizeof inner));
    sha256(buf_str(&b), out);
}

str_t oauth_revocation_family(str_t jti)
{
    size_t dot = str_find(jti, '.', 0);
    return dot == jti.n ? STR_UNSET : str_first(jti, dot);
}

bool oauth_revocation_list_since(arena_t *a, str_t query, uint64_t *since)
{
    form_t form;
    str_t text;
    *since = 0;
    if (form_parse(a, query, &form) != RC_OK)
        return false;
    form_found_t found = form_get(&form, STR("since"), &text);
    if (found != FORM_ONCE)
        return found != FORM_REPEATED;
    return num_u64(text, INT64_MAX, since);
}

static void write_entry(json_writer_t *w, const revoked_t *r)
{
    uint8_t id[OAUTH_REVOCATION_ID_BYTES];
    char text[64];
    buf_t b = buf_fixed(text, sizeof text);
    oauth_revocation_id(r->kind, r->key, id);
    buf_b64url(&b, id, sizeof id);
    json_begin_object(w);
    json_member_str(w, STR("kind"), WORDS[r->kind]);
    json_member_str(w, STR("id"), buf_str(&b));
    json_member_int(w, STR("at"), r->at);
    json_end_object(w);
}

rc_t oauth_revocation_list_write(arena_t *a, uint64_t since, const revoked_t *v, size_t n,
                                 str_t *out)
{
    bool more = n > LIMIT_REVOCATIONS_PAGE;
    if (more)
        n = LIMIT_REVOCATIONS_PAGE;
    buf_t b = buf_new(a, LIMIT_REVOCATIONS_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_int(&w, STR("seq"), (int64_t)(n ? v[n - 1].seq : since));
    json_key(&w, STR("entries"));
    json_begin_array(&w);
    for (size_t i = 0; i < n; i++)
        write_entry(&w, &v[i]);
    json_end_array(&w);
    json_member_bool(&w, STR("more"), more);
    json_end_object(&w);
    return buf_done(&b, out);
}

static rc_t read_entry(const json_t *json, oauth_revocation_t *out)
{
    if (!str_is_set(json_get_str(json, STR("kind"))) || !json_get_i64(json, STR("at"), &out->at) ||
        out->at < 0)
        return RC_MALFORMED;
    return b64url_decode_to(json_get_str(json, STR("id")), out->id, sizeof out->id);
}

static rc_t read_entries(arena_t *a, const json_t *list, oauth_revocation_page_t *out)
{
    if (!json_is(list, JSON_ARRAY))
        return RC_MALFORMED;
    if (list->count > LIMIT_REVOCATIONS_PAGE)
        return RC_LIMIT;
    oauth_revocation_t *v = ARENA_ARRAY(a, list->count + 1, oauth_revocation_t);
    if (!v)
        return RC_MEMORY;
    for (const json_t *one = list->child; one; one = one->next)
        TRY(read_entry(one, &v[out->n++]));
    out->v = v;
    return RC_OK;
}

rc_t oauth_revocation_list_read(arena_t *a, str_t text, oauth_revocation_page_t *out)
{
    static const json_limits_t LIMITS = {LIMIT_REVOCATIONS_BYTES, 8, 8 * LIMIT_REVOCATIONS_PAGE};
    const json_t *json;
    int64_t seq;
    *out = (oauth_revocation_page_t){0};
    TRY(json_parse(a, text, &LIMITS, &json));
    const json_t *more = json_get(json, STR("more"));
    if (!json_get_i64(json, STR("seq"), &seq) || seq < 0 ||
        (more && !json_get_bool(json, STR("more"), &out->more)))
        return RC_MALFORMED;
    out->seq = (uint64_t)seq;
    return read_entries(a, json_get(json, STR("entries")), out);
}
