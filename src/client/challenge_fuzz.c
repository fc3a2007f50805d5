/* Header values, one a line: what is read keeps its grammar and its bounds. */
#include "client/challenge.h"

#include <stdlib.h>

#include "core/limits.h"
#include "http/message.h"
#include "oauth/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VALUES = 8 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool is_token(str_t s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!http_is_tchar((unsigned char)s.p[i]))
            return false;
    return s.n > 0;
}

static void check_challenge(const client_auth_challenge_t *c)
{
    bool twice = false;
    must(is_token(c->scheme) && c->n_params <= CLIENT_CHALLENGE_PARAMS);
    must(!str_is_set(c->token68) || c->n_params == 0);
    for (size_t i = 0; i < c->n_params; i++) {
        must(is_token(c->params[i].name) && str_is_set(c->params[i].value));
        must(str_find(c->params[i].value, '\n', 0) == c->params[i].value.n);
        for (size_t k = 0; k < i; k++)
            twice = twice || str_eq_nocase(c->params[i].name, c->params[k].name);
    }
    must(c->repeated == twice);
}

static void check_picked(const client_challenge_t *c)
{
    must(c->found == (c->bearer || c->dpop));
    must(!str_is_set(c->scope) || oauth_scope_is_valid(c->scope));
    must(c->found || !(str_is_set(c->resource_metadata) || str_is_set(c->error)));
}

static void check(arena_t *a, str_list_t values)
{
    client_challenges_t all;
    client_challenge_t picked;
    if (client_challenges_read(a, values, &all) != RC_OK)
        return;
    must(all.n <= CLIENT_CHALLENGES_MAX);
    for (size_t i = 0; i < all.n; i++)
        check_challenge(&all.v[i]);
    if (client_challenge_pick(a, &all, &picked) == RC_OK)
        check_picked(&picked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(1 << 20);
    str_t rest = str_of(data, size), v[VALUES];
    size_t n = 0;
    if (!a)
        return 0;
    while (n < VALUES && str_split(&rest, '\n', &v[n]))
        n++;
    check(a, (str_list_t){v, n});
    arena_free(a);
    return 0;
}
