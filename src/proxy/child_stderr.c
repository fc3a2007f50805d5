#include "proxy/child_stderr.h"

/* Fills the bucket for the time that has passed. */
static void fill(child_stderr_t *s, int64_t now_ms)
{
    int64_t more = (now_ms - s->filled_ms) / CHILD_STDERR_LINE_MS;
    if (!s->set) {
        s->tokens = CHILD_STDERR_BURST;
        s->filled_ms = now_ms;
        s->set = true;
    } else if (more > 0) {
        s->tokens = s->tokens + more > CHILD_STDERR_BURST ? CHILD_STDERR_BURST : s->tokens + more;
        s->filled_ms += more * CHILD_STDERR_LINE_MS;
    }
}

/* Bytes that are no character of their own: a cut in the middle of one, or noise. */
static str_t clean(child_stderr_t *s)
{
    for (size_t i = 0; i < s->n; i++) {
        unsigned char c = (unsigned char)s->p[i];
        if (c < 0x20 || c == 0x7f)
            s->p[i] = ' ';
    }
    for (size_t cut = 0; cut < 4 && s->cut && s->n && !str_is_utf8(str_of(s->p, s->n)); cut++)
        s->n--;
    if (str_is_utf8(str_of(s->p, s->n)))
        return str_trim(str_of(s->p, s->n), " ");
    for (size_t i = 0; i < s->n; i++) {
        if ((unsigned char)s->p[i] >= 0x80)
            s->p[i] = '?';
    }
    return str_trim(str_of(s->p, s->n), " ");
}

static void give(child_stderr_t *s, int64_t now_ms, child_stderr_line_t line, void *ctx)
{
    str_t text = clean(s);
    bool cut = s->cut;
    s->n = 0;
    s->cut = false;
    if (text.n == 0)
        return;
    fill(s, now_ms);
    if (s->tokens == 0) {
        s->dropped++;
        return;
    }
    s->tokens--;
    line(ctx, text, cut, s->dropped);
    s->dropped = 0;
}

void child_stderr_take(child_stderr_t *s, str_t piece, int64_t now_ms, child_stderr_line_t line,
                       void *ctx)
{
    for (size_t i = 0; i < piece.n; i++) {
        if (piece.p[i] == '\n')
            give(s, now_ms, line, ctx);
        else if (s->n < sizeof s->p)
            s->p[s->n++] = piece.p[i];
        else
            s->cut = true;
    }
}

void child_stderr_end(child_stderr_t *s, int64_t now_ms, child_stderr_line_t line, void *ctx)
{
    give(s, now_ms, line, ctx);
}
