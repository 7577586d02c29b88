/* icmp TYPE [CODE] [mtu N] [id N] [ECHOED]. The names are those of the test's IP version. */
#include <string.h>

#include "packetdrill/pd_icmp.h"
#include "packetdrill/pd_parse_priv.h"

/* "type_7": a number behind a prefix. */
static bool numbered(const char *word, const char *prefix, uint8_t *out)
{
    size_t n = strlen(prefix);
    char *end;
    uint64_t v;

    if (strncmp(word, prefix, n) != 0 || !g_ascii_isdigit(word[n]))
        return false;
    v = g_ascii_strtoull(word + n, &end, 10);
    if (*end || v > 255)
        return false;
    *out = (uint8_t)v;
    return true;
}

static bool parse_type(PdParser *p, PdIcmp *icmp, bool v6)
{
    const char *word = p->lex.tok.text;

    if (p->lex.tok.kind != PD_TOKEN_WORD)
        return pd_parser_expected(p, "an ICMP type");
    if (!numbered(word, "type_", &icmp->type) && !pd_icmp_type_find(v6, word, &icmp->type)) {
        uint8_t other;

        if (pd_icmp_type_find(!v6, word, &other))
            return pd_parser_fail(p, p->lex.tok.loc,
                                  "'%s' is a type of ICMPv%d, and this test's IP version is %d", word,
                                  v6 ? 4 : 6, v6 ? 6 : 4);
        return pd_parser_expected(p, "an ICMP type such as unreachable or time_exceeded, or type_N");
    }
    pd_lex_next(&p->lex);
    return true;
}

static bool parse_code(PdParser *p, PdIcmp *icmp, bool v6)
{
    const char *word = p->lex.tok.text;

    if (p->lex.tok.kind != PD_TOKEN_WORD || strcmp(word, "mtu") == 0 || strcmp(word, "id") == 0)
        return true;
    if (!numbered(word, "code_", &icmp->code) && !pd_icmp_code_find(v6, icmp->type, word, &icmp->code)) {
        uint8_t other;

        if (pd_icmp_code_find_any(!v6, word, &other))
            return pd_parser_fail(p, p->lex.tok.loc,
                                  "'%s' is a code of ICMPv%d, and this test's IP version is %d", word,
                                  v6 ? 4 : 6, v6 ? 6 : 4);
        return pd_parser_expected(p, "a code of that ICMP type, or code_N");
    }
    pd_lex_next(&p->lex);
    return true;
}

static bool parse_echoed(PdParser *p, PdIcmp *icmp)
{
    pd_lex_next(&p->lex);
    if (pd_parser_is_word(p, "udp") || pd_parser_is_word(p, "raw")) {
        icmp->echoed = pd_parser_is_word(p, "udp") ? PD_ECHOED_UDP : PD_ECHOED_RAW;
        pd_lex_next(&p->lex);
        if (!pd_parse_length(p, &icmp->echoed_len))
            return false;
    } else {
        icmp->echoed = PD_ECHOED_TCP;
        if (!pd_parse_seq_range(p, &icmp->echoed_seq, &icmp->echoed_len))
            return false;
    }
    return pd_parser_take_punct(p, ']', "behind the packet that the ICMP message is about");
}

bool pd_parse_icmp(PdParser *p, PdPacket *packet)
{
    PdIcmp *icmp = &packet->icmp;
    bool v6 = p->script->ip_version == PD_IPV6;
    PdLoc loc;
    uint64_t v;

    if (!parse_type(p, icmp, v6) || !parse_code(p, icmp, v6))
        return false;
    loc = p->lex.tok.loc;
    if (pd_parser_is_word(p, "mtu")) {
        pd_lex_next(&p->lex);
        if (!pd_parser_take_uint(p, "an MTU", v6 ? UINT32_MAX : 65535, &v))
            return false;
        if (!pd_icmp_has_mtu(v6, icmp->type, icmp->code))
            return pd_parser_fail(p, loc, "mtu goes with %s only",
                                  v6 ? "packet_too_big" : "unreachable frag_needed");
        icmp->has_mtu = true;
        icmp->mtu = (uint32_t)v;
    }
    if (pd_parser_is_word(p, "id")) {
        pd_lex_next(&p->lex);
        if (!pd_parser_take_uint(p, "an identifier", 65535, &v))
            return false;
        icmp->has_id = true;
        icmp->id = (uint16_t)v;
    }
    return !pd_parser_is_punct(p, '[') || parse_echoed(p, icmp);
}
