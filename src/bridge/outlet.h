/* Lines that wait for the host to read them. One thread. */
#ifndef BRIDGE_OUTLET_H
#define BRIDGE_OUTLET_H

#include "core/rc.h"
#include "core/str.h"

/** Zeroed but for `fd` is ready; free with bridge_outlet_clear. */
typedef struct {
    int fd; /* borrowed, and stays as it is */
    char *p;
    size_t first, n, cap;
    bool broken; /* nobody reads any more */
    rc_t failed;
} bridge_outlet_t;

/** Adds a line, whose end is put here. */
void bridge_outlet_put(bridge_outlet_t *o, str_t line);
/** Writes what can be written at once. */
void bridge_outlet_write(bridge_outlet_t *o);
size_t bridge_outlet_unread(const bridge_outlet_t *o);
void bridge_outlet_clear(bridge_outlet_t *o);

#endif
