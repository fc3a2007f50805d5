#include "proxy/relay.h"

#include "gate/handle.h"

/* What was asked, as event ids name it. */
static const char LISTS[] = {[MCP_LIST_TOOLS] = 't',
                             [MCP_LIST_RESOURCES] = 'r',
                             [MCP_LIST_TEMPLATES] = 'm',
                             [MCP_LIST_PROMPTS] = 'p',
                             [MCP_LIST_NONE] = 'o'};
enum { PRIVATE = 'c', NOTHING = '-' };

relay_asked_t asked_of(const mcp_operation_t *o)
{
    bool request = o->message.kind == MCP_REQUEST;
    bool reads = o->object == MCP_ON_RESOURCE || o->object == MCP_ON_PROMPT;
    return (relay_asked_t){
        .id = request ? o->message.id : STR_UNSET,
        .list = request ? mcp_list_kind(o->message.method) : MCP_LIST_NONE,
        .is_private = request && reads,
    };
}

static char letter_of(const relay_asked_t *asked)
{
    if (!asked->id.p)
        return NOTHING;
    return asked->is_private ? PRIVATE : LISTS[asked->list];
}

rc_t asked_pack(arena_t *a, const relay_asked_t *asked, str_t event, str_t *out)
{
    *out = STR_UNSET;
    if (event.n == 0 || event.n > RELAY_EVENT_ID_BYTES)
        return RC_LIMIT;
    *out = arena_printf(a, "%c%" PRIstr "\n%" PRIstr, letter_of(asked),
                        STR_ARG(asked->id.p ? asked->id : STR("")), STR_ARG(event));
    return out->p ? RC_OK : RC_MEMORY;
}

bool asked_unpack(str_t packed, relay_asked_t *asked, str_t *event)
{
    str_t id;
    *asked = (relay_asked_t){.id = STR_UNSET, .list = MCP_LIST_NONE};
    if (packed.n < 2 || !str_split(&packed, '\n', &id) || !packed.p)
        return false;
    char letter = id.p[0];
    *event = packed;
    if (letter == NOTHING)
        return true;
    asked->id = str_skip(id, 1);
    asked->is_private = letter == PRIVATE;
    while (asked->list > MCP_LIST_TOOLS && LISTS[asked->list] != letter)
        asked->list--;
    bool list = LISTS[asked->list] == letter;
    if (!list)
        asked->list = MCP_LIST_NONE;
    return list || asked->is_private;
}
