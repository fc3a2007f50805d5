/* Preloaded into a program under test: its calls on the files of one folder fail, come short, or
 * are its last, on order; its clock of the day is moved; its randomness fails.
 *
 *   IO_FAULT_FOLDER   only files below it count
 *   IO_FAULT_CONTROL  a file of one page, shared with who gives the orders (fault.mjs)
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef enum {
    CALL_CHANGE, /* any of the next six */
    CALL_WRITE,
    CALL_PWRITE,
    CALL_SYNC,
    CALL_TRUNCATE,
    CALL_RENAME,
    CALL_UNLINK,
    CALL_OPEN,
    CALL_READ,
    CALL_PREAD,
    CALL_COUNT
} call_t;

typedef enum {
    DO_NOTHING,
    DO_FAIL,      /* once */
    DO_FAIL_EVER, /* that call and all after it */
    DO_KILL,      /* before it is made */
    DO_SHORT,     /* half of the bytes, once */
    DO_TEAR,      /* half of the bytes, and the end */
} do_t;

/* One page; fault.mjs knows the places. */
typedef struct {
    _Atomic int32_t call, left, what, error, struck;
    _Atomic int32_t no_random; /* 1: the calls of libc fail; 2: the kernel's too, for ever */
    _Atomic int64_t offset_ms; /* of the clock of the day */
    _Atomic int32_t counts[CALL_COUNT];
} control_t;

enum { FDS = 65536 };

static control_t *control;
static char folder[PATH_MAX];
static _Atomic bool is_ours[FDS];

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("IO_FAULT_CONTROL"), *where = getenv("IO_FAULT_FOLDER");
    int fd = path && where ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    strncpy(folder, where, sizeof folder - 1);
    if (page != MAP_FAILED)
        control = page;
}

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

