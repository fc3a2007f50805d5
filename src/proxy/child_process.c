#include "proxy/child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/close_from.h"
#include "proxy/child_spawner.h"

enum { ARENA_BYTES = 256 << 10, PATH_TRIES = 64, STREAMS = 3 };

/* All that is needed between fork and exec, where nothing may be allocated. */
typedef struct {
    char *path;
    char **argv, **envp;
    char *directory;
    rlim_t memory; /* bytes; 0: any */
    pid_t parent;
    int in, out, err, report;
} plan_t;

static const char *const KEPT[] = {"PATH", "HOME", "LANG", "TMPDIR"};
enum { KEPT_COUNT = sizeof KEPT / sizeof *KEPT };

static bool is_configured(const conf_child_t *conf, str_t name)
{
    for (size_t i = 0; i < conf->environment.n; i++) {
        str_t e = conf->environment.v[i];
        if (str_eq(str_first(e, str_find(e, '=', 0)), name))
            return true;
    }
    return false;
}

static char **make_environment(arena_t *a, const conf_child_t *conf)
{
    size_t n = 0;
    char **envp = ARENA_ARRAY(a, conf->environment.n + KEPT_COUNT + 1, char *);
    for (size_t i = 0; envp && i < KEPT_COUNT; i++) {
        const char *value = getenv(KEPT[i]);
        if (!value || is_configured(conf, str_c(KEPT[i])))
            continue;
        envp[n] = arena_cstr(a, arena_printf(a, "%s=%s", KEPT[i], value));
        if (!envp[n++])
            return NULL;
    }
    for (size_t i = 0; envp && i < conf->environment.n; i++) {
        envp[n] = arena_cstr(a, conf->environment.v[i]);
        if (!envp[n++])
            return NULL;
    }
    return envp;
}

/* The value of PATH that the child will have. */
static str_t search_path(char *const *envp)
{
    for (size_t i = 0; envp[i]; i++) {
        if (strncmp(envp[i], "PATH=", 5) == 0)
            return str_c(envp[i] + 5);
    }
    return STR("/usr/local/bin:/usr/bin:/bin");
}

/* As execvp(3) does, but before the fork. NULL: there is no such program. */
static char *find_program(arena_t *a, str_t name, str_t path)
{
    str_t folder;
    if (str_find(name, '/', 0) < name.n)
        return arena_cstr(a, name);
    for (size_t i = 0; i < PATH_TRIES && str_split(&path, ':', &folder); i++) {
        str_t full = arena_printf(a, "%" PRIstr "/%" PRIstr, STR_ARG(folder), STR_ARG(name));
        char *c = folder.n ? arena_cstr(a, full) : NULL;
        if (c && access(c, X_OK) == 0)
            return c;
    }
    return NULL;
}

static rc_t make_plan(arena_t *a, const conf_child_t *conf, str_t directory, plan_t *out)
{
    out->argv = ARENA_ARRAY(a, conf->command.n + 1, char *);
    out->envp = make_environment(a, conf);
    out->directory = arena_cstr(a, directory);
    if (!out->argv || !out->envp || !out->directory)
        return RC_MEMORY;
    for (size_t i = 0; i < conf->command.n; i++) {
        out->argv[i] = arena_cstr(a, conf->command.v[i]);
        if (!out->argv[i])
            return RC_MEMORY;
    }
    out->memory = (rlim_t)conf->memory_mb << 20;
    out->parent = getpid();
    out->path = find_program(a, conf->command.v[0], search_path(out->envp));
    return out->path ? RC_OK : RC_NOT_FOUND;
}

/* From here to exec: only what signal-safety(7) lists. */

static bool set_limits(const plan_t *p)
{
    const struct rlimit none = {0, 0}, memory = {p->memory, p->memory};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return false;
    return p->memory == 0 || setrlimit(RLIMIT_DATA, &memory) == 0;
}

static void reset_signals(void)
{
    struct sigaction normal = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &normal, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The three become 0, 1 and 2; none of them can be one of those already, nor is `report`. */
static bool place_streams(const plan_t *p)
{
    if (dup2(p->in, 0) < 0 || dup2(p->out, 1) < 0 || dup2(p->err, 2) < 0)
        return false;
    if (dup3(p->report, 3, O_CLOEXEC) < 0)
        return p->report == 3 && close_from(4);
    return close_from(4);
}

static void become(const plan_t *p)
{
    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != p->parent)
        return;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || chdir(p->directory) != 0)
        return;
    reset_signals();
    if (!place_streams(p) || !set_limits(p))
        return;
    execve(p->path, p->argv, p->envp);
}

static void run_child(const plan_t *p)
{
    become(p);
    int error = errno;
    /* Whoever reads the report is told by its length; nobody is left to hear of a failure here. */
    if (write(p->report, &error, sizeof error) != sizeof error &&
        write(3, &error, sizeof error) != sizeof error)
        _exit(126);
    _exit(127);
}

