/* Files of a feed, and the one that the program ships with. */
#ifndef SENTIMENT_FEED_H
#define SENTIMENT_FEED_H

#include "names.h"

/* feed/news.json, put into the program by the build (embed.py). */
extern const unsigned char FEED_BUILTIN[];
extern const size_t FEED_BUILTIN_BYTES;
/* feed/tickers.csv, likewise: the names of its companies. */
extern const unsigned char FEED_NAMES[];
extern const size_t FEED_NAMES_BYTES;

enum { FEED_ARENA_BYTES = 256 << 20, FEED_FILES = 1000 };

/** Reads one file, JSON or XML as its first character says, without scores. RC_CONFIG: *why is one
 *  sentence (in the arena) that names the file and the mend. RC_MEMORY. */
rc_t feed_read(arena_t *a, const char *path, const names_t *names, news_t *out,
               str_t *why) MUST_USE;
/** Reads a table of names (names.h); RC_CONFIG as above. A file that does not exist is an empty
 *  table. */
rc_t feed_read_names(arena_t *a, const char *path, names_t *out, str_t *why) MUST_USE;

#endif
