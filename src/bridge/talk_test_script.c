#include "bridge/talk_test_script.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE_BYTES = 1 << 16 };

typedef struct {
    talk_t *t;
    arena_t *a, *kept;
    uint8_t random; /* the next byte */
    int64_t now_ms;
    const talk_effect_t *due; /* effects that no line has named yet */
    size_t line;
} player_t;

static rc_t count_up(void *ctx, void *out, size_t n)
{
    uint8_t *next = ctx, *p = out;
    for (size_t i = 0; i < n; i++)
        p[i] = (*next)++;
    return RC_OK;
}

static str_t unquote(arena_t *a, const char *text)
{
    char *p = arena_cstr(a, str_c(text));
    for (char *c = p; *c; c++) {
        if (*c == '\'')
            *c = '"';
        else if (*c == '`')
            *c = '\'';
    }
    return str_c(p);
}

static const char *after_number(const char *p)
{
    while (*p && *p != ' ')
        p++;
    return *p ? p + 1 : p;
}

static mcp_link_end_t end_named(const char *name)
{
    static const char *const NAMES[] = {"unreachable", "auth",    "http", "broken",
                                        "malformed",   "timeout", "lost", "stopped"};
    for (size_t i = 0; i < ROWS(NAMES); i++) {
        if (strncmp(NAMES[i], name, strlen(NAMES[i])) == 0)
            return (mcp_link_end_t)i;
    }
    fail_msg("no such end: %s", name);
    return MCP_LINK_STOPPED;
}

static mcp_link_failure_t failure_of(const char *text)
{
    char *rest = NULL;
    mcp_link_failure_t f = {.end = end_named(text)};
    f.status = (int)strtol(after_number(text), &rest, 10);
    if (f.end == MCP_LINK_AUTH)
        f.failure.reason = CLIENT_SIGN_IN_NEEDED;
    f.detail = *rest == ' ' ? str_c(rest + 1) : STR_UNSET;
    f.refused = str_eq(f.detail, STR("refused"));
    return f;
}

static const char *version_of(const mcp_version_t *v)
{
    return v ? v->name.p : "-";
}

static str_t print_effect(arena_t *a, const talk_effect_t *e)
{
    const mcp_link_message_t *m = &e->message;
    switch (e->kind) {
    case TALK_SAY:
        return arena_printf(a, "> %" PRIstr, STR_ARG(e->line));
    case TALK_SEND:
        return arena_printf(a, "<%d%s %s %" PRIstr, (int)m->tag, m->probe ? "?" : "",
                            version_of(m->version), STR_ARG(m->json));
    case TALK_CANCEL:
        return arena_printf(a, "x%d", (int)e->tag);
    case TALK_LISTEN:
        return arena_printf(a, "l %s", version_of(e->version));
    }
    return STR_UNSET;
}

static void expect_params(player_t *p, const talk_effect_t *e, const char *line)
{
    assert_true(e->message.params.n > 0);
    assert_str(e->message.params.v[0].header, str_c(after_number(line)));
    (void)p;
}

static void expect(player_t *p, const char *line)
{
    static const talk_effect_t *last;
    if (line[0] == '=') {
        expect_params(p, last, line);
        return;
    }
    if (!p->due)
        fail_msg("line %zu: nothing comes, but %s is due", p->line, line);
    str_t got = print_effect(p->a, p->due), want = unquote(p->a, line);
    if (!str_eq(got, want))
        fail_msg("line %zu:\n  got  %" PRIstr "\n  want %" PRIstr, p->line, STR_ARG(got),
                 STR_ARG(want));
    last = p->due;
    p->due = p->due->next;
}

static void nothing_is_left(player_t *p)
{
    if (p->due)
        fail_msg("before line %zu: %" PRIstr, p->line, STR_ARG(print_effect(p->a, p->due)));
}

static talk_fact_t fact_of(player_t *p, const char *line)
{
    const char *rest = after_number(line);
    talk_fact_t f = {.tag = (uint64_t)strtoul(line + 1, NULL, 10)};
    switch (line[0]) {
    case 'H':
        f.kind = TALK_LINE;
        f.text = unquote(p->a, rest);
        break;
    case 'S':
        f.kind = TALK_MESSAGE;
        f.text = unquote(p->a, rest);
        break;
    case 'F':
        f.kind = TALK_FAILED;
        f.failure = failure_of(unquote(p->a, rest).p);
        break;
    case 'U':
        f.kind = TALK_UNHEARD;
        f.failure = failure_of(rest);
        break;
    case 'T':
        f.kind = TALK_TIME;
        p->now_ms += strtol(rest, NULL, 10);
        break;
    case 'L':
        f.kind = TALK_TOO_LONG;
        break;
    default:
        f.kind = TALK_END;
    }
    f.now_ms = p->now_ms;
    return f;
}

static void play(player_t *p, const char *line)
{
    if (strchr("><xl=", line[0])) {
        expect(p, line);
        return;
    }
    nothing_is_left(p);
    arena_reset(p->a);
    talk_fact_t f = fact_of(p, line);
    assert_int_equal(talk_step(p->t, p->a, &f, &p->due), RC_OK);
}

void talk_script(const char *const *lines)
{
    player_t p = {.a = arena_new(TALK_ARENA_BYTES)};
    talk_config_t config = {
        .name = STR("warder"), .version = STR("0"), .random = {count_up, &p.random}};
    assert_non_null(p.a);
    assert_int_equal(talk_new(&config, &p.t), RC_OK);
    for (; lines[p.line]; p.line++)
        play(&p, lines[p.line]);
    nothing_is_left(&p);
    talk_free(p.t);
    arena_free(p.a);
}

rc_t talk_script_within(const char *const *lines, size_t budget)
{
    player_t p = {.a = arena_new(TEST_ARENA_BYTES)};
    talk_config_t config = {
        .name = STR("warder"), .version = STR("0"), .random = {count_up, &p.random}};
    arena_t *small = arena_new(budget);
    const talk_effect_t *effects;
    assert_true(p.a && small);
    rc_t rc = talk_new(&config, &p.t);
    for (; rc == RC_OK && lines[p.line]; p.line++) {
        if (strchr("><xl=", lines[p.line][0]))
            continue;
        talk_fact_t f = fact_of(&p, lines[p.line]);
        arena_reset(small);
        rc = talk_step(p.t, small, &f, &effects);
    }
    talk_free(p.t);
    arena_free(small);
    arena_free(p.a);
    return rc;
}
