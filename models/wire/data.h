/* Bytes that no codec claims: payload, padding, and an Ethernet frame's check sequence. */
#pragma once

#include "models/wire/wire.h"

/* Mostly printable (tabs and line ends included): worth showing as text. */
bool data_is_text(const uint8_t *p, size_t len);
bool data_describe(WireCursor *c);
bool data_describe_padding(WireCursor *c);
bool data_describe_fcs(WireCursor *c);
