/* SOL_SOCKET, SOL_IP and SOL_IPV6 options of a TCP socket (Linux sk_setsockopt, sk_getsockopt,
 * do_ip_setsockopt, do_ipv6_setsockopt): ranges, doubled buffers and errors as there. Processes run as root,
 * so that nothing is refused for want of a capability. */
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "models/ip/ip4.h"
#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_ip.h"
#include "models/tcp/tcp_keepalive.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_sockopt.h"
#include "models/tcp/tcp_timer.h"

#define MIN_SNDBUF 4608 /* SOCK_MIN_SNDBUF: two skbs of 2048 */
#define MIN_RCVBUF 2304

/* What <sys/socket.h> of some C libraries lacks. */
#define OPT_SO_TXREHASH 74
#define OPT_SO_BUF_LOCK 72
#define OPT_SO_MAX_PACING_RATE 47
#define OPT_SO_BINDTOIFINDEX 62
#define OPT_SO_LOCK_FILTER 44
#define OPT_SO_RESERVE_MEM 73
#define OPT_SO_MEMINFO 55
#define OPT_SO_COOKIE 57
#define OPT_SO_ZEROCOPY 60
#define OPT_SO_TIMESTAMP_NEW 63
#define OPT_SO_TIMESTAMPNS_NEW 64
#define OPT_SO_RCVTIMEO_NEW 66
#define OPT_SO_SNDTIMEO_NEW 67
#define OPT_SO_TIMESTAMPING_NEW 65

enum { BUF_LOCK_SND = 1, BUF_LOCK_RCV = 2 };

TcpOpts *tcp_opts(TcpConn *c)
{
    if (!c->opts) {
        c->opts = g_new0(TcpOpts, 1);
        c->opts->mtu_discover = tcp_ip_default_pmtudisc(c);
        c->opts->mtu_discover6 = TCP_PMTUDISC_WANT;
    }
    return c->opts;
}

void tcp_opts_free(TcpConn *c)
{
    if (!c->opts)
        return;
    tcp_errq_clear(c);
    packet_unref(c->opts->saved_syn);
    g_free(c->opts);
    c->opts = NULL;
}

SimTime tcp_timeout_ns(const TcpConn *c, bool is_send)
{
    uint64_t t = !c->opts ? 0 : is_send ? c->opts->sndtimeo_ns : c->opts->rcvtimeo_ns;

    return t == TCP_TIMEO_NOW ? -1 : (SimTime)t;
}

/* ---- helpers ---- */

int tcp_opts_take_int(const void *val, unsigned len, int *out)
{
    if (len < sizeof(int))
        return -EINVAL;
    memcpy(out, val, sizeof(int));
    return 0;
}

int tcp_opts_give(void *val, unsigned *len, const void *from, unsigned size)
{
    *len = HS_MIN(*len, size);
    memcpy(val, from, *len);
    return 0;
}

uint64_t tcp_opts_kept(int level, int name)
{
    /* SO_DEBUG, _NO_CHECK, _TIMESTAMP, _TIMESTAMPNS, _RXQ_OVFL, _WIFI_STATUS, _NOFCS, _LOCK_FILTER,
     * _SELECT_ERR_QUEUE, _TIMESTAMP_NEW, _TIMESTAMPNS_NEW, _PREFER_BUSY_POLL, _RCVMARK, _RCVPRIORITY;
     * IP_RECVOPTS, _RETOPTS, _PKTINFO, _PASSSEC, _RECVORIGDSTADDR, _CHECKSUM, _RECVERR_RFC4884 */
    static const uint8_t socket_names[] = {1, 11, 29, 35, 40, 41, 43, 44, 45, 63, 64, 69, 75, 82};
    static const uint8_t ip_names[] = {6, 7, 8, 18, 20, 23, 26};

    for (unsigned i = 0; level == SOL_SOCKET && i < HS_ARRAY_LEN(socket_names); i++)
        if (socket_names[i] == name)
            return UINT64_C(1) << i;
    for (unsigned i = 0; level == IPPROTO_IP && i < HS_ARRAY_LEN(ip_names); i++)
        if (ip_names[i] == name)
            return UINT64_C(1) << i;
    return 0;
}

