#include "http/agent.h"

str_t http_agent_end_name(http_agent_end_t end)
{
    static const str_t NAMES[] = {
        [HTTP_AGENT_DONE] = STR_INIT("done"),
        [HTTP_AGENT_BAD_URL] = STR_INIT("bad_url"),
        [HTTP_AGENT_OUT_OF_REACH] = STR_INIT("out_of_reach"),
        [HTTP_AGENT_NO_NAME] = STR_INIT("no_name"),
        [HTTP_AGENT_REFUSED] = STR_INIT("refused"),
        [HTTP_AGENT_TLS] = STR_INIT("tls"),
        [HTTP_AGENT_TOO_LONG] = STR_INIT("too_long"),
        [HTTP_AGENT_TIMEOUT] = STR_INIT("timeout"),
        [HTTP_AGENT_BROKEN] = STR_INIT("broken"),
        [HTTP_AGENT_CANCELLED] = STR_INIT("cancelled"),
    };
    return NAMES[end];
}
