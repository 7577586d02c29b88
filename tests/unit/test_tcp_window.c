/* The receive window's arithmetic; expected values were measured on Linux 6.18 or follow from the RFC named.
 */
#include "models/tcp/tcp_input.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "models/tcp/tcp_life.h"

typedef struct World {
    Tcp t;
    TcpConn c;
} World;

static World *world_new(void)
{
    World *w = g_new0(World, 1);

    w->t.sysctl = &tcp_sysctl_default;
    w->c.tcp = &w->t;
    w->c.state = TCP_ESTABLISHED;
    w->c.advmss = 1460;
    w->c.ack.rcv_mss = 1460;
    w->c.win.scaling_ratio = 128;
    return w;
}

static void world_free(World *w)
{
    if (w->t.sysctl != &tcp_sysctl_default)
        g_free((TcpSysctl *)w->t.sysctl);
    g_free(w->t.rare);
    g_free(w);
}

/* Windows of SYN (mss 1460) and SYN-ACK with timestamps (1448) for settings of tcp_rmem, and the scale. */
static void test_initial(void)
{
    static const struct {
        uint32_t rmem1, rmem2, mss, wnd;
        uint8_t wscale;
    } table[] = {
        {131072, 33554432, 1460, 64240, 10}, {131072, 33554432, 1448, 65160, 10},
        {87380, 6291456, 1460, 42340, 7},    {87380, 6291456, 1448, 43440, 7},
        {65536, 65536, 1460, 32120, 7},      {4096, 4096, 1460, 1460, 7},
        {2304, 2304, 1448, 1152, 7},
    };
    World *w = world_new();

    for (size_t i = 0; i < HS_ARRAY_LEN(table); i++) {
        uint32_t wnd, clamp = 0;
        uint8_t ws;

        tcp_sysctl(&w->t)->tcp_rmem[2] = table[i].rmem2;
        w->c.win.rcvbuf = table[i].rmem1;
        tcp_window_select_initial(&w->c, tcp_window_full_space(&w->c), table[i].mss, &wnd, &clamp, true, &ws,
                                  0);
        g_assert_cmpuint(wnd, ==, table[i].wnd);
        g_assert_cmpuint(ws, ==, table[i].wscale);
        g_assert_cmpuint(clamp, ==, 65535u << ws);
    }
    world_free(w);
}

/* A route's initrwnd, in segments (RFC 6928's counterpart for receivers). */
static void test_initrwnd(void)
{
    World *w = world_new();
    uint32_t wnd, clamp = 0;
    uint8_t ws;

    tcp_window_select_initial(&w->c, 65536, 1460, &wnd, &clamp, false, &ws, 10);
    g_assert_cmpuint(wnd, ==, 14600);
    g_assert_cmpuint(ws, ==, 0);
    world_free(w);
}

static void set_open(World *w, uint32_t rcvbuf, uint8_t wscale)
{
    w->c.win.rcvbuf = rcvbuf;
    w->c.win.window_clamp = w->c.win.rcv_ssthresh = rcvbuf / 2;
    w->c.win.rcv_wnd = 1; /* anything but closed */
    w->c.win.rcv_wscale = wscale;
}

/* RFC 9293 3.8.6.2.2: without scaling in whole segments, and nothing rather than crumbs. */
static void test_silly(void)
{
    World *w = world_new();

    set_open(w, 40000, 0);
    g_assert_cmpuint(tcp_window_select(&w->c), ==, 13 * 1460); /* of 20000 */
    w->c.rcv.rmem_alloc = 40000 - 2 * 1459;                    /* 1459 bytes of room: less than one segment */
    w->c.rcv_nxt += 13 * 1460;
    g_assert_cmpuint(tcp_window_select(&w->c), ==, 0);
    g_assert_cmpuint(tcp_mib(&w->t, MIB_TcpExtTCPToZeroWindowAdv), ==, 1);
    w->c.rcv.rmem_alloc = 40000 - 2 * 2000;
    g_assert_cmpuint(tcp_window_select(&w->c), ==, 1460);
    g_assert_cmpuint(tcp_mib(&w->t, MIB_TcpExtTCPFromZeroWindowAdv), ==, 1);
    world_free(w);
}

