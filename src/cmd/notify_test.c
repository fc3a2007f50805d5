#include "cmd/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct {
    int fd;
    char name[64];
    char got[256];
} listener_t;

/* A socket as systemd has it; with '@' in the abstract name space, which leaves no file. */
static void listen_at(listener_t *l)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(l->name, sizeof l->name, "@warder-notify-%ld", (long)getpid());
    memcpy(at.sun_path + 1, l->name + 1, strlen(l->name) - 1);
    l->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_true(l->fd >= 0);
    socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(l->name));
    assert_int_equal(bind(l->fd, (const struct sockaddr *)&at, n), 0);
    setenv("NOTIFY_SOCKET", l->name, 1);
}

static const char *hear(listener_t *l)
{
    ssize_t n = recv(l->fd, l->got, sizeof l->got - 1, 0);
    l->got[n > 0 ? n : 0] = '\0';
    return l->got;
}

static void says_what_it_is_told(void **state)
{
    listener_t l;
    long long at;
    (void)state;
    listen_at(&l);
    notify_send("READY=1");
    assert_string_equal(hear(&l), "READY=1");
    notify_reloading();
    assert_int_equal(sscanf(hear(&l), "RELOADING=1\nMONOTONIC_USEC=%lld", &at), 1);
    assert_true(at > 0);
    close(l.fd);
    notify_send("READY=1"); /* nobody listens any more */
    unsetenv("NOTIFY_SOCKET");
}

static void names_that_are_none(void **state)
{
    static char longer[300];
    const char *const NAMES[] = {"", "@", "relative", "vsock:1", longer};
    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[0] = '/';
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        setenv("NOTIFY_SOCKET", NAMES[i], 1);
        notify_send("READY=1");
    }
    unsetenv("NOTIFY_SOCKET");
    notify_send("READY=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_it_is_told),
        cmocka_unit_test(names_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
