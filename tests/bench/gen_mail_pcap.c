/*
 * A deterministic generator of large SMTP captures, with their truth.
 *
 * Writes classic pcap (Ethernet, IPv4 and some IPv6, correct checksums) with many interleaved
 * connections, and what a monitor should find as JSON and CSV.  The same options and seed give the
 * same octets.  Profiles: mail, span, manyflows, lossy, tiny (see usage).
 *
 * Every connection is a script of half-duplex turns (who speaks, which octets, after which delay),
 * which a small TCP model cuts into segments of its MSS, with delayed acknowledgements, bursts that
 * grow per round trip, time stamps, SYN options and FIN or RST.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"

static const char *profile_name[] = {"mail", "span", "manyflows", "lossy", "tiny"};

int profile = -1;

int opt_nsec = 0, opt_phase2 = 1, opt_window = 3, opt_window_us = 2000;

uint64_t opt_bytes = 0, opt_sessions = 0, opt_seed = 1;

uint32_t opt_conc = 0, opt_rate = 50000;

double opt_drop = 0, opt_reorder = 0, opt_rexmit = 0, opt_v6 = 10, opt_odd = 0;

double opt_starttls = 55, opt_mailshare = 5;

uint32_t opt_maxmsg = 5000000;

const char *out_name;
static const char *truth_name, *csv_name;

void *
xalloc(void *p, size_t n)
{
	p = realloc(p, n);
	if (!p) {
		fprintf(stderr, "out of memory (%zu bytes)\n", n);
		exit(2);
	}
	return p;
}

static void
truth(FILE *f)
{
	const char *name = profile < 0 || profile >= 5 ? "" : profile_name[profile];
#define U(x) ((unsigned long long)(x))
	double secs = (double)(total.last_ns - total.first_ns) / 1e9;
	fprintf(f,
	    "{\n  \"profile\": \"%s\",\n  \"seed\": %llu,\n  \"file_bytes\": %llu,\n  \"packets\": "
	    "%llu,\n"
	    "  \"capture_seconds\": %.3f,\n  \"tcp_flows\": %llu,\n  \"udp_flows\": %llu,\n  "
	    "\"ipv6_flows\": %llu,\n",
	    name, U(opt_seed), U(total.bytes + 24), U(total.packets), secs, U(total.tcp_flows),
	    U(total.udp_flows), U(total.v6));
	fprintf(f,
	    "  \"bytes_by_class\": { \"smtp\": %llu, \"tls443\": %llu, \"http80\": %llu, "
	    "\"dns53\": %llu },\n",
	    U(total.class_bytes[0]), U(total.class_bytes[1]), U(total.class_bytes[2]),
	    U(total.class_bytes[3]));
	fprintf(f,
	    "  \"smtp_sessions\": %llu,\n  \"smtp_port_25\": %llu,\n  \"smtp_port_587\": %llu,\n  "
	    "\"smtp_other_port\": %llu,\n"
	    "  \"encrypted_sessions\": %llu,\n  \"cleartext_sessions\": %llu,\n  "
	    "\"cleartext_sessions_with_message\": %llu,\n",
	    U(total.smtp), U(total.p25), U(total.p587), U(total.podd), U(total.enc), U(total.clear),
	    U(total.clear_with_mail));
	fprintf(f,
	    "  \"cleartext_messages\": %llu,\n  \"cleartext_messages_data\": %llu,\n  "
	    "\"cleartext_messages_bdat\": %llu,\n"
	    "  \"cleartext_message_bytes\": %llu,\n  \"encrypted_messages\": %llu,\n",
	    U(total.msg_data + total.msg_bdat), U(total.msg_data), U(total.msg_bdat),
	    U(total.msg_bytes), U(total.enc_msgs));
	fprintf(f,
	    "  \"auth_exposures\": %llu,\n  \"auth_exposures_plain\": %llu,\n  "
	    "\"auth_exposures_login\": %llu,\n  \"auth_failed\": %llu,\n",
	    U(total.auth), U(total.auth_plain), U(total.auth_login), U(total.auth_failed));
	fprintf(f,
	    "  \"starttls_offered\": %llu,\n  \"starttls_offered_not_used\": %llu,\n  "
	    "\"starttls_refused\": %llu,\n"
	    "  \"starttls_stripped\": %llu,\n  \"starttls_not_offered\": %llu,\n",
	    U(total.offered), U(total.unused), U(total.refused), U(total.stripped),
	    U(total.not_offered));
	fprintf(f,
	    "  \"tls12\": %llu,\n  \"tls13\": %llu,\n  \"helo_sessions\": %llu,\n  "
	    "\"pipelining_sessions\": %llu,\n"
	    "  \"bdat_sessions\": %llu,\n  \"sessions_with_all_rcpt_rejected\": %llu,\n  "
	    "\"messages_with_commands_in_body\": %llu,\n",
	    U(total.tls12), U(total.tls13), U(total.helo), U(total.pipe), U(total.bdat_sessions),
	    U(total.rcpt_rejected), U(total.traps));
	fprintf(f,
	    "  \"closed_by_fin\": %llu,\n  \"closed_by_rst\": %llu,\n  \"packets_dropped\": "
	    "%llu,\n  \"packets_reordered\": %llu,\n"
	    "  \"packets_retransmitted\": %llu,\n  \"smtp_sessions_with_loss\": %llu\n}\n",
	    U(total.fin), U(total.rst), U(total.dropped), U(total.reordered), U(total.rexmit),
	    U(total.dropped_mail_sessions));
}

static void
usage(int rc)
{
	fprintf(rc ? stderr : stdout,
	    "usage: gen_mail_pcap -p PROFILE -o FILE [options]\n"
	    "profiles:\n"
	    "  mail       SMTP on 25/587: 55%% STARTTLS, 45%% cleartext (DATA, BDAT, AUTH, "
	    "PIPELINING)\n"
	    "  span       a mirror port: 5%% of the bytes are `mail', the rest 443, 80 and DNS\n"
	    "  manyflows  -n connections (default 1000000), all greeted before any goes on, none "
	    "closes\n"
	    "  lossy      `mail' with --drop 1 --reorder 2 --rexmit 1 unless given otherwise\n"
	    "  tiny       very short cleartext sessions, one tiny message each\n"
	    "options:\n"
	    "  -o FILE            capture to write (- is standard output)\n"
	    "  -t FILE            JSON ground truth (default: standard error)\n"
	    "  -T FILE            CSV, one line per SMTP session\n"
	    "  -b BYTES           about this many bytes (suffix k, m, g; default 1g unless -n)\n"
	    "  -n SESSIONS        at most this many connections\n"
	    "  -c N               connections open at a time (default 1000; span 300)\n"
	    "  -s SEED            (default 1)\n"
	    "  --drop PCT --reorder PCT --rexmit PCT   capture impairments, any profile\n"
	    "  --window N         a reordered packet comes up to N packets of its flow late "
	    "(default 3),\n"
	    "  --window-us N      but not more than N microseconds (default 2000)\n"
	    "  --ipv6 PCT         share of IPv6 connections (default 10)\n"
	    "  --odd-ports PCT    share of SMTP on 2525, 26, 10025, 366 (default 0)\n"
	    "  --starttls PCT     share of STARTTLS sessions (default 55)\n"
	    "  --mail-share PCT   span: share of mail bytes (default 5)\n"
	    "  --max-message N    largest message, bytes (default 5000000)\n"
	    "  --rate N           manyflows: connections opened per second (default 50000)\n"
	    "  --greet-only       manyflows: stop after the greeting phase\n"
	    "  --nsec             nanosecond time stamps\n");
	exit(rc);
}

static double
number_arg(const char *s)
{
	char *end;
	double v = strtod(s, &end);
	if (end == s || *end != '\0' || v < 0) {
		fprintf(stderr, "not a number: %s\n", s);
		exit(2);
	}
	return v;
}

static uint64_t
size_arg(const char *s)
{
	char *e;
	double v = strtod(s, &e);
	if (*e == 'k' || *e == 'K') {
		v *= 1e3;
		e++;
	} else if (*e == 'm' || *e == 'M') {
		v *= 1e6;
		e++;
	} else if (*e == 'g' || *e == 'G') {
		v *= 1e9;
		e++;
	}
	if (e == s || *e || v < 0) {
		fprintf(stderr, "not a size: %s\n", s);
		exit(2);
	}
	return (uint64_t)v;
}

static int
profile_by_name(const char *name)
{
	for (int i = 0; i < 5; i++) {
		if (strcmp(name, profile_name[i]) == 0)
			return i;
	}
	usage(2);
	return 0;
}

int
main(int argc, char **argv)
{
	enum {
		O_DROP = 256,
		O_REORDER,
		O_REXMIT,
		O_WINDOW,
		O_V6,
		O_ODD,
		O_STARTTLS,
		O_SHARE,
		O_RATE,
		O_GREET,
		O_NSEC,
		O_MAXMSG,
		O_WINDOW_US
	};
	static const struct option lo[] = {{"drop", 1, 0, O_DROP}, {"reorder", 1, 0, O_REORDER},
	    {"rexmit", 1, 0, O_REXMIT}, {"window", 1, 0, O_WINDOW}, {"ipv6", 1, 0, O_V6},
	    {"odd-ports", 1, 0, O_ODD}, {"starttls", 1, 0, O_STARTTLS},
	    {"mail-share", 1, 0, O_SHARE}, {"rate", 1, 0, O_RATE}, {"greet-only", 0, 0, O_GREET},
	    {"nsec", 0, 0, O_NSEC}, {"max-message", 1, 0, O_MAXMSG},
	    {"window-us", 1, 0, O_WINDOW_US}, {"help", 0, 0, 'h'}, {0, 0, 0, 0}};
	int c, set_drop = 0;
	uint32_t gh[6] = {0xa1b2c3d4u, 2u | 4u << 16, 0, 0, 65535, 1};
	FILE *tf = stderr;
	while ((c = getopt_long(argc, argv, "p:o:t:T:b:n:c:s:h", lo, NULL)) != -1)
		switch (c) {
		case 'p': profile = profile_by_name(optarg); break;
		case 'o': out_name = optarg; break;
		case 't': truth_name = optarg; break;
		case 'T': csv_name = optarg; break;
		case 'b': opt_bytes = size_arg(optarg); break;
		case 'n': opt_sessions = size_arg(optarg); break;
		case 'c': opt_conc = (uint32_t)size_arg(optarg); break;
		case 's': opt_seed = strtoull(optarg, NULL, 10); break;
		case O_DROP:
			opt_drop = number_arg(optarg);
			set_drop = 1;
			break;
		case O_REORDER:
			opt_reorder = number_arg(optarg);
			set_drop = 1;
			break;
		case O_REXMIT:
			opt_rexmit = number_arg(optarg);
			set_drop = 1;
			break;
		case O_WINDOW: opt_window = (int)number_arg(optarg); break;
		case O_WINDOW_US: opt_window_us = (int)number_arg(optarg); break;
		case O_V6: opt_v6 = number_arg(optarg); break;
		case O_ODD: opt_odd = number_arg(optarg); break;
		case O_STARTTLS: opt_starttls = number_arg(optarg); break;
		case O_SHARE: opt_mailshare = number_arg(optarg); break;
		case O_RATE: opt_rate = (uint32_t)size_arg(optarg); break;
		case O_GREET: opt_phase2 = 0; break;
		case O_NSEC: opt_nsec = 1; break;
		case O_MAXMSG: opt_maxmsg = (uint32_t)size_arg(optarg); break;
		case 'h': usage(0); break;
		default: usage(2);
		}
	if (profile < 0 || !out_name || optind != argc || opt_window < 1 || opt_rate < 1 ||
	    opt_maxmsg < 400)
		usage(2);
	if (profile == P_LOSSY && !set_drop) {
		opt_drop = 1;
		opt_reorder = 2;
		opt_rexmit = 1;
	}
	if (profile == P_MANY && !opt_sessions)
		opt_sessions = 1000000;
	if (profile != P_MANY && !opt_bytes && !opt_sessions)
		opt_bytes = 1000000000ull;
	if (!opt_conc)
		opt_conc = profile == P_SPAN ? 300 : 1000;
	if (opt_nsec)
		gh[0] = 0xa1b23c4du;
	rng_seed(&imp, 0x696d70, opt_seed);
	make_pools();
	capture_out = strcmp(out_name, "-") ? fopen(out_name, "wb") : stdout;
	if (!capture_out) {
		perror(out_name);
		return 2;
	}
	setvbuf(capture_out, NULL, _IONBF, 0);
	if (csv_name) {
		if (!(csv = fopen(csv_name, "w"))) {
			perror(csv_name);
			return 2;
		}
		fputs("id,client,cport,server,sport,verdict,starttls,clear_data,clear_bdat,enc_"
		      "msgs,auth,auth_failed,"
		      "pipelining,helo,commands_in_body,packets_dropped\n",
		    csv);
	}
	obytes(gh, sizeof gh);
	if (profile == P_MANY)
		run_many();
	else
		run_closed_loop();
	oflush();
	if (fclose(capture_out) || (csv && fclose(csv))) {
		perror("close");
		return 2;
	}
	if (truth_name && !(tf = fopen(truth_name, "w"))) {
		perror(truth_name);
		return 2;
	}
	truth(tf);
	return 0;
}
