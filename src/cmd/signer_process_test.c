/* The real signing process, forked by this one in the server's place. attack case: OPS-019 */
#include "cmd/cmd_test_run.h"

#include "as/keys.h"
#include "cmd/beforehand.h"
#include "cmd/command.h"
#include "cmd/sandbox.h"
#include "cmd/signer_process.h"
#include "cmd/trail.h"
#include "core/core_test_old_kernel.h"
#include "jose/jws.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, SIGNATURES = 200 };

/* 32 bytes, as they are in the file: what is searched for in memory is never whole in this one. */
#define KEY_TEXT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8="

typedef struct {
    arena_t *a;
    char folder[64], key_path[96];
    settings_t settings;
    signer_process_t *signer;
    key_record_t key; /* made by it */
    jwk_t public;
    ran_t ran;
} play_t;

static void write_key(play_t *p, const char *text, mode_t mode)
{
    snprintf(p->key_path, sizeof p->key_path, "%s", test_file(p->folder, "key", text));
    assert_int_equal(chmod(p->key_path, mode), 0);
    p->settings.conf.key_file = str_c(p->key_path);
}

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(16 << 20);
    test_folder(p->folder);
    unsetenv("WARDER_KEY");
    unsetenv("CREDENTIALS_DIRECTORY");
    p->settings.conf.data = str_c(p->folder);
    p->settings.conf.sandbox = STR("auto");
    p->settings.conf.signing_process = true;
    p->settings.conf.workers = 3;
    write_key(p, KEY_TEXT, 0600);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    play_t *p = *state;
    signer_process_free(p->signer);
    jose_key_free(p->public.key);
    test_folder_remove(p->folder);
    arena_free(p->a);
    free(p);
    return 0;
}

static void start(play_t *p)
{
    assert_int_equal(signer_process_new(p->a, &p->settings, &p->signer), EXIT_DONE);
    assert_non_null(p->signer);
}

static as_opener_t opener(const play_t *p)
{
    return (as_opener_t){signer_process_vault(p->signer),
                         {.name = signer_process_key_name(p->signer)},
                         random_system()};
}

static void make_key(play_t *p, const char *alg)
{
    const key_record_t *plain;
    const as_opener_t o = opener(p);
    p->key = (key_record_t){.use = KEY_SIGN, .alg = str_c(alg)};
    assert_int_equal(as_vault_make(p->a, &o, &p->key), RC_OK);
    assert_int_equal(as_vault_open(p->a, &o, &p->key, 1, &plain), RC_OK);
    p->public = (jwk_t){.alg = alg_parse(p->key.alg), .kid = p->key.kid};
    assert_int_equal(jose_key_from_spki(plain->secret, &p->public.key), RC_OK);
}

static rc_t sign(const play_t *p, arena_t *a, int number, str_t *token)
{
    const as_vault_t *vault = signer_process_vault(p->signer);
    const signer_port_t signer = {vault->sign, vault->ctx};
    str_t claims = arena_printf(a, "{\"n\":%d,\"exp\":%lld}", number, (long long)time(NULL) + 60);
    const jws_sign_t what = {alg_parse(p->key.alg), p->key.kid, STR("at+jwt"), claims};
    return jws_sign(a, &signer, &what, token);
}

static bool is_good(const play_t *p, arena_t *a, str_t token, int number)
{
    jws_t jws;
    str_t begin = arena_printf(a, "{\"n\":%d,", number);
    return jws_parse(a, token, 0, &jws) == RC_OK && jws_verify(&jws, &p->public) == JWS_FINE &&
           str_starts(jws.payload, begin);
}

static void it_makes_keys_and_signs_with_each_algorithm(void **state)
{
    play_t *p = *state;
    static const char *const ALGS[] = {"ES256", "EdDSA", "RS256", "PS256"};
    start(p);
    for (size_t i = 0; i < sizeof ALGS / sizeof *ALGS; i++) {
        str_t token;
        make_key(p, ALGS[i]);
        assert_int_equal(sign(p, p->a, 1, &token), RC_OK);
        assert_true(is_good(p, p->a, token, 1));
        jose_key_free(p->public.key);
        p->public.key = NULL;
    }
}

typedef struct {
    const play_t *p;
    int first, good;
} many_t;

static void *sign_many(void *arg)
{
    many_t *m = arg;
    arena_t *a = arena_new(1 << 20);
    for (int i = 0; a && i < SIGNATURES; i++) {
        str_t token;
        arena_reset(a);
        m->good +=
            sign(m->p, a, m->first + i, &token) == RC_OK && is_good(m->p, a, token, m->first + i);
    }
    arena_free(a);
    return NULL;
}

