/* The pages of device authorization (RFC 8628): where a person types what a device shows, and what
 * is shown when they have decided. Views borrow; unset members are left out of the page. */
#ifndef WEB_DEVICE_H
#define WEB_DEVICE_H

#include "web/form.h"

/** Posts csrf and user_code to WEB_PATH_DEVICE. */
typedef struct {
    str_t csrf;
    str_t user_code; /* what was typed before, or came with the link */
    bool from_link;  /* it came with the link: to be compared, not taken on trust */
    str_t problem;   /* one sentence */
} web_device_t;

void web_page_device(buf_t *b, const web_device_t *v);

typedef struct {
    str_t client_name;
    bool approved;
} web_device_done_t;

void web_page_device_done(buf_t *b, const web_device_done_t *v);

#endif