/* The four ways to ask for times are one setting, the last (Linux __sock_set_timestamps); of the new ones
 * SO_TIMESTAMP_NEW shows with either. */
static uint64_t kept_timestamps(uint64_t kept, int name, int val)
{
    static const int names[] = {SO_TIMESTAMP, SO_TIMESTAMPNS, OPT_SO_TIMESTAMP_NEW, OPT_SO_TIMESTAMPNS_NEW};
    bool is_one = false;

    for (unsigned i = 0; i < HS_ARRAY_LEN(names); i++)
        is_one |= names[i] == name;
    for (unsigned i = 0; is_one && i < HS_ARRAY_LEN(names); i++)
        kept &= ~tcp_opts_kept(SOL_SOCKET, names[i]);
    if (val && name == OPT_SO_TIMESTAMPNS_NEW)
        kept |= tcp_opts_kept(SOL_SOCKET, OPT_SO_TIMESTAMP_NEW);
    return kept;
}

bool tcp_opts_keep(uint64_t *kept, int level, int name, int val)
{
    uint64_t bit = tcp_opts_kept(level, name);

    if (level == SOL_SOCKET)
        *kept = kept_timestamps(*kept, name, val);
    *kept = val ? *kept | bit : *kept & ~bit;
    return bit;
}

/* Takes or shows one of those; false: it is another option. */
bool tcp_opts_set_kept(TcpConn *c, int level, int name, int val)
{
    return tcp_opts_keep(&tcp_opts(c)->kept[level == IPPROTO_IP], level, name, val);
}

bool tcp_opts_get_kept(const TcpConn *c, int level, int name, int *val)
{
    uint64_t bit = tcp_opts_kept(level, name);

    *val = c->opts && c->opts->kept[level == IPPROTO_IP] & bit;
    return bit;
}

static void set_bit(TcpConn *c, uint32_t flag, bool on)
{
    c->sflags = on ? c->sflags | flag : c->sflags & ~flag;
}

/* ---- SOL_SOCKET ---- */

static void set_sndbuf(TcpConn *c, int val, uint32_t max)
{
    uint32_t v = HS_MIN((uint32_t)val, max);

    v = HS_MIN(v, (uint32_t)INT32_MAX / 2);
    c->win.is_sndbuf_locked = true;
    c->win.sndbuf = HS_MAX(v * 2, MIN_SNDBUF);
    tcp_wake_events(c, EPOLLOUT | EPOLLWRNORM);
}

/* The kernel keeps twice what is asked for, to have room for its own bookkeeping. */
static void set_rcvbuf(TcpConn *c, int val, uint32_t max)
{
    uint32_t v = HS_MIN((uint32_t)val, max);

    v = HS_MIN(v, (uint32_t)INT32_MAX / 2);
    c->win.is_rcvbuf_locked = true;
    c->win.rcvbuf = HS_MAX(v * 2, MIN_RCVBUF);
    tcp_window_set_clamp(c, (int)tcp_window_full_space(c)); /* Linux 7.1 tcp_set_rcvbuf */
}

static int set_linger(TcpConn *c, const void *val, unsigned len)
{
    struct linger l;

    if (len < sizeof(l))
        return -EINVAL;
    memcpy(&l, val, sizeof(l));
    if (l.l_onoff)
        c->linger_s = (uint32_t)l.l_linger;
    set_bit(c, TCP_S_LINGER, l.l_onoff);
    return 0;
}

