#include "engine_lexicon.h"

static const lexicon_word_t WORDS[] = {
#define WORD(text, role, weight) {STR_INIT(text), WORD_##role, weight},
#include "engine_words.def"
#undef WORD
};

static const lexicon_phrase_t PHRASES[] = {
#define PHRASE(text, weight) {STR_INIT(text), weight},
#include "engine_phrases.def"
#undef PHRASE
};

enum { WORD_COUNT = sizeof WORDS / sizeof *WORDS, WORD_BYTES = 32 };

static int compare(str_t a, str_t b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = memcmp(a.p, b.p, n);
    if (c != 0)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

static const lexicon_word_t *find_exact(str_t word)
{
    size_t low = 0, high = WORD_COUNT;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = compare(word, WORDS[mid].word);
        if (c == 0)
            return &WORDS[mid];
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

/* One inflection: the ending taken off, and what is put in its place. */
typedef struct {
    const char *ending, *instead;
    bool undouble; /* "dipped" -> "dip" */
} inflection_t;

static const inflection_t INFLECTIONS[] = {
    {"ies", "y", false}, {"es", "e", false}, {"es", "", false},  {"s", "", false},
    {"ied", "y", false}, {"ed", "e", false}, {"ed", "", true},   {"ed", "", false},
    {"ing", "e", false}, {"ing", "", true},  {"ing", "", false}, {"'s", "", false},
    {"er", "e", false},  {"er", "", false},  {"ly", "", false},
};

static bool ends_with(str_t s, const char *ending, size_t n)
{
    return s.n > n + 2 && memcmp(s.p + s.n - n, ending, n) == 0;
}

static const lexicon_word_t *find_stem(str_t word, const inflection_t *f)
{
    size_t end = strlen(f->ending), add = strlen(f->instead);
    if (!ends_with(word, f->ending, end) || word.n > WORD_BYTES)
        return NULL;
    char stem[WORD_BYTES + 2];
    size_t n = word.n - end;
    if (f->undouble) {
        if (n < 2 || word.p[n - 1] != word.p[n - 2])
            return NULL;
        n--;
    }
    memcpy(stem, word.p, n);
    memcpy(stem + n, f->instead, add);
    return find_exact(str_of(stem, n + add));
}

/* Comparatives and adverbs are only trusted for words of tone ("healthier" is listed, "nearly" is
 * not a metric). */
static bool inflection_fits(const inflection_t *f, const lexicon_word_t *w)
{
    bool adverb = f->ending[0] == 'l' || (f->ending[0] == 'e' && f->ending[1] == 'r');
    return !adverb || w->role == WORD_TONE;
}

const lexicon_word_t *lexicon_find(str_t word)
{
    const lexicon_word_t *w = find_exact(word);
    for (size_t i = 0; !w && i < sizeof INFLECTIONS / sizeof *INFLECTIONS; i++) {
        w = find_stem(word, &INFLECTIONS[i]);
        if (w && !inflection_fits(&INFLECTIONS[i], w))
            w = NULL;
    }
    return w;
}

const lexicon_word_t *lexicon_words(size_t *n)
{
    *n = WORD_COUNT;
    return WORDS;
}

const lexicon_phrase_t *lexicon_phrases(size_t *n)
{
    *n = sizeof PHRASES / sizeof *PHRASES;
    return PHRASES;
}
