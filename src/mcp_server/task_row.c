#include "mcp_server/task_row.h"

#include <time.h>

enum { STAMP_BYTES = 32 };

static const str_t STATUS[] = {
    [MCP_TASK_WORKING] = STR_INIT("working"),     [MCP_TASK_INPUT] = STR_INIT("input_required"),
    [MCP_TASK_COMPLETED] = STR_INIT("completed"), [MCP_TASK_FAILED] = STR_INIT("failed"),
    [MCP_TASK_CANCELLED] = STR_INIT("cancelled"), [MCP_TASK_FLAWED] = STR_INIT("failed"),
};

static void write_stamp(json_writer_t *w, str_t key, int64_t ms)
{
    char text[STAMP_BYTES];
    struct tm tm;
    time_t s = (time_t)(ms / 1000);
    gmtime_r(&s, &tm);
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    json_member_str(w, key, str_of(text, n));
}

/* From its beginning, as ttlMs counts, to the end of what is kept after its last change: it grows
 * while the task works. */
static int64_t ttl_ms(const task_row_t *r, const mcp_tasks_config_t *config)
{
    int64_t from =
        r->status == MCP_TASK_WORKING ? config->clock.mono_ms(config->clock.ctx) : r->touched;
    return from - r->born + r->kept_ms;
}

static str_t body_key(mcp_task_status_t status)
{
    switch (status) {
    case MCP_TASK_INPUT:
        return STR("inputRequests");
    case MCP_TASK_COMPLETED:
        return STR("result");
    case MCP_TASK_FAILED:
        return STR("error");
    default:
        return STR_UNSET;
    }
}

void task_row_write(const task_row_t *r, const mcp_tasks_config_t *config, mcp_task_form_t form,
                    json_writer_t *w)
{
    json_member_str(w, STR("taskId"), str_of(r->id, sizeof r->id));
    json_member_str(w, STR("status"), STATUS[r->status]);
    if (r->message)
        json_member_str(w, STR("statusMessage"), str_of(r->message, r->message_n));
    write_stamp(w, STR("createdAt"), r->created_ms);
    write_stamp(w, STR("lastUpdatedAt"), r->updated_ms);
    bool plain = form == MCP_TASK_PLAIN;
    json_member_int(w, plain ? STR("ttl") : STR("ttlMs"), ttl_ms(r, config));
    json_member_int(w, plain ? STR("pollInterval") : STR("pollIntervalMs"), MCP_TASK_POLL_MS);
    if (form != MCP_TASK_WHOLE || !r->body || !body_key(r->status).p)
        return;
    json_key(w, body_key(r->status));
    json_raw(w, str_of(r->body, r->body_n));
}
