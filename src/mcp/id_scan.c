#include "mcp/id_scan.h"

enum { MEMBERS = 1 }; /* the depth of the members of the message itself */

static void keep(mcp_id_scan_t *s, char c)
{
    if (s->id_n == sizeof s->id)
        s->bad = true;
    else
        s->id[s->id_n++] = c;
}

static void spell(mcp_id_scan_t *s, char c)
{
    if (s->word_n < sizeof s->word)
        s->word[s->word_n++] = c;
}

static void in_string(mcp_id_scan_t *s, char c)
{
    bool ends = c == '"' && !s->escape;
    if (s->value)
        keep(s, c);
    if (s->key && !ends)
        spell(s, c);
    s->escape = c == '\\' && !s->escape;
    s->string = !ends;
}

static void begin_string(mcp_id_scan_t *s)
{
    s->string = true;
    s->key = s->at_key;
    s->at_key = false;
    if (s->key)
        s->word_n = 0;
    if (s->value)
        keep(s, '"');
}

static void begin_value(mcp_id_scan_t *s)
{
    str_t word = str_of(s->word, s->word_n);
    if (s->depth != MEMBERS || !s->key)
        return;
    s->key = false;
    s->method = s->method || str_eq(word, STR("method"));
    s->value = str_eq(word, STR("id"));
    s->ids += s->value;
}

static void next_member(mcp_id_scan_t *s)
{
    if (s->depth != MEMBERS)
        return;
    s->value = false;
    s->at_key = true;
}

static void open(mcp_id_scan_t *s, char c)
{
    s->bad = s->bad || s->value || (!s->began && c != '{') || (s->began && s->depth == 0);
    s->began = true;
    s->depth++;
    s->at_key = s->depth == MEMBERS;
}

static void close(mcp_id_scan_t *s)
{
    s->bad = s->bad || s->depth == 0;
    s->depth -= s->depth > 0;
    if (s->depth == 0)
        s->value = false;
}

static void outside(mcp_id_scan_t *s, char c)
{
    switch (c) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        return;
    case '"':
        begin_string(s);
        return;
    case ':':
        begin_value(s);
        return;
    case ',':
        next_member(s);
        return;
    case '{':
    case '[':
        open(s, c);
        return;
    case '}':
    case ']':
        close(s);
        return;
    default:
        s->bad = s->bad || !s->began;
        if (s->value)
            keep(s, c);
    }
}

void mcp_id_scan(mcp_id_scan_t *s, str_t piece)
{
    for (size_t i = 0; i < piece.n && !s->bad; i++) {
        if (s->string)
            in_string(s, piece.p[i]);
        else
            outside(s, piece.p[i]);
    }
}

static bool is_integer(str_t id)
{
    size_t i = id.n > 1 && id.p[0] == '-';
    for (size_t k = i; k < id.n; k++) {
        if (id.p[k] < '0' || id.p[k] > '9')
            return false;
    }
    return id.n > i && id.n - i <= 15 && (id.p[i] != '0' || id.n - i == 1);
}

/* A text that needs no second look: escapes, controls and what is no ASCII might be none. */
static bool is_plain_text(str_t id)
{
    if (id.n < 2 || id.p[0] != '"' || id.p[id.n - 1] != '"')
        return false;
    for (size_t i = 1; i + 1 < id.n; i++) {
        bool plain = id.p[i] >= 0x20 && id.p[i] < 0x7f && id.p[i] != '\\' && id.p[i] != '"';
        if (!plain)
            return false;
    }
    return true;
}

str_t mcp_id_scanned(const mcp_id_scan_t *s)
{
    str_t id = str_of(s->id, s->id_n);
    bool whole = !s->bad && s->began && s->depth == 0 && s->ids == 1 && s->method;
    return whole && (is_integer(id) || is_plain_text(id)) ? id : STR_UNSET;
}
