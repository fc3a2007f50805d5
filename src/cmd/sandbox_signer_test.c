/* Attack case OPS-019: a process behind the walls of the one that signs, which then does what an
 * intruder would; each must fail with EPERM. */
#include "cmd/cmd_test_run.h"

#include "cmd/privileges.h"
#include "cmd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NOT_ENTERED = 250 };

static int pair[2]; /* a socket, as it has one */

static bool enter(void)
{
    privileges_drop();
    return sandbox_signer_files() == RC_OK && sandbox_signer_seccomp() == RC_OK;
}

/* The errno of what `act` answers, behind the walls; 0: it went well. */
static int behind(long (*act)(void))
{
    int status;
#ifdef __SANITIZE_THREAD__
    skip(); /* its own thread begins while the walls close, and is refused what it needs */
#endif
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (!enter())
            _exit(NOT_ENTERED);
        errno = 0;
        _exit(act() >= 0 ? 0 : errno);
    }
    close(pair[0]);
    close(pair[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        fail_msg("killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) == NOT_ENTERED)
        skip(); /* a kernel without it: the server says so in its log */
    return WEXITSTATUS(status);
}

#define REFUSED(name, act)                                                                         \
    static long try_##name(void)                                                                   \
    {                                                                                              \
        return (act);                                                                              \
    }                                                                                              \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        assert_int_equal(behind(try_##name), EPERM);                                               \
    }

static long call(long number)
{
    return syscall(number, 0, 0, 0, 0, 0, 0);
}

static long execute(void)
{
    char *const words[] = {(char *)(uintptr_t) "/bin/true", NULL}, *const none[] = {NULL};
    return execve(words[0], words, none);
}

static long read_parent(void)
{
    char stolen[16];
    struct iovec here = {stolen, sizeof stolen}, there = {pair, sizeof pair};
    return process_vm_readv(getppid(), &here, 1, &there, 1, 0);
}

static long map(int protection)
{
    return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static long change(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? 0 : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

REFUSED(no_file_is_opened, open("/etc/passwd", O_RDONLY | O_CLOEXEC))
REFUSED(no_file_is_made, open("/tmp/warder-signer-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600))
REFUSED(no_file_is_looked_at, access("/etc/passwd", F_OK))
REFUSED(not_its_own_memory_as_a_file, open("/proc/self/mem", O_RDWR | O_CLOEXEC))
REFUSED(no_socket_is_made, socket(AF_INET, SOCK_STREAM, 0))
REFUSED(no_local_socket_is_made, socket(AF_UNIX, SOCK_STREAM, 0))
REFUSED(nothing_is_connected, call(SYS_connect))
REFUSED(nothing_is_bound, call(SYS_bind))
REFUSED(no_program_is_run, execute())
REFUSED(no_program_is_run_by_descriptor, call(SYS_execveat))
REFUSED(no_process_is_made, fork())
REFUSED(no_thread_is_made, syscall(SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0))
REFUSED(nobody_is_traced, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL))
REFUSED(memory_of_others_is_not_read, read_parent())
REFUSED(nobody_is_signalled, kill(getppid(), SIGCONT))
REFUSED(no_thread_of_others_is_signalled, syscall(SYS_tgkill, getppid(), getppid(), SIGCONT))
REFUSED(it_cannot_be_made_dumpable, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
REFUSED(no_page_is_mapped_to_run, map(PROT_READ | PROT_EXEC))
REFUSED(data_does_not_become_code, change())
REFUSED(no_other_descriptors, dup(STDERR_FILENO))
REFUSED(no_io_uring, call(SYS_io_uring_setup))
REFUSED(no_bpf, call(SYS_bpf))
REFUSED(no_name_spaces, unshare(CLONE_NEWUSER))

/* What it does goes on. */
static long work(void)
{
    char bytes[16];
    struct timespec now;
    void *large = malloc(8 << 20); /* mapped */
    bool ok = large && getrandom(bytes, sizeof bytes, 0) == sizeof bytes &&
              send(pair[0], bytes, sizeof bytes, MSG_NOSIGNAL) == sizeof bytes &&
              recv(pair[1], bytes, sizeof bytes, MSG_TRUNC) == sizeof bytes &&
              syscall(SYS_clock_gettime, CLOCK_REALTIME, &now) == 0;
    free(large);
    return ok ? 0 : -1;
}

static void what_signing_needs_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(behind(work), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_file_is_opened),
        cmocka_unit_test(no_file_is_made),
        cmocka_unit_test(no_file_is_looked_at),
        cmocka_unit_test(not_its_own_memory_as_a_file),
        cmocka_unit_test(no_socket_is_made),
        cmocka_unit_test(no_local_socket_is_made),
        cmocka_unit_test(nothing_is_connected),
        cmocka_unit_test(nothing_is_bound),
        cmocka_unit_test(no_program_is_run),
        cmocka_unit_test(no_program_is_run_by_descriptor),
        cmocka_unit_test(no_process_is_made),
        cmocka_unit_test(no_thread_is_made),
        cmocka_unit_test(nobody_is_traced),
        cmocka_unit_test(memory_of_others_is_not_read),
        cmocka_unit_test(nobody_is_signalled),
        cmocka_unit_test(no_thread_of_others_is_signalled),
        cmocka_unit_test(it_cannot_be_made_dumpable),
        cmocka_unit_test(no_page_is_mapped_to_run),
        cmocka_unit_test(data_does_not_become_code),
        cmocka_unit_test(no_other_descriptors),
        cmocka_unit_test(no_io_uring),
        cmocka_unit_test(no_bpf),
        cmocka_unit_test(no_name_spaces),
        cmocka_unit_test(what_signing_needs_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
