#include "mcp_server/said_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void log_line(void *ctx, str_t line)
{
    said_world_t *w = ctx;
    strncat(w->logged, line.p, sizeof w->logged - strlen(w->logged) - 1);
}

static bool covers(void *ctx, str_t granted, str_t needed)
{
    str_t part;
    while (str_split(&needed, ' ', &part)) {
        if (!str_contains(granted, part))
            return false;
    }
    return true;
}

int said_world_setup(void **state)
{
    said_world_t *w = calloc(1, sizeof *w);
    if (!w)
        return -1;
    *state = w;
    w->log = (log_t){.write = log_line, .ctx = w};
    w->m.world.log = &w->log;
    w->m.world.scopes = (mcp_scope_port_t){covers, NULL};
    w->call.m = &w->m;
    w->call.arena = arena_new(MCP_CALL_ARENA_BYTES);
    w->call.entry = &w->entry;
    w->call.op.era = MCP_ERA_HANDSHAKE;
    w->call.op.version = mcp_version_find(mcp_versions(), STR("2025-11-25"));
    w->call.who = (mcp_caller_t){.issuer = STR("https://as.example"),
                                 .subject = STR("alice"),
                                 .client = STR("c1"),
                                 .scope = STR("news:read watchlist:write")};
    said_world_becomes(w, MCP_TOOL, "t");
    return w->call.arena ? 0 : -1;
}

int said_world_teardown(void **state)
{
    said_world_t *w = *state;
    arena_free(w->call.arena);
    free(w);
    return 0;
}

void said_world_arguments(said_world_t *w, const char *json)
{
    assert_int_equal(json_parse(w->call.arena, str_c(json), NULL, &w->call.arguments), RC_OK);
}

void said_world_becomes(said_world_t *w, mcp_kind_t kind, const char *name)
{
    w->entry.kind = kind;
    w->entry.name = str_c(name);
    w->call.op.name = str_c(name);
    mcp_said_reset(&w->call);
}

str_t said_world_content(said_world_t *w)
{
    assert_int_equal(w->call.said.failed, RC_OK);
    assert_int_equal(w->call.said.content.failed, RC_OK);
    return str_skip(buf_str(&w->call.said.content), 1);
}
