/* A hash map from slices to pointers, seeded so that keys of strangers cannot collide on purpose.
 */
#ifndef CORE_MAP_H
#define CORE_MAP_H

#include "core/rc.h"
#include "core/str.h"

typedef struct map map_t;

/** At most `max` entries; `seed` from the random port (16 bytes, SipHash). NULL without memory. */
map_t *map_new(const uint8_t seed[16], size_t max);
/** Frees the map and its copies of the keys; `drop` (may be NULL) gets every value. */
void map_free(map_t *m, void (*drop)(void *));
/** The value, or NULL. */
void *map_get(const map_t *m, str_t key);
/** Sets key (copied) to value; *old gets the one it replaces or NULL. RC_LIMIT when full. */
rc_t map_put(map_t *m, str_t key, void *value, void **old) MUST_USE;
/** Removes and returns the value, or NULL. */
void *map_del(map_t *m, str_t key);
size_t map_count(const map_t *m);
/** Visits every entry in no order; fn returning false removes the entry after the visit. */
void map_each(map_t *m, bool (*fn)(void *ctx, str_t key, void *value), void *ctx);

#endif
