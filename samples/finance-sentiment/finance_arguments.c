/* Arguments come from a model: each refusal says in one sentence what to send instead, and repeats
 * nothing of what was sent. */
#include "finance.h"

static bool only_has(const json_t *arguments, str_list_t names)
{
    for (const json_t *e = arguments ? arguments->child : NULL; e; e = e->next) {
        if (!str_list_has(names, e->key))
            return false;
    }
    return true;
}

static bool is_ticker_byte(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(".:-", c);
}

/* "$acme " is what people write; ACME is meant. */
static str_t read_ticker(arena_t *a, str_t given)
{
    str_t t = str_trim(given, " ");
    t = str_starts(t, STR("$")) ? str_skip(t, 1) : t;
    if (t.n == 0 || t.n > ALPHA_TICKER_BYTES)
        return STR_UNSET;
    char *p = arena_alloc(a, t.n);
    for (size_t i = 0; p && i < t.n; i++) {
        char c = t.p[i];
        p[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        if (p[i] == '\0' || !is_ticker_byte(p[i]))
            return STR_UNSET;
    }
    return str_of(p, p ? t.n : 0);
}

static bool read_limit(const json_t *v, size_t *out)
{
    int64_t n = FINANCE_ARTICLES;
    if (v && (!json_i64(v, &n) || n < 1 || n > FINANCE_ARTICLES_MAX))
        return false;
    *out = (size_t)n;
    return true;
}

static bool read_time(arena_t *a, const json_t *arguments, str_t name, str_t *out)
{
    const json_t *v = json_get(arguments, name);
    *out = json_is(v, JSON_STRING) ? news_time(a, v->str) : STR_UNSET;
    return !v || out->p;
}

str_t finance_news_arguments(arena_t *a, const json_t *arguments, news_query_t *out)
{
    static const str_t NAMES[] = {STR_INIT("ticker"), STR_INIT("limit"), STR_INIT("time_from"),
                                  STR_INIT("time_to")};
    *out = (news_query_t){0};
    if (!only_has(arguments, (str_list_t){NAMES, sizeof NAMES / sizeof *NAMES}))
        return STR("get_news_sentiment takes the arguments ticker, limit, time_from and time_to, "
                   "and no others.");
    out->ticker = read_ticker(a, json_get_str(arguments, STR("ticker")));
    if (!out->ticker.p)
        return STR("Give `ticker`, a stock symbol such as \"ACME\": 1 to 20 letters, digits, '.', "
                   "':' or '-'.");
    if (!read_limit(json_get(arguments, STR("limit")), &out->limit))
        return STR("Give `limit` as a whole number from 1 to 50, or leave it out for 10.");
    if (!read_time(a, arguments, STR("time_from"), &out->from) ||
        !read_time(a, arguments, STR("time_to"), &out->to))
        return STR("Give `time_from` and `time_to` in UTC, as \"2026-05-03\" or "
                   "\"2026-05-03T12:00:00Z\", or leave them out.");
    if (out->from.p && out->to.p && str_cmp(out->from, out->to) >= 0)
        return STR("Give a `time_from` that is before `time_to`.");
    return STR_UNSET;
}

str_t finance_analyze_arguments(const json_t *arguments, str_t *text)
{
    static const str_t NAMES[] = {STR_INIT("text")};
    *text = json_get_str(arguments, STR("text"));
    if (!only_has(arguments, (str_list_t){NAMES, 1}))
        return STR("analyze_sentiment takes the argument text, and no others.");
    if (str_trim(*text, " \t\r\n").n == 0)
        return STR("Give `text`, the financial text to score, as a string that is not empty.");
    if (text->n > ENGINE_TEXT_BYTES)
        return STR("The text is longer than 65536 bytes: send it in parts, or only what matters.");
    return STR_UNSET;
}
