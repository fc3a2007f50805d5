/* watchlist: what the caller watches. A list belongs to issuer and subject of the token, never to a
 * name that the client could send. */
#include "core/json.h"
#include "finance_say.h"

static const char CONFIRM[] =
    "{\"type\":\"object\",\"properties\":{\"confirm\":{\"type\":\"boolean\",\"title\":\"Empty the "
    "watchlist\",\"description\":\"All its tickers are removed\",\"default\":false}},"
    "\"required\":[\"confirm\"]}";

static rc_t answer(finance_work_t *k, const char *action, size_t changed)
{
    str_list_t list;
    TRY(finance_watched(k, &list));
    warder_json_t *w = warder_mcp_structured(k->call);
    warder_json_string(w, "action", action);
    warder_json_integer(w, "changed", (int64_t)changed);
    warder_json_list(w, "tickers");
    for (size_t i = 0; i < list.n; i++)
        finance_put_str(k, w, NULL, list.v[i]);
    warder_json_end(w);
    warder_json_end(w);
    buf_t b = buf_new(k->a, FINANCE_TEXT_BYTES);
    if (strcmp(action, "list") != 0)
        buf_fmt(&b, "%zu changed. ", changed);
    buf_put(&b, STR("Watched: "));
    for (size_t i = 0; i < list.n; i++) {
        buf_put(&b, i > 0 ? STR(", ") : STR(""));
        buf_put(&b, list.v[i]);
    }
    buf_put(&b, list.n > 0 ? STR(".") : STR("nothing."));
    if (changed > 0 && k->f->mcp)
        warder_mcp_resource_updated(k->f->mcp, FINANCE_WATCHLIST_URI);
    return finance_say(k, &b);
}

static rc_t refuse(finance_work_t *k, const char *sentence)
{
    warder_mcp_error(k->call, sentence);
    return RC_OK;
}

/* --- the actions --- */

static rc_t list(finance_work_t *k, str_list_t tickers)
{
    (void)tickers;
    return answer(k, "list", 0);
}

static rc_t add(finance_work_t *k, str_list_t tickers)
{
    size_t changed;
    watchlist_owner_t who = finance_owner(k);
    if (tickers.n == 0)
        return refuse(k, "Give the `tickers` to add.");
    rc_t rc = watchlist_add(k->f->watchlists, &who, tickers, &changed);
    if (rc == RC_LIMIT)
        return refuse(k,
                      "Nothing was added: a watchlist holds at most 100 tickers, and this server "
                      "only so many lists. Remove some tickers first.");
    TRY(rc);
    return answer(k, "add", changed);
}

static rc_t take_away(finance_work_t *k, str_list_t tickers)
{
    size_t changed;
    watchlist_owner_t who = finance_owner(k);
    if (tickers.n == 0)
        return refuse(k, "Give the `tickers` to remove, or the action clear for all.");
    TRY(watchlist_remove(k->f->watchlists, &who, tickers, &changed));
    return answer(k, "remove", changed);
}

static rc_t give_name(finance_work_t *k, str_list_t tickers)
{
    watchlist_owner_t who = finance_owner(k);
    if (tickers.n != 2)
        return refuse(k, "Give two different `tickers`: the old one and the new one.");
    rc_t rc = watchlist_rename(k->f->watchlists, &who, tickers.v[0], tickers.v[1]);
    if (rc == RC_NOT_FOUND)
        return refuse(k, "The first of the two tickers is not watched.");
    if (rc == RC_CONFLICT)
        return refuse(k, "The second of the two tickers is watched already: remove the first.");
    TRY(rc);
    return answer(k, "rename", 1);
}

static bool is_confirmed(finance_work_t *k, const char *said)
{
    const json_t *answer;
    const char *action = warder_mcp_answer_action(k->call, "clear");
    return action && strcmp(action, "accept") == 0 &&
           json_parse(k->a, str_c(said), NULL, &answer) == RC_OK &&
           json_is(json_path(answer, STR("content.confirm")), JSON_TRUE);
}

/* A list cannot be brought back, so the person is asked where the client can ask. */
static rc_t clear(finance_work_t *k, str_list_t tickers)
{
    size_t changed;
    watchlist_owner_t who = finance_owner(k);
    (void)tickers;
    if (warder_mcp_client_can(k->call, "elicitation.form")) {
        const char *said = warder_mcp_elicit(
            k->call, "clear", "Shall all tickers be removed from your watchlist?", CONFIRM);
        if (!said) {
            k->next = WARDER_MCP_ASK;
            return RC_OK;
        }
        if (!is_confirmed(k, said))
            return answer(k, "clear", 0);
    }
    TRY(watchlist_clear(k->f->watchlists, &who, &changed));
    return answer(k, "clear", changed);
}

rc_t finance_watchlist(finance_work_t *k)
{
    static const struct {
        str_t name;
        rc_t (*act)(finance_work_t *k, str_list_t tickers);
    } ACTIONS[] = {
        {STR_INIT("list"), list},        {STR_INIT("add"), add},
        {STR_INIT("remove"), take_away}, {STR_INIT("rename"), give_name},
        {STR_INIT("clear"), clear},
    };
    str_list_t tickers;
    str_t action = finance_argument(k, "action");
    if (!finance_tickers(k, "tickers", WATCHLIST_TICKERS, &tickers))
        return RC_OK;
    for (size_t i = 0; i < sizeof ACTIONS / sizeof *ACTIONS; i++) {
        if (str_eq(ACTIONS[i].name, action))
            return ACTIONS[i].act(k, tickers);
    }
    return refuse(k, "Give `action`: list, add, remove, rename or clear.");
}
