/* Script names of ICMP types and codes, for both versions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

bool pd_icmp_type_find(bool v6, const char *name, uint8_t *type);
bool pd_icmp_code_find(bool v6, uint8_t type, const char *name, uint8_t *code);
/* Whatever the type. */
bool pd_icmp_code_find_any(bool v6, const char *name, uint8_t *code);
/* NULL: write type_N, code_N. */
const char *pd_icmp_type_name(bool v6, uint8_t type);
const char *pd_icmp_code_name(bool v6, uint8_t type, uint8_t code);
bool pd_icmp_has_mtu(bool v6, uint8_t type, uint8_t code);
