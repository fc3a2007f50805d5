/* What a host may ask for, and who answers it where the eras differ. */
#include "bridge/talk_do.h"

static const talk_method_t METHODS[] = {
    {STR_INIT("initialize"), talk_twice, talk_down_removed, true, false, false, false},
    {STR_INIT("ping"), talk_up_ping, talk_down_removed, true, false, false, false},
    {STR_INIT("logging/setLevel"), talk_up_level, talk_down_removed, true, false, false, false},
    {STR_INIT("resources/subscribe"), talk_up_subscribe, talk_down_removed, true, false, false,
     false},
    {STR_INIT("resources/unsubscribe"), talk_up_unsubscribe, talk_down_removed, true, false, false,
     false},
    {STR_INIT("server/discover"), NULL, talk_down_discover, true, false, true, false},
    {STR_INIT("subscriptions/listen"), NULL, talk_down_listen, true, false, false, true},
    {STR_INIT("tools/list"), NULL, NULL, true, false, true, false},
    {STR_INIT("tools/call"), NULL, NULL, false, true, false, false},
    {STR_INIT("prompts/list"), NULL, NULL, true, false, true, false},
    {STR_INIT("prompts/get"), NULL, NULL, true, true, false, false},
    {STR_INIT("resources/list"), NULL, NULL, true, false, true, false},
    {STR_INIT("resources/templates/list"), NULL, NULL, true, false, true, false},
    {STR_INIT("resources/read"), NULL, NULL, true, true, true, false},
    {STR_INIT("completion/complete"), NULL, NULL, true, false, false, false},
};

const talk_method_t *talk_method(str_t name)
{
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
        if (str_eq(METHODS[i].name, name))
            return &METHODS[i];
    }
    return NULL;
}

const talk_pair_t *talk_pair(mcp_era_t host, mcp_era_t server)
{
    static const talk_pair_t *const PAIRS[][2] = {
        [MCP_ERA_HANDSHAKE] =
            {[MCP_ERA_HANDSHAKE] = &TALK_SAME_HANDSHAKE, [MCP_ERA_STATELESS] = &TALK_UP},
        [MCP_ERA_STATELESS] =
            {[MCP_ERA_HANDSHAKE] = &TALK_DOWN, [MCP_ERA_STATELESS] = &TALK_SAME_STATELESS},
    };
    return PAIRS[host][server];
}
