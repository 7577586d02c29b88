---@meta hopscope

-- Annotations for editors (LuaLS). The reference is docs/scenario-api.md; a test keeps both complete.

---@alias time string|number # "20ms", or seconds
---@alias rate string|integer # "10Mbps", or bits per second
---@alias size string|integer # "64KiB", or bytes
---@alias ratio string|number # "1%", or 0.01
---@alias hs.Node hs.Host|hs.Switch|hs.Hub
---@alias hs.Queue integer|string|table

---@class hs.HostOptions
---@field sysctl? table settings by their Linux names: { ["net.ipv4.ip_default_ttl"] = 32 }

---@class hs.SwitchOptions
---@field stp? boolean|string the spanning tree: true or "rstp", "legacy" (802.1D-1998), false (default)
---@field ageing? time how long an address is remembered (300 s); 0: for ever
---@field table_size? integer how many addresses it can remember
---@field delay? time from a frame's arrival to its forwarding (0)
---@field priority? integer bridge priority, a multiple of 4096 (32768)
---@field hello? time 1 s to 2 s (2 s)
---@field max_age? time 6 s to 40 s (20 s)
---@field forward_delay? time 4 s to 30 s (15 s)

---@class hs.HubOptions
---@field rate? rate of the shared segment (10Mbps)
---@field delay? time from any station to any other (1 us); at most half a slot
---@field mtu? size largest payload (1500)
---@field queue? integer frames that a station holds back (1000)
---@field attempts? integer tries before a frame is given up (16)

---@class hs.LinkOptions
---@field rate? rate bits per second; without it the link is infinitely fast
---@field delay? time propagation delay (0)
---@field jitter? time extra delay, uniform from 0 to this
---@field jitter_reorders? boolean whether jitter may let later frames overtake (false)
---@field mtu? integer largest payload of a frame, 68 to 65535 (1500)
---@field overhead? integer bytes on the wire beside the frame: preamble, FCS, gap (24)
---@field gap? integer the part of it that comes after the frame (12)
---@field queue? hs.Queue a number of packets, or a discipline: { "droptail", packets = 100 }; its options are those of the discipline
---@field impair? table a list of impairments, in order: { { "gilbert_elliott", p = 0.01, r = 0.3 } }
---@field loss? ratio|table short for bernoulli; a list such as { 3, 7 } loses exactly these frames
---@field duplicate? ratio|table short for the impairment duplicate
---@field corrupt? ratio|table short for corrupt
---@field reorder? ratio|table short for reorder: { probability = 0.1, delay = "5ms" }
---@field trace? string a file of rate, delay and loss over time, beside the scenario
---@field mahimahi? string a file of delivery opportunities in Mahimahi's format
---@field ab? table options of the direction a to b only; all of the above
---@field ba? table options of the direction b to a only
---@field subnet? string "10.0.1.0/24", for the ends without an address
---@field address? table by node name: { client = "10.0.1.5/24", r = false }; false: no address
---@field mac? table by node name
---@field dev? table names of the interfaces, by node name
---@field kind? string "ethernet" or "ppp", a serial line
---@field up? boolean false: the link begins down

---@class hs.LinkdirSetOptions
---@field rate? rate bits per second; without it the link is infinitely fast
---@field delay? time propagation delay (0)
---@field jitter? time extra delay, uniform from 0 to this
---@field jitter_reorders? boolean whether jitter may let later frames overtake (false)
---@field mtu? integer largest payload of a frame, 68 to 65535 (1500)
---@field overhead? integer bytes on the wire beside the frame: preamble, FCS, gap (24)
---@field gap? integer the part of it that comes after the frame (12)
---@field queue? hs.Queue a number of packets, or a discipline: { "droptail", packets = 100 }; its options are those of the discipline
---@field impair? table a list of impairments, in order: { { "gilbert_elliott", p = 0.01, r = 0.3 } }
---@field loss? ratio|table short for bernoulli; a list such as { 3, 7 } loses exactly these frames
---@field duplicate? ratio|table short for the impairment duplicate
---@field corrupt? ratio|table short for corrupt
---@field reorder? ratio|table short for reorder: { probability = 0.1, delay = "5ms" }
---@field trace? string a file of rate, delay and loss over time, beside the scenario
---@field mahimahi? string a file of delivery opportunities in Mahimahi's format

---@class hs.OnOptions
---@field node? hs.Node only there
---@field link? hs.Link only frames at the ends of this link

---@class hs.CaptureOptions
---@field file string name in the output folder; one that ends in .pcapng.lz4 is compressed
---@field drops? boolean dropped frames too, with the reason as a comment
---@field snaplen? size at most so many bytes of each frame

---@class hs.SeriesOptions
---@field file string name in the output folder
---@field of string the probe, by its full name: "queue.length"
---@field fields string|string[] fields of the probe: { "packets", "bytes" }
---@field every? time at most one row for each multiple of this time

---@class hs.Narration
---@field en string the English text
---@field zh? string the text in Simplified Chinese

---@class hs.CcView facts of a connection; windows and counts in packets, times in seconds
---@field now number
---@field mss integer bytes
---@field in_flight integer
---@field packets_out integer
---@field sacked_out integer
---@field lost_out integer
---@field retrans_out integer
---@field prior_cwnd integer before the latest reduction
---@field delivered integer
---@field delivered_ce integer
---@field lost integer
---@field init_cwnd integer
---@field bytes_acked integer
---@field snd_una integer
---@field snd_nxt integer
---@field srtt? number
---@field min_rtt? number
---@field rto number
---@field ca_state "open"|"disorder"|"cwr"|"recovery"|"loss"
---@field is_cwnd_limited boolean
---@field is_app_limited boolean
---@field is_ecn boolean

---@class hs.CcSample what an ACK brought
---@field acked integer packets
---@field rtt? number
---@field losses? integer for control, as the rest
---@field prior_in_flight? integer
---@field is_ece? boolean
---@field is_app_limited? boolean
---@field delivered? integer packets in the interval
---@field delivered_ce? integer
---@field interval? number

---@class hs.CcState a connection's own
---@field cwnd number packets
---@field ssthresh number packets
---@field pacing_rate? number bytes per second
---@field [string] any

