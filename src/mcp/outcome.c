#include "mcp/outcome.h"

/* Members that matter; OTHER is what is passed over. */
enum { OTHER, RESULT, ERROR, IS_ERROR, CODE };
enum { LEVELS = 2, CODE_MAX = 100000000, KEY_NONE = MCP_OUTCOME_KEY_BYTES + 1 };

static bool in_object(const mcp_outcome_t *o)
{
    return o->depth >= 1 && o->depth <= LEVELS && (o->objects >> (o->depth - 1) & 1);
}

static uint8_t find_member(const mcp_outcome_t *o)
{
    str_t key = str_of(o->key, o->key_n < KEY_NONE ? o->key_n : 0);
    if (o->depth == 1)
        return str_eq(key, STR("result")) ? RESULT : str_eq(key, STR("error")) ? ERROR : OTHER;
    if (o->member == RESULT && str_eq(key, STR("isError")))
        return IS_ERROR;
    return o->member == ERROR && str_eq(key, STR("code")) ? CODE : OTHER;
}

static void end_key(mcp_outcome_t *o)
{
    uint8_t found = find_member(o);
    if (o->depth > 1) {
        o->value = found;
        return;
    }
    o->member = found;
    if (found == RESULT && o->kind == MCP_OUTCOME_NONE)
        o->kind = MCP_OUTCOME_RESULT;
}

static void open_level(mcp_outcome_t *o, char c)
{
    bool object = c == '{';
    if (o->depth < LEVELS) {
        o->objects = (uint8_t)(o->objects & ~(1u << o->depth));
        o->objects = (uint8_t)(o->objects | (unsigned)object << o->depth);
    }
    if (o->depth == 1 && o->member == ERROR && object)
        o->kind = MCP_OUTCOME_ERROR;
    o->depth++;
    o->value = OTHER;
    o->wants_key = in_object(o);
}

static void close_level(mcp_outcome_t *o)
{
    o->depth -= o->depth > 0;
    o->wants_key = false;
    o->value = OTHER;
}

static void begin_string(mcp_outcome_t *o)
{
    o->in_string = true;
    o->is_key = o->wants_key && in_object(o);
    o->key_n = 0;
}

static void read_digit(mcp_outcome_t *o, char c)
{
    if (o->value != CODE || o->counted)
        return;
    if (c == '-')
        o->negative = true;
    else if (o->code > -CODE_MAX && o->code < CODE_MAX)
        o->code = o->code * 10 + (o->negative ? -(c - '0') : c - '0');
}

/* A byte outside of strings. */
static void read_mark(mcp_outcome_t *o, char c)
{
    switch (c) {
    case '"':
        begin_string(o);
        return;
    case '{':
    case '[':
        open_level(o, c);
        return;
    case '}':
    case ']':
        close_level(o);
        return;
    case ':':
        o->wants_key = false;
        return;
    case ',':
        o->wants_key = in_object(o);
        o->counted |= o->value == CODE;
        return;
    case 't':
        if (o->value == IS_ERROR && o->depth == LEVELS && o->kind == MCP_OUTCOME_RESULT)
            o->kind = MCP_OUTCOME_TOOL_ERROR;
        return;
    default:
        if (o->depth == LEVELS && (c == '-' || (c >= '0' && c <= '9')))
            read_digit(o, c);
    }
}

static void read_key(mcp_outcome_t *o, char c)
{
    if (c != '\\' && o->key_n < MCP_OUTCOME_KEY_BYTES)
        o->key[o->key_n++] = c;
    else
        o->key_n = KEY_NONE;
}

static void end_string(mcp_outcome_t *o)
{
    o->in_string = false;
    if (o->is_key)
        end_key(o);
}

/* Passes over text without an escape, to the quote or the end of the piece; the index of that. Most
 * bytes of an answer are such text. */
static size_t pass_text(str_t s, size_t i)
{
    const char *p = s.p + i;
    const char *quote = memchr(p, '"', s.n - i);
    size_t n = quote ? (size_t)(quote - p) : s.n - i;
    const char *escape = memchr(p, '\\', n);
    return i + (escape ? (size_t)(escape - p) : n);
}

/* Passes over a string up to its end or that of the piece; the index behind it. */
static size_t read_string(mcp_outcome_t *o, str_t s, size_t i)
{
    while (i < s.n) {
        if (o->escaped) {
            o->escaped = false;
            i++;
            continue;
        }
        if (!o->is_key)
            i = pass_text(s, i);
        if (i == s.n)
            return i;
        char c = s.p[i++];
        if (c == '"') {
            end_string(o);
            return i;
        }
        o->escaped = c == '\\';
        if (o->is_key)
            read_key(o, c);
    }
    return i;
}

void mcp_outcome_feed(mcp_outcome_t *o, str_t piece)
{
    for (size_t i = 0; i < piece.n;) {
        if (o->in_string)
            i = read_string(o, piece, i);
        else
            read_mark(o, piece.p[i++]);
    }
}