/* More threads than lines: each gets the signature of what it asked for. */
static void many_threads_get_their_own_answers(void **state)
{
    play_t *p = *state;
    pthread_t threads[THREADS];
    many_t work[THREADS];
    start(p);
    make_key(p, "ES256");
    for (int i = 0; i < THREADS; i++) {
        work[i] = (many_t){p, i * SIGNATURES, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, sign_many, &work[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(work[i].good, SIGNATURES);
}

static void its_audit_key_signs_checkpoints(void **state)
{
    play_t *p = *state;
    signature_t made;
    char text[1024], path[128], now[AUDIT_TIME_BYTES];
    start(p);
    const audit_signer_t *auditor = signer_process_auditor(p->signer);
    buf_t b = buf_fixed(text, sizeof text);
    audit_time_format((int64_t)time(NULL) * 1000, now);
    const audit_checkpoint_t c = {.time = str_of(now, sizeof now), .kid = auditor->kid};
    audit_checkpoint_text(&b, &c);
    assert_int_equal(auditor->sign(auditor->ctx, buf_str(&b), &made), RC_OK);
    assert_int_equal(made.n, 64);
    assert_int_equal(auditor->sign(auditor->ctx, STR("{\"sub\":\"eve\"}"), &made), RC_CONFIG);
    snprintf(path, sizeof path, "%s/audit-key.pub.pem", p->folder);
    assert_int_equal(access(path, F_OK), 0);
}

static void without_a_key_or_where_it_is_off_there_is_none(void **state)
{
    play_t *p = *state;
    p->settings.conf.signing_process = false;
    assert_int_equal(signer_process_new(p->a, &p->settings, &p->signer), EXIT_DONE);
    assert_null(p->signer);
    p->settings.conf.signing_process = true;
    p->settings.conf.key_file = STR("");
    assert_int_equal(signer_process_new(p->a, &p->settings, &p->signer), EXIT_DONE);
    assert_null(p->signer);
}

static void the_variable_is_taken_out_of_this_process(void **state)
{
    play_t *p = *state;
    p->settings.conf.key_file = STR("");
    setenv("WARDER_KEY", KEY_TEXT, 1);
    start(p);
    assert_null(getenv("WARDER_KEY"));
    make_key(p, "ES256");
}

enum { NOBODY = 65534 };

static bool is_shut(beforehand_t which, int was)
{
    return was < 0 || (beforehand_fd(which) < 0 && fcntl(was, F_GETFD) < 0);
}

/* As the server does it with run_as: the process that signs is another's already. */
static int start_as_another(void *arg)
{
    play_t *p = arg;
    str_t token;
    beforehand_open(p->a, &p->settings);
    int copy = beforehand_fd(BEFOREHAND_KEY), other = beforehand_fd(BEFOREHAND_AUDIT_KEY);
    if (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0 ||
        access(p->key_path, R_OK) == 0)
        return EXIT_FAILED;
    int code = signer_process_new(p->a, &p->settings, &p->signer);
    if (code != EXIT_DONE)
        return code;
    make_key(p, "ES256");
    bool shut = is_shut(BEFOREHAND_KEY, copy) && is_shut(BEFOREHAND_AUDIT_KEY, other);
    code = shut && sign(p, p->a, 1, &token) == RC_OK ? EXIT_DONE : EXIT_FAILED;
    signer_process_free(p->signer);
    return code;
}

static void a_key_file_that_is_roots_alone_is_read_with_run_as(void **state)
{
    play_t *p = *state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(p->folder, NOBODY, NOBODY), 0);
    test_child(start_as_another, p, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_SETTING);
    assert_non_null(strstr(p->ran.err, "cannot be read"));
    p->settings.conf.run_as = STR("nobody");
    test_child(start_as_another, p, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_DONE);
}

static void an_audit_key_that_is_roots_alone_is_read_with_run_as(void **state)
{
    play_t *p = *state;
    jose_key_t *key;
    if (geteuid() != 0)
        skip();
    assert_int_equal(trail_load_key(p->a, &p->settings, &key), EXIT_DONE);
    assert_int_equal(chown(p->folder, NOBODY, NOBODY), 0);
    p->settings.conf.audit_key_file = arena_printf(p->a, "%s/audit-key.pem", p->folder);
    p->settings.conf.run_as = STR("nobody");
    test_child(start_as_another, p, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_DONE);
}

/* As is the folder: then its public half is to be made by root. */
static void a_public_half_that_cannot_be_made_is_said_how_to_make(void **state)
{
    play_t *p = *state;
    jose_key_t *key;
    if (geteuid() != 0)
        skip();
    assert_int_equal(trail_load_key(p->a, &p->settings, &key), EXIT_DONE);
    assert_int_equal(unlink(arena_printf(p->a, "%s/audit-key.pub.pem", p->folder).p), 0);
    assert_int_equal(chmod(p->folder, 0755), 0);
    p->settings.conf.audit_key_file = arena_printf(p->a, "%s/audit-key.pem", p->folder);
    p->settings.conf.run_as = STR("nobody");
    test_child(start_as_another, p, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_FAILED);
    assert_non_null(strstr(p->ran.err, "openssl pkey -in"));
    assert_null(strstr(p->ran.err, "let run_as read the folder"));
}

/* What is made where the server cannot look is as if it were not there. */
static void a_public_half_in_a_folder_that_is_closed_is_said_to_need_it_open(void **state)
{
    play_t *p = *state;
    jose_key_t *key;
    if (geteuid() != 0)
        skip();
    assert_int_equal(trail_load_key(p->a, &p->settings, &key), EXIT_DONE);
    assert_int_equal(chmod(p->folder, 0700), 0);
    p->settings.conf.audit_key_file = arena_printf(p->a, "%s/audit-key.pem", p->folder);
    p->settings.conf.run_as = STR("nobody");
    test_child(start_as_another, p, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_FAILED);
    assert_non_null(strstr(p->ran.err, "openssl pkey -in"));
    assert_non_null(strstr(p->ran.err, ", and let run_as read the folder"));
    assert_int_equal(chmod(p->folder, 0755), 0);
    test_child(start_as_another, p, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_DONE);
}

static int start_in_child(void *arg)
{
    play_t *p = arg;
    return signer_process_new(p->a, &p->settings, &p->signer);
}

static void refused(play_t *p, const char *says)
{
    test_child(start_in_child, p, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_SETTING);
    assert_one_line(&p->ran);
    if (!strstr(p->ran.err, says))
        fail_msg("'%s' is not in: %s", says, p->ran.err);
}

static void what_is_wrong_with_a_key_is_said_once(void **state)
{
    play_t *p = *state;
    write_key(p, "too short", 0600);
    refused(p, "holds no key of 32 bytes");
    write_key(p, KEY_TEXT, 0644);
    refused(p, "others can use the key file");
    write_key(p, KEY_TEXT, 0600);
    p->settings.conf.audit_key_file = str_c(p->key_path);
    refused(p, "is no private Ed25519 or P-256 key in PEM");
}

/* ---- its end ---- */

static bool exists(pid_t pid)
{
    return kill(pid, 0) == 0;
}

static void wait_a_little(void)
{
    const struct timespec while_ = {.tv_nsec = 10000000};
    nanosleep(&while_, NULL);
}

/* A zombie of somebody else's is gone as well. */
static bool is_gone_soon(pid_t pid)
{
    for (int i = 0; i < 6000; i++) {
        char path[64], text[512];
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        if (!test_read(path, text, sizeof text) || strstr(text, ") Z"))
            return true;
        wait_a_little();
    }
    return false;
}

/* A signal is sent before it is obeyed: by all threads. */
static void hold_still(pid_t pid)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    for (int i = 0; i < 6000 && !strstr(text, ") T"); i++) {
        wait_a_little();
        assert_true(test_read(path, text, sizeof text));
    }
    wait_a_little();
}

static void once_it_is_killed_nothing_is_signed(void **state)
{
    play_t *p = *state;
    str_t token;
    start(p);
    make_key(p, "ES256");
    assert_true(signer_process_lives(p->signer));
    pid_t pid = signer_process_id(p->signer);
    assert_int_equal(kill(pid, SIGKILL), 0);
    for (int i = 0; i < 6000 && signer_process_lives(p->signer); i++)
        wait_a_little();
    assert_false(signer_process_lives(p->signer));
    assert_int_equal(sign(p, p->a, 1, &token), RC_IO);
}

typedef struct {
    const play_t *p;
    int number;
    rc_t rc;
    bool good;
} one_t;

static void *sign_one(void *arg)
{
    one_t *one = arg;
    arena_t *a = arena_new(1 << 20);
    str_t token;
    one->rc = sign(one->p, a, one->number, &token);
    one->good = one->rc == RC_OK && is_good(one->p, a, token, one->number);
    arena_free(a);
    return NULL;
}

/* While it stands still, some wait for its answers and others for the lines of these. It goes on
 * when the first have given up: nobody may be given their answers. */
static void answers_that_come_too_late_are_nobodys(void **state)
{
    play_t *p = *state;
    pthread_t threads[THREADS];
    one_t work[THREADS];
    start(p);
    make_key(p, "ES256");
    pid_t pid = signer_process_id(p->signer);
    time_t begin = time(NULL);
    hold_still(pid);
    for (int i = 0; i < THREADS; i++) {
        work[i] = (one_t){p, i, RC_OK, false};
        assert_int_equal(pthread_create(&threads[i], NULL, sign_one, &work[i]), 0);
    }
    for (int i = 0; i < 4000 && signer_process_lives(p->signer); i++)
        wait_a_little();
    wait_a_little();
    kill(pid, SIGCONT);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(work[i].rc, RC_IO);
    }
    assert_true(time(NULL) - begin <
                25); /* a worker stands still for seconds, not for half a minute */
    assert_true(is_gone_soon(pid));
}

