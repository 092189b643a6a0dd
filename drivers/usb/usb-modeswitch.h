/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * USB mode switcher: a modem is a modem when it is plugged in
 *
 * core      the module, its parameters, what USB tells
 * table     the devices (generated)
 * policy    which device is switched, and how (no device access)
 * text      parameters as text (no device access)
 * device    what a device is, and taking its interfaces over
 * job       one device: take it over, run its script, give it back
 * script    the steps of a script
 * wire      transfers that can be cancelled
 * port      what happened on a port, in sysfs
 */
#ifndef USB_MODESWITCH_H
#define USB_MODESWITCH_H

#include <linux/ktime.h>
#include <linux/time64.h>
#include <linux/types.h>

#if !IS_ENABLED(CONFIG_USB)
#error "usb-modeswitch needs a kernel with CONFIG_USB"
#endif

#if IS_ENABLED(CONFIG_USB_MODESWITCH_KUNIT_TEST)
#define EXPORT_SYMBOL_FOR_TEST(symbol) EXPORT_SYMBOL_GPL(symbol)
#else
#define EXPORT_SYMBOL_FOR_TEST(symbol) struct symbol##_is_not_exported
#endif

#define UMS_NAME		"usb-modeswitch"

/* The table */

#define UMS_CBW_SIZE		31	/* struct bulk_cb_wrap */
#define UMS_CSW_SIZE		13	/* struct bulk_cs_wrap */
#define UMS_MAX_MESSAGE		32

struct ums_message {
	u8 size;
	u8 data[UMS_MAX_MESSAGE];
};

struct ums_control {
	u8 type;
	u8 request;
	u16 value;
	u8 length;
	u8 data;		/* number of the message + 1, for OUT */
	u8 interface;		/* the index is the number of the interface */
};

enum ums_action {
	UMS_CBW,		/* message, then status */
	UMS_RAW,		/* message, then as many bytes back */
	UMS_RAW_EP1,		/* message to endpoint 1, nothing back */
	UMS_RAW_EP2,
	UMS_CONTROL,
	UMS_PANTECH,		/* request whose value is the row's argument */
	UMS_HID_OUT,
	UMS_HID_IN,		/* so many reports */
	UMS_AT,			/* command, until it is answered OK */
	UMS_SLEEP,		/* seconds */
	UMS_CONFIG,		/* number is the row's argument */
	UMS_MBIM,		/* the configuration with MBIM */
};

struct ums_step {
	u8 action;
	u8 arg;
};

/* What the first interface must be. */
enum ums_gate {
	UMS_GATE_ANY,
	UMS_GATE_STORAGE,
	UMS_GATE_HID,
	UMS_GATE_MODEM,		/* has a CDC ACM port, by which it is switched */
};

struct ums_script {
	u8 first;		/* step */
	u8 count;
	u8 gate;
	u8 again;		/* script for when it has come back, or 0 */
	u8 wait;		/* seconds for it to go */
};

enum ums_script_number {
	UMS_SCRIPT_NONE = 0,
	UMS_SCRIPT_CONFIG = 6,
	UMS_SCRIPT_MBIM = 7,
};

enum ums_string_kind {
	UMS_NO_STRING,
	UMS_MANUFACTURER,
	UMS_PRODUCT,
	UMS_SCSI_VENDOR,
	UMS_SCSI_MODEL,
};

struct ums_string {
	u8 kind;
	char text[15];		/* "_" stands for a blank, too */
};

#define UMS_REUSED		0x01	/* a modem may have this ID as well */

struct ums_row {
	u16 vid;
	u16 pid;
	u8 script;
	u8 arg;
	u8 string;
	u8 target_class;	/* of the first interface of the modem, or 0 */
	u8 delay;		/* seconds */
	u8 flags;
};

extern const struct ums_message ums_messages[];
extern const struct ums_control ums_controls[];
extern const struct ums_step ums_steps[];
extern const struct ums_script ums_scripts[];
extern const char *const ums_methods[];
extern const unsigned int ums_nr_methods;
extern const struct ums_string ums_strings[];
extern const struct ums_row ums_rows[];
extern const unsigned int ums_nr_rows;

/* Parameters as text */