---@class hs.CcOptions
---@field name string 1 to 15 small letters, digits, _ and -
---@field help? string
---@field init? fun(view: hs.CcView, state: hs.CcState)
---@field on_ack? fun(view: hs.CcView, sample: hs.CcSample, state: hs.CcState)
---@field control? fun(view: hs.CcView, sample: hs.CcSample, state: hs.CcState) instead of on_ack: for each ACK
---@field ssthresh? fun(view: hs.CcView, state: hs.CcState): number
---@field on_loss? fun(view: hs.CcView, kind: "mark"|"recovery"|"timeout", state: hs.CcState)
---@field undo? fun(view: hs.CcView, state: hs.CcState): number
---@field ecn? boolean every packet ECN-capable
---@field exact_ce? boolean ecn, and ECE tells exactly which data were marked
---@field pacing? boolean spread over time

---@class hs.HostRouteOptions
---@field to string "10.1.0.0/16", an address, or "default"
---@field via? string gateway
---@field dev? string interface
---@field src? string preferred source
---@field type? string unicast, blackhole, unreachable, prohibit
---@field metric? integer the lowest wins (0)
---@field mtu? integer of that route
---@field advmss? integer the MSS that TCP announces
---@field initcwnd? integer first congestion window, packets (10)
---@field initrwnd? integer first receive window, packets
---@field cwnd? integer with lock: largest congestion window, packets
---@field ssthresh? integer first slow-start threshold, packets
---@field window? integer largest window announced, bytes
---@field reordering? integer how far packets may be out of order (3)
---@field hoplimit? integer TTL of what is sent
---@field quickack? integer 1: no delayed acknowledgments
---@field fastopen_no_cookie? integer 1: TCP Fast Open needs no cookie, in both directions
---@field rtt? time first estimate of the round-trip time
---@field rttvar? time and of its variation
---@field rto_min? time floor of TCP's retransmission timeout
---@field features? string "ecn": ECN to this destination, whatever the sysctl says
---@field congctl? string congestion control of connections that use the route
---@field lock? string names of options above that nothing learnt may change: "mtu"

---@class hs.HostTcpOptions
---@field congestion? string TCP_CONGESTION
---@field cork? boolean TCP_CORK
---@field keepalive? boolean SO_KEEPALIVE
---@field mss? integer TCP_MAXSEG
---@field nodelay? boolean TCP_NODELAY
---@field nonblock? boolean O_NONBLOCK
---@field rcvbuf? string|integer SO_RCVBUF
---@field reuseaddr? boolean SO_REUSEADDR
---@field reuseport? boolean SO_REUSEPORT
---@field sndbuf? string|integer SO_SNDBUF
---@field user_timeout? string|number TCP_USER_TIMEOUT
---@field v6? boolean an AF_INET6 socket

---@class hs.TcpRecvOptions
---@field dontwait? boolean MSG_DONTWAIT
---@field oob? boolean MSG_OOB
---@field peek? boolean MSG_PEEK
---@field timeout? string|number how long to wait
---@field trunc? boolean MSG_TRUNC
---@field waitall? boolean MSG_WAITALL

---@class hs.TcpSendOptions
---@field dontwait? boolean MSG_DONTWAIT
---@field eor? boolean MSG_EOR
---@field fastopen? boolean MSG_FASTOPEN
---@field more? boolean MSG_MORE
---@field oob? boolean MSG_OOB

---@class hs.HostUdpOptions
---@field port? integer binds to it
---@field address? string binds to it
---@field broadcast? boolean SO_BROADCAST
---@field on_datagram? function fn(data, address, port, info, sock) for each datagram, instead of recv

---@class hs.ResultOptions
---@field unit? string for tables and axes: "bit/s"
---@field help? string what it is, for axes