static void signals_that_end_a_service_leave_it(void **state)
{
    play_t *p = *state;
    static const int SIGNALS[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE};
    str_t token;
    start(p);
    make_key(p, "ES256");
    for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++)
        kill(signer_process_id(p->signer), SIGNALS[i]);
    assert_int_equal(sign(p, p->a, 1, &token), RC_OK);
}

static void it_ends_when_the_server_lets_it_go(void **state)
{
    play_t *p = *state;
    start(p);
    pid_t pid = signer_process_id(p->signer);
    signer_process_free(p->signer);
    p->signer = NULL;
    assert_false(exists(pid));
}

static void it_dies_with_a_server_that_is_killed(void **state)
{
    play_t *p = *state;
    int ends[2], status;
    pid_t pid = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t server = fork();
    if (server == 0) {
        start(p);
        pid = signer_process_id(p->signer);
        if (write(ends[1], &pid, sizeof pid) == sizeof pid)
            for (;;)
                pause();
        _exit(1);
    }
    assert_int_equal(read(ends[0], &pid, sizeof pid), sizeof pid);
    assert_true(exists(pid));
    kill(server, SIGKILL);
    assert_int_equal(waitpid(server, &status, 0), server);
    assert_true(is_gone_soon(pid));
    close(ends[0]);
    close(ends[1]);
}

