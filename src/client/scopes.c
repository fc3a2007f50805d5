#include "client/scopes.h"

#include "core/buf.h"
#include "core/limits.h"
#include "oauth/scope.h"

static const str_t OFFLINE = STR_INIT("offline_access");

static bool lists_offline(const client_discovery_t *found)
{
    return found && str_list_has(found->server.scopes, OFFLINE);
}

/* A scope of the server's choice, without offline_access where that would be refused. */
static rc_t of_server(arena_t *a, const client_scope_want_t *want, str_t scope, str_t *out)
{
    buf_t b = buf_new(a, LIMIT_SCOPE_BYTES);
    str_t one;
    bool offline = lists_offline(want->found);
    while (oauth_scope_next(&scope, &one)) {
        if (!offline && str_eq(one, OFFLINE))
            continue;
        if (b.n > 0)
            buf_char(&b, ' ');
        buf_put(&b, one);
    }
    return buf_done(&b, out);
}

/* What is asked for, offline_access aside; empty or unset for nothing. */
static rc_t base(arena_t *a, const client_scope_want_t *want, str_t *out)
{
    *out = STR_UNSET;
    str_t challenged, offered;
    TRY(of_server(a, want, want->challenged, &challenged));
    if (str_is_set(want->before))
        return oauth_scope_union(a, want->before, challenged, out);
    if (str_is_set(want->wanted))
        return oauth_scope_union(a, want->wanted, STR_UNSET, out);
    offered = want->found ? want->found->resource.scopes_supported : STR_UNSET;
    if (str_is_set(want->challenged))
        *out = challenged;
    else
        TRY(of_server(a, want, offered, out));
    return RC_OK;
}

rc_t client_scope_choose(arena_t *a, const client_scope_want_t *want, str_t *out)
{
    str_t scope;
    *out = STR_UNSET;
    TRY(base(a, want, &scope));
    if (scope.n == 0)
        return RC_OK;
    /* Alone it would take the place of what the server grants by default. */
    if (want->refresh && lists_offline(want->found))
        TRY(oauth_scope_union(a, scope, OFFLINE, &scope));
    if (scope.n > LIMIT_SCOPE_BYTES)
        return RC_LIMIT;
    *out = scope;
    return RC_OK;
}

/* FNV-1a: rows only tell operations of one server apart. */
static uint64_t hash(str_t s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return h;
}

static size_t find(const client_step_ups_t *s, uint64_t operation)
{
    size_t i = 0;
    while (i < s->n && s->rows[i].operation != operation)
        i++;
    return i;
}

/* The row of an operation; where all are taken, the one that was begun first makes room. */
static size_t row_of(client_step_ups_t *s, uint64_t operation)
{
    size_t i = find(s, operation);
    if (i < s->n)
        return i;
    if (s->n == CLIENT_STEP_UP_ROWS) {
        memmove(&s->rows[0], &s->rows[1], (CLIENT_STEP_UP_ROWS - 1) * sizeof s->rows[0]);
        s->n--;
    }
    s->rows[s->n].operation = operation;
    s->rows[s->n].tries = 0;
    return s->n++;
}

bool client_step_up_may(client_step_ups_t *s, str_t operation)
{
    size_t i = row_of(s, hash(operation));
    if (s->rows[i].tries >= CLIENT_STEP_UP_TRIES || s->in_a_row >= CLIENT_STEP_UP_IN_A_ROW)
        return false;
    s->rows[i].tries++;
    s->in_a_row++;
    return true;
}

void client_step_up_done(client_step_ups_t *s, str_t operation)
{
    size_t i = find(s, hash(operation));
    s->in_a_row = 0;
    if (i == s->n)
        return;
    s->n--;
    memmove(&s->rows[i], &s->rows[i + 1], (s->n - i) * sizeof s->rows[0]);
}
