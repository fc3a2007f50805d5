#include "like.h"

#include <stdlib.h>

enum {
    MINIMA = 8,
    FEW_PAIRS = 8, /* below, chance decides too much */
    WORDS_BYTES = NEWS_TITLE_BYTES + NEWS_SUMMARY_BYTES + 8,
};

#define PART_JACCARD 0.6  /* of all pairs of both */
#define PART_SHORTER 0.85 /* of those of the shorter one: a summary that was cut */

static uint32_t mix(uint32_t h)
{
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

static uint64_t hash(uint64_t h, str_t s)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return h ^ h >> 29;
}

/* Letters, digits, and whatever is not ASCII; apostrophes vanish, so that "Acme's" stays one. */
static bool is_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

size_t like_words(str_t text, char *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n && n < max; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (is_word(c))
            out[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        else if (c != '\'' && n > 0 && out[n - 1] != ' ')
            out[n++] = ' ';
    }
    return n > 0 && out[n - 1] == ' ' ? n - 1 : n;
}

static int by_value(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static void sort_once(like_t *l)
{
    size_t n = 0;
    qsort(l->pair, l->n, sizeof *l->pair, by_value);
    for (size_t i = 0; i < l->n; i++) {
        if (n == 0 || l->pair[n - 1] != l->pair[i])
            l->pair[n++] = l->pair[i];
    }
    l->n = n;
}

static bool has_digit(str_t word)
{
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] >= '0' && word.p[i] <= '9')
            return true;
    }
    return false;
}

static void add_pairs(like_t *l, str_t words)
{
    uint64_t before = 0;
    str_t word;
    while (str_split(&words, ' ', &word)) {
        uint64_t h = hash(0xcbf29ce484222325u, word);
        if (before != 0 && l->n < LIKE_PAIRS)
            l->pair[l->n++] = mix((uint32_t)(before * 31 + h) ^ (uint32_t)(h >> 32));
        before = h;
    }
}

void like_of(str_t title, str_t summary, like_t *out)
{
    char words[WORDS_BYTES];
    size_t n = like_words(str_first(title, NEWS_TITLE_BYTES), words, NEWS_TITLE_BYTES);
    str_t rest = str_of(words, n), word;
    *out = (like_t){.title = hash(0xcbf29ce484222325u, rest)};
    while (str_split(&rest, ' ', &word)) {
        if (has_digit(word))
            out->numbers += hash(0x9e3779b97f4a7c15u, word);
    }
    add_pairs(out, str_of(words, n));
    n = like_words(str_first(summary, NEWS_SUMMARY_BYTES), words, sizeof words);
    add_pairs(out, str_of(words, n));
    sort_once(out);
}

static uint32_t minimum(const like_t *l, uint32_t seed)
{
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < l->n; i++) {
        uint32_t h = mix(l->pair[i] ^ seed);
        least = h < least ? h : least;
    }
    return least;
}

size_t like_bands(const like_t *l, int64_t out[LIKE_BANDS])
{
    size_t n = 0;
    out[n++] = (int64_t)(l->title >> 3 << 3);
    for (uint32_t i = 0; i < MINIMA && l->n >= FEW_PAIRS; i += 2) {
        uint64_t low = minimum(l, 0x9e3779b9u * (i + 1)), high = minimum(l, 0x9e3779b9u * (i + 2));
        out[n++] = (int64_t)((mix((uint32_t)low) | high << 32) >> 3 << 3 | (i / 2 + 1));
    }
    return n;
}

static size_t common(const like_t *a, const like_t *b)
{
    size_t n = 0;
    for (size_t i = 0, j = 0; i < a->n && j < b->n;) {
        uint32_t x = a->pair[i], y = b->pair[j];
        n += x == y;
        i += x <= y;
        j += y <= x;
    }
    return n;
}

bool like_same(const like_t *a, const like_t *b, bool other_outlet)
{
    size_t both = common(a, b), least = a->n < b->n ? a->n : b->n;
    if (a->numbers != b->numbers)
        return false;
    if (a->title == b->title && (other_outlet || both == least))
        return true;
    if (least < FEW_PAIRS)
        return false;
    return (double)both >= PART_JACCARD * (double)(a->n + b->n - both) ||
           (double)both >= PART_SHORTER * (double)least;
}
