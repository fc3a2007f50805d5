#include "options.h"

#include "core/num.h"
#include "http/addr.h"
#include "live.h"

#include <stddef.h>

enum {
    CALLS_MAX = 1000000,
    MAX_AGE_MAX = 31536000,
    REFETCH_MAX = 3600,
    KEEP_LEAST = 100,
    KEEP_MAX = 5000000,
    KEEP_DAYS_MAX = 36500
};

const char OPTIONS_HELP[] =
    "finance-sentiment --listen ADDR:PORT --issuer URL [--resource URI] [--feed PATH] "
    "[--data DIR] [--calls-per-minute N] [--dpop MODE] [--dpop-nonce on|off] "
    "[--acr-values VALUES] [--max-age SECONDS] [--refetch SECONDS] [--client-id ID] "
    "[--live-cache MINUTES] [--live-budget N] [--keep-articles N] [--keep-days N] "
    "[--lists all|own]\n"
    "finance-sentiment --stdio [--feed PATH] [--data DIR] [--live-cache MINUTES] [--live-budget N] "
    "[--keep-articles N] [--keep-days N]\n"
    "\n"
    "An MCP server for news about stocks, protected by an OAuth 2.1 authorization server; with\n"
    "--stdio it serves the program that has started it.\n"
    "\n"
    "  --listen ADDR:PORT  where to listen; port 0 takes a free one\n"
    "  --issuer URL        the authorization server whose tokens are taken\n"
    "  --resource URI      what clients call this server; by default http://ADDR:PORT/mcp\n"
    "  --feed PATH         a file of news (JSON, RSS or Atom), or a folder of *.json, *.xml, *.rss "
    "and\n"
    "                      *.atom, read again when they change; by default a built-in one\n"
    "  --data DIR          where audit.log and the databases go; by default\n"
    "                      $XDG_STATE_HOME/finance-sentiment or ~/.local/state/finance-sentiment\n"
    "  --keep-articles N   in news.db, from 100 on; the oldest go; by default 100000\n"
    "  --keep-days N       how old they may be; by default 3650\n"
    "  --calls-per-minute N  of tools, by one user of one client; by default 6000\n"
    "  --dpop MODE         tokens bound to a key of the client (RFC 9449): off, optional (as by\n"
    "                      default) or required\n"
    "  --dpop-nonce on     proofs of such keys must hold a nonce of this server\n"
    "  --acr-values VALUES people must have signed in in one of these ways (RFC 9470), with "
    "spaces\n"
    "                      between them\n"
    "  --max-age SECONDS   and no longer ago than that\n"
    "  --refetch SECONDS   between two looks for a key that a token names; by default 10\n"
    "  --client-id ID      this server's registration at the issuer: opaque tokens are asked "
    "about\n"
    "                      there, with the secret of FINANCE_CLIENT_SECRET in the environment\n"
    "  --lists all|own     whether lists show all tools (by default, so that hosts can step up) "
    "or\n"
    "                      those that the token may use\n"
    "  --live-cache MINUTES  how long live news about a stock are not asked for again: 15 to 60, "
    "by\n"
    "                      default 30\n"
    "  --live-budget N     requests for live news a day (UTC); by default 20\n"
    "\n"
    "ALPHAVANTAGE_API_KEY in the environment adds live news.\n"
    "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 wrong setting.\n";

