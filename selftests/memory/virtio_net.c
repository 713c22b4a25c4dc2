// SPDX-License-Identifier: GPL-2.0
/*
 * Two network cards on one hub of the host's: frames go through the shared pool as they are.
 *
 * Path:        send(), recv() on packet sockets -> virtio_net -> virtqueue_add_outbuf(),
 *              virtqueue_add_inbuf_ctx() -> dma_map_page() -> swiotlb -> QEMU
 * Upstream:    c7753208a94c ("x86, swiotlb: Add memory encryption support")
 * Without it:  the wire has what the key makes of the bytes, or the host writes where the guest
 *              does not look.
 *
 * The host keeps what goes over its hub, and has the last word on
 * host_sees_what_the_guest_sends once the guest is gone (scripts/lib/coco/wire.py).
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "word.h"

#define CARDS		2
#define ADDRESS		6			/* bytes of an Ethernet address */
#define TYPE		0x88b5			/* IEEE 802: for experiments */
#define MTU		9000
#define HEADER		sizeof(struct header)
#define LARGEST		(14 + MTU)		/* that is, with the Ethernet header */
#define FRAMES		126
#define BURST		14			/* are under way at once */
#define FRAME_WORDS	2048ull			/* of content, from one frame to the next */
#define WAIT_MS		10000

struct header {
	unsigned char to[ADDRESS], from[ADDRESS];
	uint16_t type, number, length;
} __attribute__((packed));

/* Bytes of a frame: the smallest, around a slot of the pool and a page, and over several */
static const unsigned int sizes[] = { 60, 61, 1514, 2047, 2048, 2049, 4096, 4097, LARGEST };

/* As QEMU was told (scripts/lib/coco/qemu.py) */
static const unsigned char addresses[CARDS][ADDRESS] = {
	{ 0x02, 0xc0, 0xc0, 0, 0, 1 },
	{ 0x02, 0xc0, 0xc0, 0, 0, 2 },
};

static unsigned char frame[LARGEST], got[LARGEST];

static unsigned int make_frame(unsigned int from, unsigned int number)
{
	unsigned int size = sizes[number % ARRAY_SIZE(sizes)], i;
	struct header *header = (struct header *)frame;

	memcpy(header->to, addresses[!from], ADDRESS);
	memcpy(header->from, addresses[from], ADDRESS);
	header->type = htons(TYPE);
	header->number = htons(number);
	header->length = htons(size);
	for (i = 0; i < size - HEADER; i++)
		frame[HEADER + i] = word(number * FRAME_WORDS + i / 8, from + 1) >> i % 8 * 8;
	return size;
}

/* The name of the interface with that address; false: there is none */
static bool find_card(int fd, const unsigned char *address, struct ifreq *request)
{
	int i;

	for (i = 1; i < 16; i++) {
		memset(request, 0, sizeof(*request));
		request->ifr_ifindex = i;
		if (ioctl(fd, SIOCGIFNAME, request) || ioctl(fd, SIOCGIFHWADDR, request))
			continue;
		if (!memcmp(request->ifr_hwaddr.sa_data, address, ADDRESS))
			return true;
	}
	return false;
}

static bool comes_up(int fd, struct ifreq *request)
{
	int waited;

	request->ifr_mtu = MTU;
	if (ioctl(fd, SIOCSIFMTU, request) || ioctl(fd, SIOCGIFFLAGS, request))
		return false;
	request->ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, request))
		return false;
	for (waited = 0; waited < WAIT_MS; waited += 10) {
		if (!ioctl(fd, SIOCGIFFLAGS, request) && request->ifr_flags & IFF_RUNNING)
			return true;
		usleep(10000);
	}
	return false;
}

/*
 * A socket for our frames on this interface, or -1.  They go past the queueing discipline: where
 * that is fq_codel it drops what waits for 100 ms, as frames do while the host has no time for us.
 */
static int listen_on(int fd, struct ifreq *request)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(TYPE) };
	int card = socket(AF_PACKET, SOCK_RAW, 0), bypass = 1;

	if (card < 0 || ioctl(fd, SIOCGIFINDEX, request) ||
	    setsockopt(card, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass)))
		return -1;
	at.sll_ifindex = request->ifr_ifindex;
	return bind(card, (struct sockaddr *)&at, sizeof(at)) ? -1 : card;
}

/* What other interfaces of a network would see is not meant: what this card sent itself */
static ssize_t receive(int card)
{
	struct pollfd ready = { .fd = card, .events = POLLIN };
	struct sockaddr_ll from;
	socklen_t size;
	ssize_t n;

	do {
		size = sizeof(from);
		if (poll(&ready, 1, WAIT_MS) != 1)
			return -1;
		n = recvfrom(card, got, sizeof(got), 0, (struct sockaddr *)&from, &size);
	} while (n >= 0 && from.sll_pkttype == PACKET_OUTGOING);
	return n;
}

FIXTURE(cards) {
	int card[CARDS];
	const char *missing;
};

FIXTURE_SETUP(cards)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0), i;
	struct ifreq request;

	self->missing = fd < 0 ? "no packet sockets" : NULL;
	for (i = 0; i < CARDS && !self->missing; i++) {
		if (!find_card(fd, addresses[i], &request)) {
			self->missing = "not the two cards of this test";
			break;
		}
		ASSERT_TRUE(comes_up(fd, &request));
		self->card[i] = listen_on(fd, &request);
		ASSERT_GE(self->card[i], 0);
	}
	close(fd);
}

FIXTURE_TEARDOWN(cards)
{
	if (self->missing)
		return;
	close(self->card[0]);
	close(self->card[1]);
}

#define NEED_CARDS() do { \
	if (self->missing) \
		SKIP(return, "%s", self->missing); \
} while (0)

static void send_burst(struct __test_metadata *_metadata, int card, unsigned int from,
		       unsigned int number)
{
	unsigned int size, i;

	for (i = 0; i < BURST; i++) {
		size = make_frame(from, number + i);
		ASSERT_EQ(size, send(card, frame, size, 0));
	}
}

TEST_F(cards, host_sees_what_the_guest_sends)
{
	unsigned int number, i;

	NEED_CARDS();
	for (number = 0; number < FRAMES; number += BURST) {
		send_burst(_metadata, self->card[0], 0, number);
		/* They are on the wire, then */
		for (i = 0; i < BURST; i++)
			ASSERT_GT(receive(self->card[1]), 0);
	}
}

TEST_F(cards, guest_receives_what_the_host_passes_on)
{
	unsigned int number, size, i;

	NEED_CARDS();
	for (number = 0; number < FRAMES; number += BURST) {
		send_burst(_metadata, self->card[1], 1, number);
		for (i = 0; i < BURST; i++) {
			size = make_frame(1, number + i);
			ASSERT_EQ(size, receive(self->card[0]));
			ASSERT_EQ(0, memcmp(frame, got, size));
		}
	}
}

TEST_HARNESS_MAIN
