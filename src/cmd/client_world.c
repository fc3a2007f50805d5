#include "cmd/client_world.h"

#include "client/plain.h"
#include "client/url_rule.h"
#include "core/limits.h"
#include "tokens/browser.h"

#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    WORLD_BYTES = 16 << 20,
    SAID_BYTES = LIMIT_URL_BYTES, /* a page is shown whole, as somebody may have to copy it */
};

/* One line. Sentences come on any thread, so the arena is not the world's. */
static void say(const char *before, str_t sentence)
{
    arena_t *a = arena_new(4 * SAID_BYTES);
    str_t plain = a ? client_plain(a, sentence, SAID_BYTES) : STR_UNSET;
    if (plain.p)
        fprintf(stderr, "warder: %s%" PRIstr "\n", before, STR_ARG(plain));
    arena_free(a);
}

/* The page of a sign-in. Where there is no browser, somebody may still see the line and open it. */
static bool open_page(void *ctx, str_t url)
{
    client_world_t *w = ctx;
    bool opened = !w->options.no_browser && tokens_browser_open(w->options.browser, url) == RC_OK;
    say(opened ? "a page opens in the browser; if it does not, open "
               : "open this page to sign in: ",
        url);
    return true;
}

static bool show_code(void *ctx, str_t user_code, str_t uri, str_t uri_complete)
{
    (void)ctx;
    say("to sign in, open on any device: ", uri);
    say("and enter there: ", user_code);
    if (uri_complete.p)
        say("or open, with the code in it: ", uri_complete);
    return true;
}

static void says(void *ctx, str_t sentence)
{
    client_world_t *w = ctx;
    if (w->options.verbose || isatty(STDERR_FILENO))
        say("", sentence);
}

static sigset_t signals_that_end(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

/* Waits for the signals that all other threads leave alone; for the last time when all is over. The
 * second one waits for nothing, such as a question to a person. */
static void *watch_signals(void *arg)
{
    client_world_t *w = arg;
    const sigset_t set = signals_that_end();
    for (bool first = true;; first = false) {
        while (sigwaitinfo(&set, NULL) < 0)
            continue;
        if (w->over)
            return NULL;
        if (!first)
            _exit(EXIT_STOPPED);
        w->stop = true;
        (void)eventfd_write(w->stop_fd, 1);
        tokens_source_stop(w->source);
    }
}

static void end_signals(client_world_t *w)
{
    w->over = true;
    pthread_kill(w->signals, SIGTERM);
    pthread_join(w->signals, NULL);
}

/* Before any thread is there, so that all of them leave the signals to one. */
static void block_signals(void)
{
    sigset_t set = signals_that_end();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int open_folder(client_world_t *w, str_t folder, tokens_keep_t *out)
{
    str_t why = STR_UNSET;
    rc_t rc = tokens_folder_open(w->a, folder, &w->folder, &why);
    if (rc == RC_MEMORY)
        return command_out_of_memory();
    if (rc != RC_OK)
        return command_fail(rc == RC_CONFIG ? EXIT_SETTING : EXIT_FAILED,
                            "tokens cannot be kept: %" PRIstr, STR_ARG(why));
    *out = tokens_folder_keep(w->folder);
    return EXIT_DONE;
}

static int open_keep(client_world_t *w, tokens_keep_t *out)
{
    client_keep_t keep = w->options.keep;
    str_t folder = w->options.folder, why = STR_UNSET;
    w->failing = CLIENT_KEEP_FAILED;
    if (keep == CLIENT_KEEP_MEMORY) {
        if (tokens_memory_new(&w->memory) != RC_OK)
            return command_out_of_memory();
        *out = tokens_memory_keep(w->memory);
        return EXIT_DONE;
    }
    if (!folder.p && tokens_folder_default(w->a, &folder) != RC_OK)
        return command_fail(EXIT_SETTING, "there is no home folder to keep tokens in; give "
                                          "--folder DIR, or --keep memory");
    if (keep == CLIENT_KEEP_FOLDER)
        return open_folder(w, folder, out);
    rc_t rc = tokens_desktop_open(w->a, folder, &w->desktop, &why);
    if (rc == RC_OK)
        *out = tokens_desktop_keep(w->desktop);
    else if (keep == CLIENT_KEEP_AUTO)
        return open_folder(w, folder, out);
    return rc == RC_OK
               ? EXIT_DONE
               : command_fail(EXIT_FAILED, "there is no secret service: %" PRIstr, STR_ARG(why));
}

static int open_agent(client_world_t *w)
{
    const http_agent_config_t config = {.ca_file = w->options.ca_file,
                                        .user_agent = STR("warder/" WARDER_VERSION)};
    rc_t rc = http_agent_new(&config, &w->agent);
    if (rc == RC_CONFIG)
        return command_fail(EXIT_SETTING,
                            "--ca-file '%" PRIstr "' holds no certificates that can "
                            "be read",
                            STR_ARG(config.ca_file));
    return rc == RC_OK ? EXIT_DONE : command_out_of_memory();
}

static int open_source(client_world_t *w, client_asks_t asks)
{
    tokens_config_t config = w->options.tokens;
    bool there = w->options.interactive || isatty(STDERR_FILENO);
    bool may = asks == CLIENT_ASK_ALWAYS || (asks == CLIENT_ASK_TERMINAL && there);
    int code = open_keep(w, &config.keep);
    if (code != EXIT_DONE)
        return code;
    w->failing = CLIENT_FINE;
    if (!config.registration.name.p)
        config.registration.name = STR("Warder");
    config.registration.software_version = STR(WARDER_VERSION);
    config.person = (tokens_person_t){
        .open = may ? open_page : NULL, .code = may ? show_code : NULL, .says = says, .ctx = w};
    config.http = http_agent_ask(w->agent);
    config.clock = clock_system();
    config.random = random_system();
    config.log = &w->log;
    w->options.tokens = config;
    return tokens_source_new(&config, &w->source) == RC_OK ? EXIT_DONE : command_out_of_memory();
}

int client_world_open(client_world_t *w, const option_t *rows, str_t url, client_asks_t asks)
{
    *w = (client_world_t){.a = arena_new(WORLD_BYTES),
                          .log = log_stderr(LOG_WARN),
                          .as_json = option_is_set(rows, "json"),
                          .stop_fd = eventfd(0, EFD_CLOEXEC)};
    if (!w->a || w->stop_fd < 0)
        return command_out_of_memory();
    int code = client_options_read(w->a, rows, url, &w->options);
    if (code == EXIT_DONE && w->options.verbose)
        w->log.min = LOG_DEBUG;
    w->reach = client_url_reach(url, w->options.tokens.reach);
    block_signals();
    command_forbid_core();
    if (code == EXIT_DONE)
        code = open_agent(w);
    if (code == EXIT_DONE)
        code = open_source(w, asks);
    if (code != EXIT_DONE)
        return code;
    w->has_signals = pthread_create(&w->signals, NULL, watch_signals, w) == 0;
    return w->has_signals ? EXIT_DONE : command_fail(EXIT_FAILED, "no thread could be started");
}

void client_world_close(client_world_t *w)
{
    if (w->has_signals)
        end_signals(w);
    tokens_source_free(w->source);
    http_agent_free(w->agent);
    tokens_folder_close(w->folder);
    tokens_desktop_close(w->desktop);
    tokens_memory_free(w->memory);
    jwk_free(&w->options.key);
    if (w->stop_fd >= 0)
        close(w->stop_fd);
    arena_free(w->a);
}
