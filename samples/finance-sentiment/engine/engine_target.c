#include "engine_target.h"

enum { NAME_TOKENS = 16, SHORT_WORD = 4, SHORTEST = 3, INITIALS_LEAST = 3 };

/* The words of a name that have to stand in a text. */
typedef struct {
    str_t v[NAME_TOKENS];
    size_t n;
} name_t;

/* Legal forms and words of that kind, which headlines leave out. */
static const str_t FORMS[] = {
    STR_INIT("ltd"),     STR_INIT("limited"),  STR_INIT("inc"), STR_INIT("incorporated"),
    STR_INIT("corp"),    STR_INIT("plc"),      STR_INIT("co"),  STR_INIT("corporation"),
    STR_INIT("company"), STR_INIT("llc"),      STR_INIT("lp"),  STR_INIT("sa"),
    STR_INIT("ag"),      STR_INIT("nv"),       STR_INIT("se"),  STR_INIT("ab"),
    STR_INIT("asa"),     STR_INIT("oyj"),      STR_INIT("spa"), STR_INIT("s.a"),
    STR_INIT("n.v"),     STR_INIT("group"),    STR_INIT("pvt"), STR_INIT("the"),
    STR_INIT("holding"), STR_INIT("holdings"),
};

static bool is_form(str_t word)
{
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        if (str_eq(FORMS[i], word))
            return true;
    }
    return false;
}

static str_t bare(str_t word)
{
    if (str_ends(word, STR("'s")))
        return str_first(word, word.n - 2);
    return str_ends(word, STR("'")) ? str_first(word, word.n - 1) : word;
}

/* What a token of a name or a text is compared by; empty for punctuation. Numbers of names ("3M",
 * "8K Miles") are compared as they stand. */
static str_t face(const token_t *t)
{
    return t->kind == TOKEN_PUNCT ? STR("") : bare(t->word);
}

static rc_t name_read(arena_t *a, str_t text, name_t *out)
{
    tokens_t tokens;
    if (text.n > ENGINE_NAME_BYTES)
        return RC_LIMIT;
    TRY(engine_tokenize(a, text, &tokens));
    out->n = 0;
    for (size_t i = 0; i < tokens.n && out->n < NAME_TOKENS; i++) {
        if (face(&tokens.v[i]).n > 0)
            out->v[out->n++] = face(&tokens.v[i]);
    }
    return RC_OK;
}

/* The name without legal forms at its end and "The" before it, unless nothing would be left. */
static name_t shortened(name_t name)
{
    while (name.n > 1 && is_form(name.v[name.n - 1]))
        name.n--;
    if (name.n > 1 && str_eq(name.v[0], STR("the"))) {
        memmove(name.v, name.v + 1, (name.n - 1) * sizeof *name.v);
        name.n--;
    }
    return name;
}

/* Headlines write "Sebis" for "Sebi's", and put names in the plural. */
static bool matches(str_t face, str_t name)
{
    bool plural = name.n >= SHORTEST && face.n == name.n + 1 && (face.p[name.n] | 32) == 's';
    return str_eq_nocase(plural ? str_first(face, name.n) : face, name);
}

/* The last token of the name if it begins at token i, or `none`. */
static size_t stands_at(const tokens_t *t, size_t i, const name_t *name, size_t none)
{
    size_t k = 0, last = none;
    for (; i < t->n && k < name->n; i++) {
        str_t f = face(&t->v[i]);
        if (f.n == 0 && k > 0)
            continue;
        if (!matches(f, name->v[k++]))
            return none;
        last = i;
    }
    return k == name->n ? last : none;
}

static void add(places_t *out, place_t p)
{
    size_t at = out->n;
    while (at > 0 && out->v[at - 1].from > p.from)
        at--;
    bool before = at > 0 && out->v[at - 1].to >= p.from;
    bool behind = at < out->n && p.to >= out->v[at].from;
    if (before || behind || out->n == ENGINE_MENTIONS)
        return;
    memmove(out->v + at + 1, out->v + at, (out->n - at) * sizeof *out->v);
    out->v[at] = p;
    out->n++;
}

static void find(const tokens_t *t, const name_t *name, places_t *out)
{
    for (size_t i = 0; name->n > 0 && i < t->n && out->n < ENGINE_MENTIONS; i++) {
        size_t last = stands_at(t, i, name, t->n);
        if (last == t->n)
            continue;
        add(out, (place_t){i, last});
        i = last;
    }
}

/* "State Bank of India" is "SBI": the initials of the words that are not small. */
static rc_t initials(arena_t *a, const name_t *name, name_t *out)
{
    char *p = arena_alloc(a, NAME_TOKENS);
    size_t n = 0;
    if (!p)
        return RC_MEMORY;
    for (size_t i = 0; i < name->n; i++) {
        bool small = str_eq(name->v[i], STR("of")) || str_eq(name->v[i], STR("and"));
        if (!small)
            p[n++] = name->v[i].p[0];
    }
    *out = (name_t){.v = {str_of(p, n)}, .n = n >= INITIALS_LEAST ? 1 : 0};
    return RC_OK;
}

/* Fewer and fewer of the first words, as long as they are long enough to be a name. */
static void find_beginning(const tokens_t *t, name_t name, places_t *out)
{
    while (out->n == 0 && name.n > 1) {
        name.n--;
        if (name.n > 1 || name.v[0].n >= SHORT_WORD)
            find(t, &name, out);
    }
}

static rc_t find_loosely(arena_t *a, const tokens_t *t, name_t name, places_t *out)
{
    name_t letters;
    TRY(initials(a, &name, &letters));
    find(t, &letters, out);
    find_beginning(t, name, out);
    return RC_OK;
}

rc_t target_find(arena_t *a, const tokens_t *text, str_list_t names, places_t *out)
{
    name_t name;
    *out = (places_t){.v = ARENA_ARRAY(a, ENGINE_MENTIONS + 1, place_t)};
    if (!out->v)
        return RC_MEMORY;
    if (names.n > ENGINE_NAMES)
        return RC_LIMIT;
    for (size_t i = 0; i < names.n; i++) {
        TRY(name_read(a, names.v[i], &name));
        name_t whole = name, brief = shortened(name);
        find(text, &whole, out);
        find(text, &brief, out);
    }
    for (size_t i = 0; i < names.n && out->n == 0; i++) {
        TRY(name_read(a, names.v[i], &name));
        TRY(find_loosely(a, text, shortened(name), out));
    }
    return RC_OK;
}
