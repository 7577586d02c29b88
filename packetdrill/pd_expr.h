/* Expressions of system calls to numbers, bytes and structs. Every function returns false with *why
 * (g_malloc'ed: what is wrong, with the place) and leaves its result alone. */
#pragma once

#include <glib.h>

#include "packetdrill/pd_ast.h"
#include "packetdrill/pd_stack.h"
#include "sim/base/base.h"

bool pd_expr_fail(char **why, const PdExpr *e, const char *format, ...) HS_PRINTF(3, 4);
/* "a list", for messages. */
const char *pd_expr_kind(const PdExpr *e);

/* A number, a symbol, a|b, htons(n), sizeof(type). */
bool pd_expr_int(const PdExpr *e, int64_t *out, char **why);
/* sizeof(struct linger), sizeof(int), sizeof("text"): as on 64-bit Linux. */
bool pd_expr_sizeof(const PdExpr *e, int64_t *out, char **why);
bool pd_expr_is_ellipsis(const PdExpr *e);
bool pd_expr_is_word(const PdExpr *e, const char *word);
/* NULL, or 0. */
bool pd_expr_is_null(const PdExpr *e);
/* "[n]": the number. */
bool pd_expr_int_in_list(const PdExpr *e, int64_t *out, char **why);
/* A list whose members have other names than these (a NULL behind the last) is a mistake of the script. */
bool pd_expr_only_members(const PdExpr *list, const char *what, const char *const *names, char **why);
/* The value of NAME in {NAME = value, …}; NULL: it is not there. */
const PdExpr *pd_expr_member(const PdExpr *list, const char *name);
/* {sa_family = …, sin_port = …, sin_addr = …}, or AF_UNSPEC. */
bool pd_expr_sockaddr(const PdExpr *e, PdSockAddr *out, char **why);
/* One that is to come back: a port or an address may be ..., and is 0 then. */
bool pd_expr_sockaddr_expected(const PdExpr *e, PdSockAddr *out, char **why);
/* Is `got` what the script expects? */
bool pd_expr_sockaddr_is(const PdExpr *e, const PdSockAddr *got, char **why);
/* [{..., 100}, {NULL, 5}]: *out is g_malloc'ed. */
bool pd_expr_iov(const PdExpr *e, PdIovec **out, unsigned *n, char **why);
/* [{fd=4, events=POLLIN, revents=POLLIN}]; fds are the script's. *out g_malloc'ed. */
bool pd_expr_pollfds(const PdExpr *e, PdPollFd **out, unsigned *n, char **why);
/* {events=EPOLLIN, fd=4}, {…, ptr=…}, {…, u32=…}, {…, u64=…}, alone or in a list. */
bool pd_expr_epoll(const PdExpr *e, PdEpollEvent *out, char **why);
/* An option's value: [1], [1, 2], a string, {onoff=1, linger=0}. len: what the script gives as its length (8:
 * one number takes eight bytes). */
bool pd_expr_optval(const PdExpr *e, int64_t len, GByteArray *out, char **why);
/* One control message's data in Linux's layout. *kind tells what must be compared how. */
typedef enum PdCmsgKind { PD_CMSG_BYTES, PD_CMSG_TIME, PD_CMSG_ERROR, PD_CMSG_STATS } PdCmsgKind;
bool pd_expr_cmsg_data(const PdExpr *e, GByteArray *out, PdCmsgKind *kind, char **why);
