#include "cmd/sandbox.h"

#include <sys/prctl.h>

enum { LANDLOCK_WITH_PORTS = 4 };

rc_t sandbox_signer_files(void)
{
    int version;
    static const sandbox_plan_t NOTHING;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return RC_IO;
    return sandbox_landlock(&NOTHING, &version);
}

rc_t sandbox_enter(const sandbox_plan_t *plan, sandbox_state_t *state)
{
    *state = (sandbox_state_t){0};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return RC_IO;
    rc_t files = sandbox_landlock(plan, &state->landlock);
    rc_t calls = sandbox_seccomp();
    state->ports = state->landlock >= LANDLOCK_WITH_PORTS;
    state->system_calls = calls == RC_OK;
    return files == RC_OK && calls == RC_OK ? RC_OK : RC_IO;
}
