// SPDX-License-Identifier: GPL-2.0-only
/*
 * dtb-swap: what people type.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#ifndef VERSION
#define VERSION "0"
#endif

#define MOST_SECONDS (7 * 24 * 3600)

static const char TOP[] =
	"Change the device tree of this device, or say why that would not work.\n\n";

static const char OPTIONS[] =
	"\nOptions\n"
	"  -b, --base FILE           install, try --overlay: the tree, not the selected one\n"
	"  -o, --out FILE            merge: where to\n"
	"  -l, --labels FILE         merge, --overlay: label map for a tree built without labels\n"
	"  -a, --all                 diff: phandles and labels, too\n"
	"  -s, --structure           check: only the file, not against this device\n"
	"      --modules DIR         check: only against a kernel to come, by its modules\n"
	"      --accept-board NAME   a tree for another board, by its first compatible\n"
	"      --accept CAUSE        what the system needs and the tree lacks, as it was refused\n"
	"      --family NAME         the family, where config.json does not tell it (--unproven)\n"
	"      --variable NAME       family u-boot: the variable with the tree's name\n"
	"      --untried             install: a tree that has not run here, where try is possible\n"
	"      --unproven            a selector that nobody has verified on this board\n"
	"      --kernel FILE --initrd FILE   try: what to start\n"
	"      --load                try: do not start it (systemctl kexec does)\n"
	"      --watchdog DEVICE     try: resets a kernel that hangs\n"
	"      --pending             try: install it, guard goes back in the next start\n"
	"      --own                 rollback: nothing is selected, the bootloader takes its own\n"
	"      --limit SECONDS       guard: how long to wait for the commit (300)\n"
	"                            carry: for another dtb-swap (300); try: watchdog (120)\n"
	"      --forget              carry: the update has failed, install what you like\n"
	"      --back                carry: into the OS before, whatever is wrong with a tree\n"
	"      --last                carry: at shutdown, if the next start is on the other root\n"
	"      --root DIR            look at the system below DIR\n"
	"  -j, --json                answer in JSON\n"
	"  -q, --quiet               no notes\n"
	"  -h, --help    -V, --version\n"
	"\nExit status: 0 done, 1 error, 2 wrong use; refused: 3 no sound tree, 4 another board,\n"
	"5 lacks what the system needs, 6 overlay does not apply, 7 no room, 8 kernel lacks a\n"
	"driver, 9 selector, 10 rights, 11 busy, 12 nothing to do that on, 13 a write failed,\n"
	"14 not yet run here.\n";

#define ANYWHERE "RjqhV"		/* options that fit any verb */
#define BOOTED "FvU"		/* and those that look for what the bootloader reads */

/* With a value, of which the last would count, and the others would not be looked at. */
#define ONCE "boLlBFvKIWMR"

/* Of a verb that has both, the first has no use without the second. */
static const char *const NEEDS[] = { "bO", "lO", "LW" };
/* The others have no use beside the first. */
static const char *const BESIDE[] = {
	"PKIDW", "GkE", "kE", "sMAB" BOOTED, "MAB" BOOTED, "a" BOOTED,
};

/* Beside these no word has a use: all of carry. */
static const char NO_WORD[] = "GkE";

/* Letters are those of LONG. */
static const struct verb VERBS[] = {
	{ "check", "sMBA" BOOTED, 1, INT_MAX, run_check,
	  "check FILE...             whether this device can live with a tree" },
	{ "diff", "a", 1, 2, run_diff,
	  "diff [A] B                what differs, from the running tree without A" },
	{ "merge", "ol", 2, INT_MAX, run_merge, "merge BASE OVERLAY... -o FILE" },
	{ "install", "OblBAT" BOOTED, 1, INT_MAX, run_install,
	  "install FILE              make the bootloader take a tree\n"
	  "  install --overlay FILE... the same, with overlays on the selected tree" },
	{ "rollback", "w" BOOTED, 0, 0, run_rollback,
	  "rollback [--own]          the tree that was selected before, or the bootloader's own" },
	{ "try", "OblBAKIDWPL" BOOTED, 1, INT_MAX, run_try,
	  "try [--overlay] FILE...   start with a tree once, by kexec; a reset is on the old one" },
	{ "commit", BOOTED, 0, 0, run_commit,
	  "commit                    keep the tree that is being tried" },
	{ "guard", "L" BOOTED, 0, 0, run_guard,
	  "guard                     at the start: go back unless it is committed in time" },
	{ "carry", "LGkE" BOOTED, 0, 1, run_carry,
	  "carry                     an update's hook: the trees into the new root" },
	{ "status", BOOTED, 0, 0, run_status,
	  "status                    what is selected, what was before" },
	{ "list", "a" BOOTED, 0, 0, run_list,
	  "list                      trees of this device; --all: families" },
};

