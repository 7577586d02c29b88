/* The send buffer as the writer meets it: is there room, and when again? */
#pragma once

#include "models/tcp/tcp_conn.h"

bool tcp_sndbuf_has_room(const TcpConn *c); /* sk_stream_memory_free */
void tcp_sndbuf_expand(TcpConn *c);         /* tcp_sndbuf_expand */
void tcp_sndbuf_check_space(TcpConn *c);    /* tcp_check_space: wakes a writer that waits */
