/* Options byte by byte through models/wire, in the order in which the script writes them. */
#include "packetdrill/pd_option.h"

#include <string.h>

#include "models/wire/tcp_opt.h"
#include "sim/base/base.h"

unsigned pd_option_len(const PdTcpOption *o)
{
    switch (o->kind) {
    case TCP_OPT_NOP:
    case TCP_OPT_EOL:
        return 1;
    case TCP_OPT_MSS:
        return TCP_OPT_MSS_LEN;
    case TCP_OPT_WSCALE:
        return TCP_OPT_WSCALE_LEN;
    case TCP_OPT_SACK_PERMITTED:
        return TCP_OPT_SACK_PERMITTED_LEN;
    case TCP_OPT_SACK:
        return 2 + 8u * o->n;
    case TCP_OPT_TIMESTAMPS:
        return TCP_OPT_TIMESTAMPS_LEN;
    case TCP_OPT_EXPERIMENTAL:
        return 4u + o->n;
    case PD_OPTION_ACCECN0:
    case PD_OPTION_ACCECN1:
        return 2 + 3u * o->n;
    default: /* Fast Open, MD5, and kinds that only ever are captured */
        return 2u + o->n;
    }
}

static size_t put_block(uint8_t *to, const PdTcpOption *o)
{
    to[0] = o->kind;
    to[1] = (uint8_t)pd_option_len(o);
    memcpy(to + 2, o->bytes, o->n);
    return to[1];
}

static size_t put_accecn(uint8_t *to, const PdTcpOption *o)
{
    to[0] = o->kind;
    to[1] = (uint8_t)pd_option_len(o);
    for (unsigned i = 0; i < o->n; i++) {
        to[2 + 3 * i] = (uint8_t)(o->counter[i] >> 16);
        wire_put16(to + 3 + 3 * i, (uint16_t)o->counter[i]);
    }
    return to[1];
}

size_t pd_options_encode(uint8_t *to, const PdTcpOption *o, unsigned n)
{
    uint8_t *p = to;

    for (; n > 0; n--, o++) {
        switch (o->kind) {
        case TCP_OPT_NOP:
            p += tcp_opt_put_nop(p);
            break;
        case TCP_OPT_EOL:
            *p++ = TCP_OPT_EOL;
            break;
        case TCP_OPT_MSS:
            p += tcp_opt_put_mss(p, (uint16_t)o->value);
            break;
        case TCP_OPT_WSCALE:
            p += tcp_opt_put_wscale(p, (uint8_t)o->value);
            break;
        case TCP_OPT_SACK_PERMITTED:
            p += tcp_opt_put_sack_permitted(p);
            break;
        case TCP_OPT_SACK: {
            TcpSackBlock blocks[4];

            for (unsigned i = 0; i < o->n; i++)
                blocks[i] = (TcpSackBlock){o->sack[i].left, o->sack[i].right};
            p += tcp_opt_put_sack(p, blocks, o->n);
            break;
        }
        case TCP_OPT_TIMESTAMPS:
            p += tcp_opt_put_timestamps(p, o->ts_val, o->ts_ecr);
            break;
        case TCP_OPT_EXPERIMENTAL:
            p += tcp_opt_put_fastopen_experimental(p, o->bytes, o->n);
            break;
        case PD_OPTION_ACCECN0:
        case PD_OPTION_ACCECN1:
            p += put_accecn(p, o);
            break;
        default:
            p += put_block(p, o);
            break;
        }
    }
    return (size_t)(p - to);
}

static void decode_one(PdTcpOption *to, const TcpOpt *opt)
{
    const uint8_t *body = opt->p + 2;
    unsigned len = opt->len > 2 ? opt->len - 2u : 0;

    *to = (PdTcpOption){.kind = opt->kind};
    switch (opt->kind) {
    case TCP_OPT_MSS:
        if (len >= 2)
            to->value = wire_get16(body);
        break;
    case TCP_OPT_WSCALE:
        if (len >= 1)
            to->value = body[0];
        break;
    case TCP_OPT_SACK:
        for (; to->n < 4 && len >= 8u * (to->n + 1u); to->n++)
            to->sack[to->n] = (PdSackBlock){wire_get32(body + 8 * to->n), wire_get32(body + 8 * to->n + 4)};
        break;
    case TCP_OPT_TIMESTAMPS:
        if (len >= 8) {
            to->ts_val = wire_get32(body);
            to->ts_ecr = wire_get32(body + 4);
        }
        break;
    case PD_OPTION_ACCECN0:
    case PD_OPTION_ACCECN1:
        for (; to->n < 3 && len >= 3u * (to->n + 1u); to->n++)
            to->counter[to->n] = (uint32_t)body[3 * to->n] << 16 | wire_get16(body + 3 * to->n + 1);
        break;
    case TCP_OPT_EXPERIMENTAL:
        if (len >= 2 && wire_get16(body) == TCP_OPT_FASTOPEN_MAGIC) {
            body += 2;
            len -= 2;
        }
        to->n = (uint8_t)HS_MIN(len, sizeof to->bytes);
        memcpy(to->bytes, body, to->n);
        break;
    default:
        to->n = (uint8_t)HS_MIN(len, sizeof to->bytes);
        memcpy(to->bytes, body, to->n);
        break;
    }
}

unsigned pd_options_decode(PdTcpOption *to, unsigned max, const uint8_t *p, size_t len, size_t *leftover)
{
    TcpOptIter it = {p, len, 0};
    TcpOpt opt;
    unsigned n = 0;

    while (n < max && tcp_opt_next(&it, &opt))
        decode_one(&to[n++], &opt);
    /* The iterator stops in front of an end-of-list; scripts write each of its bytes. */
    while (n < max && !it.error && it.len > 0 && *it.p == TCP_OPT_EOL) {
        to[n++] = (PdTcpOption){.kind = TCP_OPT_EOL};
        it.p++;
        it.len--;
    }
    *leftover = it.len;
    return n;
}

bool pd_option_is_same_shape(const PdTcpOption *a, const PdTcpOption *b)
{
    return a->kind == b->kind && pd_option_len(a) == pd_option_len(b);
}
