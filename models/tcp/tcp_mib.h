/* TCP's counters, by the names of netstat -s and nstat (RFC 4022, then Linux's TcpExt in its order). Counters
 * of mechanisms that we do not have (TCP-AO, busy polling, migration) are left out. */
#pragma once

/* clang-format off */
#define TCP_MIB(X) \
    X(TcpRtoAlgorithm) X(TcpRtoMin) X(TcpRtoMax) X(TcpMaxConn) X(TcpActiveOpens) X(TcpPassiveOpens)       \
    X(TcpAttemptFails) X(TcpEstabResets) X(TcpCurrEstab) X(TcpInSegs) X(TcpOutSegs) X(TcpRetransSegs)     \
    X(TcpInErrs) X(TcpOutRsts) X(TcpInCsumErrors) X(TcpExtSyncookiesSent) X(TcpExtSyncookiesRecv)         \
    X(TcpExtSyncookiesFailed) X(TcpExtEmbryonicRsts) X(TcpExtPruneCalled) X(TcpExtRcvPruned)              \
    X(TcpExtOfoPruned) X(TcpExtOutOfWindowIcmps) X(TcpExtTW) X(TcpExtTWRecycled) X(TcpExtTWKilled)        \
    X(TcpExtPAWSActive) X(TcpExtPAWSEstab) X(TcpExtBeyondWindow) X(TcpExtTSEcrRejected)                   \
    X(TcpExtPAWSOldAck) X(TcpExtPAWSTimewait) X(TcpExtDelayedACKs) X(TcpExtDelayedACKLocked)              \
    X(TcpExtDelayedACKLost) X(TcpExtListenOverflows) X(TcpExtListenDrops) X(TcpExtTCPHPHits)              \
    X(TcpExtTCPPureAcks) X(TcpExtTCPHPAcks) X(TcpExtTCPRenoRecovery) X(TcpExtTCPSackRecovery)             \
    X(TcpExtTCPSACKReneging) X(TcpExtTCPSACKReorder) X(TcpExtTCPRenoReorder) X(TcpExtTCPTSReorder)        \
    X(TcpExtTCPFullUndo) X(TcpExtTCPPartialUndo) X(TcpExtTCPDSACKUndo) X(TcpExtTCPLossUndo)               \
    X(TcpExtTCPLostRetransmit) X(TcpExtTCPRenoFailures) X(TcpExtTCPSackFailures)                          \
    X(TcpExtTCPLossFailures) X(TcpExtTCPFastRetrans) X(TcpExtTCPSlowStartRetrans) X(TcpExtTCPTimeouts)    \
    X(TcpExtTCPLossProbes) X(TcpExtTCPLossProbeRecovery) X(TcpExtTCPRenoRecoveryFail)                     \
    X(TcpExtTCPSackRecoveryFail) X(TcpExtTCPRcvCollapsed) X(TcpExtTCPBacklogCoalesce)                     \
    X(TcpExtTCPDSACKOldSent) X(TcpExtTCPDSACKOfoSent) X(TcpExtTCPDSACKRecv) X(TcpExtTCPDSACKOfoRecv)      \
    X(TcpExtTCPAbortOnData) X(TcpExtTCPAbortOnClose) X(TcpExtTCPAbortOnMemory)                            \
    X(TcpExtTCPAbortOnTimeout) X(TcpExtTCPAbortOnLinger) X(TcpExtTCPAbortFailed)                          \
    X(TcpExtTCPMemoryPressures) X(TcpExtTCPMemoryPressuresChrono) X(TcpExtTCPSACKDiscard)                 \
    X(TcpExtTCPDSACKIgnoredOld) X(TcpExtTCPDSACKIgnoredNoUndo) X(TcpExtTCPSpuriousRTOs)                   \
    X(TcpExtTCPMD5NotFound) X(TcpExtTCPMD5Unexpected) X(TcpExtTCPMD5Failure) X(TcpExtTCPSackShifted)      \
    X(TcpExtTCPSackMerged) X(TcpExtTCPSackShiftFallback) X(TcpExtTCPBacklogDrop) X(TcpExtTCPMinTTLDrop)   \
    X(TcpExtTCPDeferAcceptDrop) X(TcpExtTCPTimeWaitOverflow) X(TcpExtTCPReqQFullDoCookies)                \
    X(TcpExtTCPReqQFullDrop) X(TcpExtTCPRetransFail) X(TcpExtTCPRcvCoalesce) X(TcpExtTCPOFOQueue)         \
    X(TcpExtTCPOFODrop) X(TcpExtTCPOFOMerge) X(TcpExtTCPChallengeACK) X(TcpExtTCPSYNChallenge)            \
    X(TcpExtTCPFastOpenActive) X(TcpExtTCPFastOpenActiveFail) X(TcpExtTCPFastOpenPassive)                 \
    X(TcpExtTCPFastOpenPassiveFail) X(TcpExtTCPFastOpenListenOverflow) X(TcpExtTCPFastOpenCookieReqd)     \
    X(TcpExtTCPFastOpenBlackhole) X(TcpExtTCPSpuriousRtxHostQueues) X(TcpExtTCPAutoCorking)               \
    X(TcpExtTCPFromZeroWindowAdv) X(TcpExtTCPToZeroWindowAdv) X(TcpExtTCPWantZeroWindowAdv)               \
    X(TcpExtTCPSynRetrans) X(TcpExtTCPOrigDataSent) X(TcpExtTCPHystartTrainDetect)                        \
    X(TcpExtTCPHystartTrainCwnd) X(TcpExtTCPHystartDelayDetect) X(TcpExtTCPHystartDelayCwnd)              \
    X(TcpExtTCPACKSkippedSynRecv) X(TcpExtTCPACKSkippedPAWS) X(TcpExtTCPACKSkippedSeq)                    \
    X(TcpExtTCPACKSkippedFinWait2) X(TcpExtTCPACKSkippedTimeWait) X(TcpExtTCPACKSkippedChallenge)         \
    X(TcpExtTCPWinProbe) X(TcpExtTCPKeepAlive) X(TcpExtTCPMTUPFail) X(TcpExtTCPMTUPSuccess)               \
    X(TcpExtTCPDelivered) X(TcpExtTCPDeliveredCE) X(TcpExtTCPAckCompressed) X(TcpExtTCPZeroWindowDrop)    \
    X(TcpExtTCPRcvQDrop) X(TcpExtTCPWqueueTooBig) X(TcpExtTCPFastOpenPassiveAltKey)                       \
    X(TcpExtTcpTimeoutRehash) X(TcpExtTcpDuplicateDataRehash) X(TcpExtTCPDSACKRecvSegs)                   \
    X(TcpExtTCPDSACKIgnoredDubious)
