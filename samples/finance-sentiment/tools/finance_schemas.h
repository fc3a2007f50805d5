/* The schemas of the tools, put together from parts (JSON Schema 2020-12). */
#ifndef SENTIMENT_FINANCE_SCHEMAS_H
#define SENTIMENT_FINANCE_SCHEMAS_H

#define OBJECT(properties) "{\"type\":\"object\",\"properties\":{" properties "}}"
#define LIST(items)        "{\"type\":\"array\",\"items\":" items "}"
#define TEXT               "{\"type\":\"string\"}"
#define TIME               "{\"type\":\"string\",\"format\":\"date-time\"}"
#define COUNT              "{\"type\":\"integer\",\"minimum\":0}"
#define NUMBER             "{\"type\":\"number\"}"
#define SCORE              "{\"type\":\"number\",\"minimum\":-1,\"maximum\":1}"
#define UNIT               "{\"type\":\"number\",\"minimum\":0,\"maximum\":1}"
#define LABEL                                                                                      \
    "{\"type\":\"string\",\"enum\":[\"Bearish\",\"Somewhat-Bearish\",\"Neutral\","                 \
    "\"Somewhat-Bullish\",\"Bullish\"]}"
#define CLASS  "{\"type\":\"string\",\"enum\":[\"negative\",\"neutral\",\"positive\"]}"
#define SCORED "\"score\":" SCORE ",\"label\":" LABEL

/* What a call takes. */
#define TICKER                                                                                     \
    "{\"type\":\"string\",\"minLength\":1,\"maxLength\":22,\"description\":\"Stock symbol, for "   \
    "example ACME\"}"
#define TICKERS(least, most, what)                                                                 \
    "{\"type\":\"array\",\"items\":" TICKER ",\"minItems\":" #least ",\"maxItems\":" #most         \
    ",\"description\":\"" what "\"}"
#define WHEN(what)                                                                                 \
    "{\"type\":\"string\",\"maxLength\":40,\"description\":\"" what                                \
    "; UTC, 2026-05-03 or 2026-05-03T12:00:00Z\"}"
#define WINDOW                                                                                     \
    "\"window\":{\"type\":\"string\",\"pattern\":\"^[1-9][0-9]{0,3}[hdw]$\",\"default\":\"30d\","  \
    "\"description\":\"How long: hours (48h), days (30d) or weeks (8w)\"},"                        \
    "\"to\":" WHEN("End of the window; by default now, or the latest article where news have "     \
                   "stopped")
#define BUCKET                                                                                     \
    "\"bucket\":{\"type\":\"string\",\"enum\":[\"hour\",\"day\",\"week\"],\"description\":"        \
    "\"By default what gives a few dozen buckets\"}"

/* What it gives. */
#define MEAN                                                                                       \
    "\"count\":" COUNT "," SCORED ","                                                              \
    "\"dispersion\":{\"type\":\"number\",\"minimum\":0,\"description\":\"Standard deviation of "   \
    "the scores\"},\"standard_error\":{\"type\":\"number\",\"minimum\":0,\"description\":\"Of "    \
    "the mean\"}"
#define TREND                                                                                      \
    "\"trend\":{\"type\":\"object\",\"description\":\"Line by weighted least squares; low and "    \
    "high are a 95% interval of the change of the score in a day; direction is none where chance " \
    "would do as well. Left out where there are too few articles\",\"properties\":{\"direction\":" \
    "{\"enum\":[\"rising\",\"falling\",\"none\"]},\"per_day\":" NUMBER                             \
    ",\"standard_error\":" NUMBER ",\"low\":" NUMBER ",\"high\":" NUMBER                           \
    "},\"required\":[\"direction\",\"per_day\",\"low\",\"high\"]}"
#define WINDOWED                                                                                   \
    "\"from\":" TIME ",\"to\":" TIME ",\"window_ends\":{\"enum\":[\"now\",\"given\","              \
    "\"latest_article\"]},\"half_life_hours\":{\"type\":\"number\",\"minimum\":0,\"description\":" \
    "\"An article this much older counts half\"}"
#define LIVE                                                                                       \
    "\"live\":{\"type\":\"array\",\"description\":\"How fresh live news are; absent where there "  \
    "is no live service\",\"items\":{\"type\":\"object\",\"properties\":{\"ticker\":" TEXT         \
    ",\"state\":{\"enum\":[\"fresh\",\"stale\",\"none\"]},\"fetched\":" TIME ",\"note\":" TEXT     \
    "},\"required\":[\"ticker\",\"state\"]}}"
