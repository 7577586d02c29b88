/* What a captured packet costs beside its memcpy: pcapng into /dev/null and to a file, by packet size. */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sim/trace/pcapng_writer.h"

#define N_PACKETS 2000000

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run(const char *path, uint32_t bytes, uint32_t flags)
{
    static const uint8_t frame[1514];
    PcapngWriter *w = pcapng_writer_open(path, &(PcapngSection){0}, NULL);
    double begin = cpu_s();

    if (!w)
        return;
    pcapng_writer_add_iface(w, &(PcapngIface){.name = "a", .linktype = PCAPNG_LINKTYPE_ETHERNET});
    for (int i = 0; i < N_PACKETS; i++) {
        memcpy(pcapng_writer_packet_begin(w, 0, i, bytes, bytes), frame, bytes);
        pcapng_writer_packet_end(w, flags, NULL);
    }
    pcapng_writer_close(w, NULL);
    printf("pcapng %-20s %4u bytes flags=%u: %6.1f ns/packet\n", path, bytes, flags,
           (cpu_s() - begin) * 1e9 / N_PACKETS);
}

int main(void)
{
    char *dir = g_dir_make_tmp("bench-XXXXXX", NULL);
    char *path = g_build_filename(dir, "x.pcapng", NULL);

    run("/dev/null", 60, 0);
    run("/dev/null", 60, 2);
    run("/dev/null", 1514, 2);
    run(path, 60, 2);
    g_unlink(path);
    g_rmdir(dir);
    g_free(path);
    g_free(dir);
    return 0;
}
