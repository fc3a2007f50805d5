#include "corpus.h"

#include "engine_model.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILE_BYTES = 16 << 20, EXAMPLES = 100000 };

/* One field of a CSV file at *in, quotes taken off in place; false at a broken one. */
static bool csv_field(char **in, str_t *out)
{
    char *p = *in, *start = p, *to = p;
    bool quoted = *p == '"';
    p += quoted;
    while (*p && (quoted || !strchr(",\r\n", *p))) {
        if (quoted && *p == '"' && p[1] != '"')
            break;
        p += quoted && *p == '"';
        *to++ = *p++;
    }
    *out = str_of(start, (size_t)(to - start));
    *in = p + (quoted && *p == '"');
    return !quoted || *p == '"';
}

/* The first two fields of the next line; *in moves behind it. */
static bool csv_line(char **in, str_t fields[2])
{
    bool good = csv_field(in, &fields[0]) && **in == ',';
    *in += good;
    good = good && csv_field(in, &fields[1]);
    *in += strcspn(*in, "\n");
    *in += **in == '\n';
    return good;
}

static uint32_t fold_of(str_t text)
{
    uint32_t h = 0x811c9dc5U;
    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (uint8_t)text.p[i]) * 16777619U;
    return h;
}

static void push(corpus_file_t *c, example_t e)
{
    if (c->n < EXAMPLES)
        c->v[c->n++] = e;
}

/* The next "'entity': 'label'" of a row of decisions. Entities may hold apostrophes, labels do not,
 * so a pair ends at its label. */
static bool next_decision(str_t *rest, str_t *entity, sentiment_class_t *label)
{
    size_t best = rest->n;
    for (int c = 0; c < CLASSES; c++) {
        str_t name = engine_class_name((sentiment_class_t)c);
        for (size_t i = 0; i + name.n + 5 <= rest->n && i < best; i++) {
            bool here = memcmp(rest->p + i, "': '", 4) == 0 &&
                        memcmp(rest->p + i + 4, name.p, name.n) == 0 &&
                        rest->p[i + 4 + name.n] == '\'';
            if (!here)
                continue;
            best = i;
            *label = (sentiment_class_t)c;
        }
    }
    if (best == rest->n)
        return false;
    *entity = str_trim(str_first(*rest, best), "{,'\" ");
    *rest = str_skip(*rest, best + 5 + engine_class_name(*label).n);
    return true;
}

static void read_decisions(corpus_file_t *c, corpus_t corpus, const str_t fields[2])
{
    str_t rest = fields[1];
    size_t first = c->n;
    bool split = false;
    example_t e = {.text = fields[0], .corpus = corpus, .fold = fold_of(fields[0])};
    while (next_decision(&rest, &e.entity, &e.label)) {
        push(c, e);
        split |= c->v[first].label != e.label;
    }
    for (size_t i = first; i < c->n; i++)
        c->v[i].split = split;
    e.entity = STR_UNSET;
    if (c->n > first && !split)
        push(c, e);
}

static void read_twitter(corpus_file_t *c, const str_t fields[2])
{
    static const sentiment_class_t LABELS[] = {CLASS_NEGATIVE, CLASS_POSITIVE, CLASS_NEUTRAL};
    str_t l = fields[1];
    if (l.n != 1 || l.p[0] < '0' || l.p[0] > '2')
        return;
    push(c, (example_t){.text = fields[0],
                        .label = LABELS[l.p[0] - '0'],
                        .corpus = CORPUS_TWITTER,
                        .fold = fold_of(fields[0])});
}

static rc_t read_lines(char *p, corpus_t corpus, corpus_file_t *c)
{
    str_t fields[2];
    while (*p) {
        if (!csv_line(&p, fields))
            continue;
        if (corpus == CORPUS_TWITTER)
            read_twitter(c, fields);
        else
            read_decisions(c, corpus, fields);
    }
    if (c->n == EXAMPLES)
        return RC_LIMIT;
    return c->n > 0 ? RC_OK : RC_MALFORMED;
}

rc_t corpus_read(const char *path, corpus_t corpus, corpus_file_t *out)
{
    *out = (corpus_file_t){0};
    FILE *file = fopen(path, "r");
    if (!file)
        return RC_NOT_FOUND;
    out->bytes = calloc(1, FILE_BYTES + 1);
    out->v = calloc(EXAMPLES, sizeof *out->v);
    size_t n = out->bytes ? fread(out->bytes, 1, FILE_BYTES, file) : 0;
    fclose(file);
    rc_t rc = !out->bytes || !out->v ? RC_MEMORY : n == FILE_BYTES ? RC_LIMIT : RC_OK;
    if (rc == RC_OK) {
        out->size = n;
        out->digest = model_digest(str_of(out->bytes, n));
        rc = read_lines(out->bytes, corpus, out);
    }
    if (rc != RC_OK)
        corpus_free(out);
    return rc;
}

void corpus_free(corpus_file_t *c)
{
    free(c->v);
    free(c->bytes);
    *c = (corpus_file_t){0};
}