/* A server in the sandbox, which may send no signal to others. Its exit code says how it let the
 * signing process go. */
enum { LET_GO = 10, LEFT_ALONE = 11, NO_SCOPE = 12, SCOPED_FROM = 6 };

typedef struct {
    pid_t server, signer;
    int to, from;
} locked_t;

_Noreturn static void serve_locked(play_t *p, int in, int out)
{
    static const sandbox_plan_t NOTHING;
    char go;
    int version = 0;
    start(p);
    pid_t pid = signer_process_id(p->signer);
    bool scoped = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                  sandbox_landlock(&NOTHING, &version) == RC_OK && version >= SCOPED_FROM;
    if (write(out, &pid, sizeof pid) != sizeof pid || read(in, &go, 1) != 1)
        _exit(1);
    bool ended = signer_process_free(p->signer);
    _exit(!scoped ? NO_SCOPE : ended ? LET_GO : LEFT_ALONE);
}

static void start_locked(play_t *p, locked_t *l)
{
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    l->server = fork();
    if (l->server == 0)
        serve_locked(p, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    l->to = in[1];
    l->from = out[0];
    assert_int_equal(read(l->from, &l->signer, sizeof l->signer), sizeof l->signer);
    assert_true(exists(l->signer));
}

static int end_locked(locked_t *l)
{
    int status;
    assert_int_equal(waitpid(l->server, &status, 0), l->server);
    close(l->to);
    close(l->from);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void it_ends_with_a_locked_server_that_is_killed(void **state)
{
    locked_t l;
    start_locked(*state, &l);
    kill(l.server, SIGKILL);
    assert_int_equal(end_locked(&l), -1);
    assert_true(is_gone_soon(l.signer));
}

static void it_ends_when_a_locked_server_lets_it_go(void **state)
{
    locked_t l;
    start_locked(*state, &l);
    assert_int_equal(write(l.to, "x", 1), 1);
    int code = end_locked(&l);
    assert_true(code == LET_GO || code == NO_SCOPE);
    assert_true(is_gone_soon(l.signer));
}

static void a_server_does_not_wait_for_ever_for_its_end(void **state)
{
    locked_t l;
    time_t begin = time(NULL);
    start_locked(*state, &l);
    hold_still(l.signer);
    assert_int_equal(write(l.to, "x", 1), 1);
    int code = end_locked(&l);
    assert_true(code == LEFT_ALONE || code == NO_SCOPE);
    assert_true(time(NULL) - begin < 20);
    kill(l.signer, SIGCONT);
    assert_true(is_gone_soon(l.signer));
}

/* ---- its walls ---- */

static int start_without_landlock(void *arg)
{
    play_t *p = arg;
    if (!forbid_landlock())
        return EXIT_FAILED;
    int code = signer_process_new(p->a, &p->settings, &p->signer);
    bool walled = code == EXIT_DONE && signer_process_walls(p->signer).files;
    return walled || !signer_process_free(p->signer) ? EXIT_FAILED : code;
}

static void sandbox_on_wants_all_of_its_walls(void **state)
{
    play_t *p = *state;
    p->settings.conf.sandbox = STR("on");
    test_child(start_without_landlock, p, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_SETTING);
    assert_one_line(&p->ran);
    assert_non_null(strstr(p->ran.err, "the signing process has no Landlock"));
    p->settings.conf.sandbox = STR("auto");
    test_child(start_without_landlock, p, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_DONE);
}

/* One each, and one more; the sanitizer of threads has its own. */
#ifdef __SANITIZE_THREAD__
#define THREADS_OF_256_WORKERS "258"
#else
#define THREADS_OF_256_WORKERS "257"
#endif

static void each_worker_has_a_line(void **state)
{
    play_t *p = *state;
    p->settings.conf.workers = 256;
    start(p);
    make_key(p, "ES256");
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)signer_process_id(p->signer));
    assert_true(test_read(path, text, sizeof text));
    assert_non_null(strstr(text, "Threads:\t" THREADS_OF_256_WORKERS "\n"));
}

