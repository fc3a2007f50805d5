/* Attack case OPS-019: a process behind the same walls as the server, which then does what an
 * intruder would; each must fail with EPERM or EACCES. */
#include "cmd/cmd_test_run.h"

#include "cmd/privileges.h"
#include "cmd/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_ENTERED = 250 };

typedef struct {
    arena_t *a;
    char folder[64];
    settings_t settings;
    sandbox_plan_t plan;
    uint16_t port, closed; /* of listeners of this test: may be connected to, and may not */
    int listeners[2];
    char secret[32]; /* stands in this process, and not in the one that is behind the walls */
} play_t;

static uint16_t listen_somewhere(int *fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof at;
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(*fd, 1), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&at, &n), 0);
    return ntohs(at.sin_port);
}

static void fill_settings(play_t *p)
{
    conf_t *c = &p->settings.conf;
    str_t *ports = ARENA_ARRAY(p->a, 1, str_t);
    p->port = listen_somewhere(&p->listeners[0]);
    p->closed = listen_somewhere(&p->listeners[1]);
    ports[0] = arena_printf(p->a, "%u", (unsigned)p->port);
    c->data = str_c(p->folder);
    c->audit_file = arena_printf(p->a, "%s/audit.log", p->folder);
    c->listen = arena_printf(p->a, "127.0.0.1:%u", (unsigned)p->port);
    c->sandbox_connect_ports = (str_list_t){ports, 1};
}

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(1 << 20);
    test_folder(p->folder);
    fill_settings(p);
    memset(p->secret, 'k', sizeof p->secret);
    assert_int_equal(sandbox_plan(p->a, &p->settings, &p->plan), RC_OK);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    play_t *p = *state;
    close(p->listeners[0]);
    close(p->listeners[1]);
    test_folder_remove(p->folder);
    arena_free(p->a);
    free(p);
    return 0;
}

static bool enter(const play_t *p)
{
    sandbox_state_t state;
    privileges_narrow();
    return sandbox_enter(&p->plan, &state) == RC_OK && state.system_calls && state.landlock > 0;
}

/* The errno of what `act` answers, behind the walls; 0: it went well. */
static int behind(play_t *p, long (*act)(play_t *p))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (!enter(p))
            _exit(NOT_ENTERED);
        errno = 0;
        _exit(act(p) >= 0 ? 0 : errno);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        fail_msg("killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) == NOT_ENTERED)
        skip(); /* a kernel without it: the server says so in its log */
    return WEXITSTATUS(status);
}

static void refused(void **state, long (*act)(play_t *p), int error)
{
    play_t *p = *state;
    assert_int_equal(behind(p, act), error);
}

#define REFUSED(name, error, act)                                                                  \
    static long try_##name(play_t *p)                                                              \
    {                                                                                              \
        (void)p;                                                                                   \
        return (act);                                                                              \
    }                                                                                              \
    static void name(void **state)                                                                 \
    {                                                                                              \
        refused(state, try_##name, error);                                                         \
    }

static long write_to(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static long reach(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? fd : connect(fd, (struct sockaddr *)&at, sizeof at);
}

static long hold(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? fd : bind(fd, (struct sockaddr *)&at, sizeof at);
}

static long execute(void)
{
    char *const words[] = {(char *)(uintptr_t) "/bin/true", NULL}, *const none[] = {NULL};
    return execve(words[0], words, none);
}

static long read_parent(play_t *p, bool write)
{
    char stolen[sizeof p->secret];
    struct iovec here = {stolen, sizeof stolen}, there = {p->secret, sizeof p->secret};
    return write ? process_vm_writev(getppid(), &here, 1, &there, 1, 0)
                 : process_vm_readv(getppid(), &here, 1, &there, 1, 0);
}

static long open_parent_memory(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)getppid());
    return open(path, O_RDONLY | O_CLOEXEC);
}

static long make_code(int before)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | before, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long call(long number)
{
    return syscall(number, 0, 0, 0, 0, 0, 0);
}

