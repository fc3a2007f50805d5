/* Passwords: what may be one, and argon2id (RFC 9106) of it.
 *
 * identity_password_hash and _verify block a processor for about 60 ms and hold `memory` bytes
 * meanwhile: call them on a bounded pool. They keep no state and may run on any thread. */
#ifndef IDENTITY_PASSWORD_H
#define IDENTITY_PASSWORD_H

#include "core/secret.h"

/** Why a new password is not taken. */
typedef enum {
    IDENTITY_PASSWORD_FINE,
    IDENTITY_PASSWORD_SHORT,
    IDENTITY_PASSWORD_LONG,
    IDENTITY_PASSWORD_NOT_TEXT,
    IDENTITY_PASSWORD_IS_NAME,
    IDENTITY_PASSWORD_COMMON,
    IDENTITY_PASSWORD_FAULT_COUNT
} identity_password_fault_t;

enum {
    /* Characters of a new password. The throttle leaves a distributed guesser about 3000 guesses a
     * day and account, and argon2id about 15 a second and core on a stolen database: ten characters
     * that are not on the guesser's list outlast both. SP 800-63B-3 section 5.1.1.2 asks for 8. */
    IDENTITY_PASSWORD_CHARS_MIN = 10,
    /* What is hashed at all; anything else is refused unseen. */
    IDENTITY_PASSWORD_BYTES_MIN = 8,
    IDENTITY_PASSWORD_TEXT = 128, /* room for a hash in text form, with NUL */
};

/** Work of one hash. */
typedef struct {
    uint32_t passes;
    uint32_t memory; /* bytes */
} identity_password_cost_t;

/** The hash as it is stored ("$argon2id$v=19$m=...,t=...,p=1$salt$hash"). */
typedef struct {
    char text[IDENTITY_PASSWORD_TEXT];
} identity_password_hash_t;

/** 3 passes over 32 MiB: above the least that RFC 9106 and OWASP's cheat sheet ask, and four at
 *  once stay within a small machine. */
identity_password_cost_t identity_password_cost_default(void);

/** Whether `password` may become the password of the account `username` (normalized). Length, the
 *  name itself and the most common ones only; no rule about kinds of characters (SP 800-63B). */
identity_password_fault_t identity_password_check(secret_t password, str_t username);
/** One sentence for the person; static. */
str_t identity_password_fault_text(identity_password_fault_t fault);

/** Hashes with a fresh salt. RC_LIMIT: length outside IDENTITY_PASSWORD_BYTES_MIN and
 *  LIMIT_PASSWORD_BYTES (nothing was hashed); RC_MEMORY; RC_IO: no randomness. */
rc_t identity_password_hash(const identity_password_cost_t *cost, secret_t password,
                            identity_password_hash_t *out) MUST_USE;
/**
 * Whether `password` is the one of `stored`. With `stored` unset (no such account), or a hash that
 * no password can fit, the same work is done and *fits is false, so that time tells nothing.
 * RC_MEMORY: this says nothing about the password; answer 503.
 */
rc_t identity_password_verify(const identity_password_cost_t *cost, str_t stored, secret_t password,
                              bool *fits) MUST_USE;
/** Whether `stored` was made at another cost: hash anew while the password is at hand. */
bool identity_password_needs_rehash(const identity_password_cost_t *cost, str_t stored);
/** The text, borrowed. */
str_t identity_password_hash_text(const identity_password_hash_t *hash);

#endif
