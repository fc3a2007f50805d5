#include "oauth/prompt.h"

oauth_prompt_t oauth_prompt_read(str_t text)
{
    oauth_prompt_t prompt = {0};
    str_t value;
    while (str_split(&text, ' ', &value)) {
        if (str_eq(value, STR("none")))
            prompt.none = true;
        else if (value.n > 0)
            prompt.others = true;
        if (str_eq(value, STR("login")) || str_eq(value, STR("select_account")))
            prompt.login = true;
        if (str_eq(value, STR("consent")))
            prompt.consent = true;
    }
    return prompt;
}
