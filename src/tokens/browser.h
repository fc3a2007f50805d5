/* Opens a page in the person's browser, without any shell (MCP Security Best Practices). */
#ifndef TOKENS_BROWSER_H
#define TOKENS_BROWSER_H

#include "client/reason.h"
#include "core/rc.h"

/** Runs `opener` (unset: xdg-open, found in /usr/local/bin, /usr/bin and /bin, never through PATH
 * of a stranger) with the URL as its one argument, detached, with standard streams on /dev/null.
 * The URL is checked (client_url_check_page): RC_MALFORMED. RC_NOT_FOUND: there is no opener, or no
 * display (neither DISPLAY nor WAYLAND_DISPLAY). RC_IO. */
rc_t tokens_browser_open(str_t opener, str_t url) MUST_USE;

#endif
