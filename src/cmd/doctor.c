/* warder doctor URL */
#include "cmd/command.h"
#include "cmd/options.h"
#include "core/num.h"
#include "doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { WORLD_BYTES = 96 << 20, REPORT_BYTES = 4 << 20, BUDGET_MAX = 1000 };

/* What the command line asks for. */
typedef struct {
    arena_t *a;
    http_agent_t *agent;
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
    o->config.budget = (unsigned)budget;
    o->config.only = option_get(rows, "client");
    o->config.clock = clock_system();
    o->config.random = random_system();
    if (isatty(STDERR_FILENO) == 1)
        o->config.says = says;
    return EXIT_DONE;
}

static int open_agent(order_t *o, const option_t *rows)
{
    const http_agent_config_t config = {.ca_file = option_get(rows, "ca-file"),
                                        .user_agent = STR("warder-doctor/" WARDER_VERSION)};
    rc_t rc = http_agent_new(&config, &o->agent);
    if (rc == RC_CONFIG)
        return command_fail(EXIT_SETTING,
                            "--ca-file '%" PRIstr "' holds no certificates that "
                            "can be read",
                            STR_ARG(config.ca_file));
    if (rc != RC_OK)
        return command_out_of_memory();
    o->config.http = http_agent_ask(o->agent);
    o->config.reach = option_is_set(rows, "private-networks") ? HTTP_REACH_ANY : HTTP_REACH_PUBLIC;
    return EXIT_DONE;
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
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
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
    option_t rows[] = {{.name = "json", .is_switch = true},
                       {.name = "html"},
                       {.name = "client"},
                       {.name = "budget"},
                       {.name = "private-networks", .is_switch = true},
                       {.name = "ca-file"},
                       {NULL}};
    str_t words[1] = {STR_UNSET};
    size_t n;
    order_t o = {.a = arena_new(WORLD_BYTES)};
    if (!o.a)
        return command_out_of_memory();
    int code = EXIT_USAGE;
    if (options_parse(argc, argv, rows, words, 1, &n))
        code = n == 1 ? read_options(&o, rows) : command_fail(EXIT_USAGE, "doctor wants a URL");
    o.config.url = words[0];
    if (code == EXIT_DONE)
        code = open_agent(&o, rows);
    if (code == EXIT_DONE)
        code = examine(&o);
    http_agent_free(o.agent);
    arena_free(o.a);
    return code;
}

const command_t CMD_DOCTOR = {
    .name = "doctor",
    .usage = "URL [--json] [--html FILE] [--client NAME] [--budget N]",
    .about = "says why clients fail to connect to an MCP server, and what mends it",
    .run = run,
};
