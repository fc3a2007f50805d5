#include "engine_lexicon.h"

#define KEY_BYTE(text, i) ((uint64_t)((text "\0\0\0\0\0\0\0")[i]) << (8 * (7 - (i))))
#define KEY(text)                                                                                  \
    (KEY_BYTE(text, 0) | KEY_BYTE(text, 1) | KEY_BYTE(text, 2) | KEY_BYTE(text, 3) |               \
     KEY_BYTE(text, 4) | KEY_BYTE(text, 5) | KEY_BYTE(text, 6) | KEY_BYTE(text, 7))

static const lexicon_word_t WORDS[] = {
#define WORD(text, role, weight) {KEY(text), STR_INIT(text), WORD_##role, weight},
#include "engine_words.def"
#undef WORD
};

static const lexicon_phrase_t PHRASES[] = {
#define PHRASE(text, weight) {KEY(text), STR_INIT(text), weight},
#include "engine_phrases.def"
#undef PHRASE
};

enum {
    WORD_COUNT = sizeof WORDS / sizeof *WORDS,
    PHRASE_COUNT = sizeof PHRASES / sizeof *PHRASES,
    WORD_BYTES = 32
};

static uint64_t key_of(str_t word)
{
    uint64_t key = 0;
    for (size_t i = 0; i < sizeof key; i++)
        key = key << 8 | (i < word.n ? (uint8_t)word.p[i] : 0);
    return key;
}

static const lexicon_word_t *find_exact(str_t word)
{
    uint64_t key = key_of(word);
    size_t low = 0, high = WORD_COUNT;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (WORDS[mid].key < key)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < WORD_COUNT && WORDS[low].key == key; low++) {
        if (str_eq(WORDS[low].word, word))
            return &WORDS[low];
    }
    return NULL;
}

/* One inflection: the ending taken off, and what is put in its place. */
typedef struct {
    str_t ending, instead;
    bool undouble; /* "dipped" -> "dip" */
} inflection_t;

#define INFLECTION(ending, instead, undouble)                                                      \
    {                                                                                              \
        STR_INIT(ending), STR_INIT(instead), undouble                                              \
    }

static const inflection_t INFLECTIONS[] = {
    INFLECTION("ies", "y", false), INFLECTION("es", "e", false),  INFLECTION("es", "", false),
    INFLECTION("s", "", false),    INFLECTION("ied", "y", false), INFLECTION("ed", "e", false),
    INFLECTION("ed", "", true),    INFLECTION("ed", "", false),   INFLECTION("ing", "e", false),
    INFLECTION("ing", "", true),   INFLECTION("ing", "", false),  INFLECTION("'s", "", false),
    INFLECTION("er", "e", false),  INFLECTION("er", "", false),   INFLECTION("ly", "", false),
};

/* Cheap to say for most words that they have no ending at all. */
static bool may_be_inflected(str_t word)
{
    return word.n > 3 && word.n <= WORD_BYTES && memchr("sdgry", word.p[word.n - 1], 5);
}

static bool ends_with(str_t s, str_t ending)
{
    if (s.n <= ending.n + 2)
        return false;
    for (size_t i = 0; i < ending.n; i++) {
        if (s.p[s.n - ending.n + i] != ending.p[i])
            return false;
    }
    return true;
}

static const lexicon_word_t *find_stem(str_t word, const inflection_t *f)
{
    if (!ends_with(word, f->ending))
        return NULL;
    char stem[WORD_BYTES + 2];
    size_t n = word.n - f->ending.n;
    if (f->undouble) {
        if (n < 2 || word.p[n - 1] != word.p[n - 2])
            return NULL;
        n--;
    }
    memcpy(stem, word.p, n);
    memcpy(stem + n, f->instead.p, f->instead.n);
    return find_exact(str_of(stem, n + f->instead.n));
}

/* Comparatives and adverbs are only trusted for words of tone ("healthier" is listed, "nearly" is
 * not a metric). */
static bool inflection_fits(const inflection_t *f, const lexicon_word_t *w)
{
    bool adverb = str_eq(f->ending, STR("ly")) || str_eq(f->ending, STR("er"));
    return !adverb || w->role == WORD_TONE;
}

const lexicon_word_t *lexicon_find(str_t word)
{
    const lexicon_word_t *w = find_exact(word);
    if (!w && !may_be_inflected(word))
        return NULL;
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

static bool begins(str_t phrase, str_t word)
{
    return str_starts(phrase, word) && (phrase.n == word.n || phrase.p[word.n] == ' ');
}

/* Phrases of a longer word with the same eight bytes may stand before; they are few. */
const lexicon_phrase_t *lexicon_phrases_of(str_t word, size_t *n)
{
    *n = 0;
    if (word.n == 0)
        return NULL;
    uint64_t key = key_of(word);
    size_t low = 0, high = PHRASE_COUNT;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (PHRASES[mid].key < key)
            low = mid + 1;
        else
            high = mid;
    }
    uint64_t same = word.n < 8 ? UINT64_MAX << (64 - 8 * word.n) : UINT64_MAX;
    while (low < PHRASE_COUNT && (PHRASES[low].key & same) == key &&
           !begins(PHRASES[low].words, word))
        low++;
    while (low + *n < PHRASE_COUNT && begins(PHRASES[low + *n].words, word))
        ++*n;
    return *n > 0 ? &PHRASES[low] : NULL;
}

const lexicon_phrase_t *lexicon_phrases(size_t *n)
{
    *n = PHRASE_COUNT;
    return PHRASES;
}
