#include "rs/rs_test_list.h"

void list_is(world_t *w, const char *url, uint64_t since, const revoked_t *v, size_t n)
{
    str_t page;
    assert_int_equal(oauth_revocation_list_write(w->a, since, v, n, &page), RC_OK);
    world_page(w, url, page);
}

void list_follow(world_t *w)
{
    world_page(w, W_METADATA, STR(LIST_METADATA));
    list_is(w, W_LIST "?since=0", 0, NULL, 0);
    world_open(w);
    assert_true(warder_rs_refresh(w->rs));
    assert_string_equal(w->last_url, W_LIST "?since=0");
}

const char *list_token(world_t *w)
{
    return world_sign(w, &w->key,
                      "{\"iss\":\"" W_ISSUER "\",\"sub\":\"alice\",\"client_id\":\"c1\","
                      "\"jti\":\"f1.j1\"" W_AUD W_TIME ",\"scope\":\"files:read\"}");
}

const char *list_token_of(world_t *w, const char *who)
{
    return world_sign(w, &w->key, arena_printf(w->a, "{%s" W_AUD W_TIME "}", who).p);
}

void list_ends(world_t *w, uint64_t seq, revoked_kind_t kind, str_t key, int64_t at)
{
    revoked_t r = {.seq = seq, .kind = kind, .key = key, .at = at};
    list_is(w, W_LIST "?since=0", 0, &r, 1);
}
