/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clock seeder: the system clock is never in the past, whatever the RTCs say
 *
 * core     the module, its parameters and the one work that acts
 * policy   which time to take, and why (no device access)
 * text     times as text and as bytes (no device access)
 * clock    the system clock: who has set it, and setting it
 * class    where RTCs are announced
 * watch    which RTCs are there, what they say, writing to them
 * prefer   which RTC is wanted before others
 * of       the device tree node
 * nvmem    the memory of the last good time
 * sysfs    the attributes
 */
#ifndef RTC_SEED_H
#define RTC_SEED_H

#include <linux/time64.h>
#include <linux/types.h>

#if !IS_ENABLED(CONFIG_RTC_CLASS)
#error "rtc-seed needs a kernel with CONFIG_RTC_CLASS"
#endif

#if IS_ENABLED(CONFIG_RTC_SEED_KUNIT_TEST)
#define EXPORT_SYMBOL_FOR_TEST(symbol) EXPORT_SYMBOL_GPL(symbol)
#else
#define EXPORT_SYMBOL_FOR_TEST(symbol) struct symbol##_is_not_exported
#endif

#define SEED_NAME		"rtc-seed"

/* Policy */

#define SEED_DEFAULT_YEARS	20
#define SEED_MAX_YEARS		200
#define SEED_AGREE		2	/* seconds that RTC and clock may differ */

struct seed_window {
	time64_t floor;
	time64_t ceiling;
};

enum seed_verdict {
	SEED_PENDING,		/* has not answered yet */
	SEED_GOOD,
	SEED_INVALID,		/* says itself that it does not know */
	SEED_ERROR,
	SEED_PAST,		/* before the floor */
	SEED_FUTURE,		/* after the ceiling */
	SEED_VERDICTS
};

/* Who has set the clock last; from SEED_BY_ROOT on it is not ours to set. */
enum seed_owner {
	SEED_BY_NOBODY,		/* or the kernel itself */
	SEED_BY_US,
	SEED_BY_OTHERS,		/* forward, perhaps to a guess */
	SEED_BY_ROOT,		/* back: somebody knows better */
	SEED_BY_NTP,
};

enum seed_setter {
	SEED_SET_BY_OTHERS,
	SEED_SET_BY_KERNEL,		/* from an RTC that has just come, */
	SEED_SET_BY_KERNEL_AMISS,	/* and that is not the one to believe */
};

enum seed_step {
	SEED_STEP_NONE,
	SEED_STEP_KERNEL,	/* by hctosys, and plausible */
	SEED_STEP_UNDO,		/* by hctosys, and wrong */
	SEED_STEP_FORWARD,
	SEED_STEP_BACK,
};

enum seed_action {
	SEED_KEEP,
	SEED_TAKE,		/* the time of the chosen RTC */
	SEED_RAISE,		/* to the floor */
};

#define SEED_UNRANKED		1000U

struct seed_candidate {
	enum seed_verdict verdict;
	unsigned int rank;	/* 0 is wanted most */
	time64_t time;		/* now, by this RTC */
};

struct seed_situation {
	struct seed_window window;
	time64_t now;
	enum seed_owner owner;
	bool seeded;		/* from an RTC, in the past */
};

time64_t seed_ceiling(time64_t floor, unsigned int years, unsigned int bits);
enum seed_verdict seed_judge(const struct seed_window *window, int err,
			     time64_t time);
bool seed_judge_final(enum seed_verdict verdict);
int seed_choose(const struct seed_candidate *candidates, unsigned int n,
		unsigned int awaited);
enum seed_action seed_decide(const struct seed_situation *situation,
			     const struct seed_candidate *chosen);
enum seed_step seed_judge_step(const struct seed_window *window,
			       enum seed_owner owner, s64 before, s64 now,
			       enum seed_setter setter);
bool seed_is_slewed(s64 slew, s64 elapsed);
bool seed_tick_is_slewed(u64 tick);
unsigned int seed_backoff(unsigned int tries);

/* Times as text and bytes */

#define SEED_TIME_TEXT		32
#define SEED_MEMORY_SIZE	8

int seed_time_parse(const char *text, time64_t *time);
const char *seed_time_print(time64_t time, char *buf);
void seed_memory_pack(time64_t time, u8 *bytes);
bool seed_memory_unpack(const u8 *bytes, time64_t *time);

/* The clock; the last three need seed_lock */

void seed_clock_now(s64 *real, s64 *boot);
void seed_clock_init(void);
int seed_clock_start(void);
void seed_clock_stop(void);
void seed_clock_check(void);
int seed_clock_set(s64 real, s64 boot);
void seed_clock_prove(void);

/* RTCs */

/* When and by whom the clock was set last. */
struct seed_setting {
	unsigned long at;	/* in jiffies */
	pid_t by;
	bool booting;		/* by the kernel, then */
};

struct seed_source {
	s64 real;		/* what the RTC said, in ns, */
	s64 boot;		/* and when */
	char name[16];
};

#define SEED_MAX_RTCS		16

struct class_interface;
struct rtc_device;

#define SEED_HALF_SECOND	(NSEC_PER_SEC / 2)

s64 seed_rtc_ns(time64_t time);
bool seed_rtc_is_locked(const struct rtc_device *rtc);
int seed_rtc_read(struct rtc_device *rtc, time64_t *time, s64 *boot);
bool seed_rtc_is_right(int err, time64_t time, s64 now);
int seed_class_find(struct class_interface *interface);
int seed_watch_start(void);
void seed_watch_stop(void);
unsigned int seed_watch_read(void);
void seed_watch_reread(void);
bool seed_watch_choose(bool patient, struct seed_source *source,
		       struct seed_candidate *chosen);
bool seed_watch_hctosys(s64 *real, s64 *boot, const struct seed_setting *last,
			s64 *offset);
void seed_watch_heal(void);

/* Preference */

#define SEED_MAX_WANTED		8

struct device;
struct device_node;

int seed_prefer_names(const char *names);
void seed_prefer_nodes(struct device_node **nodes, unsigned int n);
unsigned int seed_prefer_rank(struct device *rtc);
unsigned int seed_prefer_wanted(void);
const char *seed_prefer_text(unsigned int rank);

/* Device tree and memory */

void seed_of_find(void);
void seed_of_drop(void);
int seed_of_register(void);
void seed_of_unregister(void);
void seed_memory_use(struct device *dev);
void seed_memory_drop(void);
unsigned int seed_memory_sync(bool save, bool leaving);

/* Sleep and shutdown */

void seed_power_start(void);
void seed_power_stop(void);

/* The whole */

enum seed_counter {
	SEED_COUNT_INVALID,
	SEED_COUNT_ERROR,
	SEED_COUNT_PAST,
	SEED_COUNT_FUTURE,
	SEED_COUNT_REWINDS,
	SEED_COUNT_HEALED,
	SEED_COUNTERS
};

struct seed {
	struct seed_window window;
	struct seed_window kept;	/* what it is without the memory */
	enum seed_owner owner;
	bool seeded;
	s64 proven;		/* that the clock is right: until when since boot, in ns */
	bool remembered;	/* the floor comes from the memory */
	char source[16];	/* of the present time */
	unsigned int counter[SEED_COUNTERS];
};

extern struct seed seed;
extern struct mutex seed_lock;
extern const struct attribute_group *seed_groups[];

void seed_kick(void);
void seed_settle(void);
void seed_leave(void);
int seed_set_floor(time64_t floor);
void seed_disciplined(void);
void seed_trust(void);
bool seed_may_be_set(time64_t now);

#endif /* RTC_SEED_H */
