/* SOL_TCP options and ioctls (Linux do_tcp_setsockopt, do_tcp_getsockopt, tcp_ioctl): ranges, errors and
 * side effects as there. */
#include "models/tcp/tcp_sockopt.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_info.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_timer.h"

#define MAX_KEEPIDLE 32767
#define MAX_KEEPINTVL 32767
#define MAX_KEEPCNT 127
#define MAX_SYNCNT 127
#define FIN_TIMEOUT_MAX_S 120

static bool is_fresh_or_listening(const TcpConn *c)
{
    return c->state == TCP_CLOSE || c->state == TCP_LISTEN;
}

/* ---- TCP_DEFER_ACCEPT counts SYN-ACK retransmissions, applications seconds (secs_to_retrans) ---- */

static uint8_t seconds_to_retrans(int seconds)
{
    uint8_t n = 0;

    if (seconds > 0) {
        int period = 1, timeout = 1;

        n = 1;
        while (seconds > period && n < 255) {
            n++;
            timeout = HS_MIN(timeout * 2, 120);
            period += timeout;
        }
    }
    return n;
}

static int retrans_to_seconds(uint32_t n)
{
    int period = 0, timeout = 1;

    if (n > 0) {
        period = timeout;
        while (--n) {
            timeout = HS_MIN(timeout * 2, 120);
            period += timeout;
        }
    }
    return period;
}

/* ---- setting ---- */

static void push_pending(TcpConn *c)
{
    if (!c->snd.write_head)
        return;
    tcp_conn_hold(c);
    tcp_mstamp_refresh(c);
    tcp_output_push_pending(c, tcp_pmtu_current_mss(c), c->nonagle);
    tcp_conn_let(c);
}

static void set_nodelay(TcpConn *c, bool on)
{
    if (on) {
        c->nonagle |= TCP_NAGLE_OFF | TCP_NAGLE_PUSH;
        push_pending(c);
    } else {
        c->nonagle &= (uint8_t)~TCP_NAGLE_OFF;
    }
}

static void set_cork(TcpConn *c, bool on)
{
    if (on) {
        c->nonagle |= TCP_NAGLE_CORK;
    } else {
        c->nonagle &= (uint8_t)~TCP_NAGLE_CORK;
        if (c->nonagle & TCP_NAGLE_OFF)
            c->nonagle |= TCP_NAGLE_PUSH;
        push_pending(c);
    }
}

static int set_keepidle(TcpConn *c, int val)
{
    SimTime idle, elapsed;

    if (val < 1 || val > MAX_KEEPIDLE)
        return -EINVAL;
    c->keep.time_s = (uint16_t)val;
    if (!c->keep.is_on || is_fresh_or_listening(c))
        return 0;
    tcp_mstamp_refresh(c);
    idle = (SimTime)val * SIM_SEC;
    elapsed = c->mstamp - HS_MAX(c->ack.lrcv_ns, c->rcv_tstamp); /* keepalive_time_elapsed */
    tcp_timer_arm_keep(c, idle > elapsed ? idle - elapsed : 0);
    return 0;
}

static int set_in_range(int val, int min, int max, uint8_t *out)
{
    if (val < min || val > max)
        return -EINVAL;
    *out = (uint8_t)val;
    return 0;
}

static int set_flag(TcpConn *c, int val, uint32_t flag)
{
    if (val < 0 || val > 1)
        return -EINVAL;
    c->sflags = val ? c->sflags | flag : c->sflags & ~flag;
    return 0;
}

static int set_fastopen(TcpConn *c, int val)
{
    if (val < 0 || !is_fresh_or_listening(c))
        return -EINVAL;
    tcp_listen_get(c)->fastopen_max_qlen = HS_MIN((uint32_t)val, c->tcp->sysctl->somaxconn);
    return 0;
}

static int set_fastopen_connect(TcpConn *c, int val)
{
    if (val < 0 || val > 1)
        return -EINVAL;
    if (!(c->tcp->sysctl->tcp_fastopen & TCP_FASTOPEN_CLIENT))
        return -EOPNOTSUPP;
    return c->state == TCP_CLOSE ? set_flag(c, val, TCP_S_FASTOPEN_CONNECT) : -EINVAL;
}

