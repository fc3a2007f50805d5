#include "conf/conf_store.h"

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool conf_is_node_name(str_t name)
{
    if (name.n == 0 || name.n > CONF_NODE_NAME_MAX || !is_alnum(name.p[0]))
        return false;
    for (size_t i = 1; i < name.n; i++)
        if (!is_alnum(name.p[i]) && !strchr("._-", name.p[i]))
            return false;
    return true;
}

/* libpq's own words for what is a secret. */
static bool is_secret_word(str_t word)
{
    static const str_t WORDS[] = {STR_INIT("password"), STR_INIT("sslpassword"),
                                  STR_INIT("oauth_client_secret"), STR_INIT("scram_client_key"),
                                  STR_INIT("scram_server_key")};
    return str_list_has((str_list_t){WORDS, sizeof WORDS / sizeof WORDS[0]}, word);
}

/* KEY = VALUE, with spaces wherever. Values are not told from keys: a value with "password=" in it
 * is refused, too. */
static bool pairs_have_password(str_t text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '=')
            continue;
        str_t key = str_trim(str_first(text, i), " \t\r\n");
        size_t start = key.n;
        while (start > 0 && (is_alnum(key.p[start - 1]) || key.p[start - 1] == '_'))
            start--;
        if (is_secret_word(str_skip(key, start)))
            return true;
    }
    return false;
}

/* Words may be percent-encoded in a URI, but nobody needs that. */
static bool query_has_password(str_t query)
{
    str_t pair;
    while (str_split(&query, '&', &pair)) {
        str_t key = str_first(pair, str_find(pair, '=', 0));
        if (is_secret_word(key) || str_find(key, '%', 0) < key.n)
            return true;
    }
    return false;
}

/* scheme://USER:PASSWORD@host/name?KEY=VALUE&… */
static bool uri_has_password(str_t rest)
{
    size_t slash = str_find(rest, '/', 0), at = str_find(rest, '@', 0);
    size_t colon = str_find(rest, ':', 0), query = str_find(rest, '?', 0);
    if (at < rest.n && at < slash && colon < at)
        return true;
    return query < rest.n && query_has_password(str_skip(rest, query + 1));
}

bool conf_has_password(str_t conninfo)
{
    static const str_t SCHEMES[] = {STR_INIT("postgresql://"), STR_INIT("postgres://")};
    for (size_t i = 0; i < sizeof SCHEMES / sizeof SCHEMES[0]; i++)
        if (str_starts(conninfo, SCHEMES[i]))
            return uri_has_password(str_skip(conninfo, SCHEMES[i].n));
    return pairs_have_password(conninfo);
}

static rc_t refuse(arena_t *a, const conf_raw_t *raw, const char *key, const char *mend, str_t *why)
{
    size_t row = conf_row_find(str_c(key));
    return conf_refuse(a, &CONF_ROWS[row], &raw[row], str_c(mend), why);
}

static rc_t refuse_password(arena_t *a, const conf_raw_t *raw, str_t *why)
{
    size_t row = conf_row_find(STR("postgres"));
    conf_raw_t hidden = raw[row];
    hidden.text = STR("***");
    return conf_refuse(a, &CONF_ROWS[row], &hidden,
                       STR("leave out the password, which settings do not hide, and name a file "
                           "with it by postgres_password_file"),
                       why);
}

rc_t conf_check_store(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_t *why)
{
    if (conf_has_password(conf->postgres))
        return refuse_password(a, raw, why);
    if (str_eq(conf->store, STR("postgres")) && conf->postgres.n == 0)
        return refuse(a, raw, "store",
                      "say by postgres how the server is reached, such as "
                      "postgresql://warder@db.example.com/warder?sslmode=verify-full",
                      why);
    if (conf->node.n > 0 && !conf_is_node_name(conf->node))
        return refuse(a, raw, "node",
                      "give up to 64 letters, digits, '.', '_' and '-', beginning with a letter "
                      "or digit",
                      why);
    return RC_OK;
}
