/* Members of a stranger's JSON document. What is optional and null or of a wrong type counts as
 * absent, as clients in the field must read what servers in the field write; and it is noted. */
#ifndef CLIENT_MEMBERS_H
#define CLIENT_MEMBERS_H

#include "core/json.h"

typedef struct {
    arena_t *a;
    const json_t *all;
    str_t note; /* "scope is null; x is no text"; unset: nothing */
    rc_t rc;    /* RC_OK or RC_MEMORY, which stays */
} client_members_t;

/** One JSON object within the limits of metadata; borrows `body`. RC_MALFORMED, RC_LIMIT,
 * RC_MEMORY.
 */
rc_t client_members_read(arena_t *a, str_t body, client_members_t *out) MUST_USE;

/** Unset: absent. */
str_t client_members_str(client_members_t *m, str_t name);
/** False: absent. */
bool client_members_bool(client_members_t *m, str_t name);
/** Its texts; what is no text is left out. *has: the list is there, though perhaps empty. */
str_list_t client_members_strs(client_members_t *m, str_t name, bool *has);
/** Adds "<name> <what>" to the note. */
void client_members_note(client_members_t *m, str_t name, const char *what);
/** Whether the member is there and is not null. */
bool client_members_has(const client_members_t *m, str_t name);

#endif
