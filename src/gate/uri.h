/* Whether a resource's URI has one spelling (RFC 3986 sections 6.2.2.2, 6.2.2.3 and 7.3). Pure. */
#ifndef GATE_URI_H
#define GATE_URI_H

#include "core/str.h"

/** False: it has a segment `.` or `..`, also with an escaped slash or a backslash beside it, or
 *  escapes a letter, digit, hyphen, dot, underscore, tilde or NUL. Servers resolve such a URI to
 * another one, which rules have not seen. */
bool gate_uri_is_normal(str_t uri);

#endif
