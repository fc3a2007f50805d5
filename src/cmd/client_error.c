#include "cmd/client_error.h"

#include "client/plain.h"
#include "cmd/client_print.h"

enum { ERROR_BYTES = 64 << 10, DETAIL_BYTES = 512 };

static void write_words(arena_t *a, json_writer_t *w, str_t key, str_t words)
{
    json_member_str(w, key, words.p ? client_plain(a, words, DETAIL_BYTES) : STR_UNSET);
}

static void write_rpc(arena_t *a, json_writer_t *w, const mcp_client_failure_t *rpc)
{
    json_key(w, STR("rpc"));
    json_begin_object(w);
    json_member_int(w, STR("code"), rpc->code);
    write_words(a, w, STR("message"), rpc->message);
    if (rpc->data.p && rpc->data.n <= ERROR_BYTES / 2) {
        json_key(w, STR("data"));
        json_raw(w, rpc->data);
    }
    json_end_object(w);
}

rc_t client_error_write(arena_t *a, const client_error_t *e, int exit_code, str_t *out)
{
    buf_t b = buf_new(a, ERROR_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_key(&w, STR("error"));
    json_begin_object(&w);
    json_member_str(&w, STR("code"), e->code);
    json_member_str(&w, STR("message"), e->sentence);
    write_words(a, &w, STR("detail"), e->detail);
    json_member_str(&w, STR("mend"), e->mend);
    json_member_str(&w, STR("rule"), e->rule);
    if (e->status)
        json_member_int(&w, STR("status"), e->status);
    if (e->rpc)
        write_rpc(a, &w, e->rpc);
    json_end_object(&w);
    json_member_int(&w, STR("exit"), exit_code);
    json_end_object(&w);
    return buf_done(&b, out);
}

int client_error_json(client_world_t *w, const client_error_t *e, int exit_code)
{
    str_t text;
    if (w->as_json && client_error_write(w->a, e, exit_code, &text) == RC_OK)
        client_print_json(stdout, text);
    return exit_code;
}
