/* The few files that pages load: a style sheet and an icon. Part of the program. */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include "core/str.h"

typedef struct {
    str_t path;         /* "/assets/warder.css" */
    str_t content_type; /* with charset */
    str_t etag;         /* quoted; changes when the body does */
    str_t body;         /* static */
} web_asset_t;

/** All assets; const. Answer with Cache-Control: no-cache and the ETag: always fresh after an
 *  update, and a 304 of few bytes otherwise. */
const web_asset_t *web_assets(size_t *n);
/** The one at `path`, or NULL. */
const web_asset_t *web_asset_find(str_t path);

#endif
