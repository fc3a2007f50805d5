/* The lines that make a local host run the bridge. */
#ifndef CMD_CONNECT_CONFIG_H
#define CMD_CONNECT_CONFIG_H

#include "cmd/command.h"
#include "core/buf.h"

/** A server as a host is to run it. */
typedef struct {
    str_t name;      /* for people: letters, digits, '-' and '_' */
    str_t command;   /* absolute path of this program */
    str_list_t args; /* "connect", the URL, and the options of this line */
} connect_config_t;

/** Writes them for `host`: claude, vscode, cursor, codex, windsurf, zed or gemini-cli. False:
 * another. */
bool connect_config_write(str_t host, const connect_config_t *c, buf_t *out);
/** A name of letters, digits and dashes, made of a URL's host and path ("mcp-example-com") or of a
 * name that somebody gave. In `a`, or static. */
str_t connect_config_name(arena_t *a, str_t text);

#endif
