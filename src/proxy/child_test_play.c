#include "proxy/child_test_play.h"

#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "core/json.h"
#include "core/limits.h"

extern char **environ;

enum { LINE_BYTES = 8 << 20, IDS = 64 };

static const char *mode = "";
static char line[LINE_BYTES];
static char ids[IDS][128], cancelled[4096];
static char listening[IDS][128];
static size_t held, listeners;
static char asking[128];
static bool began_modern;

static bool is(const char *word)
{
    return strstr(mode, word) != NULL;
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

static void answer(str_t id, const char *result)
{
    say("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":%s}", STR_ARG(id), result);
}

static void copy(char *to, size_t cap, str_t s)
{
    snprintf(to, cap, "%.*s", STR_ARG(s));
}

static void nap_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static void do_discover(str_t id, const json_t *params)
{
    began_modern = true;
    if (is("die"))
        _exit(7);
    if (is("silent"))
        return;
    if (is("newer"))
        say("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"error\":{\"code\":-32022,\"message\":\"no\","
            "\"data\":{\"supported\":[\"2030-01-01\"]}}}",
            STR_ARG(id));
    else if (is("modern") || is("both") || is("pinned"))
        answer(id, is("both") ? "{\"supportedVersions\":[\"2026-07-28\",\"2025-11-25\"]}"
                              : "{\"supportedVersions\":[\"2026-07-28\"]}");
    else
        say("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"error\":{\"code\":-32601,\"message\":\"no\"}}",
            STR_ARG(id));
}

static void do_initialize(str_t id, const json_t *params)
{
    char result[512];
    str_t version = json_get_str(params, STR("protocolVersion"));
    if (is("crash-on-request") && str_eq(version, STR("crash")))
        _exit(4);
    if (is("slow-start"))
        nap_ms(5000);
    if (is("modern") || (is("pinned") && began_modern)) {
        say("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"error\":{\"code\":-32022,\"message\":\"no\","
            "\"data\":{\"supported\":[\"2026-07-28\"],\"requested\":\"2025-11-25\"}}}",
            STR_ARG(id));
        return;
    }
    if (is("refuse")) {
        say("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"error\":{\"code\":-32602,\"message\":\"no\"}}",
            STR_ARG(id));
        return;
    }
    snprintf(result, sizeof result,
             "{\"protocolVersion\":\"%.*s\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{"
             "\"name\":\"play\",\"version\":\"1\"}}",
             STR_ARG(version));
    answer(id, result);
}

static void do_echo(str_t id, const json_t *params)
{
    say("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{\"pid\":%d,\"id\":%.*s,\"got\":%.*s}}",
        STR_ARG(id), (int)getpid(), STR_ARG(id), STR_ARG(params ? params->raw : STR("null")));
}

/* Answers only when `release` comes. */
static void do_hold(str_t id, const json_t *params)
{
    copy(ids[held++ % IDS], sizeof ids[0], id);
}

static void do_release(str_t id, const json_t *params)
{
    for (size_t i = 0; i < held; i++)
        say("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"held\":%zu}}", ids[i], i);
    held = 0;
    answer(id, "{}");
}

static void do_progress(str_t id, const json_t *params)
{
    const json_t *token = json_get(json_get(params, STR("_meta")), STR("progressToken"));
    str_t raw = token ? token->raw : STR("0");
    for (int i = 1; i <= 3; i++)
        say("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
            "\"progressToken\":%.*s,\"progress\":%d}}",
            STR_ARG(raw), i);
    if (json_get(params, STR("hold")))
        do_hold(id, params);
    else
        answer(id, "{\"done\":true}");
}

static void do_ask(str_t id, const json_t *params)
{
    copy(asking, sizeof asking, id);
    say("{\"jsonrpc\":\"2.0\",\"id\":\"q1\",\"method\":\"elicitation/create\",\"params\":{}}");
}

static void do_notice(str_t id, const json_t *params)
{
    const json_t *with = json_get(params, STR("params"));
    say("{\"jsonrpc\":\"2.0\",\"method\":\"%.*s\",\"params\":%.*s}",
        STR_ARG(json_get_str(params, STR("method"))), STR_ARG(with ? with->raw : STR("{}")));
    answer(id, "{}");
}

static void do_crash(str_t id, const json_t *params)
{
    _exit(3);
}

static void do_malformed(str_t id, const json_t *params)
{
    int64_t n = 1;
    json_get_i64(params, STR("n"), &n);
    for (int64_t i = 0; i < n; i++)
        say(i % 2 ? "Listening on port 3000" : "{\"jsonrpc\":\"2.0\",\"id\":[],\"result\":{}}");
    answer(id, "{}");
}

static void do_huge(str_t id, const json_t *params)
{
    int64_t n = 0;
    json_get_i64(params, STR("n"), &n);
    printf("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{\"x\":\"", STR_ARG(id));
    for (int64_t i = 0; i < n; i++)
        putchar('x');
    say("\"}}");
}

static void do_endless(str_t id, const json_t *params)
{
    static char block[65536];
    memset(block, 'x', sizeof block);
    for (;;) {
        if (fwrite(block, 1, sizeof block, stdout) == 0)
            _exit(1);
    }
}

static void do_flood(str_t id, const json_t *params)
{
    int64_t n = 0;
    const json_t *token = json_get(json_get(params, STR("_meta")), STR("progressToken"));
    json_get_i64(params, STR("n"), &n);
    for (int64_t i = 0; i < n; i++)
        say("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
            "\"progressToken\":%.*s,\"progress\":%lld,\"message\":\"%01000d\"}}",
            STR_ARG(token->raw), (long long)i, 0);
    answer(id, "{}");
}

static void do_stderr(str_t id, const json_t *params)
{
    int64_t n = 0;
    json_get_i64(params, STR("n"), &n);
    for (int64_t i = 0; i < n; i++)
        fprintf(stderr, "\x1b[31mline %lld\x07 of the child\n", (long long)i);
    answer(id, "{}");
}

static void do_env(str_t id, const json_t *params)
{
    arena_t *a = arena_new(1 << 20);
    buf_t b = buf_new(a, 1 << 19);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    for (char **e = environ; *e; e++)
        json_member_bool(&w, str_c(*e), true);
    json_end_object(&w);
    buf_char(&b, '\0');
    answer(id, b.p);
    arena_free(a);
}

static void do_facts(str_t id, const json_t *params)
{
    char result[512], cwd[256];
    struct rlimit core, data;
    int fds = 0, dead = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        fds++;
    closedir(d);
    getrlimit(RLIMIT_CORE, &core);
    getrlimit(RLIMIT_DATA, &data);
    prctl(PR_GET_PDEATHSIG, &dead);
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    struct sigaction pipes;
    sigaction(SIGPIPE, NULL, &pipes);
    snprintf(result, sizeof result,
             "{\"fds\":%d,\"core\":%llu,\"data\":%llu,\"dead\":%d,\"leader\":%d,\"nnp\":%d,"
             "\"blocked\":%d,\"pipe\":%d,\"cwd\":\"%s\"}",
             fds - 3, (unsigned long long)core.rlim_cur, (unsigned long long)data.rlim_cur, dead,
             getsid(0) == getpid(), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
             sigismember(&blocked, SIGTERM), pipes.sa_handler == SIG_DFL, getcwd(cwd, sizeof cwd));
    answer(id, result);
}

static void do_fork(str_t id, const json_t *params)
{
    char result[64];
    pid_t pid = fork();
    if (pid == 0) {
        for (;;)
            pause();
    }
    snprintf(result, sizeof result, "{\"pid\":%d}", (int)pid);
    answer(id, result);
}

static void do_cancelled(str_t id, const json_t *params)
{
    char result[5000];
    snprintf(result, sizeof result, "{\"cancelled\":\"%s\"}", cancelled);
    answer(id, result);
}

static void do_listen(str_t id, const json_t *params)
{
    copy(listening[listeners++ % IDS], sizeof listening[0], id);
    say("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{"
        "\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":%.*s},\"notifications\":{}}}",
        STR_ARG(id));
}

