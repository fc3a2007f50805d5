/* Labelled headlines, read from CSV files that stand beside the project (never inside it). */
#ifndef SENTIMENT_CORPUS_H
#define SENTIMENT_CORPUS_H

#include "engine.h"

typedef enum {
    CORPUS_SENTFIN,
    CORPUS_TWITTER,
    CORPUS_DRILLS, /* our own: plain sentences about companies that do not exist, in SEntFiN's form
                    */
    CORPORA
} corpus_t;

/** One decision of a person. */
typedef struct {
    str_t text;
    str_t entity; /* whom it is about; unset: the whole text, whose entities then agree */
    sentiment_class_t label;
    corpus_t corpus;
    bool split;    /* the entities of its headline disagree */
    uint32_t fold; /* a hash of the text: same text, same fold */
} example_t;

typedef struct {
    example_t *v;
    size_t n;
    char *bytes;     /* what all slices point into */
    size_t size;     /* of the file */
    uint64_t digest; /* of the file: model_digest */
} corpus_file_t;

/** Reads a CSV file (RFC 4180; first line: names). SEntFiN: "Title,Decisions", one example for each
 *  entity and one for the headline where they agree. Twitter: "text,label". RC_NOT_FOUND without a
 *  file, RC_LIMIT over 16 MiB or 100000 examples, RC_MALFORMED without any, RC_MEMORY. Free with
 *  corpus_free. */
rc_t corpus_read(const char *path, corpus_t corpus, corpus_file_t *out) MUST_USE;
void corpus_free(corpus_file_t *c);

#endif
