/* The signing process's own half: a thread for each socket, one question after the other, until the
 * server is gone. */
#include "cmd/signer_process.h"

#include "as/vault_room.h"
#include "cmd/kek.h"
#include "cmd/privileges.h"
#include "cmd/sandbox.h"
#include "cmd/trail.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int fd;
    vault_desk_t *desk;
    pthread_barrier_t *seated; /* a thread that begins makes calls that it never makes again */
} seat_t;

static bool serve_one(const seat_t *seat, uint8_t *question, uint8_t *answer)
{
    ssize_t n, sent;
    buf_t b = buf_fixed(answer, LIMIT_VAULT_FRAME_BYTES);
    do
        n = recv(seat->fd, question, LIMIT_VAULT_FRAME_BYTES, MSG_TRUNC);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    size_t whole = n <= LIMIT_VAULT_FRAME_BYTES ? (size_t)n : 0;
    str_t bytes = vault_desk_answer(seat->desk, str_of(question, whole), &b);
    do
        sent = send(seat->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)bytes.n;
}

/* All end together: the server's ends close with the server. */
_Noreturn static void serve(const seat_t *seat)
{
    uint8_t question[LIMIT_VAULT_FRAME_BYTES], answer[LIMIT_VAULT_FRAME_BYTES];
    while (serve_one(seat, question, answer)) {
    }
    _exit(EXIT_DONE);
}

static void *sit_down(void *arg)
{
    const seat_t *seat = arg;
    pthread_barrier_wait(seat->seated);
    serve(seat);
}

static void say(unsigned code, const vault_frame_t *frame)
{
    char room[1024];
    str_t bytes;
    buf_t b = buf_fixed(room, sizeof room);
    vault_frame_t hello = *frame;
    hello.code = code;
    if (vault_frame_write(&b, &hello, &bytes) == RC_OK)
        (void)!send(SIGNER_FIRST_FD, bytes.p, bytes.n, MSG_NOSIGNAL);
}

_Noreturn static void refuse(int code)
{
    say((unsigned)code, &(vault_frame_t){.kind = VAULT_HELLO});
    _exit(code);
}

/* Signals that end a service reach it too, by its group: it ends when the server does, which still
 * signs while it drains. Its end is that of its sockets; the kernel's signal for a parent's death
 * comes before that only where Landlock does not keep the server from signals to others
 * (Linux 6.12). Nobody looks into it from the beginning. */
static void begin(pid_t server)
{
    static const int LEFT[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE};
    for (size_t i = 0; i < sizeof LEFT / sizeof *LEFT; i++)
        signal(LEFT[i], SIG_IGN);
    prctl(PR_SET_NAME, "warder-signer");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    command_forbid_core();
    if (getppid() != server)
        _exit(EXIT_FAILED);
}

static vault_room_t *load(arena_t *a, const settings_t *s)
{
    vault_room_t *room;
    vault_config_t config = {.random = random_system(), .clock = clock_system()};
    int code = kek_load(a, s, &config.kek);
    if (code == EXIT_DONE)
        code = trail_load_key(a, s, &config.audit_key);
    if (code != EXIT_DONE)
        refuse(code);
    if (vault_room_new(&config, &room) != RC_OK)
        refuse(command_out_of_memory());
    return room;
}

/* What the library loads or asks the system for when it is used for the first time. */
static void warm_up(void)
{
    static const alg_t ALGS[] = {ALG_ES256, ALG_EDDSA};
    for (size_t i = 0; i < sizeof ALGS / sizeof *ALGS; i++) {
        jose_key_t *key = NULL;
        jose_signing_t *signing = NULL;
        uint8_t made[KEY_SIGNATURE_MAX];
        size_t n;
        if (jose_key_generate(ALGS[i], &key) != RC_OK ||
            jose_signing_new(key, ALGS[i], &signing) != RC_OK ||
            jose_signing_sign(signing, STR("warm"), made, &n) != RC_OK)
            refuse(command_fail(EXIT_FAILED, "the signing process can sign nothing"));
        jose_signing_free(signing);
        jose_key_free(key);
    }
}

static void seat_all(vault_room_t *room, seat_t *seats, size_t n)
{
    static pthread_barrier_t seated;
    pthread_t thread;
    bool ready = pthread_barrier_init(&seated, NULL, (unsigned)n) == 0;
    for (size_t i = 0; i < n; i++) {
        seats[i].fd = SIGNER_FIRST_FD + (int)i;
        seats[i].seated = &seated;
        bool ok = ready && vault_desk_new(room, &seats[i].desk) == RC_OK;
        if (ok && i > 0)
            ok = pthread_create(&thread, NULL, sit_down, &seats[i]) == 0;
        if (!ok)
            refuse(command_fail(EXIT_FAILED, "the signing process has no memory or threads"));
    }
    pthread_barrier_wait(&seated);
}

_Noreturn void signer_serve(arena_t *a, const settings_t *s, size_t n_lines, pid_t server)
{
    static seat_t seats[SIGNER_LINES_MAX];
    bool bare = str_eq(s->conf.sandbox, STR("off"));
    begin(server);
    vault_room_t *room = load(a, s);
    privileges_drop();
    warm_up();
    bool files = !bare && sandbox_signer_files() == RC_OK;
    seat_all(room, seats, n_lines);
    bool calls = !bare && sandbox_signer_seccomp() == RC_OK;
    const vault_frame_t hello = {.kind = VAULT_HELLO,
                                 .fields = {vault_room_config(room)->kek.name,
                                            vault_room_audit_kid(room),
                                            calls && files ? STR("calls files")
                                            : calls        ? STR("calls")
                                            : files        ? STR("files")
                                                           : STR("")}};
    if (str_eq(s->conf.sandbox, STR("on")) && !(calls && files))
        refuse(command_fail(EXIT_SETTING,
                            "sandbox is 'on', and the signing process has no %s; set sandbox to "
                            "auto to do without",
                            calls ? "Landlock" : "filter of system calls"));
    say(EXIT_DONE, &hello);
    serve(&seats[0]);
}
