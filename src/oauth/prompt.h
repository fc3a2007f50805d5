/* The parameter prompt (OpenID Connect Core section 3.1.2.1). */
#ifndef OAUTH_PROMPT_H
#define OAUTH_PROMPT_H

#include "core/str.h"

typedef struct {
    bool none;    /* show no page */
    bool login;   /* ask for the password, whoever is signed in; select_account counts as this */
    bool consent; /* ask for consent, whatever is remembered */
    bool others;  /* there is a value that is not none */
} oauth_prompt_t;

/** Reads the space-separated values; those that nobody knows are passed over. */
oauth_prompt_t oauth_prompt_read(str_t text);

#endif
