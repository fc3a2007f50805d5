#include "core/glob.h"

bool glob_is_pattern(str_t s)
{
    return str_find(s, '*', 0) < s.n || str_find(s, '?', 0) < s.n;
}

/* The first character of s: a byte and the continuation bytes behind it. */
static str_t first_char(str_t s)
{
    size_t n = s.n > 0;
    while (n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n++;
    return str_first(s, n);
}

static str_t last_char(str_t s)
{
    size_t at = s.n - 1;
    while (at > 0 && ((unsigned char)s.p[at] & 0xc0) == 0x80)
        at--;
    return str_skip(s, at);
}

static bool is(str_t c, char one)
{
    return c.n == 1 && c.p[0] == one;
}

/* Takes `piece`, which has no `*`, off the front of *text. */
static bool take_front(str_t piece, str_t *text)
{
    str_t rest = *text;
    while (piece.n > 0) {
        str_t want = first_char(piece), have = first_char(rest);
        if (rest.n == 0 || !(is(want, '?') || str_eq(want, have)))
            return false;
        piece = str_skip(piece, want.n);
        rest = str_skip(rest, have.n);
    }
    *text = rest;
    return true;
}

static bool take_back(str_t piece, str_t *text)
{
    str_t rest = *text;
    while (piece.n > 0 && rest.n > 0) {
        str_t want = last_char(piece), have = last_char(rest);
        if (!(is(want, '?') || str_eq(want, have)))
            return false;
        piece = str_first(piece, piece.n - want.n);
        rest = str_first(rest, rest.n - have.n);
    }
    *text = rest;
    return piece.n == 0;
}

/* Behind the first place where `piece` stands. The first is enough: what comes before it is a run
 * of anything, so a later place leaves less for the pieces that follow. */
static bool take_within(str_t piece, str_t *text)
{
    if (str_find(piece, '?', 0) == piece.n) {
        const char *at = piece.n ? memmem(text->p, text->n, piece.p, piece.n) : text->p;
        if (!at)
            return false;
        *text = str_skip(*text, (size_t)(at - text->p) + piece.n);
        return true;
    }
    while (!take_front(piece, text)) {
        if (text->n == 0)
            return false;
        *text = str_skip(*text, first_char(*text).n);
    }
    return true;
}

bool glob_fits(str_t pattern, str_t text)
{
    str_t piece, rest = pattern;
    if (!text.p || !pattern.p || pattern.n > GLOB_BYTES)
        return false;
    if (!str_split(&rest, '*', &piece) || !take_front(piece, &text))
        return false;
    if (!str_is_set(rest))
        return text.n == 0;
    while (str_split(&rest, '*', &piece))
        if (str_is_set(rest) ? !take_within(piece, &text) : !take_back(piece, &text))
            return false;
    return true;
}

/* Which places of a pattern can be reached; [i]: everything before byte i is used up. */
typedef struct {
    bool at[GLOB_BYTES + 1];
} places_t;

/* `*` may stand for nothing. */
static void skip_stars(str_t pattern, places_t *places)
{
    for (size_t i = 0; i < pattern.n; i++)
        if (places->at[i] && pattern.p[i] == '*')
            places->at[i + 1] = true;
}

/* No further character changes it: no place can be reached, or a run at the end takes whatever
 * comes. Long texts are asked about against many patterns. */
static bool is_settled(str_t pattern, const places_t *places)
{
    if (pattern.n > 0 && pattern.p[pattern.n - 1] == '*' && places->at[pattern.n - 1])
        return true;
    return !memchr(places->at, true, pattern.n + 1);
}

/* One character of `narrow`, which stands for itself, for one character (`?`) or for a run (`*`). A
 * run can only be taken by a run. */
static void step(str_t wide, str_t c, places_t *places)
{
    places_t next = {0};
    for (size_t i = 0; i < wide.n; i++) {
        str_t have = first_char(str_skip(wide, i));
        if (!places->at[i])
            continue;
        if (is(have, '*'))
            next.at[i] = true;
        else if (!is(c, '*') && (is(have, '?') || (str_eq(have, c) && !is(c, '?'))))
            next.at[i + have.n] = true;
    }
    skip_stars(wide, &next);
    *places = next;
}

bool glob_covers(str_t wide, str_t narrow)
{
    if (wide.n > GLOB_BYTES)
        return false;
    places_t places = {.at = {true}};
    skip_stars(wide, &places);
    while (narrow.n > 0 && !is_settled(wide, &places)) {
        str_t c = first_char(narrow);
        step(wide, c, &places);
        narrow = str_skip(narrow, c.n);
    }
    return places.at[wide.n];
}

/* The places after one character of the other pattern that is no run. */
static void step_both(str_t pattern, str_t c, places_t *places)
{
    places_t next = {0};
    for (size_t i = 0; i < pattern.n; i++) {
        str_t have = first_char(str_skip(pattern, i));
        if (!places->at[i])
            continue;
        if (is(have, '*'))
            next.at[i] = true;
        else if (is(have, '?') || is(c, '?') || str_eq(have, c))
            next.at[i + have.n] = true;
    }
    skip_stars(pattern, &next);
    *places = next;
}

/* A run of the other pattern may take any number of characters of this one. */
static void step_run(str_t pattern, places_t *places)
{
    for (size_t i = 0; i < pattern.n; i++)
        if (places->at[i])
            places->at[i + first_char(str_skip(pattern, i)).n] = true;
}

bool glob_meets(str_t pattern, str_t other)
{
    if (pattern.n > GLOB_BYTES)
        return false;
    places_t places = {.at = {true}};
    skip_stars(pattern, &places);
    while (other.n > 0 && !is_settled(pattern, &places)) {
        str_t c = first_char(other);
        if (is(c, '*'))
            step_run(pattern, &places);
        else
            step_both(pattern, c, &places);
        other = str_skip(other, c.n);
    }
    return places.at[pattern.n];
}