/* clang-format on */

enum {
#define X(name) MIB_##name,
    TCP_MIB(X)
#undef X
        TCP_MIB_COUNT
};

/* Those that every connection counts are in the Tcp itself, their lower 32 bits, at the place that this says;
 * the others (-1), and what goes beyond 32 bits, are made when first needed. */
enum { TCP_MIB_HOT_COUNT = 14 };
static inline int tcp_mib_hot(unsigned i)
{
    switch (i) {
    case MIB_TcpActiveOpens:
        return 0;
    case MIB_TcpPassiveOpens:
        return 1;
    case MIB_TcpCurrEstab:
        return 2;
    case MIB_TcpInSegs:
        return 3;
    case MIB_TcpOutSegs:
        return 4;
    case MIB_TcpExtTW:
        return 5;
    case MIB_TcpExtTCPHPHits:
        return 6;
    case MIB_TcpExtTCPPureAcks:
        return 7;
    case MIB_TcpExtTCPHPAcks:
        return 8;
    case MIB_TcpExtTCPOrigDataSent:
        return 9;
    case MIB_TcpExtTCPDelivered:
        return 10;
    case MIB_TcpExtTCPHystartTrainDetect:
        return 11;
    case MIB_TcpExtTCPHystartTrainCwnd:
        return 12;
    case MIB_TcpExtDelayedACKs:
        return 13;
    default:
        return -1;
    }
}

const char *tcp_mib_name(unsigned i);
