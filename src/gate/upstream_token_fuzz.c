/* Any answer of a token endpoint, for the gateway's own token and for an exchanged one: what is
 * taken is a token that fits into a header, and never the caller's. */
#include "gate/upstream_token.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void read_as(arena_t *a, const gate_principal_t *who, str_t body)
{
    const conf_upstream_t u = {.credential = {.audience = STR("https://up")}};
    gate_token_ask_t ask = {&u, who, STR("caller")};
    gate_token_answer_t answer = {200, body, STR("a b"), 1000};
    gate_token_t t;
    if (gate_token_read(a, &ask, &answer, &t) != GATE_TOKEN_GOOD) {
        check(!t.token.p);
        return;
    }
    check(t.token.n > 0 && str_is_printable_ascii(t.token) && t.keep_s >= 0);
    check(!who || !str_eq(t.token, STR("caller")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const gate_principal_t who = {.scope = STR("a"), .expires_at = 2000};
    arena_t *a = arena_new(64 << 20);
    if (!a)
        return 0;
    read_as(a, NULL, str_of(data, size));
    read_as(a, &who, str_of(data, size));
    arena_free(a);
    return 0;
}
