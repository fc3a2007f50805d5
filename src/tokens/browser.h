/* Opens a page in the person's browser, without any shell (MCP Security Best Practices). */
#ifndef TOKENS_BROWSER_H
#define TOKENS_BROWSER_H

#include "client/reason.h"
#include "core/rc.h"

/** Runs `opener`, an absolute path or a name (unset: xdg-open), with the URL as its one argument:
 *  detached, in a session of its own, with standard streams on /dev/null, no other descriptor, and
 *  this process's environment. Names are found in /usr/local/bin, /usr/bin and /bin, never through
 *  PATH. The URL is checked (client_url_check_page): RC_MALFORMED. RC_NOT_FOUND: there is no such
 *  opener, or none was named and there is no display (neither DISPLAY nor WAYLAND_DISPLAY). RC_IO:
 * it cannot be run. RC_OK says that the opener began; how it ends nobody learns. Any thread. */
rc_t tokens_browser_open(str_t opener, str_t url) MUST_USE;

#endif
