/* For tests: a process that is on an older kernel from now on, as far as it can tell. */
#ifndef CORE_OLD_KERNEL_TEST_H
#define CORE_OLD_KERNEL_TEST_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* From now on a kernel that does not know this call. */
static inline bool forbid_call(uint32_t number)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* As before 5.9. */
static inline bool forbid_close_range(void)
{
    return forbid_call(SYS_close_range);
}

/* As one without Landlock. */
static inline bool forbid_landlock(void)
{
    return forbid_call(SYS_landlock_create_ruleset);
}

#endif
