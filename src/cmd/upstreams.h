/* The protected servers of the settings as this machine gives them: their files read, and their
 * paths free. */
#ifndef CMD_UPSTREAMS_H
#define CMD_UPSTREAMS_H

#include "cmd/settings.h"

/** Reads the secrets that upstreams name, makes their other paths absolute (a relative one counts
 *  from the folder of the settings file; children live in the data folder where nothing is said),
 *  and refuses what only the rest of the program can tell: a path that this server answers itself,
 *  a profile that nobody knows. 0, or an exit code after saying why. */
int upstreams_load(arena_t *a, settings_t *s);

/** Where its child lives, as an absolute path; part of the above. False: no memory. */
bool upstreams_place(arena_t *a, const settings_t *s, conf_upstream_t *u);

/** The resources of the authorization server: those of the settings, and one for each upstream that
 *  takes its tokens, with the scopes of its policy. What stands in `resources` wins for an upstream
 *  of the same URL, and gets the scopes that it lacks. `issuer`: this server's. *out lives in `a`.
 */
rc_t upstreams_resources(arena_t *a, const conf_t *conf, str_t issuer, const conf_resource_t **out,
                         size_t *n) MUST_USE;

#endif
