#include "core/command_line.h"

typedef struct {
    str_t line;
    size_t at;
    char *p; /* the words, one behind the other; never longer than the line */
    size_t n;
    char quote; /* ' or " while within them, else 0 */
    str_t *words;
    size_t count;
    str_t why;
} splitter_t;

static rc_t refuse(splitter_t *s, str_t why)
{
    s->why = why;
    return RC_MALFORMED;
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What a shell would act on, here. */
static bool is_of_shell(const splitter_t *s, char c)
{
    if (c == '\0')
        return false;
    return strchr(s->quote == '"' ? "$`" : "|&;<>()$`", c) != NULL;
}

static bool escapes(const splitter_t *s)
{
    if (s->quote != '"')
        return true;
    char next = s->at + 1 < s->line.n ? s->line.p[s->at + 1] : '\0';
    return next != '\0' && strchr("\"\\$`", next) != NULL;
}

/* One byte within a word; *ended says that it was the blank behind it. */
static rc_t take_byte(splitter_t *s, bool *ended)
{
    char c = s->line.p[s->at];
    *ended = !s->quote && is_blank(c);
    if (*ended)
        return RC_OK;
    if (c == s->quote || (!s->quote && (c == '\'' || c == '"'))) {
        s->quote = s->quote ? '\0' : c;
        s->at++;
        return RC_OK;
    }
    if (c == '\\' && s->quote != '\'' && escapes(s)) {
        if (++s->at == s->line.n)
            return refuse(s, STR("The command ends with a backslash."));
        c = s->line.p[s->at];
    } else if (s->quote != '\'' && is_of_shell(s, c)) {
        return refuse(s, STR("There is no shell: quote | & ; < > ( ) $ ` or leave them out."));
    }
    s->p[s->n++] = c;
    s->at++;
    return RC_OK;
}

static rc_t take_word(splitter_t *s)
{
    bool ended = false;
    size_t from = s->n;
    if (s->count == COMMAND_LINE_WORDS) {
        s->why = STR("The command has too many words.");
        return RC_LIMIT;
    }
    while (s->at < s->line.n && !ended)
        TRY(take_byte(s, &ended));
    if (s->quote)
        return refuse(s, STR("The command has a quote that does not end."));
    s->words[s->count++] = str_of(s->p + from, s->n - from);
    return RC_OK;
}

static rc_t check(splitter_t *s)
{
    if (s->line.n > COMMAND_LINE_BYTES) {
        s->why = STR("The command is too long.");
        return RC_LIMIT;
    }
    for (size_t i = 0; i < s->line.n; i++) {
        if (is_control(s->line.p[i]))
            return refuse(s, STR("The command has a control character."));
    }
    return str_is_utf8(s->line) ? RC_OK : refuse(s, STR("The command is not UTF-8."));
}

static rc_t split(splitter_t *s)
{
    TRY(check(s));
    while (s->at < s->line.n) {
        if (!is_blank(s->line.p[s->at]))
            TRY(take_word(s));
        else
            s->at++;
    }
    return s->count ? RC_OK : refuse(s, STR("The command is empty."));
}

rc_t command_line_split(arena_t *a, str_t line, str_list_t *out, str_t *why)
{
    splitter_t s = {.line = line, .why = STR("There is no memory.")};
    s.p = arena_alloc(a, line.n <= COMMAND_LINE_BYTES ? line.n + 1 : 1);
    s.words = ARENA_ARRAY(a, COMMAND_LINE_WORDS, str_t);
    rc_t rc = s.p && s.words ? split(&s) : RC_MEMORY;
    *out = rc == RC_OK ? (str_list_t){s.words, s.count} : (str_list_t){NULL, 0};
    *why = rc == RC_OK ? STR_UNSET : s.why;
    return rc;
}
