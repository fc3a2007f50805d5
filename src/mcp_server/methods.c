/* The table of methods. */
#include "mcp_server/server_state.h"

enum { H = 1 << MCP_ERA_HANDSHAKE, S = 1 << MCP_ERA_STATELESS };

static const mcp_method_t METHODS[] = {
    {STR_INIT("initialize"), H, true, false, mcp_do_initialize},
    {STR_INIT("ping"), H, true, true, mcp_do_ping},
    {STR_INIT("server/discover"), S, false, false, mcp_do_discover},
    {STR_INIT("tools/list"), H | S, false, false, mcp_do_list_tools},
    {STR_INIT("tools/call"), H | S, false, true, mcp_do_call_tool},
    {STR_INIT("resources/list"), H | S, false, false, mcp_do_list_resources},
    {STR_INIT("resources/templates/list"), H | S, false, false, mcp_do_list_templates},
    {STR_INIT("resources/read"), H | S, false, true, mcp_do_read_resource},
    {STR_INIT("resources/subscribe"), H, false, false, mcp_do_subscribe},
    {STR_INIT("resources/unsubscribe"), H, false, false, mcp_do_unsubscribe},
    {STR_INIT("prompts/list"), H | S, false, false, mcp_do_list_prompts},
    {STR_INIT("prompts/get"), H | S, false, true, mcp_do_get_prompt},
    {STR_INIT("completion/complete"), H | S, false, true, mcp_do_complete},
    {STR_INIT("logging/setLevel"), H, false, false, mcp_do_set_level},
    {STR_INIT("subscriptions/listen"), S, false, false, mcp_do_listen},
    {STR_INIT("tasks/get"), H | S, false, false, mcp_do_task_get},
    {STR_INIT("tasks/update"), S, false, false, mcp_do_task_update},
    {STR_INIT("tasks/cancel"), H | S, false, false, mcp_do_task_cancel},
    {STR_INIT("tasks/list"), H, false, false, mcp_do_task_list},
    {STR_INIT("tasks/result"), H, false, false, mcp_do_task_result},
};

const mcp_method_t *mcp_method_find(mcp_era_t era, str_t name)
{
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
        if (str_eq(METHODS[i].name, name))
            return METHODS[i].eras & (1U << era) ? &METHODS[i] : NULL;
    }
    return NULL;
}
