#include "engine_measure.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILE_BYTES = 16 << 20, ARENA_BYTES = 8 << 20 };

/* One field of a CSV file (RFC 4180) at *in, quotes taken off in place; false at a broken one. */
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

/* The one label all entities share, or -1. */
static int label_sentfin(str_t decisions)
{
    static const str_t NAMES[CLASSES] = {STR_INIT(": 'negative'"), STR_INIT(": 'neutral'"),
                                         STR_INIT(": 'positive'")};
    int found = -1;
    for (int i = 0; i < CLASSES; i++) {
        if (!str_contains(decisions, NAMES[i]))
            continue;
        if (found >= 0)
            return -1;
        found = i;
    }
    return found;
}

static int label_twitter(str_t label)
{
    static const int CLASS[] = {CLASS_NEGATIVE, CLASS_POSITIVE, CLASS_NEUTRAL};
    return label.n == 1 && label.p[0] >= '0' && label.p[0] <= '2' ? CLASS[label.p[0] - '0'] : -1;
}

static bool in_held_out(str_t text)
{
    uint32_t h = 0x811c9dc5U;
    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (uint8_t)text.p[i]) * 16777619U;
    return h % 5 == 0;
}

static int class_of(sentiment_label_t label)
{
    if (label == SENTIMENT_NEUTRAL)
        return CLASS_NEUTRAL;
    return label > SENTIMENT_NEUTRAL ? CLASS_POSITIVE : CLASS_NEGATIVE;
}

static rc_t measure_line(arena_t *a, corpus_t corpus, const str_t fields[2], figures_t *out)
{
    int label = corpus == CORPUS_SENTFIN ? label_sentfin(fields[1]) : label_twitter(fields[1]);
    if (label < 0)
        return RC_OK;
    sentiment_t s;
    arena_reset(a);
    TRY(engine_analyze(a, fields[0], &s));
    out->hits[label][class_of(s.label)]++;
    out->n++;
    return RC_OK;
}

static rc_t measure_text(char *text, corpus_t corpus, bool held_out, figures_t *out)
{
    arena_t *a = arena_new(ARENA_BYTES);
    rc_t rc = a ? RC_OK : RC_MEMORY;
    while (rc == RC_OK && *text) {
        str_t fields[2];
        if (csv_line(&text, fields) && in_held_out(fields[0]) == held_out)
            rc = measure_line(a, corpus, fields, out);
    }
    arena_free(a);
    return rc;
}

rc_t measure_file(const char *path, corpus_t corpus, bool held_out, figures_t *out)
{
    *out = (figures_t){0};
    FILE *file = fopen(path, "r");
    if (!file)
        return RC_NOT_FOUND;
    char *text = calloc(1, FILE_BYTES + 1);
    size_t n = text ? fread(text, 1, FILE_BYTES, file) : 0;
    fclose(file);
    rc_t rc = n > 0 ? measure_text(text, corpus, held_out, out) : RC_IO;
    free(text);
    return rc;
}

static double ratio(size_t part, size_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

double figures_accuracy(const figures_t *f)
{
    size_t right = 0;
    for (int i = 0; i < CLASSES; i++)
        right += f->hits[i][i];
    return ratio(right, f->n);
}

double figures_macro_f1(const figures_t *f)
{
    double sum = 0;
    for (int i = 0; i < CLASSES; i++) {
        size_t labelled = 0, said = 0;
        for (int k = 0; k < CLASSES; k++) {
            labelled += f->hits[i][k];
            said += f->hits[k][i];
        }
        sum += ratio(2 * f->hits[i][i], labelled + said);
    }
    return sum / CLASSES;
}

double figures_majority(const figures_t *f)
{
    size_t most = 0;
    for (int i = 0; i < CLASSES; i++) {
        size_t labelled = f->hits[i][0] + f->hits[i][1] + f->hits[i][2];
        most = labelled > most ? labelled : most;
    }
    return ratio(most, f->n);
}