#define REAL(name)                                                                                 \
    static __typeof__(name) *do_it;                                                                \
    if (!do_it)                                                                                    \
    do_it = (__typeof__(name) *)real(#name)

static void end_now(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* What is to happen to this call. */
static do_t next(call_t call)
{
    if (!control)
        return DO_NOTHING;
    atomic_fetch_add(&control->counts[call], 1);
    if (call <= CALL_UNLINK)
        atomic_fetch_add(&control->counts[CALL_CHANGE], 1);
    int32_t what = atomic_load(&control->what), want = atomic_load(&control->call);
    bool is_it = want == (int32_t)call || (want == CALL_CHANGE && call <= CALL_UNLINK);
    if (what == DO_NOTHING || !is_it)
        return DO_NOTHING;
    int32_t left = atomic_fetch_sub(&control->left, 1);
    if (left > 0 || (left < 0 && what != DO_FAIL_EVER))
        return DO_NOTHING;
    atomic_fetch_add(&control->struck, 1);
    if (what == DO_KILL)
        end_now();
    return (do_t)what;
}

static do_t next_of(int fd, call_t call)
{
    return fd >= 0 && fd < FDS && atomic_load(&is_ours[fd]) ? next(call) : DO_NOTHING;
}

static bool fails(do_t what)
{
    if (what != DO_FAIL && what != DO_FAIL_EVER)
        return false;
    errno = atomic_load(&control->error);
    return true;
}

static size_t shortened(do_t what, size_t n)
{
    return (what == DO_SHORT || what == DO_TEAR) && n > 1 ? n / 2 : n;
}

static ssize_t finished(do_t what, ssize_t n)
{
    if (what == DO_TEAR)
        end_now();
    return n;
}

ssize_t write(int fd, const void *p, size_t n)
{
    REAL(write);
    do_t what = next_of(fd, CALL_WRITE);
    return fails(what) ? -1 : finished(what, do_it(fd, p, shortened(what, n)));
}

#define PWRITE(name, off)                                                                          \
    ssize_t name(int fd, const void *p, size_t n, off at)                                          \
    {                                                                                              \
        REAL(name);                                                                                \
        do_t what = next_of(fd, CALL_PWRITE);                                                      \
        return fails(what) ? -1 : finished(what, do_it(fd, p, shortened(what, n), at));            \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t read(int fd, void *p, size_t n)
{
    REAL(read);
    do_t what = next_of(fd, CALL_READ);
    return fails(what) ? -1 : do_it(fd, p, shortened(what, n));
}

#define PREAD(name, off)                                                                           \
    ssize_t name(int fd, void *p, size_t n, off at)                                                \
    {                                                                                              \
        REAL(name);                                                                                \
        do_t what = next_of(fd, CALL_PREAD);                                                       \
        return fails(what) ? -1 : do_it(fd, p, shortened(what, n), at);                            \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

#define SYNC(name)                                                                                 \
    int name(int fd)                                                                               \
    {                                                                                              \
        REAL(name);                                                                                \
        return fails(next_of(fd, CALL_SYNC)) ? -1 : do_it(fd);                                     \
    }
SYNC(fsync)
SYNC(fdatasync)

#define TRUNCATE(name, off)                                                                        \
    int name(int fd, off size)                                                                     \
    {                                                                                              \
        REAL(name);                                                                                \
        return fails(next_of(fd, CALL_TRUNCATE)) ? -1 : do_it(fd, size);                           \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

static bool is_below(const char *path)
{
    return control && strncmp(path, folder, strlen(folder)) == 0;
}

int rename(const char *from, const char *to)
{
    REAL(rename);
    return is_below(from) && fails(next(CALL_RENAME)) ? -1 : do_it(from, to);
}

int unlink(const char *path)
{
    REAL(unlink);
    return is_below(path) && fails(next(CALL_UNLINK)) ? -1 : do_it(path);
}

static bool is_random(const char *path)
{
    bool is_it = strcmp(path, "/dev/urandom") == 0 || strcmp(path, "/dev/random") == 0;
    return is_it && control && atomic_load(&control->no_random) > 0;
}

static int opened(int fd, const char *path)
{
    if (fd >= 0 && fd < FDS)
        atomic_store(&is_ours[fd], is_below(path));
    return fd;
}

static bool may_open(const char *path)
{
    if (is_random(path)) {
        errno = ENOENT;
        return false;
    }
    return !(is_below(path) && fails(next(CALL_OPEN)));
}

static mode_t mode_of(int flags, va_list *args)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(*args, mode_t) : 0;
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list args;                                                                              \
        REAL(name);                                                                                \
        va_start(args, flags);                                                                     \
        mode_t mode = mode_of(flags, &args);                                                       \
        va_end(args);                                                                              \
        return may_open(path) ? opened(do_it(path, flags, mode), path) : -1;                       \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                               \
    int name(int at, const char *path, int flags, ...)                                             \
    {                                                                                              \
        va_list args;                                                                              \
        REAL(name);                                                                                \
        va_start(args, flags);                                                                     \
        mode_t mode = mode_of(flags, &args);                                                       \
        va_end(args);                                                                              \
        return may_open(path) ? opened(do_it(at, path, flags, mode), path) : -1;                   \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd)
{
    REAL(close);
    if (fd >= 0 && fd < FDS)
        atomic_store(&is_ours[fd], false);
    return do_it(fd);
}

/* ---- the clock of the day ---- */

static int64_t offset_ms(void)
{
    return control ? atomic_load(&control->offset_ms) : 0;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    REAL(clock_gettime);
    int got = do_it(id, out);
    int64_t ms = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE ? offset_ms() : 0;
    if (got != 0 || ms == 0)
        return got;
    int64_t ns = out->tv_nsec + ms % 1000 * 1000000;
    out->tv_sec += ms / 1000 + (ns < 0 ? -1 : ns / 1000000000);
    out->tv_nsec = (ns + 1000000000) % 1000000000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *out, void *zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

/* ---- randomness ---- */

/* All threads, for ever: who goes around libc is refused by the kernel. */
static void refuse_in_kernel(void)
{
    static atomic_flag done = ATOMIC_FLAG_INIT;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    if (atomic_flag_test_and_set(&done))
        return;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

static bool no_random(void)
{
    int32_t mode = control ? atomic_load(&control->no_random) : 0;
    if (mode == 2)
        refuse_in_kernel();
    return mode > 0;
}

ssize_t getrandom(void *p, size_t n, unsigned flags)
{
    REAL(getrandom);
    if (!no_random())
        return do_it(p, n, flags);
    errno = ENOSYS;
    return -1;
}

int getentropy(void *p, size_t n)
{
    REAL(getentropy);
    if (!no_random())
        return do_it(p, n);
    errno = ENOSYS;
    return -1;
}
