/* The one place where a request's client is resolved: by its metadata document, by the store, or by
 * its own id. Also fetches what else a flow wants, between its facts and its decision. */
#ifndef AS_CLIENT_SOURCE_H
#define AS_CLIENT_SOURCE_H

#include "as/flow.h"

/** A step of as_flow_gather: resolves f->client, its keys and f->documents, waiting where something
 *  must be fetched, and goes on with f->decide. */
void as_client_source_resolve(as_flow_t *f);

#endif
