#include "client/reason.h"

static const client_reason_row_t ROWS[CLIENT_REASON_COUNT] = {
#define CLIENT_REASON(name, text, sentence, rule, mend)                                            \
    [CLIENT_##name] = {STR_INIT(text), STR_INIT(sentence), STR_INIT(rule), STR_INIT(mend)},
#include "client/reasons.def"
#undef CLIENT_REASON
};

const client_reason_row_t *client_reason_row(client_reason_t reason)
{
    return &ROWS[reason];
}
