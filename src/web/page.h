/* The frame of every page, and the pieces that pages share. */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "web/form.h"
#include "web/html.h"

typedef struct {
    str_t title;   /* what the page is; the name of the program is added */
    str_t refresh; /* where the page goes by itself at once (web_link_leads_away); unset: nowhere */
    bool wide;     /* for lists */
} web_frame_t;

/** From the doctype to the beginning of the card inside <main>; the page adds its one <h1> first.
 */
void web_page_begin(buf_t *b, const web_frame_t *frame);
void web_page_end(buf_t *b);

/** A hidden field; nothing when the value is unset. */
void web_page_hidden(buf_t *b, str_t name, str_t value);
/** A sentence that is read out at once: something is wrong. `id` is for aria-describedby. */
void web_page_alert(buf_t *b, str_t id, str_t sentence);

#endif