static int set_timeout(const void *val, unsigned len, uint64_t *out)
{
    int64_t tv[2]; /* struct timeval */

    if (len < sizeof(tv))
        return -EINVAL;
    memcpy(tv, val, sizeof(tv));
    if (tv[1] < 0 || tv[1] >= 1000000)
        return -EDOM;
    if (tv[0] < 0) {
        *out = TCP_TIMEO_NOW;
        return 0;
    }
    *out = 0; /* none; also when it is longer than the clock can hold */
    if (tv[0] < INT64_MAX / SIM_SEC - 1)
        *out = (uint64_t)(tv[0] * 1000 + (tv[1] + 999) / 1000) * TCP_JIFFY_NS;
    return 0;
}

static int get_timeout(uint64_t timeo_ns, void *val, unsigned *len)
{
    int64_t tv[2] = {0, 0};

    if (timeo_ns != TCP_TIMEO_NOW) {
        tv[0] = (int64_t)(timeo_ns / SIM_SEC);
        tv[1] = (int64_t)(timeo_ns % SIM_SEC) / 1000;
    }
    return tcp_opts_give(val, len, tv, sizeof(tv));
}

static int set_max_pacing_rate(TcpConn *c, const void *val, unsigned len)
{
    uint64_t rate;
    uint32_t v;

    if (len < sizeof(v))
        return -EINVAL;
    memcpy(&v, val, sizeof(v));
    rate = v == UINT32_MAX ? UINT64_MAX : v;
    if (len >= sizeof(rate))
        memcpy(&rate, val, sizeof(rate));
    if (rate != UINT64_MAX && !c->pacing_on)
        c->pacing_on = 1;
    c->max_pacing_rate = rate;
    c->pacing_rate_bps8 = HS_MIN(c->pacing_rate_bps8, rate);
    return 0;
}

static int set_bound_dev(TcpConn *c, const void *val, unsigned len)
{
    char name[16] = "";
    uint32_t ifindex = 0;

    memcpy(name, val, HS_MIN(len, sizeof(name) - 1));
    if (name[0]) {
        const Ip4If *ifp = ip4_if_by_name(c->tcp->ip4, name);

        if (!ifp)
            return -ENODEV;
        ifindex = ip4_if_dev(ifp)->ifindex;
    }
    memcpy(tcp_opts(c)->bound_dev, name, sizeof(name));
    c->opts->bound_ifindex = ifindex;
    c->is_route_dropped = 1; /* sock_bindtoindex_locked */
    return 0;
}

static void set_keepalive(TcpConn *c, bool on)
{
    if (c->state != TCP_CLOSE && c->state != TCP_LISTEN) {
        tcp_mstamp_refresh(c);
        tcp_keepalive_set(c, on);
    }
    c->keep.is_on = on;
}

static int set_timestamping(TcpConn *c, int val)
{
    TcpOpts *o = tcp_opts(c);

    if (val & TCP_TS_BIND_PHC) /* sock_timestamping_bind_phc: of a bound device that has a clock */
        return val & ~TCP_TS_ALL ? -EINVAL : -EOPNOTSUPP;
    if (val & ~TCP_TS_ALL || (val & TCP_TS_OPT_STATS && !(val & TCP_TS_OPT_TSONLY)) ||
        (val & TCP_TS_OPT_ID_TCP && !(val & TCP_TS_OPT_ID)))
        return -EINVAL;
    if (val & TCP_TS_OPT_ID && !(o->tsflags & TCP_TS_OPT_ID)) { /* bytes are counted from here on */
        if (c->state == TCP_CLOSE || c->state == TCP_LISTEN)
            return -EINVAL;
        o->tskey = val & TCP_TS_OPT_ID_TCP ? c->write_seq : c->snd_una;
    }
    o->tsflags = (uint32_t)val;
    return 0;
}