static const struct option LONG[] = {
	{ "base", required_argument, NULL, 'b' },
	{ "out", required_argument, NULL, 'o' },
	{ "labels", required_argument, NULL, 'l' },
	{ "all", no_argument, NULL, 'a' },
	{ "kernel", required_argument, NULL, 'K' },
	{ "initrd", required_argument, NULL, 'I' },
	{ "watchdog", required_argument, NULL, 'W' },
	{ "load", no_argument, NULL, 'D' },
	{ "pending", no_argument, NULL, 'P' },
	{ "own", no_argument, NULL, 'w' },
	{ "structure", no_argument, NULL, 's' },
	{ "modules", required_argument, NULL, 'M' },
	{ "overlay", no_argument, NULL, 'O' },
	{ "accept-board", required_argument, NULL, 'B' },
	{ "accept", required_argument, NULL, 'A' },
	{ "family", required_argument, NULL, 'F' },
	{ "variable", required_argument, NULL, 'v' },
	{ "unproven", no_argument, NULL, 'U' },
	{ "untried", no_argument, NULL, 'T' },
	{ "forget", no_argument, NULL, 'G' },
	{ "back", no_argument, NULL, 'k' },
	{ "last", no_argument, NULL, 'E' },
	{ "root", required_argument, NULL, 'R' },
	{ "limit", required_argument, NULL, 'L' },
	{ "json", no_argument, NULL, 'j' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL }
};

static int help(FILE *out)
{
	size_t i;

	fprintf(out, "%susage: dtb-swap VERB [OPTION...] [FILE...]\n\n", TOP);
	for (i = 0; i < sizeof(VERBS) / sizeof(*VERBS); i++)
		fprintf(out, "  %s\n", VERBS[i].usage);
	fputs(OPTIONS, out);
	return out == stdout ? 0 : KIND_USAGE;
}

/* As getopt_long() says that an option is wrong. */
static int bad_number(const char *option, const char *text)
{
	fprintf(stderr, "dtb-swap: %s %s: that is no number of seconds\n"
		"  mend: give a whole number, 0 to %d\n", option, text, MOST_SECONDS);
	return '?';
}

static bool read_number(const char *text, unsigned int *number)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*number = value;
	return *text >= '0' && *text <= '9' && !*end && value <= MOST_SECONDS;
}

static bool accept_more(struct swap *swap, const char *cause)
{
	size_t i;

	if (!strncmp(cause, "refused: ", strlen("refused: ")))	/* the line as it was printed */
		cause += strlen("refused: ");
	for (i = 0; i < MOST_ACCEPTED; i++)
		if (!swap->accepted[i]) {
			swap->accepted[i] = cause;
			return true;
		}
	fprintf(stderr, "dtb-swap: --accept: that is more than %d\n", MOST_ACCEPTED);
	return false;
}

static void set_name(struct call *call, int option)
{
	size_t count = strlen(call->used);
	const char **to = option == 'b' ? &call->swap.base :
			  option == 'o' ? &call->out :
			  option == 'l' ? &call->swap.map :
			  option == 'B' ? &call->swap.board :
			  option == 'F' ? &call->swap.family :
			  option == 'v' ? &call->swap.variable :
			  option == 'K' ? &call->kernel :
			  option == 'I' ? &call->initrd :
			  option == 'W' ? &call->watchdog :
			  option == 'M' ? &call->swap.modules :
			  option == 'R' ? &call->swap.root : NULL;

	if (to)
		*to = optarg;
	if (option == 'R' && !optarg[strspn(optarg, "/")])	/* the device itself */
		call->swap.root = "";
	if (strchr(call->used, option) && strchr(ONCE, option))
		call->twice = option;
	else if (count + 1 < sizeof(call->used) && !strchr(call->used, option))
		call->used[count] = option;
	call->json |= option == 'j';
	call->quiet |= option == 'q';
	call->all |= option == 'a';
	call->structure |= option == 's';
	call->overlay |= option == 'O';
	call->load |= option == 'D';
	call->pending |= option == 'P';
	call->own |= option == 'w';
	call->forget |= option == 'G';
	call->back |= option == 'k';
	call->last |= option == 'E';
	call->untried |= option == 'T';
	call->swap.unproven |= option == 'U';
}

/* Returns an exit status, or -1 to go on; all is read in any case, --json may come last. */
static int parse(struct call *call, int argc, char **argv)
{
	bool wrong = false;
	int option;

	*call = (struct call){ .swap.root = "", .limit = 300 };
	while ((option = getopt_long(argc, argv, "b:o:l:asjqhV", LONG, NULL)) > 0) {
		if (option == 'h')
			return help(stdout);
		if (option == 'V') {
			printf("dtb-swap %s\n", VERSION);
			return 0;
		}
		if (option == 'L' && !read_number(optarg, &call->limit))
			option = bad_number("--limit", optarg);
		if (option == 'A' && !accept_more(&call->swap, optarg))
			option = '?';
		wrong |= option == '?';
		set_name(call, option);
	}
	if (wrong)
		return KIND_USAGE;
	call->words = argv + optind + 1;
	call->count = argc - optind - 1;
	return call->count < 0 ? help(stderr) : -1;
}

static const struct verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(VERBS) / sizeof(*VERBS); i++)
		if (!strcmp(VERBS[i].name, name))
			return &VERBS[i];
	return NULL;
}