REFUSED(the_accounts_are_not_read, EACCES, open("/etc/passwd", O_RDONLY | O_CLOEXEC))
REFUSED(the_shadow_is_not_read, EACCES, open("/etc/shadow", O_RDONLY | O_CLOEXEC))
REFUSED(homes_are_not_read, EACCES, open("/root", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
REFUSED(the_root_is_not_listed, EACCES, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
REFUSED(own_environment_is_not_read, EACCES, open("/proc/self/environ", O_RDONLY | O_CLOEXEC))
REFUSED(nothing_is_written_elsewhere, EACCES, write_to("/tmp/warder-sandbox-test"))
REFUSED(libraries_are_not_changed, EACCES, write_to("/usr/lib/os-release"))
REFUSED(links_lead_nowhere, EACCES,
        symlinkat("/etc/passwd", AT_FDCWD, arena_printf(p->a, "%s/link", p->folder).p))
REFUSED(other_ports_are_not_reached, EACCES, reach(p->closed))
REFUSED(other_ports_are_not_held, EACCES, hold(p->closed))
REFUSED(no_program_is_run, EPERM, execute())
REFUSED(no_program_is_run_by_descriptor, EPERM, call(SYS_execveat))
REFUSED(no_process_is_made, EPERM, fork())
REFUSED(the_parent_is_not_traced, EPERM, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL))
REFUSED(nobody_traces_this, EPERM, ptrace(PTRACE_TRACEME, 0, NULL, NULL))
REFUSED(memory_of_others_is_not_read, EPERM, read_parent(p, false))
REFUSED(memory_of_others_is_not_written, EPERM, read_parent(p, true))
REFUSED(memory_of_others_is_not_opened, EACCES, open_parent_memory())
REFUSED(others_are_not_signalled, EPERM, kill(getppid(), 0))
REFUSED(descriptors_are_not_taken, EPERM, call(SYS_pidfd_getfd))
REFUSED(limits_of_others_are_not_read, EPERM, syscall(SYS_prlimit64, getppid(), 0, NULL, NULL))
REFUSED(no_bpf, EPERM, call(SYS_bpf))
REFUSED(no_perf, EPERM, call(SYS_perf_event_open))
REFUSED(no_io_uring, EPERM, call(SYS_io_uring_setup))
REFUSED(no_keys_of_the_kernel, EPERM, call(SYS_keyctl))
REFUSED(no_modules, EPERM, call(SYS_finit_module))
REFUSED(no_other_kernel, EPERM, call(SYS_kexec_load))
REFUSED(no_mounts, EPERM, mount("none", p->folder, "tmpfs", 0, NULL))
REFUSED(no_name_spaces, EPERM, unshare(CLONE_NEWUSER))
REFUSED(no_name_spaces_by_clone, EPERM, syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0))
REFUSED(no_clone3, ENOSYS, call(SYS_clone3))
REFUSED(no_user_faults, EPERM, call(SYS_userfaultfd))
REFUSED(no_raw_packets, EPERM, socket(AF_INET, SOCK_RAW, IPPROTO_ICMP))
REFUSED(no_link_layer, EPERM, socket(AF_PACKET, SOCK_DGRAM, 0))
REFUSED(no_vsock, EPERM, socket(AF_VSOCK, SOCK_STREAM, 0))
REFUSED(no_audit_of_the_kernel, EPERM, socket(AF_NETLINK, SOCK_RAW, 9))
REFUSED(data_does_not_become_code, EPERM, make_code(0))
REFUSED(no_page_is_written_and_run, EPERM, make_code(PROT_EXEC))
REFUSED(no_files_in_memory, EPERM, memfd_create("x", 0))
REFUSED(modes_are_not_changed, EPERM, chmod(p->folder, 0777))
REFUSED(nobody_is_another, EPERM, setresuid(0, 0, 0))

/* What it needs goes on. */

static void *do_nothing(void *arg)
{
    return arg;
}

static long work(play_t *p)
{
    pthread_t thread;
    const char *path = arena_printf(p->a, "%s/file", p->folder).p;
    const char *other = arena_printf(p->a, "%s/other", p->folder).p;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0 && fsync(fd) == 0 &&
              rename(path, other) == 0 && unlink(other) == 0;
    ok = ok && reach(p->port) == 0 && open("/etc/ssl/certs", O_RDONLY | O_CLOEXEC) >= 0;
    ok = ok && open("/dev/null", O_RDWR | O_CLOEXEC) >= 0;
    ok = ok && socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0 &&
         socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0;
    ok = ok && pthread_create(&thread, NULL, do_nothing, NULL) == 0 &&
         pthread_join(thread, NULL) == 0;
    return ok ? 0 : -1;
}

static void what_the_server_does_is_allowed(void **state)
{
    assert_int_equal(behind(*state, work), 0);
}

static long look_at_status(play_t *p)
{
    errno = EPROTO;
    bool fine = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_SECCOMP) == 2 &&
                prctl(PR_GET_DUMPABLE) == 0;
    return fine ? 0 : -1;
}

static void no_privilege_comes_back(void **state)
{
    assert_int_equal(behind(*state, look_at_status), 0);
}

static bool has(const sandbox_plan_t *plan, const char *path, bool writes)
{
    for (size_t i = 0; i < plan->n_paths; i++)
        if (strcmp(plan->paths[i].path, path) == 0 && plan->paths[i].writes == writes)
            return true;
    return false;
}

/* A certificate is renewed by putting another file in its place, often through links. */
static void files_that_are_replaced_have_their_folders(void **state)
{
    play_t *p = *state;
    char real[64], link_path[96], file[96];
    test_folder(real);
    snprintf(file, sizeof file, "%s/key1.pem", real);
    snprintf(link_path, sizeof link_path, "%s/key.pem", p->folder);
    close((int)write_to(file));
    assert_int_equal(symlink(file, link_path), 0);
    p->settings.conf.tls_key_file = str_c(link_path);
    p->settings.sources.file_name = STR("/etc/warder-test.yaml");
    p->settings.conf.key_file = STR("/etc/hostname");
    assert_int_equal(sandbox_plan(p->a, &p->settings, &p->plan), RC_OK);
    assert_true(has(&p->plan, real, false));
    assert_true(has(&p->plan, p->folder, false) && has(&p->plan, p->folder, true));
    /* A folder that holds everybody's files is not opened for one of them. */
    assert_true(has(&p->plan, "/etc/hostname", false));
    assert_false(has(&p->plan, "/etc", false));
    test_folder_remove(real);
}

