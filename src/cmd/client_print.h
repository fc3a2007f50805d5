/* What servers say, printed so that it can do nothing to a terminal. */
#ifndef CMD_CLIENT_PRINT_H
#define CMD_CLIENT_PRINT_H

#include "core/json.h"

#include <stdio.h>

/** Text of several lines: tabs and line ends stay, other control characters, bidirectional and
 *  invisible marks go. Ends with a line end. */
void client_print_text(FILE *out, str_t text);
/** Text that is to stay within a line: what ends lines or moves to a column is a space. At most
 * `max` bytes; no line end behind it. */
void client_print_line(FILE *out, str_t line, size_t max);
/** One JSON value, which was parsed, in one line as it came, but what a terminal or a reader could
 *  take for something else (unfit_is) as \\u escapes, which mean the same. */
void client_print_json(FILE *out, str_t json);
/** The content of a tool's result for people: texts as they are, other blocks in a line each that
 * says what they are; structuredContent alone where there is no text. */
void client_print_result(FILE *out, const json_t *result);
/** A line for each tool: name, and the first line of what it does. */
void client_print_tools(FILE *out, const json_t *tools);

#endif
