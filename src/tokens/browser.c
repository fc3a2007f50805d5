#include "tokens/browser.h"

#include "client/url_rule.h"
#include "core/close_from.h"
#include "core/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const FOLDERS[] = {"/usr/local/bin", "/usr/bin", "/bin"};
enum {
    FOLDER_COUNT = sizeof FOLDERS / sizeof *FOLDERS,
    REPORT = 3, /* the descriptor behind the standard streams */
};

/* All that is needed between fork and exec, where nothing may be allocated. */
typedef struct {
    char path[PATH_MAX], url[LIMIT_URL_BYTES + 1];
    int null, report; /* above REPORT, and at least that */
} plan_t;

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static bool copy(char *to, size_t size, str_t s)
{
    if (s.n == 0 || s.n >= size || memchr(s.p, '\0', s.n))
        return false;
    memcpy(to, s.p, s.n);
    to[s.n] = '\0';
    return true;
}

static bool find_opener(str_t opener, char path[PATH_MAX])
{
    if (str_starts(opener, STR("/")))
        return copy(path, PATH_MAX, opener) && access(path, X_OK) == 0;
    if (opener.n == 0 || str_find(opener, '/', 0) < opener.n)
        return false;
    for (size_t i = 0; i < FOLDER_COUNT; i++) {
        int n = snprintf(path, PATH_MAX, "%s/%" PRIstr, FOLDERS[i], STR_ARG(opener));
        if (n > 0 && n < PATH_MAX && access(path, X_OK) == 0)
            return true;
    }
    return false;
}

/* From here to exec: only what signal-safety(7) lists. */

static void reset_signals(void)
{
    const struct sigaction normal = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &normal, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool place_streams(const plan_t *p)
{
    for (int i = 0; i < 3; i++)
        if (dup2(p->null, i) < 0)
            return false;
    return close_from(REPORT + 1);
}

/* Tells errno if it comes back from exec, which else closes the descriptor that it would tell by.
 */
static void become(plan_t *p)
{
    char *const argv[] = {p->path, p->url, NULL};
    reset_signals();
    int tell = p->report == REPORT ? REPORT : dup3(p->report, REPORT, O_CLOEXEC);
    if (tell == REPORT && place_streams(p))
        execve(p->path, argv, environ);
    int failed = errno;
    (void)!write(tell == REPORT ? REPORT : p->report, &failed, sizeof failed);
}

/* The child is only there to have a child of its own that is nobody's, so that no zombie stays. */
static void start(plan_t *p)
{
    int nothing = 0;
    (void)setsid();
    pid_t pid = fork();
    if (pid == 0)
        become(p);
    else if (pid < 0)
        (void)!write(p->report, &nothing, sizeof nothing);
    _exit(1);
}

/* The same file under a number of at least `least`. */
static int move_up(int fd, int least)
{
    int moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, least);
    if (fd >= 0)
        close(fd);
    return moved;
}

static void wait_for(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* Nothing to read means that exec has closed the other end. */
static rc_t hear(int fd)
{
    int failed;
    ssize_t n;
    do
        n = read(fd, &failed, sizeof failed);
    while (n < 0 && errno == EINTR);
    return n == 0 ? RC_OK : RC_IO;
}

static rc_t run(plan_t *p)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return RC_IO;
    p->report = move_up(ends[1], REPORT);
    pid_t pid = p->report < 0 ? -1 : fork();
    if (pid == 0)
        start(p);
    if (p->report >= 0)
        close(p->report);
    if (pid > 0)
        wait_for(pid);
    rc_t rc = pid > 0 ? hear(ends[0]) : RC_IO;
    close(ends[0]);
    return rc;
}

rc_t tokens_browser_open(str_t opener, str_t url)
{
    plan_t p;
    if (!str_is_printable_ascii(url) || client_url_check_page(url) != CLIENT_FINE)
        return RC_MALFORMED;
    if (!copy(p.url, sizeof p.url, url))
        return RC_MALFORMED;
    if (!str_is_set(opener) && !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY"))
        return RC_NOT_FOUND;
    if (!find_opener(str_is_set(opener) ? opener : STR("xdg-open"), p.path))
        return RC_NOT_FOUND;
    p.null = move_up(open("/dev/null", O_RDWR | O_CLOEXEC), REPORT + 1);
    if (p.null < 0)
        return RC_IO;
    rc_t rc = run(&p);
    close(p.null);
    return rc;
}
