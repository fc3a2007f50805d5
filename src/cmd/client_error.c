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
    if (e->left) {
        json_member_bool(&w, STR("kept"), e->left->kept);
        json_member_bool(&w, STR("revoked"), e->left->revoked);
    }
    json_end_object(&w);
    json_member_int(&w, STR("exit"), exit_code);
    json_end_object(&w);
    return buf_done(&b, out);
}

int client_error_json(client_world_t *w, const client_error_t *e, int exit_code)
{
    static const str_t NO_MEMORY =
        STR_INIT("{\"error\":{\"code\":\"machine\",\"message\":\"out of memory\"},\"exit\":1}");
    str_t text;
    if (!w->as_json || w->said)
        return exit_code;
    w->said = true;
    if (!w->a || client_error_write(w->a, e, exit_code, &text) != RC_OK)
        text = NO_MEMORY;
    client_print_json(stdout, text);
    return exit_code;
}

static int exit_code_of(client_reason_t reason)
{
    switch (reason) {
    case CLIENT_UNREACHABLE:
    case CLIENT_MACHINE:
    case CLIENT_KEEP_FAILED:
        return EXIT_FAILED;
    case CLIENT_STOPPED:
        return EXIT_STOPPED;
    default:
        return EXIT_SIGN_IN;
    }
}

int client_error_left(client_world_t *w, const client_failure_t *why, const client_left_t *left)
{
    const client_reason_row_t *row = client_reason_row(why->reason);
    if (why->detail.p) {
        str_t plain = client_plain(w->a, why->detail, DETAIL_BYTES);
        fprintf(stderr, "warder: %" PRIstr ": %" PRIstr "\n", STR_ARG(row->sentence),
                STR_ARG(plain));
    } else {
        fprintf(stderr, "warder: %" PRIstr "\n", STR_ARG(row->sentence));
    }
    fprintf(stderr, "warder: %" PRIstr " (%" PRIstr ")\n", STR_ARG(row->mend), STR_ARG(row->rule));
    const client_error_t e = {.code = row->name,
                              .sentence = row->sentence,
                              .detail = why->detail,
                              .mend = row->mend,
                              .rule = row->rule,
                              .left = left};
    return client_error_json(w, &e, exit_code_of(why->reason));
}

int client_world_fail(client_world_t *w, const client_failure_t *why)
{
    return client_error_left(w, why, NULL);
}

int client_error_not_kept(client_world_t *w, str_t mend, const client_left_t *left)
{
    const client_error_t e = {.code = STR("not_kept"),
                              .sentence = STR("No token is kept for this URL"),
                              .mend = mend,
                              .left = left};
    return client_error_json(
        w, &e,
        command_fail(EXIT_REFUSED, "%" PRIstr "; %" PRIstr, STR_ARG(e.sentence), STR_ARG(e.mend)));
}

/* The object of what was said in words alone. */
static client_error_t error_of(const client_world_t *w, int exit_code)
{
    const client_reason_t reason = w->failing == CLIENT_FINE ? CLIENT_MACHINE : w->failing;
    const client_reason_row_t *row = client_reason_row(reason);
    str_t words = str_c(command_last_failure());
    if (w->a)
        words = client_plain(w->a, words, words.n);
    client_error_t e = {.code = row->name, .sentence = words, .mend = row->mend, .rule = row->rule};
    if (exit_code != EXIT_SETTING || w->failing != CLIENT_FINE)
        return e;
    e.code = STR("setting");
    e.mend = STR("Mend the option that the message names");
    e.rule = STR_UNSET;
    return e;
}

int client_error_end(client_world_t *w, int exit_code)
{
    bool failed = exit_code != EXIT_DONE && exit_code != EXIT_USAGE && exit_code != EXIT_TOOL;
    if (failed && w->as_json && !w->said) {
        const client_error_t e = error_of(w, exit_code);
        client_error_json(w, &e, exit_code);
    }
    client_world_close(w);
    return exit_code;
}
