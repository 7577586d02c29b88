#include "models/app/udp_echo.h"

#include <glib.h>

struct UdpEcho {
    UdpSock *sock;
    uint64_t count;
};

static void on_wake(void *user, UdpSock *s)
{
    UdpEcho *e = user;
    Packet *pkt;
    UdpRecv info;
    int n;

    while ((n = udpsock_recv_packet(s, &pkt, &info)) >= 0) {
        e->count++;
        udpsock_send(s, &(UdpSend){.to = &info.from, .packet = pkt, .len = (uint32_t)n});
        packet_unref(pkt);
    }
}

UdpEcho *udp_echo_new(Udp *udp, uint16_t port)
{
    UdpEcho *e = g_new0(UdpEcho, 1);

    e->sock = udpsock_new(udp);
    udpsock_on_wake(e->sock, on_wake, e);
    if (udpsock_bind(e->sock, (UdpAddr){0, port})) {
        udp_echo_free(e);
        return NULL;
    }
    return e;
}

void udp_echo_free(UdpEcho *e)
{
    if (!e)
        return;
    udpsock_close(e->sock);
    g_free(e);
}

uint64_t udp_echo_count(const UdpEcho *e)
{
    return e->count;
}
