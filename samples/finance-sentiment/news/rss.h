/* RSS 2.0, RSS 1.0 (RDF) and Atom 1.0 (RFC 4287) into news, on expat. No document type is taken at
 * all, so there are no entities but the five of XML and nothing is ever fetched. Namespaces are
 * honoured; encodings are those of expat: UTF-8, UTF-16, Latin-1, ASCII. */
#ifndef SENTIMENT_RSS_H
#define SENTIMENT_RSS_H

#include "names.h"

enum {
    RSS_DEPTH = 40,                    /* XHTML in Atom nests about 12 deep */
    RSS_ATTRIBUTES = 64,               /* of one element */
    RSS_FIELD_BYTES = NEWS_HTML_BYTES, /* of one text; what is beyond is dropped */
    RSS_ARENA_BYTES = 64 << 20,        /* for the articles of a file of NEWS_FILE_BYTES */
};

typedef enum {
    RSS_OK,
    RSS_DOCTYPE,   /* it has a document type declaration */
    RSS_MALFORMED, /* no well-formed XML, or an encoding that is not known */
    RSS_OTHER,     /* XML, but no feed */
    RSS_TOO_MUCH,  /* nested too deeply, or too many attributes or articles */
} rss_verdict_t;

/** Reads a feed; all in `a`, nothing borrowed but `names`. Items without title or date are left
 * out. Titles and descriptions are plain text afterwards, links http or https. Companies come from
 *  categories, from "$ACME" and "(NYSE: ACME)", and from the table of names; other categories are
 *  topics. RC_OK with a verdict, RC_MEMORY. */
rc_t rss_read(arena_t *a, str_t text, const names_t *names, news_t *out,
              rss_verdict_t *verdict) MUST_USE;
/** What is wrong, as the end of a sentence that begins with the file; static. */
const char *rss_verdict_text(rss_verdict_t v);

#endif
