/* A command line of a setting, split into words without a shell. */
#ifndef CORE_COMMAND_LINE_H
#define CORE_COMMAND_LINE_H

#include "core/arena.h"

enum { COMMAND_LINE_WORDS = 64, COMMAND_LINE_BYTES = 4096 };

/**
 * Splits at spaces and tabs. 'single quotes' keep everything as it is. Within "double quotes" a
 * backslash keeps one of " \ $ ` and is itself before anything else; outside of quotes it keeps
 * the next byte. Pieces that touch are one word; '' is an empty one. Nothing is expanded, so
 * whoever relies on a shell is told: | & ; < > ( ) $ ` are refused outside of quotes, $ and `
 * within double ones, unless a backslash stands before them. Words live in `a`. RC_MALFORMED (also:
 * no word, an open quote, a control byte, no UTF-8), RC_LIMIT, RC_MEMORY; *why is then one
 * sentence, static.
 */
rc_t command_line_split(arena_t *a, str_t line, str_list_t *out, str_t *why) MUST_USE;

#endif
