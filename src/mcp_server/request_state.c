#include "mcp_server/request_state.h"

#include "core/b64.h"
#include "jose/digest.h"
#include "mcp_server/server_state.h"

enum { TEXT_BYTES = (SHA256_BYTES + MCP_SEALED_BYTES) / 3 * 4 + 4, LABELS = 8 };

/* A part of what is bound: its length first, so that no two lists look alike. Unset has its own. */
static void add(str_t parts[2 * LABELS], size_t *n, uint64_t lengths[LABELS], str_t s)
{
    uint64_t *length = &lengths[*n / 2];
    *length = s.p ? s.n : UINT64_MAX;
    parts[(*n)++] = str_of(length, sizeof *length);
    parts[(*n)++] = s.p ? s : STR("");
}

/* An absent object and an empty one ask the same. */
static str_t arguments_of(const warder_mcp_call_t *call)
{
    return call->arguments && call->arguments->count > 0 ? call->arguments->raw : STR("");
}

/* What a state is good for: nobody else, and nothing else that is asked. */
static void bind(const warder_mcp_call_t *call, str_t payload, uint8_t mac[SHA256_BYTES])
{
    str_t parts[2 * LABELS];
    uint64_t lengths[LABELS];
    uint8_t digest[SHA256_BYTES];
    size_t n = 0;
    add(parts, &n, lengths, str_c(call->m->config.name));
    add(parts, &n, lengths, call->who.issuer);
    add(parts, &n, lengths, call->who.subject);
    add(parts, &n, lengths, call->who.client);
    add(parts, &n, lengths, call->op.message.method);
    add(parts, &n, lengths, call->op.name);
    add(parts, &n, lengths, arguments_of(call));
    add(parts, &n, lengths, payload);
    sha256_parts(parts, n, digest);
    static const char PURPOSE[] = "requestState";
    char text[sizeof PURPOSE + sizeof digest];
    memcpy(text, PURPOSE, sizeof PURPOSE);
    memcpy(text + sizeof PURPOSE, digest, sizeof digest);
    hmac_sha256(str_of(call->m->seal, sizeof call->m->seal), str_of(text, sizeof text), mac);
}

static int64_t now_s(const warder_mcp_call_t *call)
{
    return clock_seconds(&call->m->world.clock);
}

static void write_answers(json_writer_t *w, const mcp_questions_t *q)
{
    json_key(w, STR("answers"));
    json_begin_object(w);
    for (size_t i = 0; i < q->n; i++) {
        if (!q->v[i].answer)
            continue;
        json_key(w, q->v[i].key);
        json_raw(w, q->v[i].answer->raw);
    }
    json_end_object(w);
}

str_t mcp_state_wrap(warder_mcp_call_t *call, str_t payload)
{
    uint8_t mac[SHA256_BYTES];
    bind(call, payload, mac);
    char *sealed = arena_alloc(call->arena, sizeof mac + payload.n);
    if (!sealed)
        return STR_UNSET;
    memcpy(sealed, mac, sizeof mac);
    memcpy(sealed + sizeof mac, payload.p, payload.n);
    return b64url_encode(call->arena, sealed, sizeof mac + payload.n);
}

str_t mcp_state_seal(warder_mcp_call_t *call)
{
    str_t payload;
    buf_t b = buf_new(call->arena, MCP_SEALED_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_int(&w, STR("expires"), now_s(call) + MCP_STATE_LIFE_S);
    json_member_int(&w, STR("round"), call->questions.round);
    json_member_str(&w, STR("state"), call->questions.state);
    write_answers(&w, &call->questions);
    json_end_object(&w);
    return buf_done(&b, &payload) == RC_OK ? mcp_state_wrap(call, payload) : STR_UNSET;
}

/* Only what was found to be ours is read. */
static mcp_error_t read_payload(warder_mcp_call_t *call, str_t payload)
{
    static const json_limits_t LIMITS = {MCP_SEALED_BYTES, MCP_MESSAGE_DEPTH + 2,
                                         MCP_MESSAGE_NODES};
    const json_t *v;
    int64_t expires, round;
    rc_t rc = json_parse(call->arena, payload, &LIMITS, &v);
    if (rc != RC_OK)
        return rc == RC_MEMORY ? MCP_ERROR_INTERNAL : MCP_ERROR_BAD_REQUEST_STATE;
    if (!json_get_i64(v, STR("expires"), &expires) || !json_get_i64(v, STR("round"), &round))
        return MCP_ERROR_BAD_REQUEST_STATE;
    if (round < 0 || round > MCP_ROUNDS)
        return MCP_ERROR_BAD_REQUEST_STATE;
    if (expires <= now_s(call) || expires > now_s(call) + MCP_STATE_LIFE_S)
        return MCP_ERROR_EXPIRED_REQUEST_STATE;
    call->questions.round = (unsigned)round;
    call->questions.state = json_get_str(v, STR("state"));
    call->questions.kept = json_get(v, STR("answers"));
    return MCP_NO_ERROR;
}

mcp_error_t mcp_state_open(warder_mcp_call_t *call, str_t text)
{
    str_t sealed;
    uint8_t mac[SHA256_BYTES];
    if (text.n > TEXT_BYTES)
        return MCP_ERROR_BAD_REQUEST_STATE;
    rc_t rc = b64url_decode(call->arena, text, &sealed);
    if (rc == RC_MEMORY)
        return MCP_ERROR_INTERNAL;
    if (rc != RC_OK || sealed.n < sizeof mac)
        return MCP_ERROR_BAD_REQUEST_STATE;
    str_t payload = str_skip(sealed, sizeof mac);
    bind(call, payload, mac);
    if (!str_eq_ct(str_first(sealed, sizeof mac), str_of(mac, sizeof mac)))
        return MCP_ERROR_BAD_REQUEST_STATE;
    return read_payload(call, payload);
}
