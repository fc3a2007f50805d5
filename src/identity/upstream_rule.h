/* Who may sign in of those whom the provider knows: the rows of setting login_allowed. */
#ifndef IDENTITY_UPSTREAM_RULE_H
#define IDENTITY_UPSTREAM_RULE_H

#include "core/json.h"

/** Whether a row has the form "claim=value" or "claim=*end". */
bool identity_upstream_rule_is_sound(str_t row);
/**
 * Whether `claims` fit: of each claim that the rows name, one row must. A value is compared byte
 * for byte with a string, or with some string of an array; "*end" with its end, which does not fit
 * the value "end" alone. The claim email counts only where email_verified is true, and compares
 * without case. No rows: everybody.
 */
bool identity_upstream_is_allowed(str_list_t rows, const json_t *claims);

#endif