/* One notification for each subscription, that says whose it is. */
static void do_poke(str_t id, const json_t *params)
{
    for (size_t i = 0; i < listeners; i++)
        say("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":{"
            "\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":%s},\"n\":%zu}}",
            listening[i], i);
    answer(id, "{}");
}

static void do_unlisten(str_t id, const json_t *params)
{
    for (size_t i = 0; i < listeners; i++)
        say("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
            "\"requestId\":%s}}",
            listening[i]);
    answer(id, "{}");
}

static void do_error(str_t id, const json_t *params)
{
    int64_t code = 0;
    json_get_i64(params, STR("code"), &code);
    say("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"error\":{\"code\":%lld,\"message\":\"m\"}}",
        STR_ARG(id), (long long)code);
}

static void do_wait(str_t id, const json_t *params)
{
    int64_t ms = 0;
    json_get_i64(params, STR("ms"), &ms);
    nap_ms((long)ms);
    answer(id, "{\"waited\":true}");
}

static void do_odd(str_t id, const json_t *params)
{
    say("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":1}", STR_ARG(id));
}

static const struct {
    const char *method;
    void (*fn)(str_t id, const json_t *params);
} ACTS[] = {
    {"server/discover", do_discover},
    {"initialize", do_initialize},
    {"echo", do_echo},
    {"hold", do_hold},
    {"release", do_release},
    {"progress", do_progress},
    {"ask", do_ask},
    {"notice", do_notice},
    {"crash", do_crash},
    {"malformed", do_malformed},
    {"huge", do_huge},
    {"endless", do_endless},
    {"flood", do_flood},
    {"stderr", do_stderr},
    {"env", do_env},
    {"facts", do_facts},
    {"fork", do_fork},
    {"cancelled", do_cancelled},
    {"subscriptions/listen", do_listen},
    {"poke", do_poke},
    {"unlisten", do_unlisten},
    {"error", do_error},
    {"wait", do_wait},
    {"odd", do_odd},
    {"resources/subscribe", do_echo},
    {"resources/unsubscribe", do_echo},
};

