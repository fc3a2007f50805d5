#include "core/b64.h"
#include "mcp_server/said.h"
#include "mcp_server/server_state.h"

#include <stdarg.h>
#include <stdio.h>

void mcp_said_reset(warder_mcp_call_t *call)
{
    call->said = (mcp_said_t){.content = buf_new(call->arena, MCP_SAID_BYTES),
                              .role = STR("user"),
                              .audience = STR_UNSET,
                              .priority = -1};
    call->said.meta.buf = buf_new(call->arena, MCP_META_BYTES);
    call->said.meta.w = json_writer(&call->said.meta.buf);
    call->said.structured.buf = buf_new(call->arena, MCP_SAID_BYTES);
    call->said.w = json_writer(&call->said.content);
    call->said.structured.w = json_writer(&call->said.structured.buf);
    json_begin_array(&call->said.w);
}

void mcp_said_fail(warder_mcp_call_t *call, rc_t rc)
{
    if (call->said.failed == RC_OK)
        call->said.failed = rc;
}

const json_limits_t MCP_SAID_LIMITS = {MCP_SAID_BYTES, MCP_SAID_DEPTH, MCP_SAID_NODES};

rc_t mcp_said_check(str_t text, bool object)
{
    arena_t *a = arena_new(MCP_SAID_TREE_BYTES);
    if (!a)
        return RC_MEMORY;
    const json_t *v = NULL;
    rc_t rc = json_parse(a, text, &MCP_SAID_LIMITS, &v);
    if (rc == RC_OK && object && v->type != JSON_OBJECT)
        rc = RC_MALFORMED;
    arena_free(a);
    return rc;
}

/* A copy; what cannot be copied fails the call. */
static str_t keep(warder_mcp_call_t *call, const char *text)
{
    str_t copy = arena_dup(call->arena, str_c(text));
    if (text && !str_is_set(copy))
        mcp_said_fail(call, RC_MEMORY);
    return copy;
}

static bool answers_resource(const warder_mcp_call_t *call)
{
    return call->entry && (call->entry->kind == MCP_RESOURCE || call->entry->kind == MCP_TEMPLATE);
}

static bool answers_prompt(const warder_mcp_call_t *call)
{
    return call->entry && call->entry->kind == MCP_PROMPT;
}

/* One element of the answer: a content block, which in a message of a prompt has a role. */
static json_writer_t *begin_block(warder_mcp_call_t *call, str_t type)
{
    json_writer_t *w = &call->said.w;
    call->said.blocks++;
    json_begin_object(w);
    if (answers_prompt(call)) {
        json_member_str(w, STR("role"), call->said.role);
        json_key(w, STR("content"));
        json_begin_object(w);
    }
    json_member_str(w, STR("type"), type);
    return w;
}

/* 2025-06-18 on, "Annotations". */
static void write_annotations(warder_mcp_call_t *call)
{
    json_writer_t *w = &call->said.w;
    if (!str_is_set(call->said.audience) && call->said.priority < 0)
        return;
    json_key(w, STR("annotations"));
    json_begin_object(w);
    if (str_is_set(call->said.audience))
        json_member_strs(w, STR("audience"), (str_list_t){&call->said.audience, 1});
    if (call->said.priority >= 0) {
        json_key(w, STR("priority"));
        json_double(w, call->said.priority);
    }
    json_end_object(w);
}

static void end_block(warder_mcp_call_t *call)
{
    write_annotations(call);
    json_end_object(&call->said.w);
    if (answers_prompt(call))
        json_end_object(&call->said.w);
}

/* Base64 with the standard alphabet. Its bytes are not the call's: they are soon copied. */
static void bytes_member(warder_mcp_call_t *call, str_t name, const void *bytes, size_t n)
{
    if (n > MCP_SAID_BYTES / 4 * 3) {
        mcp_said_fail(call, RC_LIMIT);
        return;
    }
    arena_t *a = arena_new(MCP_SAID_BYTES + 1024);
    str_t text = a ? b64_encode(a, n ? bytes : "", n) : STR_UNSET;
    if (!str_is_set(text))
        mcp_said_fail(call, RC_MEMORY);
    json_member_str(&call->said.w, name, text);
    arena_free(a);
}

/* What a resource holds, as text or as bytes. */
typedef struct {
    str_t uri, mime_type;
    str_t text; /* unset: bytes */
    const void *bytes;
    size_t n;
} contents_t;

