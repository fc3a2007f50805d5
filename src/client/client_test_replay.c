#include "client/client_test_replay.h"

#include "client/url_rule.h"

static const replay_row_t *row_of(const replay_row_t *rows, str_t place)
{
    static const replay_row_t NOTHING = {.status = 404, .body = "{\"error\":\"not_found\"}"};
    for (size_t i = 0; i < REPLAY_ROWS && rows[i].place; i++)
        if (str_eq(str_c(rows[i].place), place))
            return &rows[i];
    return &NOTHING;
}

static void answer(client_discovery_t *d, const replay_row_t *row)
{
    const char *type = row->type ? row->type : "application/json";
    http_header_t header = {STR("content-type"), str_c(type)};
    http_answer_t answer = {.end = row->end,
                            .status = row->status ? row->status : 200,
                            .headers = {&header, type[0] ? 1 : 0},
                            .body = str_c(row->body)};
    assert_int_equal(client_discovery_took(d, &answer), RC_OK);
}

void replay(arena_t *a, const client_discovery_want_t *want, const replay_row_t rows[REPLAY_ROWS],
            replay_t *out)
{
    *out = (replay_t){0};
    str_t place;
    assert_int_equal(client_discovery_begin(a, want, &out->d), RC_OK);
    while (client_discovery_next(&out->d, &place) == CLIENT_LOOK) {
        assert_int_equal(client_url_check(place, want->plain_ok), CLIENT_FINE);
        assert_true(out->steps++ < 3 * CLIENT_PLACES_MAX);
        out->asked =
            arena_printf(a, "%" PRIstr "%" PRIstr "\n", STR_ARG(out->asked), STR_ARG(place));
        answer(&out->d, row_of(rows, place));
    }
}
