/* What may be asked for at all, before anything is looked up or sent. Pure. Internal to the room.
 */
#ifndef HTTP_AGENT_REQUEST_H
#define HTTP_AGENT_REQUEST_H

#include "core/url.h"
#include "http/addr.h"
#include "http/agent.h"

/** Whether a request of that reach may be sent to `a`. */
bool http_reach_has(http_reach_t reach, const http_addr_t *a);
/** RC_OK, the parts of the URL (with its fragment) in `u`, and HTTP_AGENT_DONE or why it will not
 * be asked, with a static sentence. RC_MALFORMED: method or header fields that would split the
 *  message, or say how long it is. */
rc_t http_agent_check(const http_agent_request_t *request, url_t *u, http_agent_end_t *end,
                      str_t *why) MUST_USE;

#endif
