/* JSON Pointers (RFC 6901). Pure. */
#ifndef MCP_SCHEMA_POINTER_H
#define MCP_SCHEMA_POINTER_H

#include "core/json.h"

/** Appends "/name", escaped. */
void schema_pointer_put(buf_t *b, str_t name);
/** One step of a pointer from a value; `token` is escaped as in the pointer. NULL: nowhere. */
const json_t *schema_pointer_step(arena_t *a, const json_t *from, str_t token);
/** Appends the pointer from `root` to a value within it; false: it is not within. */
bool schema_pointer_find(buf_t *b, const json_t *root, const json_t *target);

#endif
