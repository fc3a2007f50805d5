#include "cmd/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

enum { MESSAGE_BYTES = 1024 };

/* One line, whatever is in it. */
static void write_message(char message[MESSAGE_BYTES], const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));

static void write_message(char message[MESSAGE_BYTES], const char *fmt, va_list args)
{
    vsnprintf(message, MESSAGE_BYTES, fmt, args);
    for (char *c = message; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

static _Thread_local char last_failure[MESSAGE_BYTES];

const char *command_last_failure(void)
{
    return last_failure;
}

int command_fail(int code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    write_message(last_failure, fmt, args);
    va_end(args);
    fprintf(stderr, "warder: %s\n", last_failure);
    return code;
}

int command_out_of_memory(void)
{
    return command_fail(EXIT_FAILED, "out of memory");
}

str_t command_time(arena_t *a, int64_t seconds)
{
    char text[32];
    struct tm tm;
    time_t t = (time_t)seconds;
    if (!gmtime_r(&t, &tm) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return STR_UNSET;
    return arena_dup(a, str_c(text));
}

int command_refuse(refusal_t *r, int code, const char *fmt, ...)
{
    char message[MESSAGE_BYTES];
    va_list args;
    va_start(args, fmt);
    write_message(message, fmt, args);
    va_end(args);
    if (!r)
        return command_fail(code, "%s", message);
    r->why = arena_dup(r->a, str_c(message));
    if (!str_is_set(r->why))
        r->why = STR("out of memory");
    return code;
}

/* One byte and not none: with that the kernel also runs no program that would collect it (core(5),
 * core_pattern). */
void command_forbid_core(void)
{
    static const struct rlimit ONE = {1, 1};
    setrlimit(RLIMIT_CORE, &ONE);
}
