/* The way to another provider, who signs people in: a page that goes on by itself, without a
 * script, as in leave.h: the answer to a form may not be a redirect to another site. */
#ifndef WEB_ONWARD_H
#define WEB_ONWARD_H

#include "core/buf.h"

typedef struct {
    str_t url;  /* of the provider's page */
    str_t name; /* of the provider, as the settings have it */
} web_onward_t;

/** Status 200. */
void web_page_onward(buf_t *b, const web_onward_t *v);

#endif
