#include "names.h"

#include <stdlib.h>

enum { TEXT_BYTES = NEWS_TITLE_BYTES + NEWS_SUMMARY_BYTES };

/* --- words --- */

static bool is_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Words with single spaces, as written; "'s" at a word's end is left out. */
static size_t put_words(str_t text, char *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n && n < max; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool own = c == '\'' && i + 1 < text.n && text.p[i + 1] == 's' &&
                   (i + 2 == text.n || !is_word((unsigned char)text.p[i + 2]));
        if (own)
            i++;
        else if (is_word(c))
            out[n++] = text.p[i];
        else if (n > 0 && out[n - 1] != ' ')
            out[n++] = ' ';
    }
    return n > 0 && out[n - 1] == ' ' ? n - 1 : n;
}

/* --- the table --- */

typedef struct {
    arena_t *a;
    name_t *v;
    size_t n;
} table_t;

/* The next field of a line: quoted with "" for a quote, or up to the comma. */
static bool next_field(str_t *rest, str_t *out)
{
    if (!str_starts(*rest, STR("\"")))
        return str_split(rest, ',', out);
    size_t end = str_find(*rest, '"', 1);
    if (end >= rest->n)
        return false;
    *out = str_of(rest->p + 1, end - 1);
    *rest = str_skip(*rest, end + 1);
    if (rest->n > 0 && rest->p[0] != ',')
        return false;
    *rest = rest->n > 0 ? str_skip(*rest, 1) : STR_UNSET;
    return true;
}

static rc_t add_alias(table_t *t, str_t ticker, str_t name, str_t alias)
{
    char words[NEWS_NAME_BYTES];
    size_t n = put_words(alias, words, sizeof words), spaces = 0;
    for (size_t i = 0; i < n; i++)
        spaces += words[i] == ' ';
    if (n < 2 || spaces >= NAMES_WORDS)
        return RC_OK; /* one letter says nothing */
    if (t->n == NAMES_MOST)
        return RC_LIMIT;
    name_t *x = &t->v[t->n];
    *x = (name_t){ticker, name, STR_UNSET, spaces == 0 && words[0] >= 'A' && words[0] <= 'Z'};
    for (size_t i = 0; i < n; i++)
        words[i] = lower(words[i]);
    x->words = arena_dup(t->a, str_of(words, n));
    t->n++;
    return x->words.p ? RC_OK : RC_MEMORY;
}

static rc_t read_line(table_t *t, str_t line)
{
    str_t ticker, name, aliases = STR_UNSET, alias;
    if (!next_field(&line, &ticker) || !next_field(&line, &name))
        return RC_MALFORMED;
    if (line.p && !next_field(&line, &aliases))
        return RC_MALFORMED;
    ticker = str_trim(ticker, " ");
    if (line.p || !names_is_ticker(ticker))
        return RC_MALFORMED;
    ticker = arena_dup(t->a, ticker);
    name = news_clean(t->a, name, NEWS_NAME_BYTES);
    if (!ticker.p || !name.p)
        return RC_MEMORY;
    if (name.n == 0)
        return RC_MALFORMED;
    TRY(add_alias(t, ticker, name, name));
    while (str_split(&aliases, '|', &alias))
        TRY(add_alias(t, ticker, name, alias));
    return RC_OK;
}

static int by_words(const void *left, const void *right)
{
    const name_t *a = left, *b = right;
    int order = str_cmp(a->words, b->words);
    return order != 0 ? order : str_cmp(a->ticker, b->ticker);
}

static int by_ticker(const void *left, const void *right)
{
    const name_t *a = *(const name_t *const *)left, *b = *(const name_t *const *)right;
    int order = str_cmp(a->ticker, b->ticker);
    return order != 0 ? order : str_cmp(a->words, b->words);
}

rc_t names_read(arena_t *a, str_t csv, names_t *out, size_t *line)
{
    str_t text;
    size_t most = 1;
    *out = (names_t){0};
    *line = 0;
    for (size_t i = 0; i < csv.n; i++)
        most += csv.p[i] == ',' || csv.p[i] == '|';
    most = most < NAMES_MOST ? most : NAMES_MOST;
    table_t t = {a, ARENA_ARRAY(a, most, name_t), 0};
    if (!t.v)
        return RC_MEMORY;
    while (str_split(&csv, '\n', &text)) {
        (*line)++;
        text = str_trim(text, " \r\t");
        bool head = *line == 1 && str_starts(text, STR("ticker,"));
        if (text.n == 0 || text.p[0] == '#' || head)
            continue;
        TRY(read_line(&t, text));
    }
    qsort(t.v, t.n, sizeof *t.v, by_words);
    const name_t **sorted = ARENA_ARRAY(a, t.n + 1, const name_t *);
    if (!sorted)
        return RC_MEMORY;
    for (size_t i = 0; i < t.n; i++)
        sorted[i] = &t.v[i];
    qsort(sorted, t.n, sizeof *sorted, by_ticker);
    *out = (names_t){t.v, t.n, sorted};
    return RC_OK;
}

bool names_has(const names_t *names, str_t ticker)
{
    size_t low = 0, high = names->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(names->by_ticker[middle]->ticker, ticker) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < names->n && str_eq(names->by_ticker[low]->ticker, ticker);
}

