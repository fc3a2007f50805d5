#include "mcp_client/library.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { PARAMS_MORE = 256 };

/* ---- life ---- */

static void release(warder_client_t *c)
{
    tokens_source_free(c->tokens);
    tokens_memory_free(c->memory);
    if (c->folder)
        tokens_folder_close(c->folder);
    jwk_free(&c->key);
    http_agent_free(c->agent);
    arena_free(c->a);
    pthread_mutex_destroy(&c->opening);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static str_t words_of(rc_t rc, str_t why)
{
    if (rc == RC_CONFIG && why.n > 0)
        return why;
    return rc == RC_MEMORY ? STR("There is not enough memory")
                           : STR("No thread or no file can be opened");
}

warder_client_t *warder_client_new(const warder_client_config_t *config, char *why, size_t size)
{
    str_t sentence = STR_UNSET;
    warder_client_t *c = calloc(1, sizeof *c);
    if (!c) {
        library_say(why, size, words_of(RC_MEMORY, STR_UNSET));
        return NULL;
    }
    pthread_mutex_init(&c->opening, NULL);
    pthread_mutex_init(&c->lock, NULL);
    c->callbacks = config->callbacks;
    c->a = arena_new(LIBRARY_ARENA_BYTES);
    rc_t rc = c->a ? library_wire(c, config, &sentence) : RC_MEMORY;
    if (rc == RC_OK)
        return c;
    library_say(why, size, words_of(rc, sentence));
    release(c);
    return NULL;
}

static mcp_client_t *session_of(warder_client_t *c)
{
    pthread_mutex_lock(&c->lock);
    mcp_client_t *s = c->session;
    pthread_mutex_unlock(&c->lock);
    return s;
}

void warder_client_stop(warder_client_t *c)
{
    bool before = atomic_exchange(&c->stop, true);
    if (!before && c->tokens)
        tokens_source_stop(c->tokens);
}

void warder_client_free(warder_client_t *c)
{
    if (!c)
        return;
    /* The goodbye still needs a token; after it nothing may wait for one. */
    mcp_client_leave(c->session);
    warder_client_stop(c);
    mcp_client_close(c->session);
    release(c);
}

/* ---- connecting ---- */

static void keep(warder_client_t *c, mcp_client_t *session)
{
    pthread_mutex_lock(&c->lock);
    c->session = session;
    pthread_mutex_unlock(&c->lock);
}

static warder_client_end_t open_session(warder_client_t *c, arena_t *a, char *why, size_t size)
{
    mcp_client_t *session;
    mcp_client_failure_t failure;
    rc_t rc = mcp_client_open(&c->config, a, &session, &failure);
    if (rc != RC_OK)
        return library_tell_rc(rc, why, size);
    if (!session) {
        warder_client_end_t end = library_tell(a, &failure, why, size);
        return end == WARDER_CLIENT_ERROR ? WARDER_CLIENT_NETWORK : end;
    }
    keep(c, session);
    return WARDER_CLIENT_DONE;
}

static warder_client_end_t connect_in(warder_client_t *c, arena_t *a, char *why, size_t size)
{
    if (session_of(c))
        return WARDER_CLIENT_DONE;
    pthread_mutex_lock(&c->opening);
    warder_client_end_t end = session_of(c) ? WARDER_CLIENT_DONE : open_session(c, a, why, size);
    pthread_mutex_unlock(&c->opening);
    return end;
}

static arena_t *begin(char *why, size_t size)
{
    arena_t *a = arena_new(LIBRARY_CALL_BYTES);
    library_say(why, size, a ? STR("") : words_of(RC_MEMORY, STR_UNSET));
    return a;
}

warder_client_end_t warder_client_connect(warder_client_t *c, char *why, size_t size)
{
    arena_t *a = begin(why, size);
    warder_client_end_t end = a ? connect_in(c, a, why, size) : WARDER_CLIENT_FAILED;
    arena_free(a);
    return end;
}

const char *warder_client_version(const warder_client_t *c)
{
    mcp_client_t *s = session_of((warder_client_t *)(uintptr_t)c);
    /* Names of revisions are literals. */
    return s ? mcp_client_version(s)->name.p : NULL;
}

/* ---- calls ---- */

/* Where the words of a call go. */
typedef struct {
    char **result, *why;
    size_t size;
} out_t;

static warder_client_end_t give(const out_t *o, str_t text)
{
    char *copy = o->result ? malloc(text.n + 1) : NULL;
    if (!o->result)
        return WARDER_CLIENT_DONE;
    if (!copy)
        return library_tell_rc(RC_MEMORY, o->why, o->size);
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    *o->result = copy;
    return WARDER_CLIENT_DONE;
}

static str_t error_object(arena_t *a, const mcp_client_failure_t *f)
{
    str_t out;
    buf_t b = buf_new(a, 6 * f->message.n + f->data.n + PARAMS_MORE);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_int(&w, STR("code"), f->code);
    json_member_str(&w, STR("message"), f->message.p ? f->message : STR(""));
    if (f->data.p) {
        json_key(&w, STR("data"));
        json_raw(&w, f->data);
    }
    json_end_object(&w);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

static warder_client_end_t finish(arena_t *a, rc_t rc, str_t result, const mcp_client_failure_t *f,
                                  const out_t *o)
{
    if (rc == RC_OK)
        return give(o, result);
    if (rc != RC_NOT_FOUND)
        return library_tell_rc(rc, o->why, o->size);
    warder_client_end_t end = library_tell(a, f, o->why, o->size);
    str_t error = end == WARDER_CLIENT_ERROR ? error_object(a, f) : STR_UNSET;
    if (error.p && give(o, error) != WARDER_CLIENT_DONE)
        return WARDER_CLIENT_FAILED;
    return end;
}

typedef struct {
    str_t method, params;
    const warder_client_options_t *options;
} call_t;

static warder_client_end_t call_in(warder_client_t *c, arena_t *a, const call_t *call,
                                   const out_t *o)
{
    str_t result;
    mcp_client_failure_t failure;
    warder_client_end_t end = connect_in(c, a, o->why, o->size);
    if (end != WARDER_CLIENT_DONE)
        return end;
    const warder_client_options_t *given = call->options;
    const mcp_client_options_t options = {
        .progress = given && given->progress,
        .cancel = given ? (const _Atomic(bool) *)given->cancel : NULL,
    };
    rc_t rc = mcp_client_request(session_of(c), a, call->method, call->params, &options, &result,
                                 &failure);
    return finish(a, rc, result, &failure, o);
}

warder_client_end_t warder_client_request(warder_client_t *c, const char *method,
                                          const char *params,
                                          const warder_client_options_t *options, char **result,
                                          char *why, size_t size)
{
    const out_t o = {result, why, size};
    const call_t call = {str_c(method), str_c(params), options};
    if (result)
        *result = NULL;
    arena_t *a = begin(why, size);
    warder_client_end_t end = a ? call_in(c, a, &call, &o) : WARDER_CLIENT_FAILED;
    arena_free(a);
    return end;
}

/* RC_MALFORMED: arguments that are no JSON object. */
static rc_t call_params(arena_t *a, const char *tool, const char *arguments, str_t *out)
{
    const json_t *given = NULL;
    if (arguments)
        TRY(json_parse(a, str_c(arguments), NULL, &given));
    if (given && !json_is(given, JSON_OBJECT))
        return RC_MALFORMED;
    buf_t b = buf_new(a, 6 * strlen(tool) + (arguments ? strlen(arguments) : 0) + PARAMS_MORE);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("name"), str_c(tool));
    json_key(&w, STR("arguments"));
    json_raw(&w, given ? given->raw : STR("{}"));
    json_end_object(&w);
    return buf_done(&b, out);
}

warder_client_end_t warder_client_call(warder_client_t *c, const char *tool, const char *arguments,
                                       const warder_client_options_t *options, char **result,
                                       char *why, size_t size)
{
    const out_t o = {result, why, size};
    call_t call = {.method = STR("tools/call"), .options = options};
    if (result)
        *result = NULL;
    arena_t *a = begin(why, size);
    if (!a)
        return WARDER_CLIENT_FAILED;
    rc_t rc = call_params(a, tool, arguments, &call.params);
    warder_client_end_t end =
        rc == RC_OK ? call_in(c, a, &call, &o) : library_tell_rc(rc, why, size);
    arena_free(a);
    return end;
}

static warder_client_end_t tools_in(warder_client_t *c, arena_t *a, const out_t *o)
{
    const json_t *tools = NULL;
    mcp_client_failure_t failure;
    warder_client_end_t end = connect_in(c, a, o->why, o->size);
    if (end != WARDER_CLIENT_DONE)
        return end;
    rc_t rc = mcp_client_tools(session_of(c), a, &tools, &failure);
    return finish(a, rc, tools ? tools->raw : STR_UNSET, &failure, o);
}

warder_client_end_t warder_client_tools(warder_client_t *c, char **result, char *why, size_t size)
{
    const out_t o = {result, why, size};
    if (result)
        *result = NULL;
    arena_t *a = begin(why, size);
    warder_client_end_t end = a ? tools_in(c, a, &o) : WARDER_CLIENT_FAILED;
    arena_free(a);
    return end;
}

warder_client_end_t warder_client_sign_out(warder_client_t *c, char *why, size_t size)
{
    client_failure_t failure = {CLIENT_FINE, STR_UNSET};
    arena_t *a = begin(why, size);
    if (!a)
        return WARDER_CLIENT_FAILED;
    if (c->tokens)
        (void)tokens_source_sign_out(c->tokens, a, &failure);
    warder_client_end_t end = library_tell_tokens(a, &failure, why, size);
    arena_free(a);
    return end;
}

void warder_client_free_text(char *text)
{
    if (!text)
        return;
    secret_wipe(text, strlen(text));
    free(text);
}