/* Pipes, above the three that the child will have as its own. */
static bool make_pipe(int ends[2])
{
    int low[2];
    if (pipe2(low, O_CLOEXEC) != 0)
        return false;
    ends[0] = fcntl(low[0], F_DUPFD_CLOEXEC, 4);
    ends[1] = fcntl(low[1], F_DUPFD_CLOEXEC, 4);
    close(low[0]);
    close(low[1]);
    return ends[0] >= 0 && ends[1] >= 0;
}

static void close_all(int (*pipes)[2])
{
    for (size_t i = 0; i < STREAMS; i++) {
        for (size_t k = 0; k < 2; k++) {
            if (pipes[i][k] >= 0)
                close(pipes[i][k]);
        }
    }
}

static int keep(int *end)
{
    int fd = *end;
    *end = -1;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

/* How exec went: 0, or the errno of what failed before it. */
static int hear(int report)
{
    int error = 0;
    ssize_t n;
    do {
        n = read(report, &error, sizeof error);
    } while (n < 0 && errno == EINTR);
    return n == sizeof error ? error : 0;
}

static pid_t fork_child(const plan_t *plan)
{
    pid_t pid = fork();
    if (pid == 0)
        run_child(plan);
    return pid;
}

/* Its end as a descriptor, once exec went well. */
static int confirm(pid_t pid, int report, int *exit)
{
    int error = hear(report);
    *exit = error ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    if (error == 0 && *exit < 0)
        error = errno;
    if (error) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return error;
}

static int launch(plan_t *plan, pid_t *pid, int *exit)
{
    int report[2];
    if (!make_pipe(report))
        return errno;
    plan->report = report[1];
    *pid = fork_child(plan);
    int error = *pid < 0 ? errno : 0;
    close(report[1]);
    if (error == 0)
        error = confirm(*pid, report[0], exit);
    close(report[0]);
    return error;
}

rc_t child_launch(const conf_child_t *conf, str_t directory, const int streams[3], pid_t *pid,
                  int *exit, int *error)
{
    plan_t plan = {.in = streams[0], .out = streams[1], .err = streams[2]};
    arena_t *a = arena_new(ARENA_BYTES);
    rc_t rc = a ? make_plan(a, conf, directory, &plan) : RC_MEMORY;
    *error = rc == RC_NOT_FOUND ? ENOENT : 0;
    if (rc == RC_OK)
        *error = launch(&plan, pid, exit);
    arena_free(a);
    return rc == RC_OK && *error ? RC_IO : rc;
}

static rc_t start(child_spawner_t *spawner, const conf_child_t *conf, str_t directory,
                  int (*pipes)[2], child_process_t *out, int *error)
{
    const int streams[] = {pipes[0][0], pipes[1][1], pipes[2][1]};
    *out = (child_process_t){.spawner = spawner, .exit = -1};
    rc_t rc = spawner ? child_spawner_launch(spawner, conf, directory, streams, &out->pid,
                                             &out->exit, error)
                      : child_launch(conf, directory, streams, &out->pid, &out->exit, error);
    if (rc != RC_OK)
        return rc;
    out->in = keep(&pipes[0][1]);
    out->out = keep(&pipes[1][0]);
    out->err = keep(&pipes[2][0]);
    return RC_OK;
}

static str_t say(rc_t rc)
{
    return rc == RC_MEMORY      ? STR("there is no memory for a child")
           : rc == RC_NOT_FOUND ? STR("the command is not in PATH")
           : rc == RC_CONFIG    ? STR("the command does not stand in the settings file")
                                : STR("the command does not start");
}

rc_t child_process_start(child_spawner_t *spawner, const conf_child_t *conf, str_t directory,
                         child_process_t *out, str_t *why, int *error)
{
    int pipes[STREAMS][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    bool made = true;
    for (size_t i = 0; i < STREAMS && made; i++)
        made = make_pipe(pipes[i]);
    *error = made ? 0 : errno;
    rc_t rc = made ? start(spawner, conf, directory, pipes, out, error) : RC_IO;
    close_all(pipes);
    *why = made ? say(rc) : STR("there are no pipes for a child");
    return rc == RC_OK || rc == RC_MEMORY ? rc : RC_IO;
}

void child_process_signal(const child_process_t *p, int signal)
{
    if (p->spawner)
        child_spawner_signal(p->spawner, p->pid, signal);
    else
        kill(-p->pid, signal);
}

int child_collect(pid_t child)
{
    int status = 0;
    pid_t pid;
    /* Its group keeps the number as long as it is not reaped, so nobody else can be meant. */
    kill(-child, SIGKILL);
    do {
        pid = waitpid(child, &status, 0);
    } while (pid < 0 && errno == EINTR);
    return status;
}

int child_process_reap(child_process_t *p)
{
    return p->spawner ? child_spawner_collect(p->spawner, p->pid) : child_collect(p->pid);
}
