/* A registered URI and one that is asked for, cut at the first newline. What may be registered
 * matches itself; what matches leads to the same place; and the answer stays behind the URI. */
#include "core/url.h"
#include "oauth/redirect_uri.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_match(str_t registered, str_t asked)
{
    url_t r, q;
    if (!oauth_redirect_uri_matches(registered, asked) || str_eq(registered, asked))
        return;
    must(url_parse(registered, &r) == RC_OK && url_parse(asked, &q) == RC_OK);
    must(str_eq(q.scheme, STR("http")) && url_host_is_loopback(q.host));
    must(!str_is_set(q.userinfo) && !str_is_set(q.fragment) && str_eq(r.query, q.query));
}

static void check(arena_t *a, str_t registered, str_t asked)
{
    oauth_redirect_kind_t kind;
    str_t chosen, out;
    if (oauth_redirect_uri_check(registered, NULL, &kind) != OAUTH_FINE)
        return;
    must(oauth_redirect_uri_kind(registered) == kind);
    must(oauth_redirect_uri_matches(registered, registered));
    check_match(registered, asked);
    const str_list_t list = {&registered, 1};
    if (!asked.p || oauth_redirect_uri_choose(list, asked, &chosen) != OAUTH_FINE)
        return;
    const oauth_redirect_answer_t answer = {.code = asked, .state = asked, .iss = asked};
    if (oauth_redirect_uri_answer(a, chosen, &answer, &out) == RC_OK)
        must(str_starts(out, chosen) && str_is_printable_ascii(str_skip(out, chosen.n)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(1 << 20);
    if (!a)
        return 0;
    str_t text = str_of(data, size);
    size_t cut = str_find(text, '\n', 0);
    check(a, str_first(text, cut), str_skip(text, cut + 1));
    arena_free(a);
    return 0;
}