static void take_response(const json_t *root)
{
    char result[2048];
    const json_t *got = json_get(root, STR("result")), *error = json_get(root, STR("error"));
    snprintf(result, sizeof result, "{\"client\":%.*s}",
             STR_ARG(got     ? got->raw
                     : error ? error->raw
                             : STR("null")));
    if (asking[0])
        answer(str_c(asking), result);
    asking[0] = '\0';
}

static void take_word(const json_t *root, str_t method)
{
    const json_t *id = json_get(json_get(root, STR("params")), STR("requestId"));
    size_t n = strlen(cancelled);
    if (str_eq(method, STR("notifications/cancelled")) && id)
        snprintf(cancelled + n, sizeof cancelled - n, "%.*s,", STR_ARG(id->raw));
}

static void take(const json_t *root)
{
    str_t method = json_get_str(root, STR("method"));
    const json_t *id = json_get(root, STR("id"));
    if (!method.p) {
        take_response(root);
        return;
    }
    if (!id) {
        take_word(root, method);
        return;
    }
    for (size_t i = 0; i < sizeof ACTS / sizeof *ACTS; i++) {
        if (str_eq(method, str_c(ACTS[i].method))) {
            ACTS[i].fn(id->raw, json_get(root, STR("params")));
            return;
        }
    }
    answer(id->raw, "{\"unknown\":true}");
}

static void play(void)
{
    while (fgets(line, sizeof line, stdin)) {
        arena_t *a = arena_new(64 << 20);
        const json_t *root;
        if (a && json_parse(a, str_trim(str_c(line), "\n"), NULL, &root) == RC_OK)
            take(root);
        else
            fprintf(stderr, "not JSON\n");
        arena_free(a);
    }
    while (is("deaf"))
        pause();
}

void child_test_play(int argc, char **argv)
{
    if (argc < 3 || strcmp(argv[1], "--play") != 0)
        return;
    mode = argv[2];
    if (is("deaf"))
        signal(SIGTERM, SIG_IGN);
    if (is("broken"))
        _exit(1);
    play();
    _exit(0);
}