/* ---- what others see of it ---- */

static void its_memory_and_environment_are_nobodys(void **state)
{
    play_t *p = *state;
    char path[64], text[4096];
    struct stat st;
    start(p);
    int pid = (int)signer_process_id(p->signer);
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_uid, 0); /* what is not dumpable belongs to root */
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    assert_true(test_read(path, text, sizeof text));
    assert_non_null(strstr(text, "CapPrm:\t0000000000000000"));
    assert_non_null(strstr(text, "CapEff:\t0000000000000000"));
    if (signer_process_walls(p->signer).system_calls) {
        assert_non_null(strstr(text, "Seccomp:\t2"));
        assert_non_null(strstr(text, "NoNewPrivs:\t1"));
    }
}

static void it_has_no_descriptor_but_its_own(void **state)
{
    play_t *p = *state;
    char path[64], to[128];
    int open_here = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, as a careless library */
    start(p);
    size_t sockets = 0;
    for (int fd = 0; fd < 256; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)signer_process_id(p->signer), fd);
        ssize_t n = readlink(path, to, sizeof to - 1);
        if (n < 0)
            continue;
        to[n] = '\0';
        if (fd == STDERR_FILENO)
            continue;
        assert_non_null(strstr(to, "socket:"));
        sockets++;
    }
    if (sockets > 0) /* who is not root may not look */
        assert_int_equal(sockets, 4);
    close(open_here);
}

#define PLAY(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(it_makes_keys_and_signs_with_each_algorithm),
        PLAY(many_threads_get_their_own_answers),
        PLAY(its_audit_key_signs_checkpoints),
        PLAY(without_a_key_or_where_it_is_off_there_is_none),
        PLAY(the_variable_is_taken_out_of_this_process),
        PLAY(a_key_file_that_is_roots_alone_is_read_with_run_as),
        PLAY(an_audit_key_that_is_roots_alone_is_read_with_run_as),
        PLAY(a_public_half_that_cannot_be_made_is_said_how_to_make),
        PLAY(a_public_half_in_a_folder_that_is_closed_is_said_to_need_it_open),
        PLAY(what_is_wrong_with_a_key_is_said_once),
        PLAY(once_it_is_killed_nothing_is_signed),
        PLAY(answers_that_come_too_late_are_nobodys),
        PLAY(signals_that_end_a_service_leave_it),
        PLAY(it_ends_when_the_server_lets_it_go),
        PLAY(it_dies_with_a_server_that_is_killed),
        PLAY(it_ends_with_a_locked_server_that_is_killed),
        PLAY(it_ends_when_a_locked_server_lets_it_go),
        PLAY(a_server_does_not_wait_for_ever_for_its_end),
        PLAY(sandbox_on_wants_all_of_its_walls),
        PLAY(each_worker_has_a_line),
        PLAY(its_memory_and_environment_are_nobodys),
        PLAY(it_has_no_descriptor_but_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
