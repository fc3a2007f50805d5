/* warder doctor URL */
#include "cmd/client_world.h"
#include "core/num.h"
#include "doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORLD_BYTES = 96 << 20, REPORT_BYTES = 4 << 20, BUDGET_MAX = 1000 };

/* What the command line asks for. */
typedef struct {
    arena_t *a;
    client_world_t world;
    doctor_config_t config;
    str_t html; /* path of a page; unset: none */
    bool json;
} order_t;

static void says(void *ctx, str_t sentence)
{
    (void)ctx;
    fprintf(stderr, "warder: %" PRIstr "\n", STR_ARG(sentence));
}

static int read_options(order_t *o, const option_t *rows)
{
    int64_t budget = 0;
    str_t text = option_get(rows, "budget");
    if (text.p && !num_i64(text, 1, BUDGET_MAX, &budget))
        return command_fail(EXIT_USAGE, "--budget wants a number from 1 to %d", BUDGET_MAX);
    o->json = option_is_set(rows, "json");
    o->html = option_get(rows, "html");
    o->config = (doctor_config_t){
        .budget = (unsigned)budget,
        .only = option_get(rows, "client"),
        .sign_in = option_is_set(rows, "sign-in"),
        .says = isatty(STDERR_FILENO) == 1 || option_is_set(rows, "verbose") ? says : NULL};
    return EXIT_DONE;
}

/* Nothing is kept, whatever the person keeps otherwise. */
static void keep_nothing(option_t *rows)
{
    for (; rows->name; rows++) {
        bool folder = strcmp(rows->name, "folder") == 0;
        if (!folder && strcmp(rows->name, "keep") != 0)
            continue;
        rows->n = folder ? 0 : 1;
        rows->values[0] = STR("memory");
    }
}

/* There is nothing to tidy up, so that signals may end it at once. */
static void let_signals_end_it(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
}

static int open_world(order_t *o, option_t *rows, str_t url)
{
    keep_nothing(rows);
    int code = client_world_open(&o->world, rows, url,
                                 o->config.sign_in ? CLIENT_ASK_ALWAYS : CLIENT_ASK_NOBODY);
    let_signals_end_it();
    if (code != EXIT_DONE)
        return code;
    o->config.url = url;
    o->config.tokens = o->world.options.tokens;
    o->config.http = o->config.tokens.http;
    o->config.clock = o->config.tokens.clock;
    o->config.random = o->config.tokens.random;
    o->config.reach = o->config.tokens.reach;
    return EXIT_DONE;
}

/* An old file may have been open to others, which the new page is not. */
static int open_page(const char *path)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || fchmod(fd, 0600) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* A report may name hosts of a network that are nobody else's business. */
static int write_page(const order_t *o, const doctor_report_t *report)
{
    str_t text;
    buf_t b = buf_new(o->a, REPORT_BYTES);
    const char *path = arena_cstr(o->a, o->html);
    doctor_report_html(report, &b);
    if (!path || buf_done(&b, &text) != RC_OK)
        return command_fail(EXIT_FAILED, "the page could not be made");
    int fd = open_page(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool well = file && fwrite(text.p, 1, text.n, file) == text.n;
    if (file ? fclose(file) != 0 || !well : true)
        return command_fail(EXIT_FAILED, "'%s' cannot be written: %s", path, strerror(errno));
    return EXIT_DONE;
}

static int print(const order_t *o, const doctor_report_t *report)
{
    str_t text;
    buf_t b = buf_new(o->a, REPORT_BYTES);
    if (o->json)
        doctor_report_json(report, &b);
    else
        doctor_report_text(report, isatty(STDOUT_FILENO) == 1, &b);
    if (buf_done(&b, &text) != RC_OK)
        return command_fail(EXIT_FAILED, "the report could not be made");
    fwrite(text.p, 1, text.n, stdout);
    return fflush(stdout) == 0 ? EXIT_DONE
                               : command_fail(EXIT_FAILED, "the report could not be printed");
}

/* 0: nothing that keeps anybody out; else what the world, or the server, did. */
static int verdict(const doctor_report_t *report)
{
    if (doctor_report_grade(report) != DOCTOR_FAULT)
        return EXIT_DONE;
    return doctor_report_reached(report) ? EXIT_REFUSED : EXIT_FAILED;
}

static int examine(const order_t *o)
{
    const doctor_report_t *report;
    rc_t rc = doctor_run(o->a, &o->config, &report);
    if (rc == RC_MALFORMED)
        return command_fail(EXIT_USAGE, "doctor wants an absolute http or https URL, without user "
                                        "name and fragment");
    if (rc == RC_CONFIG)
        return command_fail(EXIT_USAGE, "--client: there is no client of that name; "
                                        "docs/DOCTOR.md lists them");
    if (rc != RC_OK)
        return command_fail(EXIT_FAILED, "this machine failed: %s", rc_name(rc));
    int code = print(o, report);
    if (code == EXIT_DONE && o->html.p)
        code = write_page(o, report);
    return code == EXIT_DONE ? verdict(report) : code;
}

static int run(int argc, char **argv)
{
    option_t rows[] = {CLIENT_OPTION_ROWS,
                       {.name = "json", .is_switch = true},
                       {.name = "html"},
                       {.name = "client"},
                       {.name = "budget"},
                       {.name = "sign-in", .is_switch = true},
                       {NULL}};
    str_t url = STR_UNSET;
    if (!options_parse_one(argc, argv, rows, "doctor wants a URL, as https://mcp.example.com/mcp",
                           &url))
        return EXIT_USAGE;
    order_t o = {.a = arena_new(WORLD_BYTES)};
    if (!o.a)
        return command_out_of_memory();
    int code = read_options(&o, rows);
    if (code != EXIT_DONE) {
        arena_free(o.a);
        return code;
    }
    code = open_world(&o, rows, url);
    if (code == EXIT_DONE)
        code = examine(&o);
    client_world_close(&o.world);
    arena_free(o.a);
    return code;
}

const command_t CMD_DOCTOR = {
    .name = "doctor",
    .usage = "URL [--sign-in] [--json] [--html FILE] [--client NAME] [--budget N] "
             "[client options]",
    .about = "says why clients fail to connect to an MCP server, and what mends it",
    .run = run,
};
