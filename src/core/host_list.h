/* Lists of hosts that a person wrote down: who is trusted, who is not. */
#ifndef CORE_HOST_LIST_H
#define CORE_HOST_LIST_H

#include "core/url.h"

/** Whether the host of `u` is on the list. A row is a host ("example.com": any port), a host with
 *  its port ("localhost:8443", "[::1]:8443"), or all hosts below one ("*.example.com", which is not
 *  example.com itself). Compared without case, as host names are. */
bool host_list_has(str_list_t list, const url_t *u);
/** Whether a row has one of these forms. */
bool host_list_row_is_sound(str_t row);

#endif