static int set_socket_int(TcpConn *c, int name, int val)
{
    const TcpSysctl *s = c->tcp->sysctl;
    int locked;

    if (name == OPT_SO_LOCK_FILTER && !val && tcp_opts_get_kept(c, SOL_SOCKET, name, &locked) && locked)
        return -EPERM;
    if (tcp_opts_set_kept(c, SOL_SOCKET, name, val))
        return 0;
    switch (name) {
    case SO_BSDCOMPAT:
    case SO_INCOMING_CPU:
        return 0;
    case SO_BUSY_POLL:
        if (val < 0)
            return -EINVAL;
        tcp_opts(c)->busy_poll = (uint32_t)val;
        return 0;
    case SO_PASSCRED: /* of sockets that can carry them */
        return -EOPNOTSUPP;
    case SO_PEEK_OFF:
        tcp_opts(c)->peeks_on = val >= 0;
        c->opts->peek_off = (uint32_t)HS_MAX(val, 0);
        return 0;
    case SO_TYPE:
    case SO_PROTOCOL:
    case SO_DOMAIN:
    case SO_ERROR:
    case SO_SNDLOWAT:
    case SO_ACCEPTCONN:
        return -ENOPROTOOPT;
    case SO_REUSEADDR:
        set_bit(c, TCP_S_REUSEADDR, val);
        return 0;
    case SO_REUSEPORT:
        set_bit(c, TCP_S_REUSEPORT, val);
        return 0;
    case SO_DONTROUTE:
        c->is_route_dropped = 1;
        tcp_opts(c)->dontroute = val;
        return 0;
    case SO_BROADCAST:
        tcp_opts(c)->broadcast = val;
        return 0;
    case SO_SNDBUF:
        set_sndbuf(c, val, s->wmem_max);
        return 0;
    case SO_SNDBUFFORCE:
        set_sndbuf(c, HS_MAX(val, 0), UINT32_MAX);
        return 0;
    case SO_RCVBUF:
        set_rcvbuf(c, val, s->rmem_max);
        return 0;
    case SO_RCVBUFFORCE:
        set_rcvbuf(c, HS_MAX(val, 0), UINT32_MAX);
        return 0;
    case SO_KEEPALIVE:
        set_keepalive(c, val);
        return 0;
    case SO_OOBINLINE:
        set_bit(c, TCP_S_OOBINLINE, val);
        return 0;
    case SO_PRIORITY:
        tcp_opts(c)->priority = (uint32_t)val;
        return 0;
    case SO_MARK: /* __sock_set_mark */
        c->is_route_dropped |= tcp_opts(c)->mark != (uint32_t)val;
        tcp_opts(c)->mark = (uint32_t)val;
        return 0;
    case SO_RCVLOWAT:
        return tcp_window_set_rcvlowat(c, val < 0 ? INT32_MAX : val);
    case SO_TIMESTAMPING:
    case OPT_SO_TIMESTAMPING_NEW:
        return set_timestamping(c, val);
    case OPT_SO_ZEROCOPY:
        if (val < 0 || val > 1)
            return -EINVAL;
        tcp_opts(c)->zerocopy = val;
        return 0;
    case OPT_SO_TXREHASH:
        if (val < -1 || val > 1)
            return -EINVAL;
        tcp_opts(c)->txrehash_off = val == 0;
        return 0;
    case OPT_SO_BUF_LOCK:
        if (val & ~(BUF_LOCK_SND | BUF_LOCK_RCV))
            return -EINVAL;
        c->win.is_sndbuf_locked = (val & BUF_LOCK_SND) != 0;
        c->win.is_rcvbuf_locked = (val & BUF_LOCK_RCV) != 0;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int set_socket(TcpConn *c, int name, const void *val, unsigned len)
{
    int v, err;

    if (name == SO_BINDTODEVICE)
        return set_bound_dev(c, val, len);
    err = tcp_opts_take_int(val, len, &v);
    if (err)
        return err;
    switch (name) {
    case SO_LINGER:
        return set_linger(c, val, len);
    case SO_RCVTIMEO:
    case OPT_SO_RCVTIMEO_NEW:
        return set_timeout(val, len, &tcp_opts(c)->rcvtimeo_ns);
    case SO_SNDTIMEO:
    case OPT_SO_SNDTIMEO_NEW:
        return set_timeout(val, len, &tcp_opts(c)->sndtimeo_ns);
    case OPT_SO_MAX_PACING_RATE:
        return set_max_pacing_rate(c, val, len);
    default:
        return set_socket_int(c, name, v);
    }
}

static int get_meminfo(const TcpConn *c, void *val, unsigned *len)
{
    uint32_t m[SK_MEM_VARS] = {
        [SK_MEM_RMEM_ALLOC] = c->rcv.rmem_alloc, [SK_MEM_RCVBUF] = c->win.rcvbuf,
        [SK_MEM_WMEM_ALLOC] = c->snd.wmem_alloc, [SK_MEM_SNDBUF] = c->win.sndbuf,
        [SK_MEM_FWD_ALLOC] = c->rcv.fwd_alloc,   [SK_MEM_WMEM_QUEUED] = c->snd.wmem_queued,
        [SK_MEM_DROPS] = c->rcv.drops,
    };

    return tcp_opts_give(val, len, m, sizeof(m));
}

static int get_max_pacing_rate(const TcpConn *c, void *val, unsigned *len)
{
    uint32_t v = (uint32_t)HS_MIN(c->max_pacing_rate, UINT32_MAX);

    if (*len >= sizeof(c->max_pacing_rate))
        return tcp_opts_give(val, len, &c->max_pacing_rate, sizeof(c->max_pacing_rate));
    return tcp_opts_give(val, len, &v, sizeof(v));
}

static int get_socket_int(TcpConn *c, int name, int *v)
{
    const TcpOpts none = {0}, *o = c->opts ? c->opts : &none;

    if (tcp_opts_get_kept(c, SOL_SOCKET, name, v))
        return 0;
    switch (name) {
    case SO_BUSY_POLL:
        *v = (int)o->busy_poll;
        return 0;
    case SO_BSDCOMPAT:
    case SO_INCOMING_NAPI_ID:
    case OPT_SO_RESERVE_MEM:
        return 0;
    case SO_PASSCRED:
        return -EOPNOTSUPP;
    case SO_INCOMING_CPU: /* none, or the one that a host has */
        *v = c->state == TCP_CLOSE || c->state == TCP_LISTEN ? -1 : 0;
        return 0;
    case SO_PEEK_OFF:
        *v = o->peeks_on ? (int)o->peek_off : -1;
        return 0;
    case OPT_SO_BINDTOIFINDEX:
        *v = (int)o->bound_ifindex;
        return 0;
    case SO_BPF_EXTENSIONS:
        *v = 64; /* how many there are: SKF_AD_MAX */
        return 0;
    case SO_DONTROUTE:
        *v = o->dontroute;
        return 0;
    case SO_BROADCAST:
        *v = o->broadcast;
        return 0;
    case SO_SNDBUF:
        *v = (int)c->win.sndbuf;
        return 0;
    case SO_RCVBUF:
        *v = (int)c->win.rcvbuf;
        return 0;
    case SO_REUSEADDR:
        *v = (c->sflags & TCP_S_REUSEADDR) != 0;
        return 0;
    case SO_REUSEPORT:
        *v = (c->sflags & TCP_S_REUSEPORT) != 0;
        return 0;
    case SO_KEEPALIVE:
        *v = c->keep.is_on;
        return 0;
    case SO_TYPE:
        *v = SOCK_STREAM;
        return 0;
    case SO_PROTOCOL:
        *v = IPPROTO_TCP;
        return 0;
    case SO_DOMAIN:
        *v = c->sflags & TCP_S_V6 ? AF_INET6 : AF_INET;
        return 0;
    case SO_ERROR:
        *v = tcp_take_error(c);
        if (!*v) {
            *v = c->err_soft;
            c->err_soft = 0;
        }
        return 0;
    case SO_OOBINLINE:
        *v = (c->sflags & TCP_S_OOBINLINE) != 0;
        return 0;
    case SO_PRIORITY:
        *v = (int)o->priority;
        return 0;
    case SO_MARK:
        *v = (int)o->mark;
        return 0;
    case SO_RCVLOWAT:
        *v = (int)c->rcvlowat;
        return 0;
    case SO_SNDLOWAT:
        *v = 1;
        return 0;
    case SO_ACCEPTCONN:
        *v = c->state == TCP_LISTEN;
        return 0;
    case OPT_SO_ZEROCOPY:
        *v = o->zerocopy;
        return 0;
    case OPT_SO_TXREHASH:
        *v = !o->txrehash_off;
        return 0;
    case OPT_SO_BUF_LOCK:
        *v = (c->win.is_sndbuf_locked ? BUF_LOCK_SND : 0) | (c->win.is_rcvbuf_locked ? BUF_LOCK_RCV : 0);
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int get_socket(TcpConn *c, int name, void *val, unsigned *len)
{
    const TcpOpts none = {0}, *o = c->opts ? c->opts : &none;
    int v, err;

    switch (name) {
    case SO_LINGER: {
        struct linger l = {(c->sflags & TCP_S_LINGER) != 0, (int)c->linger_s};

        return tcp_opts_give(val, len, &l, sizeof(l));
    }
    case SO_RCVTIMEO:
    case OPT_SO_RCVTIMEO_NEW:
        return get_timeout(o->rcvtimeo_ns, val, len);
    case SO_SNDTIMEO:
    case OPT_SO_SNDTIMEO_NEW:
        return get_timeout(o->sndtimeo_ns, val, len);
    case OPT_SO_MAX_PACING_RATE:
        return get_max_pacing_rate(c, val, len);
    case OPT_SO_MEMINFO:
        return get_meminfo(c, val, len);
    case SO_TIMESTAMPING:
    case OPT_SO_TIMESTAMPING_NEW: {
        int32_t ts[2] = {(int32_t)o->tsflags, 0}; /* struct so_timestamping: flags, bind_phc */

        return tcp_opts_give(val, len, ts, sizeof(ts));
    }
    case OPT_SO_COOKIE: {
        uint64_t id = c->id;

        return *len < sizeof(id) ? -EINVAL : tcp_opts_give(val, len, &id, sizeof(id));
    }
    case SO_BINDTODEVICE: {
        unsigned n = o->bound_dev[0] ? (unsigned)strlen(o->bound_dev) + 1 : 0;

        return n && *len < sizeof(o->bound_dev) ? -EINVAL : tcp_opts_give(val, len, o->bound_dev, n);
    }
    default:
        err = get_socket_int(c, name, &v);
        return err ? err : tcp_opts_give(val, len, &v, sizeof(v));
    }
}

/* ---- the levels ---- */

/* An AF_INET6 socket has both IP levels, as it may speak both. */
int tcp_opts_set(TcpConn *c, int level, int name, const void *val, unsigned len)
{
    switch (level) {
    case SOL_SOCKET:
        return set_socket(c, name, val, len);
    case IPPROTO_IP:
        return tcp_opts_set_ip(c, name, val, len);
    case IPPROTO_IPV6:
        return c->sflags & TCP_S_V6 ? tcp_opts_set_ip6(c, name, val, len) : -ENOPROTOOPT;
    default:
        return -ENOPROTOOPT;
    }
}

int tcp_opts_get(TcpConn *c, int level, int name, void *val, unsigned *len)
{
    switch (level) {
    case SOL_SOCKET:
        return get_socket(c, name, val, len);
    case IPPROTO_IP:
        return tcp_opts_get_ip(c, name, val, len);
    case IPPROTO_IPV6:
        return c->sflags & TCP_S_V6 ? tcp_opts_get_ip6(c, name, val, len) : -EOPNOTSUPP;
    default:
        return -EOPNOTSUPP;
    }
}
