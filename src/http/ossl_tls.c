/* Contexts from PEM: what a listener shows, and what a client believes. */
#include "http/ossl_tls.h"
#include "http/tls_filter.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

/* RFC 9325 section 4.2: forward secrecy and AEAD only. TLS 1.3 has nothing else. */
#define SUITES_12                                                                                  \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define SUITES_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

/* A chain has three or four certificates. */
enum { CHAIN_MAX = 16, AUTHORITIES_MAX = 1024 };

/* Level 2: keys of 112 bits and more, no SHA-1. */
enum { SECURITY_LEVEL = 2 };

static const uint8_t ALPN[] = "\x08http/1.1";
enum { ALPN_BYTES = sizeof ALPN - 1 };

void http_ossl_hold(http_ossl_t *o)
{
    atomic_fetch_add(&o->count, 1);
}

void http_ossl_drop(http_ossl_t *o)
{
    if (atomic_fetch_sub(&o->count, 1) > 1)
        return;
    SSL_CTX_free(o->ctx);
    BIO_meth_free(o->bio);
    free(o);
}

/* A client that offers protocols, none of them ours, would misread what we say. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *n,
                       const unsigned char *offered, unsigned offered_n, void *arg)
{
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, n, ALPN, ALPN_BYTES, offered, offered_n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_protocol(SSL_CTX *ctx)
{
    char groups[] = "X25519:P-256"; /* a macro of OpenSSL wants it writable */
    SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) &&
           SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) &&
           SSL_CTX_set_cipher_list(ctx, SUITES_12) && SSL_CTX_set_ciphersuites(ctx, SUITES_13) &&
           SSL_CTX_set1_groups_list(ctx, groups) && SSL_CTX_set_num_tickets(ctx, 0);
}

/* A context of `size` bytes, an http_ossl_t in front. */
static http_ossl_t *ossl_new(const SSL_METHOD *method, size_t size)
{
    http_ossl_t *o = calloc(1, size);
    if (!o)
        return NULL;
    atomic_store(&o->count, 1);
    o->bio = http_ossl_bio_method();
    o->ctx = SSL_CTX_new(method);
    if (o->bio && o->ctx && set_protocol(o->ctx))
        return o;
    http_ossl_drop(o);
    return NULL;
}

/* PEM. */

static BIO *bio_of(str_t s)
{
    return s.n <= INT32_MAX ? BIO_new_mem_buf(s.n ? s.p : "", (int)s.n) : NULL;
}

/* Nobody is asked for a passphrase. */
static int no_passphrase(char *out, int n, int writing, void *asked)
{
    *(bool *)asked = true;
    return -1;
}

static const char *use_leaf(http_ossl_t *o, BIO *bio)
{
    bool asked = false;
    X509 *leaf = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, &asked);
    if (!leaf)
        return "the certificate file does not begin with a certificate in PEM";
    int taken = SSL_CTX_use_certificate(o->ctx, leaf);
    struct tm end = {0};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &end))
        o->not_after = timegm(&end);
    X509_free(leaf);
    return taken ? NULL
                 : "the certificate's key is too short, its signature too weak, or its kind "
                   "not known";
}

/* The certificates behind the first. */
static const char *use_others(http_ossl_t *o, BIO *bio)
{
    for (size_t i = 1; i < CHAIN_MAX; i++) {
        bool asked = false;
        X509 *issuer = PEM_read_bio_X509(bio, NULL, no_passphrase, &asked);
        if (!issuer) {
            bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            ERR_clear_error();
            return at_end ? NULL : "a certificate of the chain is malformed";
        }
        bool taken = SSL_CTX_add0_chain_cert(o->ctx, issuer) == 1;
        if (!taken) {
            X509_free(issuer);
            return "a certificate of the chain has too short a key or too weak a signature";
        }
    }
    return "the chain has more certificates than any needs";
}

static const char *use_chain(http_ossl_t *o, str_t chain)
{
    BIO *bio = bio_of(chain);
    if (!bio)
        return "out of memory";
    const char *fault = use_leaf(o, bio);
    if (!fault)
        fault = use_others(o, bio);
    BIO_free(bio);
    return fault;
}