/* RFC 7323 2.4: the right edge does not move back, unless tcp_shrink_window; what was advertised stays
 * acceptable. */
static void test_no_shrink(void)
{
    World *w = world_new();

    set_open(w, 131072, 7);
    g_assert_cmpuint(tcp_window_select(&w->c), ==, 65536 >> 7);
    w->c.rcv.rmem_alloc = 100000;
    g_assert_cmpuint(tcp_window_select(&w->c), ==, 65536 >> 7);
    tcp_sysctl(&w->t)->tcp_shrink_window = 1;
    g_assert_cmpuint(tcp_window_select(&w->c), ==, 31072 / 2 >> 7);
    g_assert_cmpuint(tcp_window_receive(&w->c), ==, 31072 / 2 / 128 * 128);
    g_assert_cmpuint(w->c.win.rcv_mwnd_seq, ==, 65536);
    world_free(w);
}

/* Out of memory for what came: zero, whatever was promised (Linux ICSK_ACK_NOMEM). */
static void test_nomem(void)
{
    World *w = world_new();

    set_open(w, 131072, 7);
    tcp_window_select(&w->c);
    w->c.ack.pending = TCP_ACK_NOMEM;
    g_assert_cmpuint(tcp_window_select(&w->c), ==, 0);
    g_assert_cmpuint(tcp_window_receive(&w->c), ==, 0);
    world_free(w);
}

static void test_clamp_option(void)
{
    World *w = world_new();

    set_open(w, 131072, 7);
    g_assert_cmpint(tcp_window_set_clamp(&w->c, 0), ==, -EINVAL); /* only before connecting */
    g_assert_cmpint(tcp_window_set_clamp(&w->c, 1), ==, 0);
    g_assert_cmpuint(w->c.win.window_clamp, ==, 1152); /* SOCK_MIN_RCVBUF / 2 */
    g_assert_cmpuint(w->c.win.rcv_ssthresh, ==, 1152);
    w->c.state = TCP_CLOSE;
    g_assert_cmpint(tcp_window_set_clamp(&w->c, 0), ==, 0);
    world_free(w);
}

/* RFC 7323 5.3 and its exceptions. */
static void test_paws(void)
{
    TcpTs ts = {.ts_recent = 1000, .ts_recent_stamp = 1};
    TcpIn in = {.tsval = 1000, .saw_ts = true};

    g_assert_false(tcp_paws_reject(&ts, &in, false));
    in.tsval = 999;
    g_assert_true(tcp_paws_reject(&ts, &in, false));
    g_assert_true(tcp_paws_reject(&ts, &in, true));
    in.now = 60 * SIM_SEC; /* a RST after a minute of silence */
    g_assert_false(tcp_paws_reject(&ts, &in, true));
    g_assert_true(tcp_paws_reject(&ts, &in, false));
    in.now = 24 * 24 * 3600 * SIM_SEC; /* 5.5: the clock may have wrapped */
    g_assert_false(tcp_paws_reject(&ts, &in, false));
    in.now = 0;
    in.tsval = 1000 - 0x80000001u; /* half the circle away: newer */
    g_assert_false(tcp_paws_reject(&ts, &in, false));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/window/initial", test_initial);
    g_test_add_func("/tcp/window/initrwnd", test_initrwnd);
    g_test_add_func("/tcp/window/silly", test_silly);
    g_test_add_func("/tcp/window/no-shrink", test_no_shrink);
    g_test_add_func("/tcp/window/nomem", test_nomem);
    g_test_add_func("/tcp/window/clamp-option", test_clamp_option);
    g_test_add_func("/tcp/window/paws", test_paws);
    return g_test_run();
}
