#include "core/rc.h"

const char *rc_name(rc_t rc)
{
    static const char *const NAMES[] = {
        [RC_OK] = "RC_OK",     [RC_MEMORY] = "RC_MEMORY",       [RC_LIMIT] = "RC_LIMIT",
        [RC_IO] = "RC_IO",     [RC_MALFORMED] = "RC_MALFORMED", [RC_NOT_FOUND] = "RC_NOT_FOUND",
        [RC_BUSY] = "RC_BUSY", [RC_CONFLICT] = "RC_CONFLICT",   [RC_CONFIG] = "RC_CONFIG",
    };
    return (unsigned)rc < sizeof NAMES / sizeof NAMES[0] ? NAMES[rc] : "?";
}
