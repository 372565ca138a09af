"""A virtio network device, as data. Virtual I/O Device (VIRTIO) Version 1.1, § 5.1.

    device configuration, § 5.1.4
    0x00    6   the device's address
    0x06    2   status: 1 the link is up
    0x08    2   pairs of queues, if there may be several

    before each frame, § 5.1.6: 12 bytes, of which without offloads only the last two say something
    0x0a    2   in how many buffers the frame is, written by the device

Queues are receive 0, transmit 0, receive 1, transmit 1, ..., and behind the last pair the control queue.
"""

# fmt: off
MAC = 1 << 5                    # § 5.1.3: features
STATUS = 1 << 16
CONTROL = 1 << 17
PAIRS = 1 << 22                 # VIRTIO_NET_F_MQ

MAC_SIZE = 6
STATUS_AT, PAIRS_AT, CONFIG_SIZE = 6, 8, 10
LINK_UP = 1
PAIRS_MAX = 4                   # of receive and transmit queues

HEADER = 12
BUFFERS_AT = 10
HEAD = 14                       # of a frame, IEEE 802.3: destination, source, type
FRAME_MAX = 1518                #   and at most with an 802.1Q tag, its check sequence not counted

CONTROL_PAIRS = 4               # § 5.1.6.5: class, command, and what follows
CONTROL_PAIRS_SET = 0           # § 5.1.6.5.5: how many pairs the driver uses, 16 bits
CONTROL_SIZE = 4
CONTROL_OK, CONTROL_ERROR = 0, 1
# fmt: on

LOOK_NS = 2_000
"""From a notification until the device has looked at the queue and sent all that is in it."""
BYTE_NS = 1
"""Of a frame, on its way out of the switch: 8 Gb/s."""
IN_FLIGHT = 256
"""Frames on their way to one device; what comes on top is lost, as in any switch."""
FLOWS = 64
"""Of which the device remembers by which queue they came."""
STATIONS = 256
"""Addresses that the switches remember together."""
