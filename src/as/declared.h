/* The resources that the settings file declares, as records. Pure. */
#ifndef AS_DECLARED_H
#define AS_DECLARED_H

#include "conf/conf.h"
#include "model/effect.h"

/** The record of one resource of the settings; its URI in canonical form. RC_MEMORY, RC_MALFORMED.
 */
rc_t as_declared_resource(arena_t *a, const conf_resource_t *declared, int64_t now,
                          resource_t *out) MUST_USE;
/** Whether both say the same, whenever they were made. */
bool as_declared_same(const resource_t *one, const resource_t *other);

#endif
