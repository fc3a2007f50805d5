#include "tokens/tokens_test_bus.h"

#include "core/core_test_util.h"
#include "core/ports.h"
#include "tokens/tokens_test_drivers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

enum { START_MS = 30000, PATH_BYTES = 4096 };

static const char CONFIG[] =
    "<busconfig><type>session</type><listen>unix:tmpdir=%s</listen><auth>EXTERNAL</auth>"
    "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
    "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>";

static bool has_program(const char *name)
{
    str_t folder, path = str_c(getenv("PATH"));
    char full[PATH_BYTES];
    while (str_split(&path, ':', &folder)) {
        snprintf(full, sizeof full, "%" PRIstr "/%s", STR_ARG(folder), name);
        if (access(full, X_OK) == 0)
            return true;
    }
    return false;
}

const char *tokens_test_bus_lacks(void)
{
    if (!has_program("dbus-daemon"))
        return "there is no dbus-daemon here";
    return has_program("gnome-keyring-daemon") ? NULL : "there is no gnome-keyring-daemon here";
}

static void inside(const tokens_test_bus_t *b, const char *name, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", b->folder, name);
}

/* What the two say goes into a file, for whoever looks for the reason of a failure. */
static pid_t spawn(const tokens_test_bus_t *b, int in, int out, char *const argv[])
{
    char log[PATH_BYTES];
    inside(b, "log", log);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid != 0)
        return pid;
    int err = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in, 0);
    dup2(out >= 0 ? out : err, 1);
    dup2(err, 2);
    execvp(argv[0], argv);
    _exit(127);
}

static void end(pid_t *pid)
{
    if (*pid == 0)
        return;
    kill(*pid, SIGKILL);
    waitpid(*pid, NULL, 0);
    *pid = 0;
}

static void read_address(int fd, char address[PATH_BYTES])
{
    size_t n = 0;
    while (n < PATH_BYTES - 1 && read(fd, address + n, 1) == 1 && address[n] != '\n')
        n++;
    address[n] = '\0';
    assert_true(n > 0);
}

void tokens_test_bus_start(tokens_test_bus_t *b)
{
    char config[PATH_BYTES], address[PATH_BYTES], option[PATH_BYTES + 32];
    int ends[2];
    *b = (tokens_test_bus_t){.folder = tokens_test_folder()};
    inside(b, "bus.conf", config);
    FILE *f = fopen(config, "w");
    assert_non_null(f);
    fprintf(f, CONFIG, b->folder);
    fclose(f);
    snprintf(option, sizeof option, "--config-file=%s", config);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    char name[] = "dbus-daemon", nofork[] = "--nofork", print[] = "--print-address=1";
    b->bus = spawn(b, ends[0], ends[1], (char *const[]){name, option, nofork, print, NULL});
    close(ends[1]);
    read_address(ends[0], address);
    close(ends[0]);
    assert_int_equal(setenv("DBUS_SESSION_BUS_ADDRESS", address, 1), 0);
}

/* The path of the default collection; false: there is no service, or it has none. */
static bool find_collection(sd_bus *bus, char path[PATH_BYTES])
{
    sd_bus_message *reply = NULL;
    const char *found = "/";
    int r = sd_bus_call_method(bus, "org.freedesktop.secrets", "/org/freedesktop/secrets",
                               "org.freedesktop.Secret.Service", "ReadAlias", NULL, &reply, "s",
                               "default");
    if (r >= 0)
        r = sd_bus_message_read(reply, "o", &found);
    snprintf(path, PATH_BYTES, "%s", found);
    sd_bus_message_unref(reply);
    return r >= 0 && strcmp(path, "/") != 0;
}

static bool is_there(void)
{
    sd_bus *bus = NULL;
    char path[PATH_BYTES];
    bool found = sd_bus_open_user(&bus) >= 0 && find_collection(bus, path);
    sd_bus_close_unref(bus);
    return found;
}

void tokens_test_bus_serve(tokens_test_bus_t *b)
{
    char home[PATH_BYTES];
    clock_port_t clock = clock_system();
    int64_t until = clock.mono_ms(clock.ctx) + START_MS;
    const struct timespec moment = {0, 5000000};
    int ends[2];
    inside(b, "home", home);
    (void)mkdir(home, 0700);
    assert_int_equal(setenv("HOME", home, 1) | setenv("XDG_RUNTIME_DIR", home, 1) |
                         setenv("XDG_DATA_HOME", home, 1),
                     0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    char name[] = "gnome-keyring-daemon", stay[] = "--foreground", open_it[] = "--unlock",
         what[] = "--components=secrets";
    b->service = spawn(b, ends[0], -1, (char *const[]){name, stay, open_it, what, NULL});
    assert_int_equal(write(ends[1], "password", 8), 8);
    close(ends[0]);
    close(ends[1]);
    while (!is_there()) {
        assert_true(clock.mono_ms(clock.ctx) < until);
        nanosleep(&moment, NULL);
    }
}

void tokens_test_bus_unserve(tokens_test_bus_t *b)
{
    end(&b->service);
}

void tokens_test_bus_lock(void)
{
    sd_bus *bus = NULL;
    char path[PATH_BYTES];
    assert_true(sd_bus_open_user(&bus) >= 0);
    assert_true(find_collection(bus, path));
    assert_true(sd_bus_call_method(bus, "org.freedesktop.secrets", "/org/freedesktop/secrets",
                                   "org.freedesktop.Secret.Service", "Lock", NULL, NULL, "ao", 1,
                                   path) >= 0);
    sd_bus_close_unref(bus);
}

void tokens_test_bus_stop(tokens_test_bus_t *b)
{
    end(&b->service);
    end(&b->bus);
    tokens_test_folder_remove(b->folder);
}
