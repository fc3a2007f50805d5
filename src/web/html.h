/* HTML that is escaped by construction: markup is a literal with holes, and whatever fills a hole
 * is escaped. What strangers chose is also made fit to be read: see the kinds of holes. */
#ifndef WEB_HTML_H
#define WEB_HTML_H

#include "core/buf.h"

/**
 * Appends `markup`, a string literal, with each hole filled by the next value, a str_t:
 *
 *   {}      a name or label, at most LIMIT_WEB_LABEL_BYTES
 *   {text}  a sentence, at most LIMIT_WEB_TEXT_BYTES
 *   {uri}   a URI or another technical name, at most LIMIT_WEB_URI_BYTES
 *   {host}  a host: when too long it loses its beginning, since its end says whose it is
 *   {=}     exact, for what comes back from a form or is a link; nothing at all when it is not
 *           printable ASCII or is longer than LIMIT_WEB_EXACT_BYTES
 *
 * All but {=} are cleaned: without control characters and those that hide, join or reorder text
 * (Unicode's Cc, Cf, variation selectors, fillers); white space of any kind is one space; at most
 * two combining marks on a character; bytes that are no UTF-8 become U+FFFD; what is too long ends
 * at a whole character with an ellipsis. Holes stand in text or in quoted attributes only.
 * A hole of an unknown kind, or as many values as holes do not need: RC_MALFORMED in the builder.
 */
#define HTML(b, markup, ...)                                                                       \
    web_html_fill((b), STR(markup), (const str_t[]){STR_UNSET, ##__VA_ARGS__} + 1,                 \
                  sizeof((const str_t[]){STR_UNSET, ##__VA_ARGS__}) / sizeof(str_t) - 1)

/** What HTML() calls; `values` are n, borrowed. */
void web_html_fill(buf_t *b, str_t markup, const str_t *values, size_t n);

/** Whether nothing of `text` (unset: nothing) would be seen in a hole. */
bool web_html_is_blank(str_t text);
/** `text`, or `instead` where nothing of it would be seen. */
str_t web_html_or(str_t text, str_t instead);

#endif
