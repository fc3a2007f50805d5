/* When something went wrong: plain words, what to do, and the id to ask for help with. */
#ifndef WEB_ERROR_H
#define WEB_ERROR_H

#include "web/form.h"

typedef struct {
    int status;
    str_t sentence; /* what happened; unset: what the status means */
    str_t request_id;
    bool client_unknown; /* adds how to make the known clients forget their registration */
    str_t link;          /* back to the client, for a refusal that it should learn of; else unset */
    str_t link_host;
} web_error_t;

void web_page_error(buf_t *b, const web_error_t *v);

#endif
