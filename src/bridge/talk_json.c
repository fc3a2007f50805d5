#include "bridge/talk_do.h"

enum { AROUND_BYTES = 8192, ID_BYTES = 32 };

buf_t talk_buf(arena_t *a, size_t n)
{
    /* A key that is written anew may take six bytes for one. */
    return buf_new(a, 6 * n + AROUND_BYTES);
}

str_t talk_own_id(arena_t *a, uint64_t tag)
{
    return arena_printf(a, "\"warder-%llu\"", (unsigned long long)tag);
}

json_writer_t talk_begin_request(buf_t *b, uint64_t tag, str_t method)
{
    char id[ID_BYTES];
    buf_t text = buf_fixed(id, sizeof id);
    buf_put(&text, STR("warder-"));
    buf_u64(&text, tag);
    json_writer_t w = json_writer(b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    json_member_str(&w, STR("id"), buf_str(&text));
    json_member_str(&w, STR("method"), method);
    json_key(&w, STR("params"));
    json_begin_object(&w);
    return w;
}

rc_t talk_end_request(json_writer_t *w, str_t *out)
{
    json_end_object(w);
    json_end_object(w);
    return buf_done(w->buf, out);
}

/* Tasks are a capability of 2025-11-25 and an extension of 2026-07-28: neither is the other. */
void talk_write_capabilities(json_writer_t *w, const json_t *capabilities)
{
    static const str_t OF_ONE_ERA[] = {STR_INIT("tasks"), STR_INIT("extensions")};
    static const str_t EXTENSION[] = {STR_INIT("io.modelcontextprotocol/tasks")};
    const json_t *extensions = json_get(capabilities, STR("extensions"));
    json_begin_object(w);
    json_members_but(w, capabilities, TALK_NAMES(OF_ONE_ERA));
    if (json_is(extensions, JSON_OBJECT)) {
        json_key(w, STR("extensions"));
        json_begin_object(w);
        json_members_but(w, extensions, TALK_NAMES(EXTENSION));
        json_end_object(w);
    }
    json_end_object(w);
}

const json_t *talk_meta_of(const json_t *params)
{
    const json_t *meta = json_get(params, STR("_meta"));
    return json_is(meta, JSON_OBJECT) ? meta : NULL;
}

bool talk_states(const mcp_message_t *m, str_t *version)
{
    *version = json_get_str(talk_meta_of(m->params), TALK_META_VERSION);
    return str_is_set(*version);
}
