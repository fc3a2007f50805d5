#include "client/plain.h"
#include "mcp_client/library.h"

#include <stdio.h>

enum { DETAIL_BYTES = 300, SENTENCE_BYTES = 1024 };

void library_say(char *why, size_t size, str_t sentence)
{
    if (!why || size == 0)
        return;
    str_t part = str_first(sentence, size - 1);
    if (part.n > 0)
        memcpy(why, part.p, part.n);
    why[part.n] = 0;
}

/* "What happened: details" */
static void say_with(arena_t *a, char *why, size_t size, const str_t said[2])
{
    str_t detail = said[1].n > 0 ? client_plain(a, said[1], DETAIL_BYTES) : STR_UNSET;
    str_t all = arena_printf(a, "%" PRIstr "%s%" PRIstr, STR_ARG(said[0]), detail.n > 0 ? ": " : "",
                             STR_ARG(detail));
    library_say(why, size, all.p ? all : said[0]);
}

warder_client_end_t library_tell_tokens(arena_t *a, const client_failure_t *f, char *why,
                                        size_t size)
{
    if (f->reason == CLIENT_FINE)
        return WARDER_CLIENT_DONE;
    const client_reason_row_t *row = client_reason_row(f->reason);
    str_t detail = client_plain(a, f->detail.p ? f->detail : STR(""), DETAIL_BYTES);
    str_t all = arena_printf(a, "%" PRIstr "%s%" PRIstr ". %" PRIstr, STR_ARG(row->sentence),
                             detail.n > 0 ? ": " : "", STR_ARG(detail), STR_ARG(row->mend));
    library_say(why, size, all.p ? all : row->sentence);
    if (f->reason == CLIENT_STOPPED)
        return WARDER_CLIENT_STOPPED;
    return f->reason == CLIENT_MACHINE ? WARDER_CLIENT_FAILED : WARDER_CLIENT_AUTH;
}

static str_t sentence_of(arena_t *a, const mcp_link_failure_t *f)
{
    if (f->end != MCP_LINK_HTTP)
        return mcp_link_end_row(f->end)->sentence;
    return arena_printf(a, "The server answered with HTTP status %d", f->status);
}

warder_client_end_t library_tell(arena_t *a, const mcp_client_failure_t *f, char *why, size_t size)
{
    if (!f->is_rpc_error && f->link.end == MCP_LINK_AUTH)
        return library_tell_tokens(a, &f->link.failure, why, size);
    if (f->is_rpc_error) {
        str_t code = arena_printf(a, "The server answered with error %lld", (long long)f->code);
        say_with(a, why, size, (const str_t[]){code, f->message});
        return WARDER_CLIENT_ERROR;
    }
    say_with(a, why, size, (const str_t[]){sentence_of(a, &f->link), f->link.detail});
    return f->link.end == MCP_LINK_STOPPED ? WARDER_CLIENT_STOPPED : WARDER_CLIENT_NETWORK;
}

warder_client_end_t library_tell_rc(rc_t rc, char *why, size_t size)
{
    switch (rc) {
    case RC_MALFORMED:
        library_say(why, size, STR("The parameters are no JSON object"));
        break;
    case RC_LIMIT:
        library_say(why, size, STR("The request is too large"));
        break;
    case RC_BUSY:
        library_say(why, size, STR("Too many calls are under way"));
        break;
    default:
        library_say(why, size, STR("There is not enough memory, or no thread"));
    }
    return WARDER_CLIENT_FAILED;
}
