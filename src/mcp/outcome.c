#include "mcp/outcome.h"

#include "core/json.h"
#include "core/num.h"
#include "mcp/operation.h"

/* Members that matter; OTHER is what is passed over. */
enum { OTHER, RESULT, ERROR, ID, METHOD, IS_ERROR, CODE, SCOPE };
enum {
    LEVELS = 2,
    CODE_MAX = 100000000,
    KEY_LONG = MCP_OUTCOME_KEY_BYTES + 1,
    KEY_ESCAPED = MCP_OUTCOME_KEY_BYTES + 2,
};

/* Of the message itself. */
static const str_t MEMBERS[] = {[RESULT] = STR_INIT("result"),
                                [ERROR] = STR_INIT("error"),
                                [ID] = STR_INIT("id"),
                                [METHOD] = STR_INIT("method")};

static bool in_object(const mcp_outcome_t *o)
{
    return o->depth >= 1 && o->depth <= LEVELS && (o->objects >> (o->depth - 1) & 1);
}

static bool in_batch(const mcp_outcome_t *o)
{
    return o->depth > 0 && !(o->objects & 1);
}

static str_t key_of(const mcp_outcome_t *o)
{
    return str_of(o->key, o->key_n < KEY_LONG ? o->key_n : 0);
}

/* One of MEMBERS; *odd: only to readers who fold case or to those who decode escapes. */
static uint8_t find_member(const mcp_outcome_t *o, bool *odd)
{
    str_t key = key_of(o);
    *odd = o->key_n == KEY_ESCAPED;
    for (uint8_t i = RESULT; i <= METHOD; i++) {
        if (str_eq(key, MEMBERS[i]))
            return i;
        *odd |= mcp_is_twin(key, MEMBERS[i]);
    }
    return OTHER;
}

static uint8_t find_value(mcp_outcome_t *o)
{
    static const str_t SCOPE_KEY = STR_INIT("cacheScope"), TTL_KEY = STR_INIT("ttlMs");
    str_t key = key_of(o);
    if (o->member == ERROR)
        return str_eq(key, STR("code")) ? CODE : OTHER;
    if (o->member != RESULT)
        return OTHER;
    o->any = true;
    o->cached |= str_eq(key, TTL_KEY) || mcp_is_twin(key, TTL_KEY);
    o->scoped |= str_eq(key, SCOPE_KEY);
    if (str_eq(key, STR("isError")))
        return IS_ERROR;
    o->odd |= o->key_n == KEY_ESCAPED || mcp_is_twin(key, SCOPE_KEY);
    return str_eq(key, SCOPE_KEY) ? SCOPE : OTHER;
}

static bool was_seen(const mcp_outcome_t *o, uint8_t member)
{
    return o->seen >> member & 1;
}

/* Nobody judges answers within a batch. */
static void end_key_in_batch(mcp_outcome_t *o)
{
    bool odd;
    uint8_t found = find_member(o, &odd);
    o->unclear |= odd || found == RESULT || found == ERROR;
}

static void end_key(mcp_outcome_t *o)
{
    bool odd;
    if (in_batch(o)) {
        end_key_in_batch(o);
        return;
    }
    if (o->depth > 1) {
        o->value = find_value(o);
        return;
    }
    o->member = find_member(o, &odd);
    o->unclear |= odd || (o->member != OTHER && was_seen(o, o->member));
    o->seen = (uint8_t)(o->seen | 1u << o->member);
    if (o->member == RESULT && o->kind == MCP_OUTCOME_NONE)
        o->kind = MCP_OUTCOME_RESULT;
}

static bool is_in_id(const mcp_outcome_t *o)
{
    return o->depth == 1 && o->member == ID && !o->wants_key && !o->is_key;
}

static void keep_id(mcp_outcome_t *o, str_t bytes)
{
    if (o->named || bytes.n > sizeof o->id - o->id_n) {
        o->unclear = true;
        return;
    }
    memcpy(o->id + o->id_n, bytes.p, bytes.n);
    o->id_n = (uint16_t)(o->id_n + bytes.n);
}

/* A comma or a brace. */
static void end_member(mcp_outcome_t *o)
{
    o->named |= o->depth == 1 && o->member == ID;
    o->scope &= o->depth != LEVELS;
    if (o->depth == LEVELS)
        o->value = OTHER;
    if (o->depth == 1)
        o->member = OTHER;
}