/* What others have closed would be that of the first file that is opened, and be written into. */
static void hold_channels(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Why what was printed is lost, if it is; whoever reads may have read enough. */
static const char *why_lost(void)
{
	if (!fflush(stdout))
		return ferror(stdout) ? "a write failed" : NULL;
	if (errno != EPIPE)
		return strerror(errno);
	clearerr(stdout);
	return NULL;
}

/* The exit status: without what was printed a script must not go on, but the system may. */
static int ends(const struct call *call, int status)
{
	const char *why = call->lost ? call->lost : why_lost();

	if (!why)
		return status;
	fprintf(stderr, "error: standard output: %s\n  mend: write it to another place%s\n", why,
		status ? "" : "; what was to be done is done");
	if (!call->json && (same_text(call->verb, "guard") || same_text(call->verb, "carry")))
		return status;
	return status ? status : KIND_WRITE;
}

static int wrong_use(bool json, const char *verb, const char *cause)
{
	struct report report = { 0 };

	say(&report, LEVEL_REFUSAL, KIND_USAGE, "see dtb-swap --help", "%s", cause);
	if (json)
		print_report(&report, verb, true, false);
	report_free(&report);
	return KIND_USAGE;
}

static const char *long_name(int option)
{
	const struct option *one = LONG;

	while (one->val != option)
		one++;
	return one->name;
}

/* Returns whether each option has a use with the others; otherwise gets which has none. */
static bool fit_together(const struct call *call, const struct verb *verb, char *text, size_t size)
{
	const char *used = call->used, *c;
	size_t i;

	for (i = 0; i < sizeof(NEEDS) / sizeof(*NEEDS); i++) {
		c = NEEDS[i];
		if (!strchr(used, c[0]) || strchr(used, c[1]) || !strchr(verb->options, c[1]))
			continue;
		snprintf(text, size, "--%s has no use without --%s", long_name(c[0]),
			 long_name(c[1]));
		return false;
	}
	for (i = 0; i < sizeof(BESIDE) / sizeof(*BESIDE); i++) {
		c = strchr(used, *BESIDE[i]) ? strpbrk(BESIDE[i] + 1, used) : NULL;
		if (!c)
			continue;
		snprintf(text, size, "--%s has no use beside --%s", long_name(*c),
			 long_name(*BESIDE[i]));
		return false;
	}
	c = call->count ? strpbrk(used, NO_WORD) : NULL;
	if (c)
		snprintf(text, size, "%s has no use beside --%s", call->words[0], long_name(*c));
	return !c;
}

/* Returns whether all options fit the verb; otherwise gets what the first that does not fits. */
static bool fits(const struct call *call, const struct verb *verb, char *text, size_t size)
{
	const char *c = call->used + strspn(call->used, ANYWHERE);
	size_t i, at;

	if (call->twice) {
		snprintf(text, size, "--%s is given twice", long_name(call->twice));
		return false;
	}
	while (*c && strchr(verb->options, *c))
		c += 1 + strspn(c + 1, ANYWHERE);
	if (!*c)
		return fit_together(call, verb, text, size);
	at = snprintf(text, size, "--%s is no option of %s, but of", long_name(*c), verb->name);
	for (i = 0; i < sizeof(VERBS) / sizeof(*VERBS); i++)
		if (strchr(VERBS[i].options, *c))
			at += snprintf(text + at, size - at, " %s", VERBS[i].name);
	return false;
}

/**
 * tell() - print what was found, once
 * @call: its report is empty afterwards
 *
 * To be called before what may end this program. What is found after that comes as text, on
 * standard error, since a document has been printed already.
 */
void tell(struct call *call)
{
	print_report(&call->swap.report, call->verb, call->json && !call->told, call->quiet);
	if (!call->lost)
		call->lost = why_lost();
	report_free(&call->swap.report);
	call->told = true;
}

static int run(struct call *call, int argc, char **argv)
{
	const struct verb *verb;
	int status = parse(call, argc, argv);
	char text[128];

	if (status == KIND_USAGE)
		return wrong_use(call->json, "", "an option is wrong, or there is no verb");
	if (status >= 0)
		return status;
	verb = find_verb(argv[optind]);
	if (!verb) {
		fprintf(stderr, "dtb-swap: there is no verb \"%s\"\n", argv[optind]);
		help(stderr);
		return wrong_use(call->json, argv[optind], "there is no such verb");
	}
	if (call->count < verb->least || call->count > verb->most) {
		fprintf(stderr, "usage: dtb-swap %s\n", verb->usage);
		return wrong_use(call->json, verb->name, "that many words do not fit the verb");
	}
	if (!fits(call, verb, text, sizeof(text))) {
		fprintf(stderr, "dtb-swap: %s\n", text);
		return wrong_use(call->json, verb->name, text);
	}
	call->verb = verb->name;
	verb->run(call);
	status = verdict(&call->swap.report);
	tell(call);
	return status;
}

int main(int argc, char **argv)
{
	struct call call;

	hold_channels();
	signal(SIGPIPE, SIG_IGN);	/* who reads may be gone before guard is done */
	return ends(&call, run(&call, argc, argv));
}
