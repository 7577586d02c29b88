/* MAC addresses as text. */
#include "models/wire/mac.h"

#include <stdio.h>

#include "models/wire/wire.h"

bool mac_parse(const char *s, MacAddr *out)
{
    MacAddr m;
    char separator = '\0';

    for (int i = 0; i < 6; i++) {
        int high, low;

        if (i == 1)
            separator = *s;
        if (i > 0 && (*s != separator || (*s != ':' && *s != '-')))
            return false;
        if (i > 0)
            s++;
        if ((high = wire_hex_digit(s[0])) < 0 || (low = wire_hex_digit(s[1])) < 0)
            return false;
        m.b[i] = (uint8_t)(high << 4 | low);
        s += 2;
    }
    if (*s)
        return false;
    *out = m;
    return true;
}

char *mac_format(MacAddr m, char buf[MAC_STR_LEN])
{
    snprintf(buf, MAC_STR_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", m.b[0], m.b[1], m.b[2], m.b[3], m.b[4],
             m.b[5]);
    return buf;
}