#define UMS_MAX_IGNORED		64
#define UMS_MAX_OVERRIDES	32
#define UMS_MAX_OWN		4	/* messages of an override */
#define UMS_ANY_PID		0x10000

struct ums_id {
	u16 vid;
	u32 pid;		/* or UMS_ANY_PID */
};

struct ums_override {
	struct ums_id id;
	u8 script;
	u8 arg;
	u8 nr_own;
	u8 own[UMS_MAX_OWN][UMS_CBW_SIZE];
};

struct ums_settings {
	unsigned int nr_ignored;
	struct ums_id ignored[UMS_MAX_IGNORED];
	unsigned int nr_overrides;
	struct ums_override overrides[UMS_MAX_OVERRIDES];
};

int ums_parse_ignore(const char *text, struct ums_settings *settings);
int ums_parse_override(const char *text, struct ums_settings *settings);
int ums_print_ignore(char *buf, size_t size, const struct ums_settings *settings);
int ums_print_override(char *buf, size_t size,
		       const struct ums_settings *settings);
const char *ums_method(unsigned int script);

/* Policy */

#define UMS_MAX_INTERFACES	32
#define UMS_SCSI_VENDOR_SIZE	8
#define UMS_SCSI_MODEL_SIZE	16

struct ums_facts {
	u16 vid;
	u16 pid;
	u8 nr_interfaces;
	u8 classes[UMS_MAX_INTERFACES];
	bool acm;		/* a serial port with its data interface */
	u8 nr_configs;
	u8 config;		/* the present one */
	u8 mbim;		/* the one with MBIM, or 0 */
	u32 configs[8];		/* bit set: there is one, and the port feeds it */
	const char *manufacturer;
	const char *product;
	bool scsi_known;
	char scsi_vendor[UMS_SCSI_VENDOR_SIZE + 1];
	char scsi_model[UMS_SCSI_MODEL_SIZE + 1];
};

enum ums_verdict {
	UMS_SWITCH,
	UMS_ASK,		/* switch if the SCSI strings match */
	UMS_UNKNOWN,		/* not in the table */
	UMS_IGNORED,
	UMS_DONE,		/* is a modem already */
	UMS_NOT_THIS,		/* has the ID, but other interfaces */
	UMS_VERDICTS
};

/* What is to be done with a device. */
struct ums_plan {
	u8 script;
	u8 arg;
	u8 delay;
	u8 nr_own;
	u8 own[UMS_MAX_OWN][UMS_CBW_SIZE];
};

enum ums_csw {
	UMS_CSW_GOOD,
	UMS_CSW_FAILED,
	UMS_CSW_PHASE,
	UMS_CSW_SIZE_WRONG,
	UMS_CSW_SIGNATURE,
	UMS_CSW_TAG,
	UMS_CSW_STATUS,
};

#define UMS_GUARD_TRIES		3
#define UMS_GUARD_SECONDS	60

struct ums_guard {
	unsigned int next;
	time64_t tries[UMS_GUARD_TRIES];
	unsigned int returns;	/* one after another, as what it was */
};

const struct ums_row *ums_find(u16 vid, u16 pid);
const struct ums_row *ums_match(const struct ums_facts *facts, bool *ask);
enum ums_verdict ums_decide(const struct ums_facts *facts,
			    const struct ums_settings *settings, bool mbim,
			    struct ums_plan *plan);
bool ums_script_fits(const struct ums_facts *facts, unsigned int script);
u32 ums_cbw_data_in(const u8 *cbw);
enum ums_csw ums_csw_judge(const u8 *csw, size_t size, const u8 *cbw);
bool ums_script_configures(unsigned int number);
bool ums_guard_try(struct ums_guard *guard, time64_t now);

/* One device */

struct completion;
struct usb_anchor;
struct usb_device;
struct usb_interface;
struct ums_port;

struct ums_wire {
	struct usb_device *udev;
	struct usb_interface *intf;	/* the first that was taken over */
	struct usb_interface *acm;	/* whose data interface that is, or NULL */
	struct usb_anchor *urbs;
	struct completion *gone;
	unsigned long end;		/* jiffies: no transfer goes past it */
	u8 *buf;
};

#define UMS_BUF_SIZE		1024

