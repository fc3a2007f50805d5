#include "web/assets.h"

/* Written by embed.py from the files beside it; the ETag is the FNV-1a hash of the body. */
static const web_asset_t ASSETS[] = {
#define ASSET(path, content_type, etag, body)                                                      \
    {STR_INIT(path), STR_INIT(content_type), STR_INIT(etag), STR_INIT(body)},
#include "web/assets.inc"
#undef ASSET
};

enum { N_ASSETS = sizeof ASSETS / sizeof ASSETS[0] };

const web_asset_t *web_assets(size_t *n)
{
    *n = N_ASSETS;
    return ASSETS;
}

const web_asset_t *web_asset_find(str_t path)
{
    for (size_t i = 0; i < N_ASSETS; i++)
        if (str_eq(ASSETS[i].path, path))
            return &ASSETS[i];
    return NULL;
}
