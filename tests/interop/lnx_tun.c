/* See lnx_tun.h; Linux Documentation/networking/tuntap.rst, drivers/net/tun.c. */
#include "tests/interop/lnx_tun.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "models/wire/ipv4.h"
#include "models/wire/tcp.h"

#define DEVICE "tun0"
#define PROTO_TCP 6
#define PROTO_UDP 17
#define MAX_DATAGRAM 65536
#define SETTLE_POLLS 100
#define SETTLE_POLL_US 20

struct LnxTun {
    int fd;
    int stop_fd;
    struct timespec start;
    GThread *reader;
    GMutex lock;
    GCond arrived;
    GQueue packets; /* of PdCaptured*, at_ns still on the monotonic clock */
    bool is_closing;
};

static int64_t monotonic_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * PD_NS_PER_SEC + ts.tv_nsec;
}

static int64_t start_ns(const LnxTun *t)
{
    return t->start.tv_sec * PD_NS_PER_SEC + t->start.tv_nsec;
}

int64_t lnx_tun_now(const LnxTun *t)
{
    return monotonic_ns() - start_ns(t);
}

void lnx_tun_start(LnxTun *t)
{
    clock_gettime(CLOCK_MONOTONIC, &t->start);
}

/* ---- datagrams ---- */

/* The transport header and the sum over the pseudo header; false: no such header here. */
static bool transport(const uint8_t *p, size_t len, size_t *offset, uint8_t *proto, uint32_t *pseudo_sum)
{
    uint32_t sum = 0;
    if (len >= 20 && p[0] >> 4 == 4) {
        *offset = (size_t)(p[0] & 15) * 4;
        *proto = p[9];
        for (size_t i = 12; i < 20; i += 2)
            sum += wire_get16(p + i);
    } else if (len >= 40 && p[0] >> 4 == 6) {
        *offset = 40;
        *proto = p[6];
        for (size_t i = 8; i < 40; i += 2)
            sum += wire_get16(p + i);
    } else {
        return false;
    }
    if (*offset >= len)
        return false;
    size_t rest = len - *offset;
    *pseudo_sum = sum + *proto + (uint32_t)(rest >> 16) + (uint32_t)(rest & 0xffff);
    return true;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* The kernel left the checksum to the device: its field holds the pseudo header's sum. */
static void complete_checksum(uint8_t *p, size_t len, size_t start, size_t field)
{
    if (start + field + 2 > len)
        return;
    uint32_t sum = 0;
    for (size_t i = start; i + 1 < len; i += 2)
        sum = fold(sum) + wire_get16(p + i);
    if ((len - start) & 1)
        sum = fold(sum) + (uint32_t)(p[len - 1] << 8);
    wire_put16(p + start + field, (uint16_t)~fold(sum));
}

/* What the kernel says on its own: IPv6 multicast listeners and router solicitations. */
static bool is_chatter(const uint8_t *p, size_t len)
{
    return len >= 40 && p[0] >> 4 == 6 && p[24] == 0xff;
}

static void *read_packets(void *data)
{
    LnxTun *t = data;
    /* Before everybody else, for true times; SCHED_RESET_ON_FORK took the creator's from us. */
    struct sched_param priority = {.sched_priority = 20};
    sched_setscheduler(0, SCHED_FIFO, &priority);
    uint8_t *buf = g_malloc(sizeof(struct virtio_net_hdr) + MAX_DATAGRAM);
    struct pollfd wait[2] = {{.fd = t->fd, .events = POLLIN}, {.fd = t->stop_fd, .events = POLLIN}};
    for (;;) {
        if (poll(wait, 2, -1) < 0 && errno != EINTR)
            break;
        if (wait[1].revents)
            break;
        ssize_t n = read(t->fd, buf, sizeof(struct virtio_net_hdr) + MAX_DATAGRAM);
        int64_t now = monotonic_ns();
        if (n <= (ssize_t)sizeof(struct virtio_net_hdr))
            continue;
        struct virtio_net_hdr h;
        memcpy(&h, buf, sizeof(h));
        uint8_t *p = buf + sizeof(h);
        size_t len = (size_t)n - sizeof(h);
        if (is_chatter(p, len))
            continue;
        if (h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
            complete_checksum(p, len, h.csum_start, h.csum_offset);
        PdCaptured *c = g_new0(PdCaptured, 1);
        c->at_ns = now;
        c->gso_size = h.gso_type == VIRTIO_NET_HDR_GSO_NONE ? 0 : h.gso_size;
        c->len = len;
        c->bytes = g_memdup2(p, len);
        g_mutex_lock(&t->lock);
        g_queue_push_tail(&t->packets, c);
        g_cond_broadcast(&t->arrived);
        g_mutex_unlock(&t->lock);
    }
    g_free(buf);
    return NULL;
}

bool lnx_tun_take(LnxTun *t, int64_t limit, PdCaptured *out)
{
    g_mutex_lock(&t->lock);
    while (g_queue_is_empty(&t->packets)) {
        if (limit == PD_NEVER) {
            g_cond_wait(&t->arrived, &t->lock);
            continue;
        }
        int64_t left_us = (limit - lnx_tun_now(t)) / PD_NS_PER_US;
        if (left_us <= 0 || !g_cond_wait_until(&t->arrived, &t->lock, g_get_monotonic_time() + left_us)) {
            if (g_queue_is_empty(&t->packets) && lnx_tun_now(t) >= limit)
                break;
        }
    }
    PdCaptured *c = g_queue_pop_head(&t->packets);
    g_mutex_unlock(&t->lock);
    if (!c)
        return false;
    *out = *c;
    out->at_ns -= start_ns(t);
    g_free(c);
    return true;
}

bool lnx_tun_inject(LnxTun *t, const uint8_t *bytes, size_t len, uint32_t gso_size, char **error)
{
    struct virtio_net_hdr h = {.gso_type = VIRTIO_NET_HDR_GSO_NONE};
    uint8_t *out = g_malloc(sizeof(h) + len);
    uint8_t *p = out + sizeof(h);
    memcpy(p, bytes, len);
    size_t off;
    uint8_t proto;
    uint32_t pseudo;
    if (gso_size && transport(p, len, &off, &proto, &pseudo) && proto == PROTO_TCP &&
        off + TCP_MIN_HDR_LEN <= len) {
        size_t hdr_len = off + tcp_hdr_len(p + off);
        if (hdr_len + gso_size < len) {
            h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
            h.gso_type = p[0] >> 4 == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
            if (tcp_flags(p + off) & TCP_CWR)
                h.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
            h.hdr_len = (uint16_t)hdr_len;
            h.gso_size = (uint16_t)gso_size;
            h.csum_start = (uint16_t)off;
            h.csum_offset = TCP_CHECKSUM_OFF;
            tcp_set_checksum(p + off, fold(pseudo));
        }
    }
    memcpy(out, &h, sizeof(h));
    ssize_t n = write(t->fd, out, sizeof(h) + len);
    g_free(out);
    lnx_tun_settle(t);
    if (n < 0)
        *error = g_strdup_printf("the kernel took no packet of %zu bytes: %s", len, g_strerror(errno));
    return n >= 0;
}

void lnx_tun_settle(LnxTun *t)
{
    struct pollfd p = {.fd = t->fd, .events = POLLIN};
    for (int i = 0; i < SETTLE_POLLS && poll(&p, 1, 0) > 0; i++)
        g_usleep(SETTLE_POLL_US);
}

/* ---- the namespace ---- */

static bool run(char **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool run(char **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *command = g_strdup_vprintf(format, args);
    va_end(args);
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    char *err = NULL;
    int status = 0;
    GError *gerror = NULL;
    bool ok = g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &err,
                           &status, &gerror);
    if (ok && status != 0) {
        ok = false;
        *error = g_strdup_printf("'%s' failed: %s", command, g_strstrip(err));
    } else if (!ok) {
        *error = g_strdup(gerror->message);
        g_clear_error(&gerror);
    }
    g_free(err);
    g_free(command);
    return ok;
}

static void addr_text(const PdAddr *a, char text[INET6_ADDRSTRLEN])
{
    inet_ntop(a->is_v6 ? AF_INET6 : AF_INET, a->b, text, INET6_ADDRSTRLEN);
}

/* The remote's network, so that neighbours of the remote address are reached through the device too. */
static void network_text(const PdAddr *a, unsigned prefix_len, char text[INET6_ADDRSTRLEN])
{
    PdAddr net = *a;
    unsigned bits = a->is_v6 ? 128 : 32;
    for (unsigned i = prefix_len; i < bits; i++)
        net.b[i / 8] &= (uint8_t) ~(0x80 >> (i % 8));
    addr_text(&net, text);
}

static int open_device(char **error)
{
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        *error = g_strdup_printf("/dev/net/tun: %s", g_strerror(errno));
        return -1;
    }
    struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
    g_strlcpy(ifr.ifr_name, DEVICE, sizeof(ifr.ifr_name));
    if (ioctl(fd, TUNSETIFF, &ifr) < 0 ||
        ioctl(fd, TUNSETOFFLOAD, (unsigned long)(TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)) < 0) {
        *error = g_strdup_printf("%s: %s", DEVICE, g_strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static bool configure(const PdHostConfig *c, char **error)
{
    char local[INET6_ADDRSTRLEN], gateway[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];
    unsigned prefix = c->remote.prefix_len ? c->remote.prefix_len : c->remote.is_v6 ? 64 : 24;
    unsigned local_prefix = c->local.prefix_len ? c->local.prefix_len : c->local.is_v6 ? 48 : 16;
    addr_text(&c->local, local);
    addr_text(&c->gateway, gateway);
    network_text(&c->remote, prefix, remote);
    if (!run(error,
             "ip link set lo up && echo 0 > /proc/sys/net/ipv6/conf/all/accept_dad; "
             "echo 0 > /proc/sys/net/ipv6/conf/" DEVICE "/accept_dad; "
             "echo 0 > /proc/sys/net/ipv6/conf/" DEVICE "/router_solicitations; "
             "ip link set " DEVICE " mtu %u && ip link set " DEVICE " up",
             c->mtu ? c->mtu : 1500))
        return false;
    const char *v6 = c->local.is_v6 ? "-6" : "-4";
    if (!run(error, "ip %s addr add %s/%u dev " DEVICE "%s", v6, local, local_prefix,
             c->local.is_v6 ? " nodad" : ""))
        return false;
    char *refused = NULL;
    if (run(&refused, "ip %s route add %s/%u via %s dev " DEVICE, v6, remote, prefix, gateway))
        return true;
    g_free(refused);
    /* A point-to-point device needs no gateway: a script may give one that is out of reach. */
    return run(error, "ip %s route add %s/%u dev " DEVICE, v6, remote, prefix);
}

LnxTun *lnx_tun_open(const PdHostConfig *config, char **error)
{
    if (unshare(CLONE_NEWNET) < 0) {
        *error = g_strdup_printf("a network namespace of our own: %s", g_strerror(errno));
        return NULL;
    }
    int fd = open_device(error);
    if (fd < 0)
        return NULL;
    if (!configure(config, error)) {
        close(fd);
        return NULL;
    }
    /* Without the priority only the times suffer. */
    struct sched_param priority = {.sched_priority = 10};
    sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority);
    LnxTun *t = g_new0(LnxTun, 1);
    t->fd = fd;
    t->stop_fd = eventfd(0, EFD_CLOEXEC);
    g_mutex_init(&t->lock);
    g_cond_init(&t->arrived);
    g_queue_init(&t->packets);
    lnx_tun_start(t);
    t->reader = g_thread_new("tun", read_packets, t);
    return t;
}

static void captured_free(void *data)
{
    PdCaptured *c = data;
    g_free(c->bytes);
    g_free(c);
}

void lnx_tun_close(LnxTun *t)
{
    if (!t)
        return;
    uint64_t one = 1;
    while (write(t->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
    g_thread_join(t->reader);
    close(t->fd);
    close(t->stop_fd);
    g_queue_clear_full(&t->packets, captured_free);
    g_mutex_clear(&t->lock);
    g_cond_clear(&t->arrived);
    g_free(t);
}

bool lnx_tun_is_possible(char **why_not)
{
    if (unshare(CLONE_NEWNET) < 0) {
        *why_not = g_strdup_printf("no network namespace: %s", g_strerror(errno));
        return false;
    }
    int fd = open_device(why_not);
    if (fd < 0)
        return false;
    close(fd);
    char *ip = g_find_program_in_path("ip");
    if (!ip)
        *why_not = g_strdup("no 'ip' program");
    g_free(ip);
    return ip != NULL;
}
