#include "cmd/client_print.h"

#include "client/plain.h"
#include "core/unfit.h"

enum { LINE_BYTES = 16384, ABOUT_BYTES = 200, NAME_BYTES = 128 };

/* With a small arena of its own, as texts may be long. */
void client_print_line(FILE *out, str_t line, size_t max)
{
    arena_t *a = arena_new(8 * LINE_BYTES + 8 * max);
    str_t plain = a ? client_plain(a, line, max) : STR_UNSET;
    if (plain.p)
        fwrite(plain.p, 1, plain.n, out);
    arena_free(a);
}

/* Tabs mean columns, so that they stay between the cleaned pieces. */
static void print_pieces(FILE *out, str_t line)
{
    str_t piece;
    bool first = true;
    while (str_split(&line, '\t', &piece)) {
        if (!first)
            fputc('\t', out);
        first = false;
        client_print_line(out, piece, piece.n + 1);
    }
}

void client_print_text(FILE *out, str_t text)
{
    str_t line;
    if (str_ends(text, STR("\n")))
        text.n--;
    while (str_split(&text, '\n', &line)) {
        print_pieces(out, str_trim(line, "\r"));
        fputc('\n', out);
    }
}

static void print_escape(FILE *out, uint32_t c)
{
    char text[16];
    buf_t b = buf_fixed(text, sizeof text);
    unfit_escape(&b, c);
    fwrite(b.p, 1, b.n, out);
}

void client_print_json(FILE *out, str_t json)
{
    if (!str_is_utf8(json))
        return;
    while (json.n > 0) {
        size_t n;
        uint32_t c = unfit_first(json, &n);
        if (c < 0x20) /* between values only: strings hold none */
            fputc(' ', out);
        else if (unfit_is(c))
            print_escape(out, c);
        else
            fwrite(json.p, 1, n, out);
        json = str_skip(json, n);
    }
    fputc('\n', out);
}

/* A block that is no text: its type, and what can be said of it in a line. */
static void print_block(FILE *out, str_t type, const json_t *block)
{
    const json_t *resource = json_get(block, STR("resource"));
    str_t uri = json_get_str(resource ? resource : block, STR("uri"));
    str_t mime = json_get_str(resource ? resource : block, STR("mimeType"));
    str_t data = json_get_str(block, STR("data"));
    fputc('[', out);
    client_print_line(out, type, NAME_BYTES);
    if (mime.p) {
        fputc(' ', out);
        client_print_line(out, mime, NAME_BYTES);
    }
    if (data.p)
        fprintf(out, ", %zu bytes of base64", data.n);
    if (uri.p) {
        fputc(' ', out);
        client_print_line(out, uri, LINE_BYTES);
    }
    fputs("]\n", out);
    if (json_get_str(resource, STR("text")).p)
        client_print_text(out, json_get_str(resource, STR("text")));
}

void client_print_result(FILE *out, const json_t *result)
{
    const json_t *content = json_get(result, STR("content"));
    const json_t *structured = json_get(result, STR("structuredContent"));
    bool any = false;
    for (const json_t *b = json_is(content, JSON_ARRAY) ? content->child : NULL; b; b = b->next) {
        str_t type = json_get_str(b, STR("type"));
        if (str_eq(type, STR("text")))
            client_print_text(out, json_get_str(b, STR("text")));
        else
            print_block(out, type.p ? type : STR("?"), b);
        any = true;
    }
    if (!any)
        client_print_json(out, structured ? structured->raw : result->raw);
}

void client_print_tools(FILE *out, const json_t *tools)
{
    for (const json_t *t = json_is(tools, JSON_ARRAY) ? tools->child : NULL; t; t = t->next) {
        str_t about = json_get_str(t, STR("description"));
        str_t title = json_get_str(t, STR("title"));
        if (!about.p)
            about = title;
        client_print_line(out, json_get_str(t, STR("name")), NAME_BYTES);
        if (about.p) {
            fputs("  ", out);
            client_print_line(out, str_first(about, str_find(about, '\n', 0)), ABOUT_BYTES);
        }
        fputc('\n', out);
    }
}
