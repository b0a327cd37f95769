/*
 * The yardstick: libpcap's own read loop with a callback that only counts, as fast as a program
 * that uses pcap_loop on a file can be.
 */
#include <stdio.h>

#include <pcap/pcap.h>

struct count {
	unsigned long long packets, octets;
};

static void
on_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct count *c = (struct count *)(void *)user;
	(void)data;
	c->packets++;
	c->octets += h->caplen;
}

int
main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE];
	struct count c = {0, 0};
	if (argc != 2) {
		fprintf(stderr, "usage: pcap_null FILE\n");
		return 2;
	}
	pcap_t *p = pcap_open_offline(argv[1], error);
	if (p == NULL) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	if (pcap_loop(p, -1, on_packet, (u_char *)&c) < 0) {
		fprintf(stderr, "%s\n", pcap_geterr(p));
		return 1;
	}
	printf("%llu packets %llu octets\n", c.packets, c.octets);
	pcap_close(p);
	return 0;
}
