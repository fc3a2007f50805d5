/* The groups that a person is in: names that access tokens carry (RFC 9068 section 2.2.3.1) and
 * that policies compare byte for byte. Pure. */
#ifndef IDENTITY_GROUPS_H
#define IDENTITY_GROUPS_H

#include "core/json.h"

enum {
    IDENTITY_GROUP_BYTES = 128,
    IDENTITY_GROUPS_MAX = 100,    /* of one person */
    IDENTITY_GROUPS_BYTES = 4096, /* all together: they travel in each token */
};

/** Whether it can be the name of a group: UTF-8 without control characters, quotes and backslash,
 *  and no space at its ends. */
bool identity_group_is_name(str_t s);
/** Each once, sorted; the slices are those of `groups`. RC_MALFORMED: one is no name; RC_LIMIT: too
 *  many, or too long together; RC_MEMORY. */
rc_t identity_groups_of_words(arena_t *a, str_list_t groups, str_list_t *out) MUST_USE;
/** The groups that a claim of an identity provider names: a text, or a list of texts or of objects
 *  with `value` (RFC 7643 section 4.1.2); `claim` is a name or a path. What is no name is left out.
 *  More than there may be: none, as half of them would be a guess. RC_MEMORY. */
rc_t identity_groups_of_claim(arena_t *a, const json_t *claims, str_t claim,
                              str_list_t *out) MUST_USE;
/** Whether both hold the same; both are sorted. */
bool identity_groups_equal(str_list_t a, str_list_t b);

#endif
