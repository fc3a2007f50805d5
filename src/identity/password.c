#include "identity/password.h"

#include "core/limits.h"

/* What guessers try first, of those that are long enough; any case. From the public lists of
 * leaked passwords, which agree on most of these. */
static const str_t COMMON[] = {
    STR_INIT("0000000000"),    STR_INIT("0123456789"),       STR_INIT("0987654321"),
    STR_INIT("1111111111"),    STR_INIT("1122334455"),       STR_INIT("1212121212"),
    STR_INIT("123123123123"),  STR_INIT("1234512345"),       STR_INIT("123456123456"),
    STR_INIT("1234567890"),    STR_INIT("12345678900"),      STR_INIT("12345678901"),
    STR_INIT("123456789012"),  STR_INIT("1234567890a"),      STR_INIT("1234567890q"),
    STR_INIT("1234567891"),    STR_INIT("12345678910"),      STR_INIT("123456789a"),
    STR_INIT("123456789q"),    STR_INIT("1234qwerasdf"),     STR_INIT("1357924680"),
    STR_INIT("147258369a"),    STR_INIT("1q2w3e4r5t"),       STR_INIT("1q2w3e4r5t6y"),
    STR_INIT("1qaz2wsx3edc"),  STR_INIT("1qazxsw23edc"),     STR_INIT("2222222222"),
    STR_INIT("5555555555"),    STR_INIT("7777777777"),       STR_INIT("987654321a"),
    STR_INIT("9876543210"),    STR_INIT("9999999999"),       STR_INIT("a123456789"),
    STR_INIT("aa123456789"),   STR_INIT("aaaaaaaaaa"),       STR_INIT("abc1234567"),
    STR_INIT("abcd123456"),    STR_INIT("abcdefghij"),       STR_INIT("admin12345"),
    STR_INIT("admin123456"),   STR_INIT("administrator"),    STR_INIT("asdf123456"),
    STR_INIT("asdfghjkl1"),    STR_INIT("asdfghjkl123"),     STR_INIT("asdfghjkl;"),
    STR_INIT("basketball"),    STR_INIT("butterfly1"),       STR_INIT("changeme123"),
    STR_INIT("cheerleader"),   STR_INIT("chocolate1"),       STR_INIT("correcthorsebatterystaple"),
    STR_INIT("football123"),   STR_INIT("iloveyou12"),       STR_INIT("iloveyou123"),
    STR_INIT("letmein123"),    STR_INIT("letmeinletmein"),   STR_INIT("liverpool1"),
    STR_INIT("manchester"),    STR_INIT("mypassword"),       STR_INIT("p@ssw0rd123"),
    STR_INIT("p@ssword123"),   STR_INIT("passw0rd123"),      STR_INIT("password00"),
    STR_INIT("password01"),    STR_INIT("password11"),       STR_INIT("password12"),
    STR_INIT("password123"),   STR_INIT("password123!"),     STR_INIT("password1234"),
    STR_INIT("password12345"), STR_INIT("passwordpassword"), STR_INIT("princess123"),
    STR_INIT("q123456789"),    STR_INIT("q1w2e3r4t5"),       STR_INIT("q1w2e3r4t5y6"),
    STR_INIT("qazwsxedc1"),    STR_INIT("qazwsxedc123"),     STR_INIT("qazwsxedcrfv"),
    STR_INIT("qwer123456"),    STR_INIT("qwerty1234"),       STR_INIT("qwerty12345"),
    STR_INIT("qwerty123456"),  STR_INIT("qwertyqwerty"),     STR_INIT("qwertyuiop"),
    STR_INIT("qwertyuiop123"), STR_INIT("qwertyuiop[]"),     STR_INIT("spongebob1"),
    STR_INIT("strawberry"),    STR_INIT("superman123"),      STR_INIT("volleyball"),
    STR_INIT("welcome123"),    STR_INIT("welcome1234"),      STR_INIT("zaq12wsxcde3"),
    STR_INIT("zxcvbnm123"),    STR_INIT("zxcvbnm1234"),
};

static const str_t TEXTS[IDENTITY_PASSWORD_FAULT_COUNT] = {
    [IDENTITY_PASSWORD_FINE] = STR_INIT("This password is fine."),
    [IDENTITY_PASSWORD_SHORT] = STR_INIT("The password needs at least 10 characters."),
    [IDENTITY_PASSWORD_LONG] = STR_INIT("The password is longer than 1024 bytes."),
    [IDENTITY_PASSWORD_NOT_TEXT] =
        STR_INIT("The password has characters that cannot be typed, such as a line break."),
    [IDENTITY_PASSWORD_IS_NAME] = STR_INIT("The password must not be the user name."),
    [IDENTITY_PASSWORD_COMMON] =
        STR_INIT("This password is one of the first that anybody would guess."),
};

_Static_assert(IDENTITY_PASSWORD_CHARS_MIN == 10 && LIMIT_PASSWORD_BYTES == 1024,
               "the sentences above name them");

identity_password_cost_t identity_password_cost_default(void)
{
    return (identity_password_cost_t){.passes = 3, .memory = 32u << 20};
}

/* SP 800-63B-3 section 5.1.1.2: each Unicode code point counts as one character. */
static size_t count_chars(str_t utf8)
{
    size_t n = 0;
    for (size_t i = 0; i < utf8.n; i++)
        n += ((unsigned char)utf8.p[i] & 0xc0) != 0x80;
    return n;
}

/* U+0000 to U+001F, U+007F, and U+0080 to U+009F, which UTF-8 writes as c2 80 to c2 9f. */
static bool has_control(str_t utf8)
{
    for (size_t i = 0; i < utf8.n; i++) {
        unsigned char c = (unsigned char)utf8.p[i];
        if (c < 0x20 || c == 0x7f)
            return true;
        if (c == 0xc2 && i + 1 < utf8.n && (unsigned char)utf8.p[i + 1] < 0xa0)
            return true;
    }
    return false;
}

static bool is_common(str_t password)
{
    for (size_t i = 0; i < sizeof COMMON / sizeof COMMON[0]; i++)
        if (str_eq_nocase(COMMON[i], password))
            return true;
    return false;
}

identity_password_fault_t identity_password_check(secret_t password, str_t username)
{
    str_t p = password.hidden;
    if (p.n > LIMIT_PASSWORD_BYTES)
        return IDENTITY_PASSWORD_LONG;
    if (!str_is_utf8(p) || has_control(p))
        return IDENTITY_PASSWORD_NOT_TEXT;
    if (count_chars(p) < IDENTITY_PASSWORD_CHARS_MIN)
        return IDENTITY_PASSWORD_SHORT;
    if (str_eq_nocase(p, username))
        return IDENTITY_PASSWORD_IS_NAME;
    return is_common(p) ? IDENTITY_PASSWORD_COMMON : IDENTITY_PASSWORD_FINE;
}

str_t identity_password_fault_text(identity_password_fault_t fault)
{
    return TEXTS[fault];
}

str_t identity_password_hash_text(const identity_password_hash_t *hash)
{
    return str_c(hash->text);
}
