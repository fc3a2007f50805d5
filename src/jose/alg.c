#include "jose/alg.h"

static const str_t NAMES[] = {
    [ALG_ES256] = STR_INIT("ES256"),
    [ALG_EDDSA] = STR_INIT("EdDSA"),
    [ALG_RS256] = STR_INIT("RS256"),
    [ALG_PS256] = STR_INIT("PS256"),
};

str_t alg_name(alg_t alg)
{
    return NAMES[alg];
}

alg_t alg_parse(str_t name)
{
    for (alg_t alg = ALG_ES256; alg <= ALG_PS256; alg++)
        if (str_eq(NAMES[alg], name))
            return alg;
    return str_eq(name, STR("Ed25519")) ? ALG_EDDSA : ALG_UNKNOWN;
}
