/* The double of http_agent_ask: judges requests as the real one, and answers from a table. */
#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "http/agent_request.h"

static void write_request(FILE *f, const http_agent_request_t *r)
{
    fprintf(f, "%" PRIstr " %" PRIstr "\n", STR_ARG(r->method), STR_ARG(r->url));
    for (size_t i = 0; i < r->headers.n; i++) {
        const http_header_t *h = &r->headers.v[i];
        if (str_is_set(h->value))
            fprintf(f, "%" PRIstr ": %" PRIstr "\n", STR_ARG(h->name), STR_ARG(h->value));
    }
    fputc('\n', f);
    if (r->body.n)
        fwrite(r->body.p, 1, r->body.n, f);
}

static rc_t keep(http_ask_fake_t *fake, const http_agent_request_t *r)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    if (!f)
        return RC_MEMORY;
    write_request(f, r);
    if (fclose(f) != 0) {
        free(text);
        return RC_MEMORY;
    }
    fake->asked[fake->n_asked++] = text;
    return RC_OK;
}

static const http_ask_row_t *find_row(http_ask_fake_t *fake, const http_agent_request_t *r)
{
    for (size_t i = 0; i < fake->n && i < HTTP_ASK_FAKE_LOG; i++) {
        const http_ask_row_t *row = &fake->rows[i];
        if (!str_eq(str_c(row->method), r->method) || !str_eq(str_c(row->url), r->url))
            continue;
        if (row->times && fake->used[i] == row->times)
            continue;
        fake->used[i]++;
        return row;
    }
    return NULL;
}

/* "Name: value\n" each. */
static rc_t read_headers(arena_t *a, str_t text, http_headers_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    http_header_t *v = ARENA_ARRAY(a, n + 1, http_header_t);
    if (!v)
        return RC_MEMORY;
    size_t count = 0;
    for (str_t line; str_split(&text, '\n', &line);) {
        size_t colon = str_find(line, ':', 0);
        if (colon < line.n)
            v[count++] =
                (http_header_t){str_first(line, colon), str_trim(str_skip(line, colon + 1), " ")};
    }
    *out = (http_headers_t){v, count};
    return RC_OK;
}

static rc_t answer(arena_t *a, const http_ask_row_t *row, size_t max, http_answer_t *out)
{
    str_t body = str_c(row->body ? row->body : "");
    out->end = row->end;
    if (out->end == HTTP_AGENT_DONE && body.n > (max ? max : LIMIT_HTTP_FETCH_BYTES))
        out->end = HTTP_AGENT_TOO_LONG;
    bool too_long = row->end == HTTP_AGENT_DONE && out->end == HTTP_AGENT_TOO_LONG;
    if (out->end != HTTP_AGENT_DONE && !too_long)
        return RC_OK;
    out->status = row->status;
    str_t whole = arena_dup(a, body);
    str_t headers = arena_dup(a, str_c(row->headers ? row->headers : ""));
    if (!str_is_set(whole) || !str_is_set(headers))
        return RC_MEMORY;
    if (!too_long)
        out->body = whole;
    return read_headers(a, headers, &out->headers);
}

static rc_t fake_ask(void *ctx, arena_t *a, const http_agent_request_t *r, http_answer_t *out)
{
    http_ask_fake_t *fake = ctx;
    url_t u;
    *out = (http_answer_t){.end = HTTP_AGENT_REFUSED, .why = STR("")};
    TRY(http_agent_check(r, &u, &out->end, &out->why));
    if (fake->n_asked == HTTP_ASK_FAKE_LOG)
        return RC_LIMIT;
    TRY(keep(fake, r));
    if (out->end != HTTP_AGENT_DONE)
        return RC_OK;
    out->end = HTTP_AGENT_REFUSED;
    const http_ask_row_t *row = find_row(fake, r);
    return row ? answer(a, row, r->max_body, out) : RC_OK;
}

http_ask_port_t http_ask_fake(http_ask_fake_t *state)
{
    return (http_ask_port_t){fake_ask, state};
}

void http_ask_fake_clear(http_ask_fake_t *state)
{
    for (size_t i = 0; i < state->n_asked; i++)
        free(state->asked[i]);
    state->n_asked = 0;
    memset(state->used, 0, sizeof state->used);
}
