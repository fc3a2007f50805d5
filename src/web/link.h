/* Addresses that others chose and a page of ours leads to. */
#ifndef WEB_LINK_H
#define WEB_LINK_H

#include "core/str.h"

/**
 * Whether `url` leads to another site, or to an application that has claimed a scheme of its own
 * (RFC 8252 section 7.1). Not if its scheme runs code, shows text of the caller's choice, reads
 * files or is another protocol (javascript:, data:, file:, ...), if it holds user info, is not a
 * URI of RFC 3986, or is longer than LIMIT_WEB_EXACT_BYTES.
 */
bool web_link_leads_away(str_t url);

/** Whether it is a path of ours: "/..." and not "//..." (another host). */
bool web_link_is_ours(str_t href);

#endif