static int set_congestion(TcpConn *c, const void *val, unsigned len)
{
    char name[CC_NAME_MAX] = "";

    if (len < 1)
        return -EINVAL;
    memcpy(name, val, HS_MIN(len, CC_NAME_MAX - 1));
    return tcp_cc_set(c, name);
}

static int set_times(TcpConn *c, int name, int val)
{
    switch (name) {
    case TCP_RTO_MAX_MS:
        if (val < 1000 || val > 120000)
            return -EINVAL;
        c->rtt.rto_max_ms = (uint32_t)val;
        return 0;
    case TCP_RTO_MIN_US:
        if (val <= 0 || (val + 999) / 1000 > 200 || (val + 999) / 1000 < 2)
            return -EINVAL;
        c->rtt.rto_min_ms = (uint32_t)(val + 999) / 1000;
        return 0;
    default: /* TCP_DELACK_MAX_US */
        if (val <= 0 || (val + 999) / 1000 > TCP_DELACK_MAX_MS || (val + 999) / 1000 < 2)
            return -EINVAL;
        c->rtt.delack_max_ms = (uint32_t)(val + 999) / 1000;
        return 0;
    }
}

static int set_linger2(TcpConn *c, int val)
{
    c->keep.linger2_s = val < 0 ? -1 : HS_MIN(val, FIN_TIMEOUT_MAX_S);
    return 0;
}