int ums_wire_control(struct ums_wire *wire, u8 type, u8 request, u16 value,
		     u16 index, u16 length, unsigned int ms);
int ums_wire_transfer(struct ums_wire *wire, u8 endpoint, const void *data,
		      size_t size, unsigned int ms);
int ums_wire_clear_halt(struct ums_wire *wire, u8 endpoint);
u8 ums_wire_endpoint(struct usb_interface *intf, u8 direction, u8 type);
bool ums_wire_is_dead(int error);

struct ums_taken {
	struct usb_interface *intf[2];
	bool awake;
};

bool ums_is_usable(const struct usb_device *udev);
enum ums_verdict ums_judge(const struct usb_device *udev, struct ums_port *port,
			   struct ums_facts *facts, struct ums_plan *plan);
void ums_taken_add(struct ums_taken *taken, struct usb_interface *intf);
bool ums_is_in_use(struct usb_device *udev);
bool ums_is_asleep(const struct usb_device *udev);
int ums_take_over(struct usb_device *udev, unsigned int config, unsigned int script,
		  struct ums_taken *taken);
void ums_give_back(struct usb_device *udev, struct ums_taken *taken);

int ums_script_run(struct ums_wire *wire, const struct ums_plan *plan);
int ums_script_ask(struct ums_wire *wire, struct ums_facts *facts, struct ums_plan *plan);

struct usb_driver;

extern struct usb_driver ums_driver;
extern struct mutex ums_lock;

bool ums_job_consider(struct usb_device *udev, struct usb_interface *intf);
void ums_job_gone(struct usb_device *udev, bool withdrawn);
void ums_job_lost(struct usb_interface *intf);
void ums_job_pause(struct usb_interface *intf);
void ums_job_resume(struct usb_interface *intf);
void ums_job_cancel_all(void);
int ums_job_start(void);
void ums_job_stop(void);

/* Ports; all need ums_lock */

enum ums_result {
	UMS_RESULT_NONE,
	UMS_RESULT_WORKING,
	UMS_RESULT_SENT,
	UMS_RESULT_SWITCHED,
	UMS_RESULT_RETURNED,	/* is what it was before */
	UMS_RESULT_FAILED,
	UMS_RESULT_BUSY,	/* a program uses it */
	UMS_RESULT_CANCELLED,
	UMS_RESULT_GUARDED,	/* tried too often */
	UMS_RESULTS
};

struct ums_port *ums_port_find(const struct usb_device *udev);
struct ums_port *ums_port_new(const struct usb_device *udev);
bool ums_port_try(struct ums_port *port);
void ums_port_begin(struct ums_port *port, const struct usb_device *udev,
		    unsigned int script);
void ums_port_sent(struct ums_port *port, unsigned int script, s64 us);
void ums_port_end(struct ums_port *port, const struct usb_device *udev,
		  enum ums_result result, int error);
void ums_port_appeared(struct ums_port *port, const struct usb_device *udev,
		       bool same);
bool ums_port_still(const struct ums_port *port, const struct usb_device *udev,
		    const struct ums_facts *facts);
bool ums_port_is_left(struct ums_port *port, const struct usb_device *udev);
void ums_port_leave(struct ums_port *port, const struct usb_device *udev);
void ums_port_unleave(const struct usb_device *udev);
unsigned int ums_port_again(struct ums_port *port,
			    const struct usb_device *udev);
void ums_port_forget(void);

struct device;

int ums_port_start(struct device *dev);
void ums_port_stop(void);

/* The whole */

enum ums_counter {
	UMS_COUNT_TRIES,
	UMS_COUNT_SENT,
	UMS_COUNT_SWITCHED,
	UMS_COUNT_RETURNED,
	UMS_COUNT_FAILED,
	UMS_COUNT_GUARDED,
	UMS_COUNTERS
};

struct ums_state {
	unsigned int counter[UMS_COUNTERS];
	bool enable;
	bool mbim;
	bool closing;
	bool asleep;		/* the system, or it is about to, or waking */
	ktime_t woke;
};

extern struct ums_state ums_state;
extern struct ums_settings ums_settings;
extern const struct attribute_group *ums_groups[];

unsigned int ums_early(unsigned int seconds);
void ums_rescan(void);

#endif /* USB_MODESWITCH_H */
