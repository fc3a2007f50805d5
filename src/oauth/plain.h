/* Texts for error_description, challenges and pages: what RFC 6749 appendix A.8 and RFC 6750
 * section 3 allow in them, whatever came in. */
#ifndef OAUTH_PLAIN_H
#define OAUTH_PLAIN_H

#include "core/buf.h"

/** Writes s with every byte but printable ASCII without '"' and '\' as '?'. */
void oauth_plain_put(buf_t *b, str_t s);

#endif
