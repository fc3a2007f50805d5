/* A file from anywhere, each line in each format: whatever is in it, a record stays one record. */
#include "audit/export.h"

#include <stdlib.h>

/* The only newline ends it; what is JSON stays JSON; a counted record is as long as it says. */
static void check(const audit_export_t *how, arena_t *a, str_t record)
{
    const json_t *json;
    if (how->octets) {
        size_t space = str_find(record, ' ', 0);
        if (strtoull(record.p, NULL, 10) != record.n - space - 1)
            abort();
        return;
    }
    if (str_find(record, '\n', 0) != record.n - 1)
        abort();
    bool is_json = how->format == AUDIT_EXPORT_OCSF || how->format == AUDIT_EXPORT_OTLP;
    if (is_json && json_parse(a, str_first(record, record.n - 1), NULL, &json) != RC_OK)
        abort();
}

static void export(const audit_export_t *how, arena_t *scratch, str_t line)
{
    uint64_t seq;
    arena_t *a = arena_new(64 << 20);
    buf_t b = buf_new(a, AUDIT_EXPORT_BYTES);
    if (audit_export_line(how, scratch, line, &b, &seq) == RC_OK)
        check(how, a, buf_str(&b));
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const audit_export_t HOWS[] = {
        {AUDIT_EXPORT_OCSF, STR_INIT("1"), STR_INIT("h"), false},
        {AUDIT_EXPORT_CEF, STR_INIT("1"), STR_INIT("h"), false},
        {AUDIT_EXPORT_SYSLOG, STR_INIT("1"), STR_INIT("h"), false},
        {AUDIT_EXPORT_SYSLOG, STR_INIT("1"), STR_INIT("h"), true},
        {AUDIT_EXPORT_OTLP, STR_INIT("1"), STR_INIT("h"), false},
    };
    arena_t *scratch = arena_new(64 << 20);
    str_t rest = str_of(data, size);
    while (rest.n > 0) {
        str_t line = str_first(rest, str_find(rest, '\n', 0) + 1);
        for (size_t i = 0; i < sizeof HOWS / sizeof HOWS[0]; i++)
            export(&HOWS[i], scratch, line);
        rest = str_skip(rest, line.n);
    }
    arena_free(scratch);
    return 0;
}
