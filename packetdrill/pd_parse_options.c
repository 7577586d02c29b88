/* TCP options in their wire order: <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8>. */
#include <string.h>

#include "models/wire/tcp_opt.h"
#include "packetdrill/pd_option.h"
#include "packetdrill/pd_parse_priv.h"

static bool take_value(PdParser *p, const char *word, const char *what, uint64_t max, uint32_t *out)
{
    uint64_t v;

    if (word) {
        if (!pd_parser_is_word(p, word)) {
            char *expected = g_strdup_printf("'%s' and %s", word, what);

            pd_parser_expected(p, expected);
            g_free(expected);
            return false;
        }
        pd_lex_next(&p->lex);
    }
    if (!pd_parser_take_uint(p, what, max, &v))
        return false;
    *out = (uint32_t)v;
    return true;
}

/* Hexadecimal digits are read as text: a cookie may begin with digits, or be a defined word. */
static bool parse_hex(PdParser *p, PdTcpOption *o, unsigned max, const char *what)
{
    PdLoc loc;
    const char *text = pd_lex_raw(&p->lex, ",>/", false, &loc), *defined;
    size_t len;

    defined = pd_defines_find(p->lex.defines, text);
    if (defined)
        text = defined;
    len = strlen(text);
    if (len > 2 && text[0] == '0' && text[1] == 'x') {
        text += 2;
        len -= 2;
    }
    if (len % 2 != 0 || len / 2 > max)
        return pd_parser_fail(p, loc,
                              "expected %s of up to %u bytes, two hexadecimal digits each, found '%s'", what,
                              max, text);
    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isxdigit(text[i]))
            return pd_parser_fail(p, loc, "expected %s in hexadecimal digits, found '%s'", what, text);
    }
    for (size_t i = 0; i < len / 2; i++)
        o->bytes[i] =
            (uint8_t)(g_ascii_xdigit_value(text[2 * i]) << 4 | g_ascii_xdigit_value(text[2 * i + 1]));
    o->n = (uint8_t)(len / 2);
    return true;
}

static bool hex_follows(const PdParser *p)
{
    return p->lex.tok.kind != PD_TOKEN_PUNCT && p->lex.tok.kind != PD_TOKEN_END;
}

static bool parse_sack(PdParser *p, PdTcpOption *o)
{
    while (p->lex.tok.kind == PD_TOKEN_INT) {
        uint32_t left, right;

        if (o->n == HS_ARRAY_LEN(o->sack))
            return pd_parser_fail(p, p->lex.tok.loc, "more than %zu SACK blocks do not fit in a header",
                                  HS_ARRAY_LEN(o->sack));
        if (!take_value(p, NULL, "the left edge of a SACK block", UINT32_MAX, &left) ||
            !pd_parser_take_punct(p, ':', "between the edges of a SACK block") ||
            !take_value(p, NULL, "the right edge of a SACK block", UINT32_MAX, &right))
            return false;
        o->sack[o->n++] = (PdSackBlock){left, right};
    }
    if (o->n == 0)
        return pd_parser_expected(p, "a SACK block LEFT:RIGHT");
    return true;
}

/* ECN e0b N [ceb N [e1b N]] is order 0, ECN e1b N [ceb N [e0b N]] order 1 (RFC 9768 3.2.3). */
static bool parse_ecn(PdParser *p, PdTcpOption *o)
{
    static const char *const orders[2][3] = {{"e0b", "ceb", "e1b"}, {"e1b", "ceb", "e0b"}};
    const char *const *words;

    if (!pd_parser_is_word(p, "e0b") && !pd_parser_is_word(p, "e1b"))
        return pd_parser_expected(p, "e0b or e1b and a counter");
    words = orders[pd_parser_is_word(p, "e1b")];
    o->kind = pd_parser_is_word(p, "e1b") ? PD_OPTION_ACCECN1 : PD_OPTION_ACCECN0;
    while (o->n < 3 && pd_parser_is_word(p, words[o->n])) {
        if (!take_value(p, words[o->n], "a counter of 24 bits", 0xffffff, &o->counter[o->n]))
            return false;
        o->n++;
    }
    return true;
}

