#include "card.h"

#include "core/json.h"

#include <math.h>
#include <openssl/evp.h>

enum { CARD_BYTES = 32768, SHA256 = 32 };

static void write_sha256(json_writer_t *w, str_t name, str_t bytes)
{
    uint8_t digest[SHA256];
    char hex[2 * SHA256];
    buf_t b = buf_fixed(hex, sizeof hex);
    if (EVP_Digest(bytes.p, bytes.n, digest, NULL, EVP_sha256(), NULL) != 1)
        return;
    buf_hex(&b, digest, sizeof digest);
    json_member_str(w, name, buf_str(&b));
}

static void write_number(json_writer_t *w, str_t name, double v)
{
    json_key(w, name);
    json_double(w, round(v * 10000) / 10000);
}

/* FNV-1a of 64 bits, as the model file has it, too. */
static void write_digest(json_writer_t *w, str_t name, uint64_t digest)
{
    char hex[20];
    buf_t b = buf_fixed(hex, sizeof hex);
    buf_fmt(&b, "%016llx", (unsigned long long)digest);
    json_member_str(w, name, buf_str(&b));
}

static void write_data(json_writer_t *w, const dataset_t *d)
{
    static const str_t NAMES[] = {STR_INIT("SEntFiN 1.0"), STR_INIT("Twitter financial news"),
                                  STR_INIT("drills of this project")};
    static const str_t RIGHTS[] = {
        STR_INIT("MIT, Sinha et al. 2021"),
        STR_INIT("MIT by its card; the texts belong to their authors and are not shipped"),
        STR_INIT("the project's")};
    json_key(w, STR("learned_from"));
    json_begin_array(w);
    for (int i = 0; i < CORPORA; i++) {
        json_begin_object(w);
        json_member_str(w, STR("name"), NAMES[i]);
        json_member_str(w, STR("licence"), RIGHTS[i]);
        json_member_int(w, STR("examples"), (int64_t)d->files[i].n);
        json_member_int(w, STR("bytes"), (int64_t)d->files[i].size);
        write_digest(w, STR("digest"), d->files[i].digest);
        json_end_object(w);
    }
    json_end_array(w);
}

static void write_confusion(json_writer_t *w, const figures_t *f)
{
    json_key(w, STR("confusion"));
    json_begin_array(w);
    for (int i = 0; i < CLASSES; i++) {
        json_begin_array(w);
        for (int k = 0; k < CLASSES; k++)
            json_int(w, (int64_t)f->hits[i][k]);
        json_end_array(w);
    }
    json_end_array(w);
}

static void write_set(json_writer_t *w, const trial_t *t, set_t set)
{
    const figures_t *f = &t->v[BY_MODEL][set];
    json_begin_object(w);
    json_member_str(w, STR("set"), str_c(trial_set_name(set)));
    json_member_int(w, STR("n"), (int64_t)f->n);
    write_number(w, STR("accuracy"), figures_accuracy(f));
    write_number(w, STR("macro_f1"), figures_macro_f1(f));
    write_number(w, STR("calibration_error"), figures_ece(f));
    write_number(w, STR("accuracy_of_rules_alone"), figures_accuracy(&t->v[BY_RULES][set]));
    write_number(w, STR("accuracy_of_lexicon"), figures_accuracy(&t->v[BY_LEXICON][set]));
    write_number(w, STR("accuracy_of_most_frequent_class"), figures_majority(f));
    write_confusion(w, f);
    json_end_object(w);
}

static void write_trial(json_writer_t *w, str_t how, const trial_t *t)
{
    json_begin_object(w);
    json_member_str(w, STR("how"), how);
    json_key(w, STR("sets"));
    json_begin_array(w);
    for (int set = 0; set < SETS; set++)
        write_set(w, t, (set_t)set);
    json_end_array(w);
    json_end_object(w);
}

static void write_words(json_writer_t *w)
{
    static const str_t LIMITS[] = {
        STR_INIT("English headlines and short news about business only"),
        STR_INIT("irony, rumours and what needs knowledge of a company are beyond it"),
        STR_INIT("learned from news of 2011 to 2020, many of them about Indian markets"),
        STR_INIT("labels are people's first impressions, not what prices did"),
        STR_INIT(
            "longer texts are read in parts whose answers are averaged; that is not measured")};
    json_member_str(w, STR("intended_use"),
                    STR("Sorting and summing up business news by tone, for a text or for one "
                        "company named in it, with the words that speak for the answer. No advice, "
                        "and nothing to trade on alone."));
    json_member_strs(w, STR("limits"), (str_list_t){LIMITS, sizeof LIMITS / sizeof *LIMITS});
}

rc_t card_write(arena_t *a, const dataset_t *d, const packed_t *p, const trials_t *t, str_t *out)
{
    buf_t b = buf_new(a, CARD_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("name"), STR("finance-sentiment"));
    json_member_int(&w, STR("version"), MODEL_FORMAT);
    json_member_str(
        &w, STR("kind"),
        STR("rules and lexicon, weighed with words by a linear model of 8-bit weights"));
    write_sha256(&w, STR("weights_sha256"), str_of(p->bytes, p->n));
    write_digest(&w, STR("weights_digest"), model_digest(str_of(p->bytes, p->n)));
    json_member_int(&w, STR("weights_bytes"), (int64_t)p->n);
    json_member_int(&w, STR("weights"), (int64_t)p->kept);
    write_data(&w, d);
    json_key(&w, STR("classes"));
    json_begin_array(&w);
    for (int c = 0; c < CLASSES; c++)
        json_str(&w, engine_class_name((sentiment_class_t)c));
    json_end_array(&w);
    json_key(&w, STR("measured"));
    json_begin_array(&w);
    write_trial(&w, STR("learned from four fifths, asked about the last, five times in turn"),
                &t->cross);
    write_trial(&w, STR("the first of these five: a fifth kept for development"), &t->dev);
    json_end_array(&w);
    write_words(&w);
    json_end_object(&w);
    buf_char(&b, '\n');
    return buf_done(&b, out);
}
