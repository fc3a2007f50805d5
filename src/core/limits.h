/* The named maxima of limits.def as LIMIT_<NAME>. */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

enum {
#define LIMIT(name, value, reason) LIMIT_##name = (value),
#include "core/limits.def"
#undef LIMIT
};

#endif
