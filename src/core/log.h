/* Structured log: one JSON object a line on standard error, typed fields. There is no field type
 * for a secret_t, so none can be logged. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/rc.h"
#include "core/str.h"

typedef enum { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } log_level_t;

typedef struct {
    enum { LOG_FIELD_STR, LOG_FIELD_INT } type;
    str_t name;
    str_t s; /* escaped by the log; cut at LIMIT_LOG_FIELD_BYTES */
    int64_t i;
} log_field_t;

#define LOG_S(field, value) ((log_field_t){LOG_FIELD_STR, STR(field), (value), 0})
#define LOG_I(field, value) ((log_field_t){LOG_FIELD_INT, STR(field), STR_UNSET, (value)})

/** Where lines go and from which level on. One for the process, made in cmd/, passed down. */
typedef struct {
    void (*write)(void *ctx, str_t line); /* one whole line with its newline; any thread */
    void *ctx;
    _Atomic(log_level_t) min;     /* may be changed while others log */
    int64_t (*now_ms)(void *ctx); /* NULL: lines carry no time (tests) */
    void *clock_ctx;
} log_t;

/** Lines to file descriptor 2, each by one write(2). */
log_t log_stderr(log_level_t min);
/** Writes {"time":…,"level":…,"msg":…, fields…}. `log` NULL is silence. */
void log_write(const log_t *log, log_level_t level, str_t msg, const log_field_t *fields, size_t n);

#define LOG(log, level, msg, ...)                                                                  \
    log_write((log), (level), STR(msg), (const log_field_t[]){__VA_ARGS__},                        \
              sizeof((const log_field_t[]){__VA_ARGS__}) / sizeof(log_field_t))

#endif