---@class hs.HostForgeOptions
---@field to hs.Host|string destination
---@field src? hs.Host|string source address (the host's own)
---@field sport? integer source port (1024)
---@field dport? integer destination port
---@field seq? integer sequence number (0)
---@field ack? integer acknowledgment number (0)
---@field flags? string letters of S, F, R, P, A (or .), U, E, W ("S")
---@field window? integer as on the wire (65535)
---@field urgent? integer urgent pointer (0)
---@field options? string up to 40 bytes of TCP options
---@field data? any payload
---@field ttl? integer time to live
---@field tos? integer type of service

---@class hs.HostRawOptions
---@field ethertype? integer only these frames
---@field outgoing? boolean also what the host itself sends

---@class hs.HostPingOptions
---@field count? integer requests (4)
---@field interval? time between them (1 s)
---@field size? integer bytes of data (56)
---@field timeout? time how long to wait for the last answers (10 s)
---@field ttl? integer time to live
---@field tos? integer type of service
---@field df? boolean don't fragment
---@field id? integer identifier
---@field first_seq? integer first sequence number (1)
---@field src? string source address
---@field print? boolean shows its lines as they come

---@class hs.HostRarpOptions
---@field tries? integer (5), the wait doubles from 2 s to 60 s
---@field dev? string the card ("eth0")

---@class hs.HostTracerouteOptions
---@field icmp? boolean echo requests instead of UDP
---@field first_ttl? integer (1)
---@field max_ttl? integer (30)
---@field probes? integer for each hop (3)
---@field parallel? integer probes under way at a time (1)
---@field wait? time for an answer (5 s)
---@field size? integer of the whole packet (60)
---@field print? boolean shows its lines as they come

---@class hs.HostMtrOptions
---@field udp? boolean UDP instead of echo requests
---@field cycles? integer (10)
---@field max_ttl? integer (30)
---@field interval? time between cycles (1 s)
---@field grace? time after the last cycle (5 s)
---@field size? integer of the whole packet (64)
---@field print? boolean shows the report

---@class hs.HostTcpSourceOptions
---@field to hs.Host|string destination
---@field port integer its port
---@field bytes? size how many; without it, no end
---@field start? time after now (0)
---@field write? size bytes of each write (64 KiB)
---@field congestion? string without it the host's
---@field sndbuf? size SO_SNDBUF; without it, autotuning
---@field rcvbuf? size SO_RCVBUF; without it, autotuning
---@field keep_open? boolean does not close at the end

---@class hs.HostTcpSinkOptions
---@field port integer where it listens
---@field backlog? integer (4096)
---@field rcvbuf? size SO_RCVBUF; without it, autotuning
---@field check? boolean compares with what tcp_source writes (true)

---@class hs.HostUdpSourceOptions
---@field to string destination
---@field port integer its port
---@field size? integer bytes of a datagram (1000)
---@field gap? time from one datagram to the next
---@field rate? rate of the payload, instead of gap
---@field count? integer how many; without it, no end
---@field start? time after now (0)
---@field on? time length of a burst
---@field off? time silence between bursts
---@field exponential? boolean on and off are means
---@field local_port? integer our own port
---@field tos? integer type of service

---@class hs.HostTftpGetOptions
---@field port? integer of the server (69)
---@field local_port? integer our own port
---@field mode? string "octet" (default) or "netascii"
---@field blksize? integer bytes of a block that we ask for, 8 to 65464 (RFC 2348); without it 512
---@field timeout? integer seconds before a side repeats itself that we ask for (RFC 2349)
---@field tsize? boolean asks for the size of the file (RFC 2349)

---@class hs.HostTftpServerOptions
---@field files table contents by name: strings or payloads
---@field port? integer (69)
---@field timeout? time before a block is repeated (1 s)

---@class hs.SockSendOptions
---@field ttl? integer of this datagram
---@field tos? integer of this datagram

---@class hs.SockRecvOptions
---@field timeout? time how long to wait
---@field size? size at most so much; the rest of the datagram is gone

---@class hs.DevRingOptions
---@field mode? string "napi" (default) or "interrupt"
---@field size? integer slots of the receive ring (256); 0: none
---@field irq_cost? time of a hard interrupt (2 µs)
---@field packet_cost? time of the kernel's work for a frame (1 µs)
---@field weight? integer frames in a poll (64)
---@field budget? integer frames in a soft interrupt (300)
---@field budget_time? time of a soft interrupt (2 ms)
---@field thread_delay? time until ksoftirqd runs (0)
---@field max_backlog? integer frames between interrupt and kernel (net.core.netdev_max_backlog: 1000)
---@field tx? integer slots of the transmit ring; 0: none (default)
---@field tx_irq_delay? time from a frame's end to the interrupt that frees its slot (2 µs)

---@class hs.LinkPlugOptions
---@field dev? string interface
---@field mac? string address of a new interface
---@field address? string IP address; false: none

---@class hs.PortTrunkOptions
---@field vlans? table list; without it all
---@field native? integer the VLAN without tags (1); 0: none

---@class hs.PortStpOptions
---@field cost? integer 0: by the link's speed
---@field priority? integer a multiple of 16
---@field edge? boolean no bridge behind it
---@field auto_edge? boolean find out by itself (true)

---@class hs.VerdictDelay
---@field overtake? boolean later frames may overtake it (false)

---@class hs.VerdictDuplicate
---@field copies? integer (1)
---@field gap? time between them (0)

---@class hs.VerdictCorrupt
---@field bit? integer which; without it one in the middle
---@field fcs? boolean false: the FCS is right, only upper checksums find it

---@class hs.Ip4EncodeOptions
---@field src string|integer source address
---@field dst string|integer destination address
---@field proto? integer protocol (17)
---@field ttl? integer time to live (64)
---@field tos? integer type of service
---@field len? integer total length
---@field id? integer identification
---@field df? boolean don't fragment
---@field mf? boolean more fragments
---@field frag_offset? integer in bytes, a multiple of 8
---@field options? string up to 40 bytes

---@class hs.Ip4
local Ip4 = {}

---@param address string
---@return integer?, string?
function Ip4.parse(address) end

---@param number integer
---@return string
function Ip4.format(number) end

---@param address string|integer
---@return string, integer?
function Ip4.class(address) end

---@param address string|integer
---@return boolean
function Ip4.is_private(address) end

---@param address string|integer
---@return boolean
function Ip4.is_multicast(address) end

---@param address string|integer
---@return boolean
function Ip4.is_loopback(address) end

---@param length integer
---@return string
function Ip4.mask(length) end

---@param mask string|integer
---@return integer?, string?
function Ip4.mask_length(mask) end

---@param prefix string|integer
---@param mask? string|integer
---@return table?, string?
function Ip4.prefix(prefix, mask) end

---@param prefix string
---@param address string|integer
---@return boolean
function Ip4.contains(prefix, address) end

---@param options hs.Ip4EncodeOptions
---@return string
function Ip4.encode(options) end

---@param bytes string
---@return table?, string?
function Ip4.decode(bytes) end

---@class hopscope
---@field plot table pictures of the run
---@field ip4 hs.Ip4 arithmetic with IPv4 addresses and headers
---@field seed integer the seed of the run
local hs = {}

---a host
---@param name string
---@param options? hs.HostOptions
---@return hs.Host
function hs.host(name, options) end

---a host that forwards
---@param name string
---@param options? hs.HostOptions
---@return hs.Host
function hs.router(name, options) end

---an Ethernet switch
---@param name string
---@param options? hs.SwitchOptions
---@return hs.Switch
function hs.switch(name, options) end

---a shared half-duplex segment (CSMA/CD)
---@param name string
---@param options? hs.HubOptions
---@return hs.Hub
function hs.hub(name, options) end

---a cable between two nodes (or their names)
---@param a hs.Node|string
---@param b hs.Node|string
---@param options? hs.LinkOptions
---@return hs.Link
function hs.link(a, b, options) end

---all links, in order of creation
---@return hs.Link[]
function hs.links() end

---the node of that name
---@param name string
---@return hs.Host|hs.Switch|hs.Hub
function hs.node(name) end

---the address of a host
---@param name string
---@return string
function hs.resolve(name) end

---assigns addresses and routes now (hs.run does it by itself)
function hs.prepare() end

---false: you set all routes yourself
---@param on boolean
function hs.auto_routes(on) end

---false: only the addresses that you give
---@param on boolean
function hs.auto_addresses(on) end

---lets that much time pass; without a time, until nothing is left to happen. Returns the time. For the main part only
---@param time? time
---@return number
function hs.run(time) end

---lets time pass up to that time
---@param time time
---@return number
function hs.run_until(time) end

---ends the present hs.run
function hs.stop() end

---the simulated time in seconds
---@return number
function hs.now() end

---the simulated time in nanoseconds
---@return integer
function hs.now_ns() end

---waits; in a process or in the main part
---@param time time
function hs.sleep(time) end

---"20ms" as a number of seconds
---@param time time
---@return number
function hs.seconds(time) end

---calls fn at that time, which must not be over
---@param time time
---@param fn function
---@return hs.Alarm
function hs.at(time, fn) end

---calls fn so much later
---@param delay time
---@param fn function
---@return hs.Alarm
function hs.after(delay, fn) end

---calls fn again and again, first after one period, until it returns false
---@param period time
---@param fn function
---@return hs.Alarm
function hs.every(period, fn) end

---a value that --set name=value changes; its type is that of the default
---@param name string
---@param default any
---@param help? string
---@return any
function hs.param(name, default, help) end

---a congestion controller of your own, chosen by its name
---@param options hs.CcOptions
function hs.cc(options) end

---a stream of random numbers of your own
---@param name string
---@return hs.Rng
function hs.rng(name) end

---synthetic bytes: a pattern and a length
---@param size size
---@param offset? any
---@return hs.Payload
function hs.payload(size, offset) end

---a line with the simulated time; or hs.Narration, in two languages
---@param ... any
function hs.log(...) end

---narration: a heading (not with --quiet); or hs.Narration, in two languages
---@param ... any
function hs.title(...) end

---narration: a paragraph (not with --quiet); or hs.Narration, in two languages
---@param ... any
function hs.note(...) end

---a table from texts, names of expectations or what is said in one language, to the same in Chinese, for a report; numbers may be {} in both
---@param language "zh"
---@param texts table<string, string>
function hs.translate(language, texts) end

---what is a function: asked when the scenario has ended, return ok, seen. Otherwise decided at once
---@param name string
---@param what any
---@param seen? any
function hs.expect(name, what, seen) end

---equal; tables are compared by what is in them. A number may be compared with "20ms"
---@param name string
---@param got any
---@param want any
function hs.expect_equal(name, got, want) end

---a number within want ± tolerance
---@param name string
---@param got any
---@param want any
---@param tolerance any
function hs.expect_near(name, got, want, tolerance) end

---a number from low to high, both included
---@param name string
---@param got any
---@param low any
---@param high any
function hs.expect_between(name, got, low, high) end

---fn raises an error that contains the text
---@param name string
---@param fn function
---@param text? string
function hs.expect_error(name, fn, text) end

---what the run has found out: a number, a list of numbers, or a function that returns one when the scenario has ended
---@param name string
---@param value number|number[]|function|nil
---@param options? hs.ResultOptions
function hs.result(name, value, options) end

---any value as text, tables with their contents
---@param value any
---@return string
function hs.show(value) end

---calls fn(event) whenever that probe fires: "frame.drop", "neigh.*", "*"
---@param probe string
---@param fn function
---@param options? hs.OnOptions
---@return hs.Observer
function hs.on(probe, fn, options) end

---records frames, to be asked afterwards
---@param options? table
---@return hs.Frames
function hs.frames(options) end

---asks for a capture file of the nodes, interfaces or links in the list; before the first hs.run, after the links
---@param options hs.CaptureOptions
function hs.capture(options) end

---asks for a file with a time series of what a probe reports at the nodes, interfaces, links or directions in the list; before the first hs.run
---@param options hs.SeriesOptions
function hs.series(options) end

---@class hs.LadderOptions
---@field file string name in the output folder, which ends in .svg or .txt
---@field between? hs.Node[] nodes that get lanes, in this order (hosts, and who else sends packets of its own)
---@field flow? string only this conversation: "client:40000>server:80", its number or a port
---@field from? time only what was sent at this time or later (0)
---@field to? time and not after this time (the end of the run)
---@field title? string instead of hs.title's
---@field hops? boolean routers, switches and hubs on the way have lanes too
---@field timers? boolean TCP's timers: armed, stopped, fired
---@field options? boolean TCP options of every segment, not only SYN's and SACK
---@field absolute? boolean sequence numbers as on the wire; they count from the SYN otherwise
---@field unfold? boolean long exchanges in full
---@field notes? boolean false: without the narration
---@field states? boolean false: without the states of TCP connections

---asks for a sequence diagram of the run; before the first hs.run
---@param options hs.LadderOptions
function hs.ladder(options) end

---@class hs.QlogOptions
---@field file string name in the output folder, which ends in .sqlog
---@field host hs.Node whose connections
---@field role? string only those that it opens ("client") or that it is asked for ("server")
---@field port? integer only those with this port at either end
---@field level? string how much: "core", "base" (default), "extra"

---asks for a qlog file of what TCP does at a host; before the first hs.run
---@param options hs.QlogOptions
function hs.qlog(options) end

---@class hs.PlotOptions
---@field file string name in the output folder, which ends in .svg, .png or .pdf
---@field host? hs.Node|hs.LinkDir|string only what this host sends and this node's queues
---@field flow? string only these flows: "client>server:80", with patterns
---@field from? time the picture begins at this time (0)
---@field to? time and ends there (at the end of the run)
---@field interval? time of rates and fairness (about a hundredth of the time)
---@field title? string instead of what and the scenario's name
---@field states? boolean false: no bands behind a congestion window
---@field separate? boolean true: a panel for each flow or queue, with equal axes
---@field log? boolean true: logarithmic axes of values
---@field legend? boolean false: none
---@field width? integer of the picture in pixels, in PDF hundredths of an inch (800)
---@field height? integer likewise (as high as needed)
---@field font? string family of its letters
---@field style? string "screen", or "paper": small and without a title, for one of two columns
---@field of? string of hs.plot.cdf: what is distributed ("rtt")

---pictures of the run, drawn by gnuplot when it is over; before the first hs.run
hs.plot = {}

---congestion window and ssthresh, with the sender's states as bands
---@param options hs.PlotOptions
function hs.plot.cwnd(options) end

---slow start threshold
---@param options hs.PlotOptions
function hs.plot.ssthresh(options) end

---segments in flight, and the congestion window
---@param options hs.PlotOptions
function hs.plot.inflight(options) end

---sequence numbers: data, retransmissions, ACKs, window, SACK, losses
---@param options hs.PlotOptions
function hs.plot.sequence(options) end

---the window that the receiver offers
---@param options hs.PlotOptions
function hs.plot.rwnd(options) end

---round-trip time: samples and smoothed
---@param options hs.PlotOptions
function hs.plot.rtt(options) end

---retransmission timeout and round-trip time
---@param options hs.PlotOptions
function hs.plot.rto(options) end

---lengths of queues
---@param options hs.PlotOptions
function hs.plot.queue(options) end

---how long packets waited in queues
---@param options hs.PlotOptions
function hs.plot.sojourn(options) end

---rate at which frames arrive at the receiver
---@param options hs.PlotOptions
function hs.plot.throughput(options) end

---rate at which payload is acknowledged in order
---@param options hs.PlotOptions
function hs.plot.goodput(options) end

---Jain's index of the flows' goodput
---@param options hs.PlotOptions
function hs.plot.fairness(options) end

---lost frames, counted
---@param options hs.PlotOptions
function hs.plot.loss(options) end

---frames marked by ECN, counted
---@param options hs.PlotOptions
function hs.plot.mark(options) end

---the distribution of something: option of
---@param options hs.PlotOptions
function hs.plot.cdf(options) end

---several of them in one picture: { "cwnd", "rtt", "queue", file = "all.svg" }
---@param options hs.PlotOptions
function hs.plot.figure(options) end

---a line and a word at that time in all pictures; at any time of the run
---@param time time
---@param text string
function hs.plot.note(time, text) end

---a line and a word at that value where pictures show what; at any time of the run
---@param what string "cwnd", "queue", …
---@param value number|string segments, packets or bytes, a time, a rate
---@param text string
function hs.plot.level(what, value, text) end

---@class hs.Host
---@field name string its name
---@field is_router boolean whether it was made by hs.router
local Host = {}

---the primary address, of the host or of an interface
---@param dev? string
---@return string?
function Host:addr(dev) end

---adds an address: host:address("eth0", "10.0.0.9/24")
---@param dev string
---@param prefix string
---@return hs.Host
function Host:address(dev, prefix) end

---takes it away
---@param dev string
---@param prefix string
---@return hs.Host
function Host:remove_address(dev, prefix) end

---list of { dev, address }
---@return table[]
function Host:addresses() end

---an interface (eth0)
---@param name? string
---@return hs.Dev
function Host:dev(name) end

---all of them, loopback first
---@return hs.Dev[]
function Host:devs() end

---adds a route, as ip route add
---@param options hs.HostRouteOptions
---@return hs.Host
function Host:route(options) end

---removes it
---@param options hs.HostRouteOptions
---@return hs.Host
function Host:route_del(options) end

---gives a route other metrics, also for connections that use it already; a gateway and an interface that are left out stay
---@param options hs.HostRouteOptions
---@return hs.Host
function Host:route_change(options) end

---adds it, or takes the place of the one with the same prefix and metric
---@param options hs.HostRouteOptions
---@return hs.Host
function Host:route_replace(options) end

---list of { to, type, via, dev, src, metric, metrics }
---@return table[]
function Host:routes() end

---what would be done with a packet: { type, dev, via, src, mtu, metrics }
---@param to hs.Host|string
---@return table?, string?
function Host:route_get(to) end

---the neighbour cache: list of { address, mac, state, dev }; with an address, its entry or nil
---@param address? string
---@return table
function Host:arp(address) end

---sets an entry (PERMANENT)
---@param address string
---@param mac string
---@param state? string
---@param dev? string
---@return hs.Host
function Host:arp_set(address, mac, state, dev) end

---removes an entry
---@param address string
---@param dev? string
---@return boolean
function Host:arp_del(address, dev) end

---gratuitous ARP
---@param dev? string
---@return hs.Host
function Host:arp_announce(dev) end

---blocks; asks three times whether somebody has the address (RFC 5227): true, and it is announced twice; or false and the other's MAC address
---@param address string
---@param dev? string
---@return boolean|nil free
---@return string? other
function Host:arp_claim(address, dev) end

---reads or sets a setting by its Linux name
---@param name string
---@param value? any
---@return any
function Host:sysctl(name, value) end

---reads or sets a parameter of a congestion controller, as /sys/module/tcp_cubic/parameters/hystart
---@param controller string
---@param name string
---@param value? integer|boolean
---@return any
function Host:cc_param(controller, name, value) end

---a counter by its netstat name, "UdpNoPorts"
---@param name string
---@return integer
function Host:counter(name) end

---all counters by name
---@return table
function Host:counters() end

---the counters that are not 0, one a line
---@return string
function Host:netstat() end

---sends one TCP segment that belongs to no socket, with any addresses and numbers, as hping3 does
---@param options hs.HostForgeOptions
---@return true|nil ok
---@return string? err
function Host:forge(options) end

---as /proc/net/sockstat: { inuse, orphan, tw, alloc, requests, mem, bytes }
---@return table
function Host:sockstat() end

---a line with time and name
---@param ... any
function Host:log(...) end

---switches it off or on; without an argument, asks
---@param on? boolean
---@return boolean?
function Host:power(on) end

---TCP sockets of all states, or of one, as ss -ta lists them (but a FIN is no byte in recv_q and send_q): { state, addr, port, peer_addr, peer_port, recv_q, send_q, retransmits, orphan, left }
---@param state? string
---@return table[]
function Host:sockets(state) end

---starts a process: fn(os, ...)
---@param fn function
---@param ... any
---@return hs.Process
function Host:spawn(fn, ...) end

---a TCP socket
---@param options? hs.HostTcpOptions
---@return hs.TcpSocket?, string?
function Host:tcp(options) end

---an event loop's epoll
---@return hs.Epoll?, string?
function Host:epoll() end

---inside a process only: a child with copies of its descriptors
---@param fn function
---@param ... any
---@return hs.Process
function Host:fork(fn, ...) end

---a UDP socket
---@param options? hs.HostUdpOptions
---@return hs.UdpSocket?, string?
function Host:udp(options) end

---whole Ethernet frames as bytes (AF_PACKET)
---@param dev? string
---@param options? hs.HostRawOptions
---@return hs.RawSocket
function Host:raw(dev, options) end

---blocks; { sent, received, duplicates, errors, loss, time, rtt = { min, avg, max, mdev }, replies, lines }
---@param to hs.Host|string
---@param options? hs.HostPingOptions
---@return table?, string?
function Host:ping(to, options) end

---blocks; the address that a RARP server on the link knows for this card, and the server's; or nil, "ETIMEDOUT"
---@param options? hs.HostRarpOptions
---@return string?, string
function Host:rarp(options) end

---answers RARP from a table of MAC addresses and IP addresses
---@param table table<string, string>
---@param dev? string
---@return hs.RarpServer
function Host:rarp_server(table, dev) end

---blocks; { reached, hops = { { ttl, address, probes } }, lines }
---@param to hs.Host|string
---@param options? hs.HostTracerouteOptions
---@return table
function Host:traceroute(to, options) end

---blocks; { hops = { { address, sent, received, loss, last, avg, best, worst } }, lines }
---@param to hs.Host|string
---@param options? hs.HostMtrOptions
---@return table
function Host:mtr(to, options) end

---the echo service (port 7)
---@param port? integer
---@return hs.UdpEcho?, string?
function Host:udp_echo(port) end

---counts what a source sends
---@param port integer
---@return hs.UdpSink?, string?
function Host:udp_sink(port) end

---datagrams at a fixed gap, or in bursts
---@param options hs.HostUdpSourceOptions
---@return hs.UdpSource?, string?
function Host:udp_source(options) end

---how many descriptors the process may have; without a number, how many it has
---@param n? integer
---@return integer?
function Host:ulimit(n) end

---accepts connections, reads and counts
---@param options integer|hs.HostTcpSinkOptions
---@return hs.TcpSink?, string?
function Host:tcp_sink(options) end

---connects, writes as fast as it can, closes
---@param options hs.HostTcpSourceOptions
---@return hs.TcpSource
function Host:tcp_source(options) end

---reads a file by TFTP; blocks; { ok, data, bytes, blocks, retransmits, blksize, tsize, error_code, error, time, address, port }
---@param server string
---@param file string
---@param options? hs.HostTftpGetOptions
---@return table?, string?
function Host:tftp_get(server, file, options) end

---gives files away by TFTP
---@param options hs.HostTftpServerOptions
---@return hs.TftpServer?, string?
function Host:tftp_server(options) end

---@class hs.Os
---@field host hs.Host the host
local Os = {}

---as hs.now
---@return number
function Os.now() end

---lets time pass
---@param time time
function Os.sleep(time) end

---as hs.payload
---@param size size
---@param offset? any
---@return hs.Payload
function Os.payload(size, offset) end

---as host:addr
---@param ... any
---@return any
function Os.addr(...) end

---as host:arp
---@param ... any
---@return any
function Os.arp(...) end

---as host:arp_claim
---@param ... any
---@return any
function Os.arp_claim(...) end

---as host:counter
---@param ... any
---@return any
function Os.counter(...) end

---as host:counters
---@param ... any
---@return any
function Os.counters(...) end

---as host:dev
---@param ... any
---@return any
function Os.dev(...) end

---as host:log
---@param ... any
---@return any
function Os.log(...) end

---as host:mtr
---@param ... any
---@return any
function Os.mtr(...) end

---as host:netstat
---@param ... any
---@return any
function Os.netstat(...) end

---as host:ping
---@param ... any
---@return any
function Os.ping(...) end

---as host:rarp
---@param ... any
---@return any
function Os.rarp(...) end

---as host:rarp_server
---@param ... any
---@return any
function Os.rarp_server(...) end

---as host:forge
---@param ... any
---@return any
function Os.forge(...) end

---as host:raw
---@param ... any
---@return any
function Os.raw(...) end

---as host:route_get
---@param ... any
---@return any
function Os.route_get(...) end

---as host:sockets
---@param ... any
---@return table
function Os.sockets(...) end

---as host:sockstat
---@param ... any
---@return any
function Os.sockstat(...) end

---as host:spawn
---@param ... any
---@return any
function Os.spawn(...) end

---as host:sysctl
---@param ... any
---@return any
function Os.sysctl(...) end

---as host:traceroute
---@param ... any
---@return any
function Os.traceroute(...) end

---as host:udp
---@param ... any
---@return any
function Os.udp(...) end

---as host:udp_echo
---@param ... any
---@return any
function Os.udp_echo(...) end

---as host:udp_sink
---@param ... any
---@return any
function Os.udp_sink(...) end

---as host:ulimit
---@param ... any
---@return any
function Os.ulimit(...) end

---as host:udp_source
---@param ... any
---@return any
function Os.udp_source(...) end

---as host:tcp
---@param options? hs.HostTcpOptions
---@return hs.TcpSocket?, string?
function Os.tcp(options) end

---as host:epoll
---@return hs.Epoll?, string?
function Os.epoll() end

---a child process with copies of this one's descriptors
---@param fn function
---@param ... any
---@return hs.Process
function Os.fork(fn, ...) end

---as host:tcp_sink
---@param ... any
---@return any
function Os.tcp_sink(...) end

---as host:tcp_source
---@param ... any
---@return any
function Os.tcp_source(...) end

---as host:tftp_get
---@param ... any
---@return any
function Os.tftp_get(...) end

---as host:tftp_server
---@param ... any
---@return any
function Os.tftp_server(...) end

---@class hs.Process
---@field is_running boolean whether it has not ended
local Process = {}

---waits for its end: true, or nil and "EAGAIN"
---@param timeout? time
---@return boolean?, string?
function Process:join(timeout) end

---ends it
function Process:kill() end

---@class hs.TcpSocket
---@field fd integer its descriptor's number
---@field is_open boolean whether it is open
local TcpSocket = {}

---the new socket, the peer's address and port
---@param timeout? any
---@return any
function TcpSocket:accept(timeout) end

---returns the socket
---@param address? any
---@param port? any
---@return any
function TcpSocket:bind(address, port) end

---waits only with SO_LINGER
---@return any
function TcpSocket:close() end

---waits for the handshake
---@param address? any
---@param port? any
---@return any
function TcpSocket:connect(address, port) end

---a socket option by its Linux name
---@param name? any
---@return any
function TcpSocket:getopt(name) end

---TCP_INFO
---@return any
function TcpSocket:info() end

---returns the socket
---@param backlog? any
---@return any
function TcpSocket:listen(backlog) end

---its own address and port
---@return any
function TcpSocket:local_addr() end

---calls fn(listener, conn, address, port)
---@param fn? any
---@return any
function TcpSocket:on_accept(fn) end

---connects and calls fn(conn, err)
---@param address? any
---@param port? any
---@param fn? any
---@return any
function TcpSocket:on_connect(address, port, fn) end

---calls fn(conn, data)
---@param fn? any
---@return any
function TcpSocket:on_data(fn) end

---the peer's address and port
---@return any
function TcpSocket:peer_addr() end

---what poll would say
---@return any
function TcpSocket:poll() end

---data; nil at the end of the stream
---@param size? any
---@param timeout? any
---@return any
function TcpSocket:read(size, timeout) end

---read with flags
---@param size? any
---@param options? any
---@return any
function TcpSocket:recv(size, options) end

---write with flags
---@param data? any
---@param options? any
---@return any
function TcpSocket:send(data, options) end

---with fastopen: data in the SYN
---@param data? any
---@param address? any
---@param port? any
---@param options? any
---@return any
function TcpSocket:sendto(data, address, port, options) end

---a socket option by its Linux name
---@param name? any
---@param value? any
---@return any
function TcpSocket:setopt(name, value) end

---"read", "write" or "both"
---@param how? any
---@return any
function TcpSocket:shutdown(how) end

---"ESTABLISHED"
---@return any
function TcpSocket:state() end

---waits until all of it is in the send buffer
---@param data? any
---@return any
function TcpSocket:write(data) end

---@class hs.Epoll
local Epoll = {}

---events: "in", "out", "in out et"
---@param sock? any
---@param events? any
---@return any
function Epoll:add(sock, events) end

---closes it
---@return any
function Epoll:close() end

---no longer
---@param sock? any
---@return any
function Epoll:del(sock) end

---other events
---@param sock? any
---@param events? any
---@return any
function Epoll:mod(sock, events) end

---a list of { sock = …, ["in"] = true, … }
---@param timeout? any
---@return any
function Epoll:wait(timeout) end

---@class hs.UdpSocket
---@field drops integer datagrams lost to a full receive buffer
---@field rmem integer bytes waiting, as Linux counts them
---@field is_open boolean whether it is open
local UdpSocket = {}

---also bind(address, port), bind "10.0.0.1:69"
---@param port integer
---@return hs.UdpSocket?, string?
function UdpSocket:bind(port) end

---sets the peer; without arguments, none any more
---@param address string
---@param port integer
---@return hs.UdpSocket?, string?
function UdpSocket:connect(address, port) end

---to the peer
---@param data string|hs.Payload
---@param options? hs.SockSendOptions
---@return integer?, string?
function UdpSocket:send(data, options) end

---to anybody
---@param data string|hs.Payload
---@param address string
---@param port integer
---@param options? hs.SockSendOptions
---@return integer?, string?
function UdpSocket:sendto(data, address, port, options) end

---the next datagram; a table of options is possible too
---@param timeout? time
---@return string|hs.Payload?, string?
function UdpSocket:recv(timeout) end

---data, address, port, { time, ttl, tos, len, truncated, to }
---@param timeout? time
---@return string|hs.Payload?, string, integer, table
function UdpSocket:recvfrom(timeout) end

---calls fn(data, address, port, info, sock) for each datagram; nil ends it
---@param fn function
---@return hs.UdpSocket
function UdpSocket:on_datagram(fn) end

---receives what is sent to a multicast group
---@param group string
---@param dev? string
---@return hs.UdpSocket?, string?
function UdpSocket:join(group, dev) end

---no longer
---@param group string
---@param dev? string
---@return hs.UdpSocket?, string?
function UdpSocket:leave(group, dev) end

---by its name: SO_RCVBUF, SO_BROADCAST, IP_TTL, …
---@param name string
---@param value any
---@return hs.UdpSocket?, string?
function UdpSocket:setopt(name, value) end

---reads one
---@param name string
---@return any
function UdpSocket:getopt(name) end

---its own address and port
---@return string, integer
function UdpSocket:local_addr() end

---the peer's
---@return string, integer
function UdpSocket:peer_addr() end

---the pending error, which is cleared (SO_ERROR)
---@return string?
function UdpSocket:error() end

---closes it
function UdpSocket:close() end

---@class hs.RawSocket
---@field drops integer frames lost because 1000 were waiting
local RawSocket = {}

---a whole frame, header included
---@param bytes string
---@return integer?, string?
function RawSocket:send(bytes) end

---the next frame
---@param timeout? time
---@return string?, string?
function RawSocket:recv(timeout) end

---closes it
function RawSocket:close() end

---@class hs.RarpServer
---@field requests integer questions heard
---@field answers integer those whose asker was in the table
local RarpServer = {}

---ends it
function RarpServer:stop() end

---@class hs.UdpEcho
---@field count integer datagrams answered
local UdpEcho = {}

---ends it
function UdpEcho:stop() end

---@class hs.TcpSink
local TcpSink = {}

---{ connections, closed, bytes, wrong_bytes, first, last }
---@return table
function TcpSink:stats() end

---closes everything
function TcpSink:stop() end

---@class hs.TcpSource
local TcpSource = {}

---{ written, connected, ended, error }
---@return table
function TcpSource:stats() end

---as tcp:info()
---@return table?
function TcpSource:info() end

---closes; what is written still goes out
function TcpSource:stop() end

---@class hs.UdpSink
local UdpSink = {}

---{ received, bytes, lost, reordered, first, last, longest_gap }
---@return table
function UdpSink:stats() end

---ends it
function UdpSink:stop() end

---@class hs.UdpSource
local UdpSource = {}

---{ sent, failed, error, gap, quenched }
---@return table
function UdpSource:stats() end

---ends it
function UdpSource:stop() end

---@class hs.TftpServer
local TftpServer = {}

---{ requests, completed, aborted, errors, retransmits }
---@return table
function TftpServer:stats() end

---ends it
function TftpServer:stop() end

---@class hs.Dev
---@field name string eth0
---@field mac string address
---@field mtu integer largest payload
---@field index integer ifindex
---@field host hs.Host whose it is
---@field speed integer? bits per second of its cable
---@field is_up boolean administratively
---@field carrier boolean whether the cable is good
local Dev = {}

---adds the interface eth0.NUMBER for the tagged frames of a VLAN, and returns it. Give it an address; automatic addresses and routes do not know it
---@param number integer
---@return hs.Dev
function Dev:vlan(number) end

---ip link set up
---@return hs.Dev
function Dev:up() end

---ip link set down
---@return hs.Dev
function Dev:down() end

---promiscuous mode
---@param on boolean
---@return hs.Dev
function Dev:promisc(on) end

---another address
---@param mac string
---@return hs.Dev
function Dev:set_mac(mac) end

---68 to 65535
---@param mtu any
---@return hs.Dev
function Dev:set_mtu(mtu) end

---the columns of ip -s link
---@return table
function Dev:stats() end

---segmentation offload (on): TCP may hand over several segments at once, which the card cuts into frames
---@param on boolean
---@return hs.Dev
function Dev:tso(on) end

---a receive ring and how fast the host takes frames from it, a transmit ring; false: none (default)
---@param options? hs.DevRingOptions
---@return hs.Dev
function Dev:ring(options) end

---the host takes nothing for a while
---@param on boolean
---@return hs.Dev
function Dev:ring_pause(on) end

---{ interrupts, softirqs, polls, squeezes, overruns, backlog_drops, waiting, tx_used, … }
---@return table
function Dev:ring_stats() end

---what padding is made of, up to 46 bytes
---@param bytes? string
---@return hs.Dev
function Dev:pad_pattern(bytes) end

---@class hs.Link
---@field name string client-r
---@field a hs.Node its first end
---@field b hs.Node its second end
---@field is_up boolean whether it carries frames
local Link = {}

---carries frames again
---@return hs.Link
function Link:up() end

---loses what is on the way
---@return hs.Link
function Link:down() end

---changes both directions; options as for link:dir(a):set
---@param options hs.LinkdirSetOptions
---@return hs.Link
function Link:set(options) end

---the direction that leaves that node
---@param from any
---@return hs.LinkDir
function Link:dir(from) end

---the interface at that end
---@param node hs.Node|string
---@return hs.Dev
function Link:dev(node) end

---a packet rule for both directions; nil takes it away
---@param fn function
---@return hs.Link
function Link:rule(fn) end

---pulls the cable
---@return hs.Link
function Link:unplug() end

---the plug that was in end_node goes into another node
---@param end_node any
---@param node hs.Node|string
---@param options? hs.LinkPlugOptions
---@return hs.Link
function Link:plug(end_node, node, options) end

---{ ab = {…}, ba = {…} } of packets, bytes, drops, queue
---@return table
function Link:stats() end

---@class hs.LinkDir
---@field rate integer bits per second
---@field delay number seconds
---@field mtu integer bytes
local LinkDir = {}

---changes this direction
---@param options hs.LinkdirSetOptions
---@return hs.LinkDir
function LinkDir:set(options) end

---a packet rule for this direction
---@param fn function
---@return hs.LinkDir
function LinkDir:rule(fn) end

---a stopped transmitter: frames wait in the queue
---@param on boolean
---@return hs.LinkDir
function LinkDir:pause(on) end

---counters of this direction
---@return table
function LinkDir:stats() end

---@class hs.Switch
---@field name string its name
---@field mac string its management address
local Switch = {}

---as hs.switch's options
---@param options hs.SwitchOptions
---@return hs.Switch
function Switch:set(options) end

---list of { mac, vlan, port, static, age }
---@return table[]
function Switch:macs() end

---the port behind which it lives
---@param mac string
---@param vlan? any
---@return string?
function Switch:lookup(mac, vlan) end

---an entry by hand
---@param mac string
---@param port integer
---@param vlan? any
---@return hs.Switch?, string?
function Switch:add_static(mac, port, vlan) end

---forgets what it learnt
---@return hs.Switch
function Switch:flush() end

---by number from 1, name, or the node plugged in there
---@param which any
---@return hs.SwitchPort
function Switch:port(which) end

---all
---@return hs.SwitchPort[]
function Switch:ports() end

---counters
---@return table
function Switch:stats() end

---{ bridge, root, is_root, root_cost, root_port, topology_changes, tx_bpdus, rx_bpdus, rx_bad_bpdus }
---@return table?
function Switch:stp() end

---@class hs.SwitchPort
---@field name string p1
---@field role string? root, designated, alternate, backup
---@field state string? discarding, learning, forwarding
---@field is_edge boolean no bridge behind it
local SwitchPort = {}

---one VLAN, without tags
---@param vlan any
---@return hs.SwitchPort
function SwitchPort:access(vlan) end

---many VLANs, with tags
---@param options? hs.PortTrunkOptions
---@return hs.SwitchPort
function SwitchPort:trunk(options) end

---copies go to another port
---@param to? hs.Host|string
---@return hs.SwitchPort
function SwitchPort:mirror(to) end

---spanning tree settings
---@param options hs.PortStpOptions
---@return hs.SwitchPort
function SwitchPort:stp(options) end

---counters
---@return table
function SwitchPort:stats() end

---@class hs.Hub
---@field name string its name
local Hub = {}

---{ delivered_frames, delivered_bytes, collisions, busy }; with a station, its { tx_frames, tx_bytes, collisions, single, multiple, deferred, excessive_collisions, queue_drops }
---@param station? any
---@return table
function Hub:stats(station) end

---@class hs.Packet
---@field len integer bytes, without FCS
---@field nth integer? in a rule: how many frames it has been asked about, this one included
---@field time number when
---@field from string? name of the sending node
---@field to string? name of the node at the other end
---@field id string the same at every hop
---@field buffer integer which buffer it lives in, numbered as they are met
---@field offset integer where in its buffer it begins for the layer that has it
---@field malformed boolean whether a header cannot be read
---@field quoted table? headers of the packet inside an ICMP error: p.quoted.ip.dst
---@field eth table? Ethernet
---@field vlan table? 802.1Q tag
---@field llc table? 802.2
---@field bpdu table? spanning tree
---@field arp table? ARP, RARP
---@field ppp table? PPP
---@field ip table? IPv4
---@field ip6 table? IPv6
---@field icmp table? ICMP
---@field icmp6 table? ICMPv6
---@field igmp table? IGMP
---@field udp table? UDP
---@field tcp table? TCP
---@field tftp table? TFTP
---@field data table? payload
---@field padding table? padding
local Packet = {}

---p:set("ip.ttl", 3, { checksums = false }) leaves checksums wrong
---@param field string
---@param value any
---@param options? table
---@return hs.Packet
function Packet:set(field, value, options) end

---one line, as tcpdump
---@return string
function Packet:summary() end

---the frame
---@return string
function Packet:bytes() end

---its frame check sequence: 4 bytes as sent, and whether they fit the frame
---@return string?, boolean?
function Packet:fcs() end

---names of its headers
---@return string[]
function Packet:layers() end

---list of { layer, name, label, text, note }
---@return table[]
function Packet:fields() end

---one that lasts
---@return hs.Packet
function Packet:keep() end

---@class hs.Payload
---@field len integer bytes
---@field offset integer where in the endless pattern it begins
local Payload = {}

---as a string
---@return string
function Payload:bytes() end

---as string.sub
---@param from number
---@param to? number
---@return hs.Payload
function Payload:sub(from, to) end

---the same bytes as data; without data: as the pattern from its begin
---@param data? string|hs.Payload
---@return boolean
function Payload:matches(data) end

---@class hs.Rng
local Rng = {}

---from 0 to 1 without arguments
---@param from? number
---@param to? number
---@return number
function Rng:uniform(from, to) end

---both included; one argument: from 1
---@param from number
---@param to? number
---@return integer
function Rng:integer(from, to) end

---true with that probability
---@param probability any
---@return boolean
function Rng:chance(probability) end

---@param mean any
---@return number
function Rng:exponential(mean) end

---@param mean any
---@param deviation any
---@return number
function Rng:normal(mean, deviation) end

---@param shape any
---@param scale any
---@return number
function Rng:pareto(shape, scale) end

---rank from 1 to n
---@param n any
---@param exponent any
---@return integer
function Rng:zipf(n, exponent) end

---@class hs.Alarm
local Alarm = {}

---it will not come
function Alarm:cancel() end

---@class hs.Observer
local Observer = {}

---ends it
function Observer:cancel() end

---@class hs.Frames
local Frames = {}

---those for which fn(packet, frame) says yes
---@param fn function
---@return hs.Frames
function Frames:select(fn) end

---how many
---@param fn? function
---@return integer
function Frames:count(fn) end

---one line each
---@return string[]
function Frames:summaries() end

---prints them
function Frames:print() end

return hs