static void open_level(mcp_outcome_t *o, char c)
{
    bool object = c == '{';
    o->unclear |= is_in_id(o) || (o->depth == 1 && in_batch(o) && !object);
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
    end_member(o);
    o->unclear |= o->depth == 0;
    o->closed |= o->depth == 1;
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
        o->scope |= o->depth == LEVELS && o->value == SCOPE;
        return;
    case ',':
        o->counted |= o->value == CODE;
        end_member(o);
        o->wants_key = in_object(o);
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

/* An escape ends what can be compared; none of ours is as long as the room. */
static void read_key(mcp_outcome_t *o, char c)
{
    if (o->key_n >= KEY_LONG)
        return;
    if (c == '\\')
        o->key_n = KEY_ESCAPED;
    else if (o->key_n == MCP_OUTCOME_KEY_BYTES)
        o->key_n = KEY_LONG;
    else
        o->key[o->key_n++] = c;
}

static void end_string(mcp_outcome_t *o)
{
    o->in_string = false;
    if (o->is_key)
        end_key(o);
    o->is_key = false;
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

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One string or the rest of it, or one byte; the index behind. */
static size_t read_some(mcp_outcome_t *o, str_t piece, size_t i)
{
    bool id = is_in_id(o), text = o->in_string;
    char c = piece.p[i];
    size_t end = text ? read_string(o, piece, i) : i + 1;
    if (!text) {
        o->unclear |= o->closed && !is_space(c);
        read_mark(o, c);
    }
    if (id && (text || !(is_space(c) || c == ',' || c == '}')))
        keep_id(o, str_of(piece.p + i, end - i));
    return end;
}

/* JSON has none, and without it no reader takes the bytes for UTF-16 or UTF-32, as Python's does.
 */
static void look_for_nul(mcp_outcome_t *o, str_t piece)
{
    o->unclear |= piece.n > 0 && memchr(piece.p, 0, piece.n);
}

void mcp_outcome_feed(mcp_outcome_t *o, str_t piece)
{
    look_for_nul(o, piece);
    for (size_t i = 0; i < piece.n;)
        i = read_some(o, piece, i);
}

/* At the end of a result that clients may keep, and that says nothing about for whom. */
static bool lacks_scope(const mcp_outcome_t *o, char c)
{
    return c == '}' && o->depth == LEVELS && o->member == RESULT && in_object(o) && !in_batch(o) &&
           !o->in_string && (o->cached || o->is_stateless) && !o->scoped;
}

static void write_scope(mcp_outcome_t *o, buf_t *out)
{
    buf_put(out, o->any ? STR(",\"cacheScope\":\"private\"") : STR("\"cacheScope\":\"private\""));
    o->scoped = true;
}

void mcp_outcome_feed_private(mcp_outcome_t *o, str_t piece, buf_t *out)
{
    size_t copied = 0;
    look_for_nul(o, piece);
    for (size_t i = 0; i < piece.n;) {
        bool was = o->scope;
        size_t at = i;
        if (lacks_scope(o, piece.p[i])) {
            buf_put(out, str_of(piece.p + copied, i - copied));
            write_scope(o, out);
            copied = i;
        }
        i = read_some(o, piece, i);
        if (was == o->scope)
            continue;
        /* In at its colon, out at whatever follows it. */
        if (was)
            copied = at;
        else
            buf_put(out, str_of(piece.p + copied, i - copied));
        if (!was)
            buf_put(out, STR("\"private\""));
    }
    if (!o->scope)
        buf_put(out, str_skip(piece, copied));
}

/* Whether two texts are one id. */
static bool is_same_id(arena_t *a, str_t one, str_t other)
{
    static const json_limits_t LIMITS = {MCP_OUTCOME_ID_BYTES, 1, 1};
    double x, y;
    const json_t *left, *right;
    if (str_eq(one, other))
        return true;
    if (num_f64(one, &x) && num_f64(other, &y))
        return x == y;
    return json_parse(a, one, &LIMITS, &left) == RC_OK && json_is(left, JSON_STRING) &&
           json_parse(a, other, &LIMITS, &right) == RC_OK && json_is(right, JSON_STRING) &&
           str_eq(left->str, right->str);
}

static str_t id_of(const mcp_outcome_t *o)
{
    return str_of(o->id, o->id_n);
}

mcp_answer_t mcp_outcome_answer(arena_t *a, const mcp_outcome_t *o, str_t asked)
{
    bool answers = was_seen(o, RESULT) || was_seen(o, ERROR);
    if (o->unclear || (answers && (was_seen(o, METHOD) || !o->closed)))
        return MCP_ANSWER_UNCLEAR;
    if (!answers)
        return MCP_ANSWER_NONE;
    bool named = was_seen(o, ID) && !str_eq(id_of(o), STR("null"));
    if (!named)
        return was_seen(o, RESULT) ? MCP_ANSWER_UNCLEAR : MCP_ANSWER_NAMELESS;
    return asked.p && is_same_id(a, id_of(o), asked) ? MCP_ANSWER_OURS : MCP_ANSWER_FOREIGN;
}

bool mcp_outcome_may_be(arena_t *a, const mcp_outcome_t *o, str_t asked)
{
    if (o->closed) {
        mcp_answer_t answer = mcp_outcome_answer(a, o, asked);
        return answer == MCP_ANSWER_OURS || answer == MCP_ANSWER_NAMELESS;
    }
    /* null may be that of an error, which answers nothing and goes on. */
    bool nameless = str_eq(id_of(o), STR("null")) && !was_seen(o, RESULT);
    return !o->unclear && (!o->named || nameless || is_same_id(a, id_of(o), asked));
}

static bool reads_as(const json_t *text, const json_t *number)
{
    double x, y;
    return json_is(text, JSON_STRING) && json_f64(number, &y) && num_f64(text->str, &x) && x == y;
}

bool mcp_outcome_is_mistyped(arena_t *a, const mcp_outcome_t *o, str_t asked)
{
    static const json_limits_t LIMITS = {MCP_OUTCOME_ID_BYTES, 1, 1};
    const json_t *said, *wanted;
    if (!o->named || o->unclear || !asked.p)
        return false;
    if (json_parse(a, id_of(o), &LIMITS, &said) != RC_OK ||
        json_parse(a, asked, &LIMITS, &wanted) != RC_OK)
        return false;
    return reads_as(said, wanted) || reads_as(wanted, said);
}
