#include "mcp_client/library.h"
#include "tokens/browser.h"

#include <stdlib.h>

enum { HOOK_BYTES = 32 << 20 };

/* ---- the person ---- */

static bool open_page(void *ctx, str_t url)
{
    const warder_client_t *c = ctx;
    if (!c->callbacks.open)
        return tokens_browser_open(STR_UNSET, url) == RC_OK;
    arena_t *a = arena_new(LIBRARY_ARENA_BYTES);
    const char *text = a ? arena_cstr(a, url) : NULL;
    bool opened = text && c->callbacks.open(c->callbacks.ctx, text);
    arena_free(a);
    return opened;
}

static bool show_code(void *ctx, str_t user_code, str_t uri, str_t complete)
{
    const warder_client_t *c = ctx;
    arena_t *a = arena_new(LIBRARY_ARENA_BYTES);
    const char *code = a ? arena_cstr(a, user_code) : NULL;
    const char *at = a ? arena_cstr(a, uri) : NULL;
    const char *whole = a && complete.p ? arena_cstr(a, complete) : NULL;
    bool shown = code && at && c->callbacks.code(c->callbacks.ctx, code, at, whole);
    arena_free(a);
    return shown;
}

static void say(void *ctx, str_t sentence)
{
    const warder_client_t *c = ctx;
    arena_t *a = arena_new(LIBRARY_ARENA_BYTES);
    const char *text = a ? arena_cstr(a, sentence) : NULL;
    if (text)
        c->callbacks.says(c->callbacks.ctx, text);
    arena_free(a);
}

tokens_person_t library_person(warder_client_t *c)
{
    return (tokens_person_t){open_page, c->callbacks.code ? show_code : NULL,
                             c->callbacks.says ? say : NULL, c};
}

/* ---- the server ---- */

static const char *text_of(arena_t *a, const json_t *params)
{
    return params ? arena_cstr(a, params->raw) : "{}";
}

static bool ask(void *ctx, arena_t *a, str_t method, const json_t *params, str_t *result)
{
    const warder_client_t *c = ctx;
    const char *name = arena_cstr(a, method), *text = text_of(a, params);
    char *answer = name && text ? c->callbacks.ask(c->callbacks.ctx, name, text) : NULL;
    *result = answer ? arena_dup(a, str_c(answer)) : STR_UNSET;
    free(answer);
    return result->p != NULL;
}

static void hear(void *ctx, str_t method, const json_t *params)
{
    const warder_client_t *c = ctx;
    arena_t *a = arena_new(HOOK_BYTES);
    const char *name = a ? arena_cstr(a, method) : NULL;
    const char *text = a ? text_of(a, params) : NULL;
    if (name && text)
        c->callbacks.hears(c->callbacks.ctx, name, text);
    arena_free(a);
}

mcp_client_handlers_t library_handlers(warder_client_t *c)
{
    const warder_client_callbacks_t *k = &c->callbacks;
    return (mcp_client_handlers_t){.ask = k->ask ? ask : NULL,
                                   .elicits = k->elicits,
                                   .elicits_url = k->elicits_url,
                                   .samples = k->samples,
                                   .has_roots = k->has_roots,
                                   .hears = k->hears ? hear : NULL,
                                   .ctx = c};
}
