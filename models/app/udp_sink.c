#include "models/app/udp_sink.h"

#include <glib.h>

struct UdpSink {
    UdpSock *sock;
    UdpSinkFn fn;
    void *user;
    UdpSinkResult r;
    uint32_t size; /* of the last datagram, and what turns its first byte into its number */
    uint32_t inverse;
    uint32_t expected; /* number mod 251 */
};

/* x with size × x = 1 mod 251; 0: there is none. */
static uint32_t inverse_of(uint32_t size)
{
    uint32_t a = size % PAYLOAD_PERIOD;

    for (uint32_t x = 1; a && x < PAYLOAD_PERIOD; x++)
        if (a * x % PAYLOAD_PERIOD == 1)
            return x;
    return 0;
}

static void follow(UdpSink *s, uint8_t first, uint32_t size)
{
    uint32_t n, ahead;

    if (size != s->size) {
        s->size = size;
        s->inverse = inverse_of(size);
        s->expected = first * s->inverse % PAYLOAD_PERIOD;
        if (s->r.received == 0 && s->expected <= PAYLOAD_PERIOD / 2)
            s->expected = 0; /* what is missing before the first counts too */
    }
    if (!s->inverse)
        return;
    n = first * s->inverse % PAYLOAD_PERIOD;
    ahead = (n + PAYLOAD_PERIOD - s->expected) % PAYLOAD_PERIOD;
    if (ahead > PAYLOAD_PERIOD / 2) {
        s->r.reordered++;
        s->r.lost -= s->r.lost != 0;
        return;
    }
    s->r.lost += ahead;
    s->expected = (n + 1) % PAYLOAD_PERIOD;
}

static void on_wake(void *user, UdpSock *sock)
{
    UdpSink *s = user;
    UdpRecv info;
    uint8_t first;
    int n;

    while ((n = udpsock_recv(sock, &first, 1, &info)) >= 0) {
        if (n)
            follow(s, first, info.len);
        if (!s->r.received)
            s->r.first = info.time;
        else
            s->r.longest_gap = HS_MAX(s->r.longest_gap, info.time - s->r.last);
        s->r.last = info.time;
        s->r.received++;
        s->r.bytes += info.len;
        if (s->fn)
            s->fn(s->user, &info);
    }
}

UdpSink *udp_sink_new(Udp *udp, uint16_t port, UdpSinkFn fn, void *user)
{
    UdpSink *s = g_new0(UdpSink, 1);

    s->fn = fn;
    s->user = user;
    s->sock = udpsock_new(udp);
    udpsock_on_wake(s->sock, on_wake, s);
    if (udpsock_bind(s->sock, (UdpAddr){0, port})) {
        udp_sink_free(s);
        return NULL;
    }
    return s;
}

void udp_sink_free(UdpSink *s)
{
    if (!s)
        return;
    udpsock_close(s->sock);
    g_free(s);
}

void udp_sink_result(const UdpSink *s, UdpSinkResult *out)
{
    *out = s->r;
}

UdpSock *udp_sink_socket(UdpSink *s)
{
    return s->sock;
}
