#include "models/ip/icmp_quote.h"

#include <string.h>

#include "models/wire/wire.h"

void icmp_quote(Packet *out, const Packet *pkt, uint32_t n)
{
    uint32_t in_buf = (uint32_t)(pkt->tail - pkt->l3), head = HS_MIN(n, in_buf);
    uint32_t room = (uint32_t)(PKT_BUF - out->tail), copy = HS_MIN(head, room);
    uint8_t *at = packet_put(out, copy);

    memcpy(at, pkt->buf + pkt->l3, copy);
    if (pkt->csum == PKT_CSUM_PARTIAL && pkt->csum_at >= pkt->l3 &&
        (uint32_t)(pkt->csum_at - pkt->l3) + 2 <= copy)
        wire_put16(at + (pkt->csum_at - pkt->l3), packet_csum_value(pkt));
    if (head > copy)
        packet_add_bytes(out, pkt->buf + pkt->l3 + copy, head - copy);
    packet_add_payload_of(out, pkt, 0, n - head);
}