/* Those that only keep a number, or hand it to their mechanism. */
static int set_int(TcpConn *c, int name, int val)
{
    uint8_t byte;
    int err;

    switch (name) {
    case TCP_NODELAY:
        set_nodelay(c, val);
        return 0;
    case TCP_MAXSEG:
        if (val && (val < TCP_MIN_MSS || val > (int)TCP_MAX_WINDOW))
            return -EINVAL;
        c->user_mss = (uint16_t)val;
        return 0;
    case TCP_CORK:
        set_cork(c, val);
        return 0;
    case TCP_KEEPIDLE:
        return set_keepidle(c, val);
    case TCP_KEEPINTVL:
        if (val < 1 || val > MAX_KEEPINTVL)
            return -EINVAL;
        c->keep.intvl_s = (uint16_t)val;
        return 0;
    case TCP_KEEPCNT:
        return set_in_range(val, 1, MAX_KEEPCNT, &c->keep.probes);
    case TCP_SYNCNT:
        return set_in_range(val, 1, MAX_SYNCNT, &c->syn_retries);
    case TCP_LINGER2:
        return set_linger2(c, val);
    case TCP_DEFER_ACCEPT:
        c->defer_accept = seconds_to_retrans(val);
        return 0;
    case TCP_WINDOW_CLAMP:
        return tcp_window_set_clamp(c, val);
    case TCP_QUICKACK:
        tcp_mstamp_refresh(c);
        tcp_delack_set_quickack(c, val);
        return 0;
    case TCP_THIN_LINEAR_TIMEOUTS:
        err = set_in_range(val, 0, 1, &byte);
        if (!err)
            c->thin_lto = byte & 1;
        return err;
    case TCP_THIN_DUPACK: /* without effect since Linux 4.11 */
        return set_in_range(val, 0, 1, &byte);
    case TCP_USER_TIMEOUT:
        if (val < 0)
            return -EINVAL;
        c->keep.user_timeout_ms = (uint32_t)val;
        return 0;
    case TCP_SAVE_SYN:
        err = set_in_range(val, 0, 2, &byte);
        if (!err)
            c->save_syn = byte & 3;
        return err;
    case TCP_NOTSENT_LOWAT:
        tcp_opts(c)->notsent_lowat = (uint32_t)val;
        tcp_wake_events(c, EPOLLOUT | EPOLLWRNORM);
        return 0;
    case TCP_INQ:
        err = set_in_range(val, 0, 1, &byte);
        if (!err)
            tcp_opts(c)->inq = byte;
        return err;
    case TCP_TX_DELAY:
        if (val < 0 || val >= 1 << (31 - 3))
            return -EINVAL;
        tcp_rtt_shift(c, val - (int32_t)tcp_opts(c)->tx_delay_us);
        tcp_opts(c)->tx_delay_us = (uint32_t)val;
        return 0;
    case TCP_RTO_MAX_MS:
    case TCP_RTO_MIN_US:
    case TCP_DELACK_MAX_US:
        return set_times(c, name, val);
    case TCP_FASTOPEN:
        return set_fastopen(c, val);
    case TCP_FASTOPEN_CONNECT:
        return set_fastopen_connect(c, val);
    case TCP_FASTOPEN_NO_COOKIE:
        if (val >= 0 && val <= 1 && !is_fresh_or_listening(c))
            return -EINVAL;
        return set_flag(c, val, TCP_S_FASTOPEN_NO_COOKIE);
    case TCP_REPAIR:
        return tcp_repair_set(c, val);
    case TCP_REPAIR_QUEUE:
        return tcp_repair_set_queue(c, val);
    case TCP_QUEUE_SEQ:
        return tcp_repair_set_seq(c, val);
    case TCP_TIMESTAMP:
        if (!c->repair)
            return -EPERM;
        c->ts.tsoffset = (uint32_t)val - tcp_ts_clock(node_now(c->tcp->node));
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int set_tcp(TcpConn *c, int name, const void *val, unsigned len)
{
    int v, err;

    switch (name) {
    case TCP_CONGESTION:
        return set_congestion(c, val, len);
    case TCP_ULP:
        return len < 1 ? -EINVAL : -ENOENT;
    case TCP_FASTOPEN_KEY:
        return tcp_fastopen_set_key(c, val, len);
    case TCP_MD5SIG:
    case TCP_MD5SIG_EXT:
        return tcp_md5_set(c, val, len, name == TCP_MD5SIG_EXT);
    case TCP_REPAIR_OPTIONS:
        return c->repair ? -EPERM : -EINVAL;
    case TCP_REPAIR_WINDOW:
        return c->repair || len < sizeof(int) ? -EINVAL : -EPERM;
    default:
        err = tcp_opts_take_int(val, len, &v);
        return err ? err : set_int(c, name, v);
    }
}

int tcp_setsockopt(TcpConn *c, int level, int name, const void *val, unsigned len)
{
    int err;

    if (!val && len)
        return -EFAULT;
    tcp_conn_hold(c);
    err = level == IPPROTO_TCP ? set_tcp(c, name, val, len) : tcp_opts_set(c, level, name, val, len);
    tcp_conn_let(c);
    return err;
}

/* ---- getting ---- */

static int get_info(TcpConn *c, void *val, unsigned *len)
{
    TcpInfo info;

    tcp_get_info(c, &info);
    return tcp_opts_give(val, len, &info, sizeof(info));
}

/* union tcp_cc_info */
static int get_cc_info(TcpConn *c, void *val, unsigned *len)
{
    CcView v;
    CcInfo info = {0};
    uint32_t out[5] = {0};
    unsigned size = 0;

    tcp_mstamp_refresh(c);
    tcp_cc_fill_view(c, &v);
    cc_get_info(&c->cc, &v, &info);
    switch (info.kind) {
    case CC_INFO_NONE:
        break;
    case CC_INFO_VEGAS:
        memcpy(out,
               (uint32_t[]){info.vegas.enabled, info.vegas.rttcnt, info.vegas.rtt_us, info.vegas.minrtt_us},
               16);
        size = 16;
        break;
    case CC_INFO_DCTCP:
        memcpy(out, (uint16_t[]){info.dctcp.enabled, info.dctcp.ce_state}, 4);
        memcpy(out + 1, (uint32_t[]){info.dctcp.alpha, info.dctcp.ab_ecn, info.dctcp.ab_tot}, 12);
        size = 16;
        break;
    case CC_INFO_BBR:
        memcpy(out,
               (uint32_t[]){(uint32_t)info.bbr.bw, (uint32_t)(info.bbr.bw >> 32), info.bbr.min_rtt_us,
                            info.bbr.pacing_gain, info.bbr.cwnd_gain},
               20);
        size = 20;
        break;
    }
    return tcp_opts_give(val, len, out, size);
}

static int get_saved_syn(TcpConn *c, void *val, unsigned *len)
{
    Packet *p = c->opts ? c->opts->saved_syn : NULL;
    unsigned n = p ? p->head - p->l3 : 0; /* network and TCP header, which have been read */

    if (p && *len < n) { /* tells how much it would take */
        *len = n;
        return -EINVAL;
    }
    if (p)
        memcpy(val, p->buf + p->l3, n);
    *len = n;
    if (p) { /* read once */
        packet_unref(p);
        c->opts->saved_syn = NULL;
    }
    return 0;
}

static int get_fastopen_key(TcpConn *c, void *val, unsigned *len)
{
    const TcpSysctl *s = c->tcp->sysctl;
    uint8_t keys[32];
    unsigned n = 0;

    if (c->listen && c->listen->n_fastopen_keys) {
        n = c->listen->n_fastopen_keys;
        memcpy(keys, c->listen->fastopen_key, 16 * n);
    } else if (s->n_fastopen_keys) {
        n = s->n_fastopen_keys;
        memcpy(keys, s->tcp_fastopen_key, 16 * n);
    }
    return tcp_opts_give(val, len, keys, 16 * n);
}

/* struct tcp_repair_window; whole or not at all, and its size is looked at first (do_tcp_getsockopt) */
static int get_repair_window(TcpConn *c, void *val, unsigned *len)
{
    uint32_t w[5] = {c->snd_wl1, c->snd_wnd, c->max_window, c->win.rcv_wnd, c->win.rcv_wup};

    if (*len != sizeof(w))
        return -EINVAL;
    return c->repair ? tcp_opts_give(val, len, w, sizeof(w)) : -EPERM;
}

static int linger2_value(const TcpConn *c)
{
    if (c->keep.linger2_s < 0)
        return -1;
    return c->keep.linger2_s ? c->keep.linger2_s : (int)c->tcp->sysctl->tcp_fin_timeout_s;
}

static int maxseg_value(const TcpConn *c)
{
    if (c->user_mss && is_fresh_or_listening(c))
        return c->user_mss;
    return c->repair ? c->mss_clamp : (int)c->mss_cache;
}

static int get_int(TcpConn *c, int name, int *v)
{
    const TcpSysctl *s = c->tcp->sysctl;
    const TcpOpts none = {0}, *o = c->opts ? c->opts : &none;

    switch (name) {
    case TCP_MAXSEG:
        *v = maxseg_value(c);
        return 0;
    case TCP_NODELAY:
        *v = (c->nonagle & TCP_NAGLE_OFF) != 0;
        return 0;
    case TCP_CORK:
        *v = (c->nonagle & TCP_NAGLE_CORK) != 0;
        return 0;
    case TCP_KEEPIDLE:
        *v = (int)(c->keep.time_s ? c->keep.time_s : s->tcp_keepalive_time_s);
        return 0;
    case TCP_KEEPINTVL:
        *v = (int)(c->keep.intvl_s ? c->keep.intvl_s : s->tcp_keepalive_intvl_s);
        return 0;
    case TCP_KEEPCNT:
        *v = c->keep.probes ? c->keep.probes : s->tcp_keepalive_probes;
        return 0;
    case TCP_SYNCNT:
        *v = c->syn_retries ? c->syn_retries : s->tcp_syn_retries;
        return 0;
    case TCP_LINGER2:
        *v = linger2_value(c);
        return 0;
    case TCP_DEFER_ACCEPT:
        *v = retrans_to_seconds(c->defer_accept);
        return 0;
    case TCP_WINDOW_CLAMP:
        *v = (int)c->win.window_clamp;
        return 0;
    case TCP_QUICKACK:
        *v = !tcp_delack_in_pingpong(c);
        return 0;
    case TCP_THIN_LINEAR_TIMEOUTS:
        *v = c->thin_lto;
        return 0;
    case TCP_THIN_DUPACK:
    case TCP_IS_MPTCP:
        *v = 0;
        return 0;
    case TCP_USER_TIMEOUT:
        *v = (int)c->keep.user_timeout_ms;
        return 0;
    case TCP_FASTOPEN:
        *v = c->listen ? (int)c->listen->fastopen_max_qlen : 0;
        return 0;
    case TCP_FASTOPEN_CONNECT:
        *v = (c->sflags & TCP_S_FASTOPEN_CONNECT) != 0;
        return 0;
    case TCP_FASTOPEN_NO_COOKIE:
        *v = (c->sflags & TCP_S_FASTOPEN_NO_COOKIE) != 0;
        return 0;
    case TCP_TX_DELAY:
        *v = (int)o->tx_delay_us;
        return 0;
    case TCP_TIMESTAMP:
        /* the lowest bit says that the clock counts microseconds */
        *v = (int)((tcp_ts_clock(node_now(c->tcp->node)) + c->ts.tsoffset) & ~1u);
        return 0;
    case TCP_NOTSENT_LOWAT:
        *v = (int)o->notsent_lowat;
        return 0;
    case TCP_INQ:
        *v = o->inq;
        return 0;
    case TCP_SAVE_SYN:
        *v = c->save_syn;
        return 0;
    case TCP_REPAIR:
        *v = c->repair;
        return 0;
    case TCP_REPAIR_QUEUE:
        *v = o->repair_queue;
        return c->repair ? 0 : -EINVAL;
    case TCP_QUEUE_SEQ:
        return tcp_repair_get_seq(c, v);
    case TCP_RTO_MAX_MS:
        *v = (int)c->rtt.rto_max_ms;
        return 0;
    case TCP_RTO_MIN_US:
        *v = (int)c->rtt.rto_min_ms * 1000;
        return 0;
    case TCP_DELACK_MAX_US:
        *v = (int)c->rtt.delack_max_ms * 1000;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int get_tcp(TcpConn *c, int name, void *val, unsigned *len)
{
    int v, err;

    switch (name) {
    case TCP_INFO:
        return get_info(c, val, len);
    case TCP_CC_INFO:
        return get_cc_info(c, val, len);
    case TCP_CONGESTION: {
        char buf[CC_NAME_MAX] = "";

        g_strlcpy(buf, c->cc.ops->name, sizeof(buf));
        return tcp_opts_give(val, len, buf, sizeof(buf));
    }
    case TCP_ULP:
        *len = 0;
        return 0;
    case TCP_FASTOPEN_KEY:
        return get_fastopen_key(c, val, len);
    case TCP_SAVED_SYN:
        return get_saved_syn(c, val, len);
    case TCP_REPAIR_WINDOW:
        return get_repair_window(c, val, len);
    default:
        err = get_int(c, name, &v);
        return err ? err : tcp_opts_give(val, len, &v, sizeof(v));
    }
}

int tcp_getsockopt(TcpConn *c, int level, int name, void *val, unsigned *len)
{
    if (!len)
        return -EFAULT;
    if ((int)*len < 0)
        return -EINVAL;
    if (!val && *len)
        return -EFAULT;
    return level == IPPROTO_TCP ? get_tcp(c, name, val, len) : tcp_opts_get(c, level, name, val, len);
}

/* ---- ioctl ---- */

#define IOCTL_SIOCOUTQNSD 0x894b
#define IOCTL_SIOCATMARK 0x8905

int tcp_ioctl(TcpConn *c, unsigned long cmd, int *out)
{
    /* tcp_ioctl: a SYN is not queued data. A closed socket tells of its old numbers. */
    bool is_opening = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV;

    switch (cmd) {
    case FIONREAD: /* SIOCINQ */
        if (c->state == TCP_LISTEN)
            return -EINVAL;
        *out = (int)tcp_recv_inq(c);
        return 0;
    case IOCTL_SIOCATMARK:
        *out = c->urg && c->urg->urg_data && c->urg->urg_seq == c->copied_seq;
        return 0;
    case TIOCOUTQ: /* SIOCOUTQ */
        if (c->state == TCP_LISTEN)
            return -EINVAL;
        *out = is_opening ? 0 : (int)(c->write_seq - c->snd_una);
        return 0;
    case IOCTL_SIOCOUTQNSD:
        if (c->state == TCP_LISTEN)
            return -EINVAL;
        *out = is_opening ? 0 : (int)(c->write_seq - c->snd_nxt);
        return 0;
    default:
        return -ENOTTY;
    }
}
