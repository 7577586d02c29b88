/* Messages between processes: a type, bytes, and perhaps a file descriptor. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct StepMsg {
    uint8_t type;
    int fd;        /* the receiver's to close; -1: none */
    GString *body; /* step_msg_clear */
} StepMsg;

bool steppipe_pair(int fd[2]);
/* fd_to_send -1: none. false: the other side is gone. */
bool steppipe_send(int fd, uint8_t type, const void *a, size_t a_len, const void *b, size_t b_len,
                   int fd_to_send);
/* Waits for a message. false: the other side is gone. */
bool steppipe_receive(int fd, StepMsg *out);
/* Is there something to receive, or has the other side gone? Waits so long at most, or until a signal. */
bool steppipe_has_news(int fd, int ms);
void stepmsg_clear(StepMsg *m);
