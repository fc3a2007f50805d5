/* Whether two articles tell one story: their pairs of words compared, after what outlets change
 * (case, punctuation, where a summary is cut) is taken away. Pure. */
#ifndef SENTIMENT_LIKE_H
#define SENTIMENT_LIKE_H

#include "news.h"

enum {
    LIKE_PAIRS = 320, /* a title and a summary of NEWS_SUMMARY_BYTES have about 280 words */
    LIKE_BANDS = 5,   /* four of pairs, one of the title */
};

/** What an article is compared by. */
typedef struct {
    uint32_t pair[LIKE_PAIRS]; /* hashes of neighbouring words; sorted, each once */
    size_t n;
    uint64_t title;   /* hash of the title's words */
    uint64_t numbers; /* of the words with digits in it, in any order */
} like_t;

void like_of(str_t title, str_t summary, like_t *out);
/** Keys that articles which are alike share with high odds (minimum hashes, two a band: four in
 * five of those with 0.6 of their pairs in common, and nearly all with 0.8), for an index. Returns
 * how many; an article of a few words has but that of its title. */
size_t like_bands(const like_t *l, int64_t out[LIKE_BANDS]);
/** One story: most pairs in common, or nearly all of the shorter one's, or the same title by
 * another outlet; never when their titles name different numbers. */
bool like_same(const like_t *a, const like_t *b, bool other_outlet);
/** The words of a text in lower case with single spaces, as they are compared; in `out`, at most
 *  `max` bytes. Returns the length. */
size_t like_words(str_t text, char *out, size_t max);

#endif