static void write_contents(warder_mcp_call_t *call, const contents_t *c)
{
    json_writer_t *w = &call->said.w;
    json_begin_object(w);
    json_member_str(w, STR("uri"), c->uri);
    json_member_str(w, STR("mimeType"), c->mime_type);
    if (str_is_set(c->text))
        json_member_str(w, STR("text"), c->text);
    else
        bytes_member(call, STR("blob"), c->bytes, c->n);
    json_end_object(w);
}

/* An element of `contents` where a resource is read, else a block that embeds it. */
static void say_contents(warder_mcp_call_t *call, const contents_t *c)
{
    if (answers_resource(call)) {
        call->said.blocks++;
        write_contents(call, c);
        return;
    }
    json_writer_t *w = begin_block(call, STR("resource"));
    json_key(w, STR("resource"));
    write_contents(call, c);
    end_block(call);
}

/* Of the resource that is read, in the type its row names where the function names none. */
static contents_t own_contents(const warder_mcp_call_t *call, const char *mime_type)
{
    return (contents_t){.uri = call->op.name,
                        .mime_type = mime_type ? str_c(mime_type) : call->entry->mime_type};
}

static void say_text(warder_mcp_call_t *call, str_t text)
{
    if (answers_resource(call)) {
        contents_t c = own_contents(call, NULL);
        c.text = text;
        say_contents(call, &c);
        return;
    }
    json_member_str(begin_block(call, STR("text")), STR("text"), text);
    end_block(call);
}

static str_t formatted(warder_mcp_call_t *call, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static str_t formatted(warder_mcp_call_t *call, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0 || n > MCP_SAID_BYTES) {
        mcp_said_fail(call, RC_LIMIT);
        return STR("");
    }
    char *p = arena_alloc(call->arena, (size_t)n + 1);
    if (!p) {
        mcp_said_fail(call, RC_MEMORY);
        return STR("");
    }
    vsnprintf(p, (size_t)n + 1, format, args);
    return str_of(p, (size_t)n);
}

void warder_mcp_text(warder_mcp_call_t *call, const char *text)
{
    say_text(call, text ? str_c(text) : STR(""));
}

void warder_mcp_textf(warder_mcp_call_t *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    str_t text = formatted(call, format, args);
    va_end(args);
    say_text(call, text);
}

/* Where a resource is read, media are its bytes. */
static void say_media(warder_mcp_call_t *call, str_t type, const contents_t *media)
{
    if (answers_resource(call)) {
        say_contents(call, media);
        return;
    }
    json_writer_t *w = begin_block(call, type);
    bytes_member(call, STR("data"), media->bytes, media->n);
    json_member_str(w, STR("mimeType"), media->mime_type);
    end_block(call);
}

void warder_mcp_image(warder_mcp_call_t *call, const char *mime_type, const void *bytes, size_t n)
{
    contents_t c = {call->op.name, str_c(mime_type), STR_UNSET, bytes, n};
    say_media(call, STR("image"), &c);
}

void warder_mcp_audio(warder_mcp_call_t *call, const char *mime_type, const void *bytes, size_t n)
{
    contents_t c = {call->op.name, str_c(mime_type), STR_UNSET, bytes, n};
    say_media(call, STR("audio"), &c);
}

void warder_mcp_embed_text(warder_mcp_call_t *call, const char *uri, const char *mime_type,
                           const char *text)
{
    contents_t c = {.uri = str_c(uri), .mime_type = str_c(mime_type), .text = str_c(text)};
    if (!str_is_set(c.text))
        c.text = STR("");
    say_contents(call, &c);
}

void warder_mcp_embed_blob(warder_mcp_call_t *call, const char *uri, const char *mime_type,
                           const void *bytes, size_t n)
{
    contents_t c = {str_c(uri), str_c(mime_type), STR_UNSET, bytes, n};
    say_contents(call, &c);
}

void warder_mcp_blob(warder_mcp_call_t *call, const char *mime_type, const void *bytes, size_t n)
{
    if (!answers_resource(call)) {
        mcp_said_fail(call, RC_MALFORMED);
        return;
    }
    contents_t c = own_contents(call, mime_type);
    c.bytes = bytes;
    c.n = n;
    say_contents(call, &c);
}

/* They came with 2025-06-18 ("Resource Links"). */
static bool knows_links(const warder_mcp_call_t *call)
{
    return !call->op.version || !str_eq(call->op.version->name, STR("2025-03-26"));
}