/* What is read is known for a warning: a key beside another file can be, one elsewhere cannot. */
static void a_key_beside_other_files_is_known_to_be_readable(void **state)
{
    play_t *p = *state;
    char folder[64], key[96];
    test_folder(folder);
    snprintf(key, sizeof key, "%s/key", folder);
    close((int)write_to(key));
    assert_int_equal(sandbox_plan(p->a, &p->settings, &p->plan), RC_OK);
    assert_false(sandbox_plan_reads(&p->plan, key));
    p->settings.conf.tls_key_file = arena_printf(p->a, "%s/tls.pem", folder);
    assert_int_equal(sandbox_plan(p->a, &p->settings, &p->plan), RC_OK);
    assert_true(sandbox_plan_reads(&p->plan, key));
    assert_false(sandbox_plan_reads(&p->plan, "/etc/warder-none/key"));
    const sandbox_plan_t all = {.paths = {{"/", false}}, .n_paths = 1};
    assert_true(sandbox_plan_reads(&all, key));
    test_folder_remove(folder);
}

static void files_of_libpq_are_found_in_its_text(void **state)
{
    play_t *p = *state;
    static const str_t TEXTS[] = {
        STR_INIT("host=db user=w sslrootcert=/etc/hostname sslmode=verify-full"),
        STR_INIT("sslmode=verify-full sslrootcert='/etc/hostname'"),
        STR_INIT("postgresql://w@db/w?sslrootcert=%2Fetc%2fhostname&sslmode=verify-full")};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        p->settings.conf.postgres = TEXTS[i];
        assert_int_equal(sandbox_plan(p->a, &p->settings, &p->plan), RC_OK);
        assert_true(has(&p->plan, "/etc/hostname", false));
    }
}

static void a_port_that_is_none_is_refused(void **state)
{
    play_t *p = *state;
    static const str_t BAD[] = {STR_INIT("https"), STR_INIT("65536"), STR_INIT("-1"), STR_INIT("")};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        p->settings.conf.sandbox_connect_ports = (str_list_t){&BAD[i], 1};
        assert_int_equal(sandbox_plan(p->a, &p->settings, &p->plan), RC_CONFIG);
    }
}

static void too_many_paths_are_refused(void **state)
{
    play_t *p = *state;
    str_t *v = ARENA_ARRAY(p->a, SANDBOX_PATHS_MAX, str_t);
    for (size_t i = 0; i < SANDBOX_PATHS_MAX; i++)
        v[i] = STR("/nowhere");
    p->settings.conf.sandbox_paths = (str_list_t){v, SANDBOX_PATHS_MAX};
    assert_int_equal(sandbox_plan(p->a, &p->settings, &p->plan), RC_LIMIT);
}

#define PLAY(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(the_accounts_are_not_read),
        PLAY(the_shadow_is_not_read),
        PLAY(homes_are_not_read),
        PLAY(the_root_is_not_listed),
        PLAY(own_environment_is_not_read),
        PLAY(nothing_is_written_elsewhere),
        PLAY(libraries_are_not_changed),
        PLAY(links_lead_nowhere),
        PLAY(other_ports_are_not_reached),
        PLAY(other_ports_are_not_held),
        PLAY(no_program_is_run),
        PLAY(no_program_is_run_by_descriptor),
        PLAY(no_process_is_made),
        PLAY(the_parent_is_not_traced),
        PLAY(nobody_traces_this),
        PLAY(memory_of_others_is_not_read),
        PLAY(memory_of_others_is_not_written),
        PLAY(memory_of_others_is_not_opened),
        PLAY(others_are_not_signalled),
        PLAY(descriptors_are_not_taken),
        PLAY(limits_of_others_are_not_read),
        PLAY(no_bpf),
        PLAY(no_perf),
        PLAY(no_io_uring),
        PLAY(no_keys_of_the_kernel),
        PLAY(no_modules),
        PLAY(no_other_kernel),
        PLAY(no_mounts),
        PLAY(no_name_spaces),
        PLAY(no_name_spaces_by_clone),
        PLAY(no_clone3),
        PLAY(no_user_faults),
        PLAY(no_raw_packets),
        PLAY(no_link_layer),
        PLAY(no_vsock),
        PLAY(no_audit_of_the_kernel),
        PLAY(data_does_not_become_code),
        PLAY(no_page_is_written_and_run),
        PLAY(no_files_in_memory),
        PLAY(modes_are_not_changed),
        PLAY(nobody_is_another),
        PLAY(what_the_server_does_is_allowed),
        PLAY(no_privilege_comes_back),
        PLAY(files_that_are_replaced_have_their_folders),
        PLAY(a_key_beside_other_files_is_known_to_be_readable),
        PLAY(files_of_libpq_are_found_in_its_text),
        PLAY(a_port_that_is_none_is_refused),
        PLAY(too_many_paths_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