/* --name VALUE or --name=VALUE into a member of options_t. */
static const struct {
    str_t name;
    size_t member;
} ROWS[] = {
    {STR_INIT("--listen"), offsetof(options_t, listen)},
    {STR_INIT("--issuer"), offsetof(options_t, issuer)},
    {STR_INIT("--resource"), offsetof(options_t, resource)},
    {STR_INIT("--feed"), offsetof(options_t, feed)},
    {STR_INIT("--data"), offsetof(options_t, data)},
    {STR_INIT("--calls-per-minute"), offsetof(options_t, calls)},
    {STR_INIT("--dpop"), offsetof(options_t, dpop)},
    {STR_INIT("--dpop-nonce"), offsetof(options_t, nonce)},
    {STR_INIT("--acr-values"), offsetof(options_t, acr_values)},
    {STR_INIT("--max-age"), offsetof(options_t, max_age)},
    {STR_INIT("--refetch"), offsetof(options_t, refetch)},
    {STR_INIT("--client-id"), offsetof(options_t, client_id)},
    {STR_INIT("--lists"), offsetof(options_t, lists)},
    {STR_INIT("--live-cache"), offsetof(options_t, live_cache)},
    {STR_INIT("--live-budget"), offsetof(options_t, live_budget)},
    {STR_INIT("--keep-articles"), offsetof(options_t, keep)},
    {STR_INIT("--keep-days"), offsetof(options_t, keep_for)},
};

static bool say(str_t *why, str_t text)
{
    *why = text;
    return false;
}

static const char **find(options_t *o, str_t name)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (str_eq(ROWS[i].name, name))
            return (const char **)((char *)o + ROWS[i].member);
    }
    return NULL;
}

/* The value of argv[*i], in it or behind it; moves *i onto it. */
static const char *value_of(int argc, char **argv, int *i, str_t name)
{
    if (argv[*i][name.n] == '=')
        return argv[*i] + name.n + 1;
    return *i + 1 < argc ? argv[++*i] : NULL;
}

static bool read_rows(arena_t *a, int argc, char **argv, options_t *o, str_t *why)
{
    for (int i = 0; i < argc; i++) {
        str_t name = str_first(str_c(argv[i]), strcspn(argv[i], "="));
        if (strcmp(argv[i], "--stdio") == 0) {
            o->stdio = true;
            continue;
        }
        const char **at = find(o, name);
        if (!at)
            return say(why, arena_printf(a, "no option '%s'; 'finance-sentiment --help' lists them",
                                         argv[i]));
        const char *value = value_of(argc, argv, &i, name);
        if (!value || !*value)
            return say(why, arena_printf(a, "%" PRIstr " wants a value", STR_ARG(name)));
        if (*at)
            return say(why,
                       arena_printf(a, "%" PRIstr " is given twice; leave one out", STR_ARG(name)));
        *at = value;
    }
    return true;
}

/* "127.0.0.1:8081" or "[::1]:8081". */
static bool read_listen(options_t *o)
{
    http_addr_t addr;
    uint64_t port;
    str_t all = str_c(o->listen);
    size_t colon = all.n;
    while (colon > 0 && all.p[colon - 1] != ':')
        colon--;
    if (colon == 0 || !num_u64(str_skip(all, colon), 65535, &port))
        return false;
    str_t host = str_first(all, colon - 1);
    bool brackets = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    o->host = brackets ? str_of(host.p + 1, host.n - 2) : host;
    o->port = (uint16_t)port;
    return http_addr_parse(o->host, &addr) == RC_OK && brackets == (addr.family == 6);
}

static bool read_calls(options_t *o)
{
    uint64_t n = 0;
    if (!o->calls)
        return true;
    bool good = num_u64(str_c(o->calls), CALLS_MAX, &n) && n > 0;
    o->calls_per_minute = (uint32_t)n;
    return good;
}

/* From 1 to `max`; 0 where none is given. */
static bool read_seconds(const char *given, uint64_t max, int *out)
{
    uint64_t n = 0;
    if (!given)
        return true;
    bool good = num_u64(str_c(given), max, &n) && n > 0;
    *out = (int)n;
    return good;
}