void warder_mcp_link(warder_mcp_call_t *call, const char *uri, const char *name,
                     const char *description, const char *mime_type)
{
    if (answers_resource(call)) {
        mcp_said_fail(call, RC_MALFORMED);
        return;
    }
    if (!knows_links(call)) {
        warder_mcp_textf(call, "%s: %s", name ? name : "Resource", uri ? uri : "");
        return;
    }
    json_writer_t *w = begin_block(call, STR("resource_link"));
    json_member_str(w, STR("uri"), str_c(uri));
    json_member_str(w, STR("name"), str_c(name ? name : uri));
    json_member_str(w, STR("description"), str_c(description));
    json_member_str(w, STR("mimeType"), str_c(mime_type));
    end_block(call);
}

/* "user" or "assistant", as text that stays; unset: neither. */
static str_t role_named(const char *role)
{
    static const str_t ROLES[] = {STR_INIT("user"), STR_INIT("assistant")};
    for (size_t i = 0; i < sizeof ROLES / sizeof *ROLES; i++) {
        if (str_eq(str_c(role), ROLES[i]))
            return ROLES[i];
    }
    return STR_UNSET;
}

void warder_mcp_annotate(warder_mcp_call_t *call, const char *audience, double priority)
{
    str_t named = role_named(audience);
    if ((audience && !str_is_set(named)) || !(priority <= 1)) {
        mcp_said_fail(call, RC_MALFORMED);
        return;
    }
    call->said.audience = named;
    call->said.priority = priority;
}

void warder_mcp_role(warder_mcp_call_t *call, const char *role)
{
    str_t named = role_named(role);
    if (str_is_set(named))
        call->said.role = named;
    else
        mcp_said_fail(call, RC_MALFORMED);
}

void warder_mcp_fresh(warder_mcp_call_t *call, int seconds, bool for_all)
{
    call->said.fresh_s = seconds > 0 ? seconds : 0;
    call->said.for_all = for_all;
}

/* Only tools have results that failed. Of a prompt the words are about its arguments: what fails by
 * itself has an end of its own (MCP 2025-11-25, Prompts, "Error Handling"). */
static void say_error(warder_mcp_call_t *call, str_t sentence)
{
    enum { INVALID_PARAMS = -32602 };
    if (answers_resource(call) || answers_prompt(call)) {
        call->said.error_code =
            answers_prompt(call) ? INVALID_PARAMS : mcp_error_row(MCP_ERROR_INTERNAL)->code;
        call->said.error_message = sentence;
        return;
    }
    say_text(call, sentence);
    call->said.is_error = true;
}

void warder_mcp_error(warder_mcp_call_t *call, const char *sentence)
{
    str_t copy = keep(call, sentence ? sentence : "");
    say_error(call, copy);
}

void warder_mcp_errorf(warder_mcp_call_t *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    str_t sentence = formatted(call, format, args);
    va_end(args);
    say_error(call, sentence);
}

void warder_mcp_protocol_error(warder_mcp_call_t *call, int code, const char *message,
                               const char *data)
{
    rc_t rc = data ? mcp_said_check(str_c(data), false) : RC_OK;
    if (code == 0)
        rc = RC_MALFORMED;
    mcp_said_fail(call, rc);
    call->said.error_code = code;
    call->said.error_message = keep(call, message ? message : "");
    call->said.error_data = keep(call, data);
}

/* 2026-07-28 took back the code of its own ("Resources", "Error Handling" in both revisions). */
void warder_mcp_not_found(warder_mcp_call_t *call)
{
    enum { RESOURCE_NOT_FOUND = -32002, INVALID_PARAMS = -32602, QUOTED = 6 };
    buf_t b = buf_new(call->arena, MCP_NAME_BYTES * QUOTED + 64);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("uri"), call->op.name);
    json_end_object(&w);
    call->said.error_code = call->op.era == MCP_ERA_STATELESS ? INVALID_PARAMS : RESOURCE_NOT_FOUND;
    call->said.error_message = STR("Resource not found");
    if (buf_done(&b, &call->said.error_data) != RC_OK)
        mcp_said_fail(call, b.failed);
}

void warder_mcp_need_scope(warder_mcp_call_t *call, const char *scope)
{
    call->said.needed = keep(call, scope);
}

void warder_mcp_suggest(warder_mcp_call_t *call, const char *value)
{
    size_t at = call->said.suggested++;
    if (at < MCP_SUGGESTIONS)
        call->said.suggestions[at] = keep(call, value ? value : "");
}
