#include "cmd/client_ask.h"

#include "client/plain.h"
#include "client/url_rule.h"
#include "core/num.h"
#include "core/url.h"
#include "tokens/browser.h"

#include <stdio.h>

enum { SAID_BYTES = 1024, LINE_BYTES = 4096, ANSWER_BYTES = 64 << 10 };

static void say(arena_t *a, const char *before, str_t text, const char *after)
{
    str_t plain = client_plain(a, text, SAID_BYTES);
    fprintf(stderr, "%s%" PRIstr "%s", before, STR_ARG(plain), after);
}

/* A line of standard input without its end; unset: it has ended. */
static str_t read_line(arena_t *a)
{
    char line[LINE_BYTES];
    fflush(stderr);
    if (!fgets(line, sizeof line, stdin))
        return STR_UNSET;
    return arena_dup(a, str_trim(str_c(line), "\r\n"));
}

static bool says_yes(str_t line)
{
    return str_eq_nocase(line, STR("y")) || str_eq_nocase(line, STR("yes"));
}

/* Writes the value of one property as its schema wants it; false: it does not fit. */
static bool write_value(json_writer_t *w, const json_t *schema, str_t line)
{
    str_t type = json_get_str(schema, STR("type"));
    int64_t whole;
    double number;
    if (str_eq(type, STR("boolean"))) {
        json_bool(w, says_yes(line) || str_eq_nocase(line, STR("true")));
        return true;
    }
    if (str_eq(type, STR("integer"))) {
        if (!num_i64(line, INT64_MIN, INT64_MAX, &whole))
            return false;
        json_int(w, whole);
        return true;
    }
    if (str_eq(type, STR("number"))) {
        if (!num_f64(line, &number))
            return false;
        json_double(w, number);
        return true;
    }
    if (!str_eq(type, STR("array"))) {
        json_str(w, line);
        return true;
    }
    str_t part;
    json_begin_array(w);
    while (str_split(&line, ',', &part))
        json_str(w, str_trim(part, " "));
    json_end_array(w);
    return true;
}

static void say_property(arena_t *a, const json_t *p)
{
    const json_t *fallback = json_get(p, STR("default")), *words = json_get(p, STR("enum"));
    str_t about = json_get_str(p, STR("description"));
    str_t title = json_get_str(p, STR("title"));
    say(a, "  ", title.p ? title : p->key, "");
    if (about.p)
        say(a, " (", about, ")");
    if (json_is(words, JSON_ARRAY))
        say(a, " one of ", words->raw, "");
    else if (str_eq(json_get_str(p, STR("type")), STR("boolean")))
        fputs(" yes or no", stderr);
    else if (str_eq(json_get_str(p, STR("type")), STR("array")))
        fputs(" several, with commas between", stderr);
    if (fallback)
        say(a, " [", fallback->raw, "]");
    fputs(": ", stderr);
}

/* False: standard input has ended. A property that stays empty and has no default is left out. */
static bool ask_property(arena_t *a, json_writer_t *w, const json_t *p)
{
    const json_t *fallback = json_get(p, STR("default"));
    for (int tries = 0; tries < 3; tries++) {
        say_property(a, p);
        str_t line = read_line(a);
        if (!line.p)
            return false;
        if (line.n == 0 && !fallback)
            return true;
        buf_t one = buf_new(a, LINE_BYTES * 2);
        json_writer_t value = json_writer(&one);
        str_t text = STR_UNSET;
        bool fits = line.n > 0 ? write_value(&value, p, line) : true;
        if (line.n == 0)
            text = fallback->raw;
        else if (fits && buf_done(&one, &text) != RC_OK)
            return false;
        if (fits) {
            json_key(w, p->key);
            json_raw(w, text);
            return true;
        }
        fputs("  That does not fit.\n", stderr);
    }
    return true;
}

static bool answer(json_writer_t *w, buf_t *b, str_t *result)
{
    json_end_object(w);
    return buf_done(b, result) == RC_OK;
}

static bool ask_form(arena_t *a, const json_t *params, str_t *result)
{
    buf_t b = buf_new(a, ANSWER_BYTES);
    json_writer_t w = json_writer(&b);
    const json_t *fields = json_get(json_get(params, STR("requestedSchema")), STR("properties"));
    say(a, "\nThe server asks: ", json_get_str(params, STR("message")), "\nAnswer? [y/N] ");
    str_t line = read_line(a);
    json_begin_object(&w);
    json_member_str(&w, STR("action"),
                    !line.p          ? STR("cancel")
                    : says_yes(line) ? STR("accept")
                                     : STR("decline"));
    if (!says_yes(line))
        return answer(&w, &b, result);
    json_key(&w, STR("content"));
    json_begin_object(&w);
    for (const json_t *p = json_is(fields, JSON_OBJECT) ? fields->child : NULL; p; p = p->next) {
        if (!ask_property(a, &w, p))
            return false;
    }
    json_end_object(&w);
    return answer(&w, &b, result);
}

static bool is_punycode(str_t host)
{
    str_t label;
    while (str_split(&host, '.', &label))
        if (str_eq_nocase(str_first(label, 4), STR("xn--")))
            return true;
    return false;
}

/* The whole URL, and its host apart, as a long one may hide it (MCP 2025-11-25, Elicitation, "Safe
 * URL Handling"). It was checked, and is plain ASCII. */
static void say_page(str_t url)
{
    url_t u;
    fprintf(stderr, "It wants you to open %" PRIstr "\n", STR_ARG(url));
    if (url_parse(url, &u) != RC_OK)
        return;
    fprintf(stderr, "Its host is %" PRIstr "%s\n", STR_ARG(u.host),
            is_punycode(u.host) ? ": letters of other scripts, which may look like another name"
                                : "");
}

/* Consent first, and nothing is fetched before it (MCP 2025-11-25, Elicitation, "URL Mode"). */
static bool ask_url(arena_t *a, http_reach_t reach, const json_t *params, str_t *result)
{
    buf_t b = buf_new(a, ANSWER_BYTES);
    json_writer_t w = json_writer(&b);
    str_t url = json_get_str(params, STR("url"));
    if (client_url_check_page(url) != CLIENT_FINE ||
        client_url_check_reach(url, reach) != CLIENT_FINE)
        return false;
    say(a, "\nThe server asks: ", json_get_str(params, STR("message")), "\n");
    say_page(url);
    fputs("Open it? [y/N] ", stderr);
    bool yes = says_yes(read_line(a));
    if (yes && tokens_browser_open(STR_UNSET, url) != RC_OK)
        fprintf(stderr, "Open it yourself: %" PRIstr "\n", STR_ARG(url));
    json_begin_object(&w);
    json_member_str(&w, STR("action"), yes ? STR("accept") : STR("decline"));
    return answer(&w, &b, result);
}

bool client_ask(arena_t *a, http_reach_t reach, str_t method, const json_t *params, str_t *result)
{
    if (!str_eq(method, STR("elicitation/create")))
        return false;
    return str_eq(json_get_str(params, STR("mode")), STR("url")) ? ask_url(a, reach, params, result)
                                                                 : ask_form(a, params, result);
}
