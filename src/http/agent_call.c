#include "http/agent_call.h"

#include <stdio.h>

#include "http/fields.h"

static int64_t from(int64_t now, int64_t ms)
{
    return ms < 0 || ms > INT64_MAX - now ? INT64_MAX : now + ms;
}

void http_call_begin(http_agent_call_t *c, int64_t now)
{
    c->head_by = from(now, c->head_ms);
    c->total_by = from(now, c->total_ms);
}

int64_t http_call_due(const http_agent_call_t *c)
{
    int64_t head = c->has_head ? INT64_MAX : c->head_by;
    int64_t total = c->is_paused ? INT64_MAX : c->total_by;
    return head < total ? head : total;
}

/* The time of whoever reads is not the server's. */
void http_call_pause(http_agent_call_t *c, int64_t now)
{
    c->is_paused = true;
    c->left_ms = c->total_by == INT64_MAX ? -1 : c->total_by - now;
    if (c->total_by != INT64_MAX && c->left_ms < 0)
        c->left_ms = 0;
}

void http_call_unpause(http_agent_call_t *c, int64_t now)
{
    c->is_paused = false;
    c->total_by = from(now, c->left_ms);
}

void http_call_fail(http_agent_call_t *c, http_agent_end_t end, const char *why)
{
    if (c->fault != HTTP_AGENT_DONE)
        return;
    c->fault = end;
    snprintf(c->why, sizeof c->why, "%s", why);
}

/* The three digits of "HTTP/1.1 200 OK" or "HTTP/2 200"; 0: there are none. */
static int status_of(str_t line)
{
    str_t rest = str_skip(line, str_find(line, ' ', 0) + 1);
    int status = 0;
    for (size_t i = 0; i < 3; i++) {
        if (i >= rest.n || rest.p[i] < '0' || rest.p[i] > '9')
            return 0;
        status = status * 10 + (rest.p[i] - '0');
    }
    bool is_whole = rest.n == 3 || rest.p[3] == ' ' || rest.p[3] == '\r' || rest.p[3] == '\n';
    return is_whole ? status : 0;
}

/* The field lines and the empty line, behind the status line. */
static bool read_fields(http_agent_call_t *c, str_t lines, http_headers_t *out)
{
    size_t n = 0;
    http_header_t *v = ARENA_ARRAY(c->arena, LIMIT_HTTP_HEADERS, http_header_t);
    http_fields_t f;
    http_fields_init(&f, 0);
    if (!v) {
        http_call_fail(c, HTTP_AGENT_BROKEN, "there is no memory for the answer");
        return false;
    }
    http_fields_step_t step;
    while ((step = http_fields_next(&f, lines.p, lines.n)) == HTTP_FIELDS_ONE) {
        if (n == LIMIT_HTTP_HEADERS) {
            http_call_fail(c, HTTP_AGENT_TOO_LONG, "the answer has too many header fields");
            return false;
        }
        v[n++] = (http_header_t){f.name, f.value};
    }
    *out = (http_headers_t){v, n};
    if (step == HTTP_FIELDS_END)
        return true;
    http_call_fail(c, HTTP_AGENT_BROKEN, "the answer has a header field that is none");
    return false;
}

/* The empty line has come. */
static bool tell_head(http_agent_call_t *c)
{
    str_t all = buf_str(&c->head);
    size_t first = str_find(all, '\n', 0);
    str_t line = str_first(all, first);
    http_agent_head_t head = {
        .status = status_of(line),
        .version = str_first(line, str_find(line, ' ', 0)),
    };
    bool is_http = str_starts(line, STR("HTTP/")) && str_is_printable_ascii(head.version);
    if (!is_http || head.status < 100 || head.status == 101) {
        http_call_fail(c, HTTP_AGENT_BROKEN, "the answer has no status that fits");
        return false;
    }
    if (head.status < 200) {
        c->head.n = 0; /* another block follows */
        return true;
    }
    if (!read_fields(c, str_skip(all, first + 1), &head.headers))
        return false;
    c->has_head = true;
    c->events.head(c->events.ctx, &head);
    return true;
}

bool http_call_line(http_agent_call_t *c, str_t line)
{
    c->head_bytes += line.n;
    if (c->head_bytes > LIMIT_HTTP_HEAD_BYTES) {
        http_call_fail(c, HTTP_AGENT_TOO_LONG, "the head of the answer is too long");
        return false;
    }
    if (c->has_head)
        return true;
    buf_put(&c->head, line);
    if (c->head.failed != RC_OK) {
        http_call_fail(c, HTTP_AGENT_BROKEN, "there is no memory for the answer");
        return false;
    }
    bool is_last = str_eq(line, STR("\r\n")) || str_eq(line, STR("\n"));
    return is_last ? tell_head(c) : true;
}