#define PROVENANCE                                                                                 \
    "\"provenance\":{\"type\":\"string\",\"description\":\"How far the texts can be trusted\"}"
#define NOTE "\"note\":{\"type\":\"string\",\"description\":\"What is missing from the answer\"}"
#define ARTICLE                                                                                                                                                                            \
    "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"},\"title\":" TEXT                                                                                                   \
    ",\"published\":" TIME ",\"source\":" TEXT ",\"url\":" TEXT ",\"summary\":" TEXT                                                                                                       \
    ",\"relevance\":" UNIT "," SCORED ",\"tickers\":" LIST(                                                                                                                                \
        "{\"type\":\"object\",\"properties\":{\"ticker\":" TEXT ",\"relevance\":" UNIT "," SCORED                                                                                          \
        ",\"publisher_score\":" SCORE                                                                                                                                                      \
        "},\"required\":[\"ticker\",\"relevance\",\"score\"]}") ",\"topics\":" LIST(TEXT) ",\"dup"                                                                                         \
                                                                                          "licate"                                                                                         \
                                                                                          "s\""                                                                                            \
                                                                                          ":" COUNT                                                                                        \
                                                                                          ",\"als"                                                                                         \
                                                                                          "o_"                                                                                             \
                                                                                          "told_"                                                                                          \
                                                                                          "by\""                                                                                           \
                                                                                          ":" LIST(OBJECT(                                                                                 \
                                                                                              "\""                                                                                         \
                                                                                              "so"                                                                                         \
                                                                                              "ur"                                                                                         \
                                                                                              "ce"                                                                                         \
                                                                                              "\""                                                                                         \
                                                                                              ":" TEXT                                                                                     \
                                                                                              ","                                                                                          \
                                                                                              "\""                                                                                         \
                                                                                              "ur"                                                                                         \
                                                                                              "l"                                                                                          \
                                                                                              "\""                                                                                         \
                                                                                              ":" TEXT                                                                                     \
                                                                                              ","                                                                                          \
                                                                                              "\""                                                                                         \
                                                                                              "pu"                                                                                         \
                                                                                              "bl"                                                                                         \
                                                                                              "is"                                                                                         \
                                                                                              "he"                                                                                         \
                                                                                              "d"                                                                                          \
                                                                                              "\""                                                                                         \
                                                                                              ":" TIME)) ",\"origin\":{\"type\":\"object\",\"properties\":{\"via\":" TEXT                  \
                                                                                                         ",\"from\":" TEXT                                                                 \
                                                                                                         ",\"fetched\":" TIME                                                              \
                                                                                                         ",\"trusted\":{\"const\":false}},\"required\":[\"trusted\"]}},"                   \
                                                                                                         "\"required\":[\"id\",\"title\",\"published\",\"relevance\",\"score\",\"label\"," \
                                                                                                         "\"origin\"]}"
#define EVIDENCE                                                                                   \
    "\"evidence_count\":" COUNT ",\"evidence\":{\"type\":\"array\",\"description\":\"The words "   \
    "that made the score, in their order\",\"items\":{\"type\":\"object\",\"properties\":{"        \
    "\"text\":" TEXT ",\"rule\":" TEXT ",\"weight\":" NUMBER                                       \
    "},\"required\":[\"text\",\"rule\",\"weight\"]}}"
#define READING                                                                                    \
    SCORED ",\"class\":" CLASS ",\"probability\":{\"type\":\"object\",\"properties\":{"            \
           "\"negative\":" UNIT ",\"neutral\":" UNIT ",\"positive\":" UNIT                         \
           "},\"required\":[\"negative\",\"neutral\",\"positive\"]},\"target\":" TEXT              \
           ",\"mentions\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"How often the "    \
           "target is named; with 0 the score is of the whole text\"}," EVIDENCE
#define READ                                                                                       \
    "\"required\":[\"score\",\"label\",\"class\",\"probability\",\"evidence_count\",\"evidence\"]"
#define SPANS                                                                                      \
    "\"spans\":{\"type\":\"array\",\"description\":\"start and end count Unicode characters of "   \
    "the field\",\"items\":{\"type\":\"object\",\"properties\":{\"field\":{\"enum\":[\"title\","   \
    "\"summary\"]},\"start\":" COUNT ",\"end\":" COUNT ",\"text\":" TEXT ",\"weight\":" NUMBER     \
    ",\"rule\":" TEXT "},\"required\":[\"field\",\"start\",\"end\",\"text\",\"weight\","           \
    "\"rule\"]}}"

#endif
