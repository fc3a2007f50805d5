/* The feed the server was started with: one JSON file, or a folder of them. */
#ifndef SENTIMENT_FEED_H
#define SENTIMENT_FEED_H

#include "news.h"

/* feed/news.json, put into the program by the build (embed.py). */
extern const unsigned char FEED_BUILTIN[];
extern const size_t FEED_BUILTIN_BYTES;

enum { FEED_ARENA_BYTES = 256 << 20, FEED_FILES = 1000 };

/** Reads `path` (a file, or a folder whose *.json files are read in the order of their names) into
 *  the arena. RC_CONFIG: *why is one sentence (in the arena) that names the file and the mend.
 *  RC_MEMORY: so is it too. */
rc_t feed_load(arena_t *a, const char *path, news_t *out, str_t *why) MUST_USE;
/** The feed that the program ships with. */
rc_t feed_builtin(arena_t *a, news_t *out) MUST_USE;

#endif