bool names_is_ticker(str_t text)
{
    bool letter = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool upper = c >= 'A' && c <= 'Z';
        letter |= upper;
        if (!upper && !(c >= '0' && c <= '9') && c != '.' && c != ':' && c != '-')
            return false;
    }
    return letter && text.n <= NAMES_TICKER_BYTES;
}

/* --- finding --- */

static rc_t add(arena_t *a, str_t ticker, double relevance, names_found_t *found)
{
    for (size_t i = 0; i < found->n; i++) {
        news_ticker_t *t = &found->v[i];
        if (!str_eq(t->ticker, ticker))
            continue;
        t->relevance = relevance > t->relevance ? relevance : t->relevance;
        return RC_OK;
    }
    if (found->n == NEWS_TICKERS)
        return RC_OK;
    ticker = arena_dup(a, ticker);
    if (!ticker.p)
        return RC_MEMORY;
    found->v[found->n++] = (news_ticker_t){.ticker = ticker, .relevance = relevance};
    return RC_OK;
}

/* The first of those with the same words, or names->n. */
static size_t find_words(const names_t *names, str_t words)
{
    size_t low = 0, high = names->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(names->v[middle].words, words) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Words that two companies go by name neither. */
static rc_t add_named(arena_t *a, const names_t *names, str_t words, bool capital,
                      names_found_t *found, double relevance)
{
    size_t i = find_words(names, words);
    if (i == names->n || !str_eq(names->v[i].words, words))
        return RC_OK;
    const name_t *x = &names->v[i];
    bool shared = i + 1 < names->n && str_eq(x[1].words, words) && !str_eq(x[1].ticker, x->ticker);
    if (shared || (x->capital && !capital))
        return RC_OK;
    return add(a, x->ticker, relevance, found);
}

static rc_t find_names(arena_t *a, const names_t *names, str_t text, double relevance,
                       names_found_t *found)
{
    char cased[TEXT_BYTES], low[TEXT_BYTES];
    size_t n = put_words(text, cased, sizeof cased);
    for (size_t i = 0; i < n; i++)
        low[i] = lower(cased[i]);
    for (size_t at = 0; at < n; at = str_find(str_of(low, n), ' ', at) + 1) {
        bool capital = cased[at] >= 'A' && cased[at] <= 'Z';
        size_t end = at;
        for (int k = 0; k < NAMES_WORDS && end < n; k++) {
            end = str_find(str_of(low, n), ' ', k > 0 ? end + 1 : end);
            TRY(add_named(a, names, str_of(low + at, end - at), capital, found, relevance));
        }
    }
    return RC_OK;
}

static size_t ticker_length(str_t s)
{
    size_t n = 0;
    while (n < s.n && n < NAMES_TICKER_BYTES &&
           ((s.p[n] >= 'A' && s.p[n] <= 'Z') || (s.p[n] >= '0' && s.p[n] <= '9') ||
            ((s.p[n] == '.' || s.p[n] == '-') && n > 0)))
        n++;
    while (n > 0 && (s.p[n - 1] == '.' || s.p[n - 1] == '-'))
        n--;
    return n;
}

static bool is_cashtag(str_t t)
{
    size_t n = ticker_length(t);
    bool ends = n == t.n || !is_word((unsigned char)t.p[n]);
    return n > 0 && n <= 8 && ends && t.p[0] >= 'A' && t.p[0] <= 'Z';
}

/* What follows "NYSE:" or the like; unset when it is none of them. */
static str_t behind_exchange(str_t s)
{
    static const str_t NAMES[] = {STR_INIT("NASDAQ"), STR_INIT("Nasdaq"), STR_INIT("NYSE"),
                                  STR_INIT("AMEX"),   STR_INIT("LSE"),    STR_INIT("TSX"),
                                  STR_INIT("ASX"),    STR_INIT("NSE"),    STR_INIT("BSE")};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        str_t rest = str_skip(s, NAMES[i].n);
        if (str_starts(s, NAMES[i]) && str_starts(rest, STR(":")))
            return str_trim(str_skip(rest, 1), " ");
    }
    return STR_UNSET;
}

rc_t names_in_text(arena_t *a, const names_t *names, str_t text, double relevance,
                   names_found_t *found)
{
    text = str_first(text, TEXT_BYTES);
    for (size_t i = 0; i < text.n; i++) {
        str_t rest = STR_UNSET;
        if (text.p[i] == '$')
            rest = str_skip(text, i + 1);
        else if (text.p[i] == '(')
            rest = behind_exchange(str_skip(text, i + 1));
        if (rest.p && is_cashtag(rest))
            TRY(add(a, str_first(rest, ticker_length(rest)), relevance, found));
    }
    return find_names(a, names, text, relevance, found);
}

bool names_in_category(arena_t *a, const names_t *names, str_t category, bool certain,
                       names_found_t *found)
{
    str_t t = str_trim(category, " \t\r\n"), listed = behind_exchange(t);
    bool tagged = str_starts(t, STR("$"));
    t = tagged ? str_skip(t, 1) : listed.p ? listed : t;
    if (!names_is_ticker(t) || !(tagged || listed.p || certain || names_has(names, t)))
        return false;
    return add(a, t, 0.8, found) == RC_OK;
}
