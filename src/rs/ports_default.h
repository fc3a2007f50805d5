/* The system's clock, and fetching with libcurl. */
#ifndef RS_PORTS_DEFAULT_H
#define RS_PORTS_DEFAULT_H

#include "warder/rs.h"

warder_rs_ports_t rs_ports_default(void);

#endif
