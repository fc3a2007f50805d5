/* A list of revocations at W_LIST, and tokens that it may end. */
#ifndef RS_RS_TEST_LIST_H
#define RS_RS_TEST_LIST_H

#include "rs/revocations.h"
#include "rs/rs_test_world.h"

#define W_LIST "https://as.test/revocations"
/** The authorization server's metadata, naming it. */
#define LIST_METADATA                                                                              \
    "{\"issuer\":\"" W_ISSUER "\",\"jwks_uri\":\"" W_JWKS                                          \
    "\",\"warder_revocations_endpoint\":\"" W_LIST "\"}"
/** Members of somebody else's token. */
#define W_OTHER "\"iss\":\"" W_ISSUER "\",\"sub\":\"bob\",\"client_id\":\"c2\",\"jti\":\"f2.j2\""

/** From now on `url` answers with these after `since`. */
void list_is(world_t *w, const char *url, uint64_t since, const revoked_t *v, size_t n);
/** The one entry after 0. */
void list_ends(world_t *w, uint64_t seq, revoked_kind_t kind, str_t key, int64_t at);
/** A resource server that has followed an empty list up to 0. */
void list_follow(world_t *w);
/** A token of alice, c1 and grant f1, and one with the members `who`. */
const char *list_token(world_t *w);
const char *list_token_of(world_t *w, const char *who);

#endif
