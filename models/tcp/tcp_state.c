/* The eleven states: their names, which may follow which, and the one place where a connection's state is
 * written (RFC 9293 3.3.2 figure 5; Linux tcp_set_state, inet_sk_state_store). */
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_probes.h"

static const char *const names[] = {
    [TCP_ESTABLISHED] = "ESTABLISHED",
    [TCP_SYN_SENT] = "SYN-SENT",
    [TCP_SYN_RECV] = "SYN-RECEIVED",
    [TCP_FIN_WAIT1] = "FIN-WAIT-1",
    [TCP_FIN_WAIT2] = "FIN-WAIT-2",
    [TCP_TIME_WAIT] = "TIME-WAIT",
    [TCP_CLOSE] = "CLOSED",
    [TCP_CLOSE_WAIT] = "CLOSE-WAIT",
    [TCP_LAST_ACK] = "LAST-ACK",
    [TCP_LISTEN] = "LISTEN",
    [TCP_CLOSING] = "CLOSING",
    [TCP_NEW_SYN_RECV] = "SYN-RECEIVED",
};

const char *tcp_state_name(TcpState s)
{
    hs_assert(s < HS_ARRAY_LEN(names) && names[s]);
    return names[s];
}

#define BIT(s) (1u << (s))

/* From each state, the states that may follow beside CLOSE, which may follow any. A socket that is fresh gets
 * its first state straight from the passive side (SYN_RECV, ESTABLISHED). SYN_SENT to CLOSE_WAIT and others
 * in one step do not exist: each segment is worked off state by state. */
static const uint16_t next[] = {
    [TCP_CLOSE] = BIT(TCP_LISTEN) | BIT(TCP_SYN_SENT) | BIT(TCP_SYN_RECV) | BIT(TCP_ESTABLISHED),
    [TCP_LISTEN] = 0,
    [TCP_SYN_SENT] = BIT(TCP_SYN_RECV) | BIT(TCP_ESTABLISHED),
    [TCP_SYN_RECV] = BIT(TCP_ESTABLISHED) | BIT(TCP_FIN_WAIT1) | BIT(TCP_CLOSE_WAIT),
    [TCP_ESTABLISHED] = BIT(TCP_FIN_WAIT1) | BIT(TCP_CLOSE_WAIT),
    [TCP_FIN_WAIT1] = BIT(TCP_FIN_WAIT2) | BIT(TCP_CLOSING) | BIT(TCP_TIME_WAIT),
    [TCP_FIN_WAIT2] = BIT(TCP_TIME_WAIT),
    [TCP_CLOSING] = BIT(TCP_TIME_WAIT),
    [TCP_CLOSE_WAIT] = BIT(TCP_LAST_ACK),
    [TCP_LAST_ACK] = 0,
    [TCP_TIME_WAIT] = 0,
};

bool tcp_state_is_legal(TcpState from, TcpState to)
{
    return to == TCP_CLOSE || (from < HS_ARRAY_LEN(next) && next[from] & BIT(to));
}

bool tcp_state_can_send(TcpState s)
{
    return s == TCP_ESTABLISHED || s == TCP_CLOSE_WAIT;
}

void tcp_set_state(TcpConn *c, TcpState s)
{
    Tcp *t = c->tcp;
    TcpState old = c->state;

    hs_assert(tcp_state_is_legal(old, s));
    switch (s) {
    case TCP_ESTABLISHED:
        if (old != TCP_ESTABLISHED)
            TCP_INC(t, TcpCurrEstab);
        break;
    case TCP_CLOSE_WAIT: /* a child that got its FIN with the handshake's last ACK (Linux 6.10) */
        if (old == TCP_SYN_RECV)
            TCP_INC(t, TcpCurrEstab);
        break;
    case TCP_CLOSE:
        if (old == TCP_CLOSE_WAIT || old == TCP_ESTABLISHED)
            TCP_INC(t, TcpEstabResets);
        tcp_table_remove(c);
        break;
    default:
        break;
    }
    if (s != TCP_ESTABLISHED && s != TCP_CLOSE_WAIT && (old == TCP_ESTABLISHED || old == TCP_CLOSE_WAIT))
        TCP_ADD(t, TcpCurrEstab, (uint64_t)-1);
    c->state = s;
    if (c->is_passing) {
        if (s == TCP_FIN_WAIT2)
            return;
        old = TCP_FIN_WAIT1;
    }
    if (s != old && !c->is_remembered)
        tcp_probes_state(c, old, s);
    c->is_remembered = c->is_passing = false;
}