/* Numbers in a range; NULL leaves 0, which is the default of whoever uses it. */
static bool read_store(options_t *o, str_t *why)
{
    const struct {
        const char *given;
        uint64_t least, most;
        int *out;
        str_t why;
    } NUMBERS[] = {
        {o->live_cache, LIVE_CACHE_LEAST, LIVE_CACHE_MOST, &o->live_cache_minutes,
         STR("--live-cache wants a number of minutes from 15 to 60")},
        {o->live_budget, 1, LIVE_BUDGET_MOST, &o->live_budget_n,
         STR("--live-budget wants a number of requests a day from 1 to 100000; for no live news "
             "unset ALPHAVANTAGE_API_KEY")},
        {o->keep, KEEP_LEAST, KEEP_MAX, &o->keep_articles,
         STR("--keep-articles wants a number from 100 to 5000000")},
        {o->keep_for, 1, KEEP_DAYS_MAX, &o->keep_days,
         STR("--keep-days wants a number from 1 to 36500")},
    };
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        uint64_t n = 0;
        if (!NUMBERS[i].given)
            continue;
        if (!num_u64(str_c(NUMBERS[i].given), NUMBERS[i].most, &n) || n < NUMBERS[i].least)
            return say(why, NUMBERS[i].why);
        *NUMBERS[i].out = (int)n;
    }
    return true;
}

static bool read_dpop(options_t *o)
{
    static const char *const MODES[] = {[WARDER_RS_DPOP_OFF] = "off",
                                        [WARDER_RS_DPOP_OPTIONAL] = "optional",
                                        [WARDER_RS_DPOP_REQUIRED] = "required"};
    const char *mode = o->dpop ? o->dpop : "optional";
    const char *nonce = o->nonce ? o->nonce : "off";
    o->dpop_nonce = strcmp(nonce, "on") == 0;
    if (!o->dpop_nonce && strcmp(nonce, "off") != 0)
        return false;
    for (size_t i = 0; i < sizeof MODES / sizeof MODES[0]; i++)
        if (strcmp(MODES[i], mode) == 0) {
            o->dpop_mode = (warder_rs_dpop_t)i;
            return true;
        }
    return false;
}

static bool read_lists(options_t *o)
{
    const char *lists = o->lists ? o->lists : "all";
    o->lists_own = strcmp(lists, "own") == 0;
    return o->lists_own || strcmp(lists, "all") == 0;
}

/* Of standard streams there is nobody to ask and nothing to listen on. */
static bool read_stdio(options_t *o, str_t *why)
{
    if (o->listen || o->issuer || o->resource)
        return say(why, STR("--stdio serves the program that has started it: leave --listen, "
                            "--issuer and --resource out"));
    return read_store(o, why);
}

bool options_read(arena_t *a, int argc, char **argv, options_t *out, str_t *why)
{
    *out = (options_t){0};
    out->help = argc == 1 && strcmp(argv[0], "--help") == 0;
    out->version = argc == 1 && strcmp(argv[0], "--version") == 0;
    if (out->help || out->version)
        return true;
    if (!read_rows(a, argc, argv, out, why))
        return false;
    if (out->stdio)
        return read_stdio(out, why);
    if (!out->listen || !out->issuer)
        return say(why, STR("give --listen ADDR:PORT and --issuer URL, the address of the "
                            "authorization server"));
    if (!read_listen(out))
        return say(why, STR("--listen wants an address and a port, such as 127.0.0.1:8081 or "
                            "[::1]:8081"));
    if (!read_calls(out))
        return say(why, STR("--calls-per-minute wants a number from 1 to 1000000"));
    if (!read_seconds(out->refetch, REFETCH_MAX, &out->refetch_s))
        return say(why, STR("--refetch wants a number of seconds from 1 to 3600"));
    if (!read_seconds(out->max_age, MAX_AGE_MAX, &out->max_age_s))
        return say(why, STR("--max-age wants a number of seconds from 1 to 31536000"));
    if (!read_lists(out))
        return say(why, STR("--lists wants all or own"));
    if (!read_dpop(out))
        return say(why, STR("--dpop wants off, optional or required, and --dpop-nonce on or off"));
    return read_store(out, why);
}