static bool parse_option(PdParser *p, PdTcpOption *o)
{
    static const struct {
        const char *word;
        uint8_t kind;
    } words[] = {{"nop", TCP_OPT_NOP},
                 {"eol", TCP_OPT_EOL},
                 {"mss", TCP_OPT_MSS},
                 {"wscale", TCP_OPT_WSCALE},
                 {"sackOK", TCP_OPT_SACK_PERMITTED},
                 {"sack", TCP_OPT_SACK},
                 {"TS", TCP_OPT_TIMESTAMPS},
                 {"FO", TCP_OPT_FASTOPEN},
                 {"FOEXP", TCP_OPT_EXPERIMENTAL},
                 {"md5", TCP_OPT_MD5},
                 {"ECN", PD_OPTION_ACCECN0}};
    unsigned i = 0;

    o->loc = p->lex.tok.loc;
    while (i < HS_ARRAY_LEN(words) && !pd_parser_is_word(p, words[i].word))
        i++;
    if (i == HS_ARRAY_LEN(words))
        return pd_parser_expected(p,
                                  "an option (nop, eol, mss, wscale, sackOK, sack, TS, FO, FOEXP, md5, ECN)");
    o->kind = words[i].kind;
    pd_lex_next(&p->lex);
    switch (o->kind) {
    case TCP_OPT_MSS:
        return take_value(p, NULL, "an MSS", 65535, &o->value);
    case TCP_OPT_WSCALE:
        return take_value(p, NULL, "a window scale", 255, &o->value);
    case TCP_OPT_SACK:
        return parse_sack(p, o);
    case TCP_OPT_TIMESTAMPS:
        return take_value(p, "val", "a timestamp", UINT32_MAX, &o->ts_val) &&
               take_value(p, "ecr", "a timestamp", UINT32_MAX, &o->ts_ecr);
    case TCP_OPT_FASTOPEN:
    case TCP_OPT_EXPERIMENTAL:
        return !hex_follows(p) || parse_hex(p, o, TCP_MAX_FASTOPEN_COOKIE, "a Fast Open cookie");
    case TCP_OPT_MD5:
        return !hex_follows(p) || parse_hex(p, o, 16, "an MD5 digest");
    case PD_OPTION_ACCECN0:
        return parse_ecn(p, o);
    default:
        return true;
    }
}

static bool take_comma(PdParser *p)
{
    bool is_comma = pd_parser_is_punct(p, ',');

    if (is_comma)
        pd_lex_next(&p->lex);
    return is_comma;
}

bool pd_parse_tcp_options(PdParser *p, PdTcp *tcp, PdDirection dir)
{
    PdTcpOption list[PD_MAX_TCP_OPTIONS] = {0};
    PdLoc loc = p->lex.tok.loc;
    unsigned total = 0, n = 0;

    pd_lex_next(&p->lex);
    if (p->lex.tok.kind == PD_TOKEN_ELLIPSIS) {
        if (dir == PD_INBOUND)
            return pd_parser_fail(p, p->lex.tok.loc, "<...> (any options) is for outbound packets only");
        tcp->any_options = true;
        pd_lex_next(&p->lex);
        return pd_parser_take_punct(p, '>', "behind the options");
    }
    do {
        if (n == PD_MAX_TCP_OPTIONS)
            return pd_parser_fail(p, p->lex.tok.loc, "more options than fit in a header");
        if (!parse_option(p, &list[n]))
            return false;
        total += pd_option_len(&list[n++]);
    } while (take_comma(p));
    if (!pd_parser_is_punct(p, '>'))
        return pd_parser_expected(p, "',' or '>' behind an option");
    pd_lex_next(&p->lex);
    if (total % 4 != 0)
        return pd_parser_fail(
            p, loc, "the options take %u bytes, which is no multiple of 4: pad them with nop", total);
    if (total > TCP_MAX_OPTIONS_LEN)
        return pd_parser_fail(p, loc, "the options take %u bytes, and a header has room for %u", total,
                              TCP_MAX_OPTIONS_LEN);
    tcp->n_options = (uint8_t)n;
    tcp->options = pd_arena_alloc(&p->arena, n * sizeof *list);
    memcpy(tcp->options, list, n * sizeof *list);
    return true;
}
