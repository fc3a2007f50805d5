/* What the files over OpenSSL's TLS share. Internal to them. */
#ifndef HTTP_OSSL_TLS_H
#define HTTP_OSSL_TLS_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "http/tls.h"

/** A context, of either side; connections count it, too. */
typedef struct {
    atomic_int count;
    SSL_CTX *ctx;
    BIO_METHOD *bio; /* between a connection's SSL and its filter */
    int64_t not_after;
} http_ossl_t;

struct http_tls {
    http_ossl_t ossl;
};
struct http_tls_client {
    http_ossl_t ossl;
};

void http_ossl_hold(http_ossl_t *o);
void http_ossl_drop(http_ossl_t *o);
/** The method of the filter's BIO (ossl_tls_filter.c); NULL without memory. */
BIO_METHOD *http_ossl_bio_method(void);

#endif
