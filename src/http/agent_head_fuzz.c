/* Heads of answers as libcurl hands them over, a line at a time: at most one is told, of fields
 * that are some, and whatever fails has said why. */
#include <stdlib.h>

#include "http/agent_call.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static bool is_clean(str_t s)
{
    return str_find(s, '\r', 0) == s.n && str_find(s, '\n', 0) == s.n &&
           str_find(s, '\0', 0) == s.n;
}

static void on_head(void *ctx, const http_agent_head_t *head)
{
    unsigned *heads = ctx;
    (*heads)++;
    check(head->status >= 200 && head->status <= 999);
    check(head->headers.n <= LIMIT_HTTP_HEADERS);
    check(is_clean(head->version));
    for (size_t i = 0; i < head->headers.n; i++) {
        check(head->headers.v[i].name.n > 0 && is_clean(head->headers.v[i].name));
        check(is_clean(head->headers.v[i].value));
    }
}

static bool next_line(str_t *rest, str_t *line)
{
    *line = str_first(*rest, str_find(*rest, '\n', 0) + 1);
    *rest = str_skip(*rest, line->n);
    return line->n > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned heads = 0;
    arena_t *a = arena_new(1 << 20);
    http_agent_call_t c = {
        .arena = a, .events = {.head = on_head, .ctx = &heads}, .fault = HTTP_AGENT_DONE};
    str_t rest = str_of(data, size), line;
    if (!a)
        return 0;
    c.head = buf_new(a, LIMIT_HTTP_HEAD_BYTES);
    bool is_good = true;
    while (is_good && next_line(&rest, &line))
        is_good = http_call_line(&c, line);
    check(heads == (c.has_head ? 1 : 0));
    check(is_good == (c.fault == HTTP_AGENT_DONE) && is_good == (c.why[0] == '\0'));
    check(!is_good || c.head_bytes <= LIMIT_HTTP_HEAD_BYTES);
    arena_free(a);
    return 0;
}
