/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Identify LED: a virtual LED that borrows real ones
 *
 * core     the module, the LED and its trigger
 * session  the state that says what the targets show, and for how long
 * sysfs    the attributes
 * target   which LEDs are there, which of them are wanted
 * borrow   taking one LED over and giving it back as it was
 * of       targets from the device tree
 * list     the text that names targets (no device access)
 * pattern  the text that is a blink pattern, its schedule, when an LED is ready, and
 *          how long a writer counts (no device access)
 */
#ifndef LEDS_IDENTIFY_H
#define LEDS_IDENTIFY_H

#include <linux/leds.h>
#include <linux/list.h>
#include <linux/types.h>

#if !IS_ENABLED(CONFIG_LEDS_CLASS) || !IS_ENABLED(CONFIG_LEDS_TRIGGERS)
#error "leds-identify needs a kernel with CONFIG_LEDS_CLASS and CONFIG_LEDS_TRIGGERS"
#endif

#if IS_ENABLED(CONFIG_LEDS_IDENTIFY_KUNIT_TEST)
#define EXPORT_SYMBOL_FOR_TEST(symbol) EXPORT_SYMBOL_GPL(symbol)
#else
#define EXPORT_SYMBOL_FOR_TEST(symbol) struct symbol##_is_not_exported
#endif

#define IDENTIFY_NAME		"identify"

#define IDENTIFY_MAX_SECONDS	86400
#define IDENTIFY_MIN_HOLD	10
#define IDENTIFY_MAX_HOLD	3600000
#define IDENTIFY_DEFAULT_HOLD	3000

/* Pattern: times in milliseconds, on and off in turn */

#define IDENTIFY_MAX_STEPS	32
#define IDENTIFY_MIN_STEP	10
#define IDENTIFY_MAX_STEP	60000

struct identify_pattern {
	unsigned int steps;
	u32 ms[IDENTIFY_MAX_STEPS];
};

int identify_pattern_parse(struct identify_pattern *pattern, const char *buf);
int identify_pattern_print(const struct identify_pattern *pattern, char *buf,
			   size_t size);
bool identify_pattern_at(const struct identify_pattern *pattern, u64 elapsed,
			 u64 *next);

/* List of targets */

#define IDENTIFY_MAX_TARGETS	16
#define IDENTIFY_MAX_NAME	64	/* LED_MAX_NAME_SIZE, with its NUL */
#define IDENTIFY_SPACE		" \t\n\v\f\r"

struct device_node;
struct identify_led;

struct identify_target {
	const char *names;	/* alternatives, first wins; commas between */
	size_t len;
	struct device_node *np;	/* or the LED of this node */
	struct identify_led *led;	/* the choice, for one session */
};

struct identify_list {
	unsigned int n;
	bool told;		/* that none of the targets is there */
	struct identify_target target[IDENTIFY_MAX_TARGETS];
	char text[];		/* as shown in sysfs */
};

struct identify_list *identify_list_parse(const char *text, const char **why);
const char *identify_names_next(const char **names, size_t *left, size_t *len);
const struct identify_target *
identify_list_same(const struct identify_list *from,
		   const struct identify_list *list,
		   const struct identify_target *target,
		   const char *name, size_t len);
void identify_list_forget(struct identify_list *list,
			  const struct identify_led *led);

/* One LED */

enum identify_state {
	IDENTIFY_FREE,
	IDENTIFY_BORROWED,
	IDENTIFY_OWED,		/* ours no more, but not yet what it was */
	IDENTIFY_LEFT_ALONE,	/* until the next session */
};

struct identify_snapshot {
	char *trigger;
	struct list_head settings;
	char *page;
	unsigned int level;
	bool dynamic;		/* the level is not for us to restore */
	bool blinks;		/* and its trigger will not start that again */
	unsigned int event;	/* the last one of its trigger */
	int flags;
	unsigned int tries;
	unsigned long delay_on;
	unsigned long delay_off;
	int blink_brightness;
};

struct identify_led {
	struct list_head node;
	struct device *dev;
	struct led_classdev *cdev;
	enum identify_state state;
	u64 added;		/* when, in jiffies */
	bool ready;		/* its registration is over */
	bool wanted;
	unsigned int round;
	struct identify_snapshot snapshot;
};

#define IDENTIFY_SETTLE		(HZ / 10)
#define IDENTIFY_RETRY_BUSY	5	/* ms */

unsigned int identify_settle_left(u64 added, u64 now);
unsigned long identify_hold_left(unsigned long written, unsigned int hold,
				 unsigned long now);
int identify_led_borrow(struct identify_led *led);
int identify_led_give_back(struct identify_led *led);
void identify_led_forget(struct identify_led *led, bool going);

/* All LEDs */

int identify_targets_start(const struct device *sibling);
void identify_targets_stop(void);
unsigned int identify_targets_sync(bool session, bool fresh);
bool identify_targets_borrowed(void);
void identify_targets_released(struct led_classdev *cdev);
void identify_targets_set_state(struct identify_led *led,
				enum identify_state state);
void identify_targets_use(struct identify_list *list);
void identify_targets_use_default(struct identify_list *list);
void identify_target_use_node(struct identify_target *target,
			      struct device_node *np);
int identify_targets_print(char *buf, size_t size);

void identify_of_register(void);
void identify_of_unregister(void);
struct identify_list *identify_list_parse_logged(const char *text,
						 const char *source);

/* The identify LED itself */

extern struct led_classdev identify_cdev;
extern struct led_trigger identify_trigger;
extern const struct attribute_group *identify_groups[];
extern bool identify_panicked;

bool identify_is_self(const struct led_classdev *cdev);

int identify_open(void);
void identify_close(void);
void identify_free(void);
void identify_brightness_set(struct led_classdev *cdev,
			     enum led_brightness level);
enum led_brightness identify_brightness_get(struct led_classdev *cdev);
int identify_activate(struct led_classdev *cdev);
void identify_kick(void);
void identify_settle(void);
int identify_run(unsigned int seconds);
unsigned int identify_seconds_left(void);
int identify_set_pattern(const struct identify_pattern *pattern);
void identify_get_pattern(struct identify_pattern *pattern);
int identify_set_hold(unsigned int ms);
unsigned int identify_get_hold(void);
bool identify_is_active(void);
void identify_tell_active(void);

#endif /* LEDS_IDENTIFY_H */
