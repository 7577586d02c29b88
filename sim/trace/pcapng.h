/* The numbers of the pcapng file format that its writer and its reader share (draft-ietf-opsawg-pcapng). */
#pragma once

/* Block types (section 4). */
enum {
    PCAPNG_BLOCK_SECTION = 0x0a0d0d0a,
    PCAPNG_BLOCK_IFACE = 1,
    PCAPNG_BLOCK_OLD_PACKET = 2,
    PCAPNG_BLOCK_SIMPLE_PACKET = 3,
    PCAPNG_BLOCK_NAMES = 4,
    PCAPNG_BLOCK_IFACE_STATS = 5,
    PCAPNG_BLOCK_PACKET = 6,
    PCAPNG_BLOCK_SECRETS = 10,
};

#define PCAPNG_BYTE_ORDER_MAGIC 0x1a2b3c4du

/* Options: 0 and 1 are common to all blocks, the others belong to the block in their name. */
enum {
    PCAPNG_OPT_END = 0,
    PCAPNG_OPT_COMMENT = 1,
    PCAPNG_SHB_HARDWARE = 2,
    PCAPNG_SHB_OS = 3,
    PCAPNG_SHB_USERAPPL = 4,
    PCAPNG_IF_NAME = 2,
    PCAPNG_IF_DESCRIPTION = 3,
    PCAPNG_IF_IPV4ADDR = 4,
    PCAPNG_IF_IPV6ADDR = 5,
    PCAPNG_IF_MACADDR = 6,
    PCAPNG_IF_SPEED = 8,
    PCAPNG_IF_TSRESOL = 9,
    PCAPNG_IF_FCSLEN = 13,
    PCAPNG_IF_TSOFFSET = 14,
    PCAPNG_EPB_FLAGS = 2,
    PCAPNG_EPB_DROPCOUNT = 4,
    PCAPNG_EPB_PACKETID = 5,
    PCAPNG_ISB_STARTTIME = 2,
    PCAPNG_ISB_ENDTIME = 3,
    PCAPNG_ISB_IFRECV = 4,
    PCAPNG_ISB_IFDROP = 5,
    PCAPNG_ISB_USRDELIV = 8,
};

/* Link types (www.tcpdump.org/linktypes.html) that hopscope writes. */
enum {
    PCAPNG_LINKTYPE_ETHERNET = 1,
    PCAPNG_LINKTYPE_PPP = 9,
    PCAPNG_LINKTYPE_RAW_IP = 101,
};

/* epb_flags (section 4.3.1). */
#define PCAPNG_FLAG_INBOUND 0x1u
#define PCAPNG_FLAG_OUTBOUND 0x2u
#define PCAPNG_FLAG_DIRECTION_MASK 0x3u
#define PCAPNG_FLAG_UNICAST (1u << 2)
#define PCAPNG_FLAG_MULTICAST (2u << 2)
#define PCAPNG_FLAG_BROADCAST (3u << 2)
#define PCAPNG_FLAG_PROMISCUOUS (4u << 2)
#define PCAPNG_FLAG_FCS_LEN(bytes) ((uint32_t)((bytes)&0xf) << 5)
#define PCAPNG_FLAG_FCS_LEN_OF(flags) (((flags) >> 5) & 0xf)
#define PCAPNG_FLAG_CRC_ERROR (1u << 24)
#define PCAPNG_FLAG_TOO_LONG (1u << 25)
#define PCAPNG_FLAG_TOO_SHORT (1u << 26)
#define PCAPNG_FLAG_SYMBOL_ERROR (1u << 31)

/* Decryption secrets: a TLS key log as SSLKEYLOGFILE has it ("TLSK"). */
#define PCAPNG_SECRETS_TLS_KEYLOG 0x544c534bu