static const char *use_key(http_ossl_t *o, secret_t pem)
{
    bool asked = false;
    BIO *bio = bio_of(pem.hidden);
    if (!bio)
        return "out of memory";
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
    BIO_free(bio);
    if (asked) {
        EVP_PKEY_free(key);
        return "the private key is encrypted; it must be given without a passphrase";
    }
    if (!key)
        return "the key file holds no private key in PEM";
    int fits = X509_check_private_key(SSL_CTX_get0_certificate(o->ctx), key);
    int taken = fits ? SSL_CTX_use_PrivateKey(o->ctx, key) : 0;
    EVP_PKEY_free(key);
    if (!fits)
        return "the private key does not belong to the first certificate of the chain";
    return taken ? NULL : "the private key is of a kind that TLS does not use";
}

static const char *use_identity(http_ossl_t *o, str_t chain, secret_t key)
{
    ERR_clear_error();
    const char *fault = use_chain(o, chain);
    if (!fault)
        fault = use_key(o, key);
    ERR_clear_error();
    return fault;
}

/* What the operator should know although it works. */
static str_t warning_of(const http_ossl_t *o)
{
    X509 *leaf = SSL_CTX_get0_certificate(o->ctx);
    if (leaf && X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
        return STR("the certificate has expired; clients will refuse it");
    if (leaf && X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
        return STR("the certificate is not valid yet; clients will refuse it");
    return STR_UNSET;
}

/* The end of both constructors. */
static rc_t finish(http_ossl_t *o, const char *fault, str_t *why)
{
    *why = fault ? str_c(fault) : warning_of(o);
    if (!fault)
        return RC_OK;
    http_ossl_drop(o);
    return RC_CONFIG;
}

rc_t http_tls_new(arena_t *a, str_t chain, secret_t key, http_tls_t **out, str_t *why)
{
    *out = NULL;
    *why = STR("out of memory");
    http_ossl_t *o = ossl_new(TLS_server_method(), sizeof(http_tls_t));
    if (!o)
        return RC_MEMORY;
    SSL_CTX_set_alpn_select_cb(o->ctx, choose_alpn, NULL);
    TRY(finish(o, use_identity(o, chain, key), why));
    *out = (http_tls_t *)o;
    return RC_OK;
}

void http_tls_free(http_tls_t *t)
{
    if (t)
        http_ossl_drop(&t->ossl);
}

void http_tls_hold(http_tls_t *t)
{
    http_ossl_hold(&t->ossl);
}

int64_t http_tls_not_after(const http_tls_t *t)
{
    return t->ossl.not_after;
}

/* Clients. */

static const char *trust(SSL_CTX *ctx, str_t pem)
{
    if (!str_is_set(pem))
        return SSL_CTX_set_default_verify_paths(ctx) ? NULL
                                                     : "the system has no list of authorities";
    BIO *bio = bio_of(pem);
    size_t n = 0;
    X509 *authority = NULL;
    bool asked = false;
    while (bio && n < AUTHORITIES_MAX &&
           (authority = PEM_read_bio_X509(bio, NULL, no_passphrase, &asked))) {
        n += X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority) == 1;
        X509_free(authority);
    }
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    BIO_free(bio);
    ERR_clear_error();
    return n && at_end ? NULL : "the file of authorities is not a list of certificates in PEM";
}

/* Whom every connection must find: the host name or address stands in the context. */
static const char *expect(arena_t *a, SSL_CTX *ctx, str_t host)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    const char *name = arena_cstr(a, host);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (!name || host.n == 0)
        return "a host is missing that the certificate must be for";
    bool set = X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1 ||
               X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
    ERR_clear_error();
    return set ? NULL : "the host is neither a name nor an address";
}

static const char *fill_client(arena_t *a, http_ossl_t *o, const http_tls_client_config_t *config)
{
    ERR_clear_error();
    if (SSL_CTX_set_alpn_protos(o->ctx, ALPN, ALPN_BYTES) != 0)
        return "out of memory";
    const char *fault = trust(o->ctx, config->authorities);
    if (!fault)
        fault = expect(a, o->ctx, config->host);
    if (fault || !str_is_set(config->chain))
        return fault;
    return use_identity(o, config->chain, config->key);
}

rc_t http_tls_client_new(arena_t *a, const http_tls_client_config_t *config,
                         http_tls_client_t **out, str_t *why)
{
    *out = NULL;
    *why = STR("out of memory");
    http_ossl_t *o = ossl_new(TLS_client_method(), sizeof(http_tls_client_t));
    if (!o)
        return RC_MEMORY;
    TRY(finish(o, fill_client(a, o, config), why));
    *out = (http_tls_client_t *)o;
    return RC_OK;
}

void http_tls_client_free(http_tls_client_t *t)
{
    if (t)
        http_ossl_drop(&t->ossl);
}
