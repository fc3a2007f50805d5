/* Where a text names the company, index or good that somebody asks about. */
#ifndef SENTIMENT_ENGINE_TARGET_H
#define SENTIMENT_ENGINE_TARGET_H

#include "engine_token.h"

/** Tokens [from, to] that name the target. */
typedef struct {
    size_t from, to;
} place_t;

typedef struct {
    place_t *v;
    size_t n;
} places_t;

/** Finds every place where one of `names` stands, in the order of the text and apart from each
 *  other, at most ENGINE_MENTIONS. Case, punctuation, possessive and legal forms ("Ltd", "Inc.") do
 *  not matter. Where the whole name stands nowhere its initials, then its first words are looked
 *  for. RC_LIMIT over ENGINE_NAMES or ENGINE_NAME_BYTES, RC_MEMORY. */
rc_t target_find(arena_t *a, const tokens_t *text, str_list_t names, places_t *out) MUST_USE;

#endif
