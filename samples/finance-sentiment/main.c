/* finance-sentiment: an MCP server for news about stocks, behind OAuth 2.1 or on standard streams.
 */
#include "server.h"

#include "core/ports.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_BYTES = 4 << 20, KEY_MAX = 128 };

static int complain(int code, str_t why)
{
    fprintf(stderr, "finance-sentiment: %" PRIstr "\n", STR_ARG(why));
    return code;
}

static bool is_key(str_t s)
{
    if (s.n == 0 || s.n > KEY_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    }
    return true;
}

/* Takes a secret out of the environment, where other programs of the user could read it. */
static bool take(arena_t *a, const char *name, secret_t *out)
{
    char *given = getenv(name);
    *out = secret_of(STR_UNSET);
    if (!given || !*given)
        return true;
    bool good = is_key(str_c(given));
    if (good)
        *out = secret_dup(a, str_c(given));
    secret_wipe(given, strlen(given));
    return good && out->hidden.p;
}

/* mkdir -p with nobody else let in. */
static bool make_folder(char *path)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        bool bad = mkdir(path, 0700) != 0 && errno != EEXIST;
        *p = '/';
        if (bad)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static str_t data_folder(arena_t *a, const char *given)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (given)
        return arena_dup(a, str_c(given));
    if (state && *state)
        return arena_printf(a, "%s/finance-sentiment", state);
    return home ? arena_printf(a, "%s/.local/state/finance-sentiment", home) : STR_UNSET;
}

static int open_folder(arena_t *a, const char *given, const char **out)
{
    str_t folder = data_folder(a, given);
    char *path = arena_cstr(a, folder);
    if (!folder.p || !path)
        return complain(EXIT_SETTING, STR("there is no folder for audit.log; give --data DIR"));
    *out = path;
    if (make_folder(path) && access(path, W_OK | X_OK) == 0)
        return EXIT_DONE;
    fprintf(stderr, "finance-sentiment: %s cannot be made or written; give --data another folder\n",
            path);
    return EXIT_FAILED;
}

/* Blocked before any thread starts, so that all inherit it and only this one is told. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static int serve_http(server_t *s, const sigset_t *signals)
{
    int got;
    printf("finance-sentiment: ready at %" PRIstr "\n", STR_ARG(server_url(s)));
    fflush(stdout);
    sigwait(signals, &got);
    /* The next one ends the program at once, as if there were no drain. */
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    return EXIT_DONE;
}

static int serve(arena_t *a, const server_config_t *config)
{
    sigset_t signals;
    server_t *s;
    str_t why = STR("there is not enough memory");
    sigemptyset(&signals);
    if (!config->options.stdio)
        block_signals(&signals);
    int code = server_start(a, config, &s, &why);
    if (code == EXIT_DONE)
        code = config->options.stdio ? server_run_stdio(a, s, &why) : serve_http(s, &signals);
    if (code != EXIT_DONE)
        complain(code, why);
    server_stop(s);
    return code;
}

static int run(arena_t *a, int argc, char **argv)
{
    log_t log = log_stderr(LOG_INFO);
    clock_port_t clock = clock_system();
    server_config_t c = {.log = &log};
    str_t why = STR("there is not enough memory");
    log.now_ms = clock.now_ms;
    log.clock_ctx = clock.ctx;
    if (!options_read(a, argc - 1, argv + 1, &c.options, &why))
        return complain(EXIT_USAGE, why);
    if (c.options.help)
        return fputs(OPTIONS_HELP, stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
    if (c.options.version)
        return printf("finance-sentiment %s\n", WARDER_VERSION) < 0 ? EXIT_FAILED : EXIT_DONE;
    if (!take(a, "ALPHAVANTAGE_API_KEY", &c.key) || !take(a, "FINANCE_CLIENT_SECRET", &c.secret))
        return complain(EXIT_SETTING,
                        STR("ALPHAVANTAGE_API_KEY and FINANCE_CLIENT_SECRET must be 1 to 128 "
                            "printable characters without spaces; mend or unset them"));
    int code = open_folder(a, c.options.data, &c.data);
    return code == EXIT_DONE ? serve(a, &c) : code;
}

int main(int argc, char **argv)
{
    arena_t *a = arena_new(ARENA_BYTES);
    int code = a ? run(a, argc, argv) : complain(EXIT_FAILED, STR("there is not enough memory"));
    arena_free(a);
    return code;
}
