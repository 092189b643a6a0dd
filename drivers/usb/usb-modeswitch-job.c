// SPDX-License-Identifier: GPL-2.0-only
/*
 * USB mode switcher: one device, taken over, switched, given back
 *
 * A job begins while the device is being set up, with its lock held, and does
 * the rest in a work. Whoever holds a device's lock may end the job's transfers,
 * but never waits for its work, which takes that lock. On the list is a job
 * that has not ended; the list and each queued work hold a reference.
 */

#include "usb-modeswitch.h"

#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/usb.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#define UMS_BUDGET_SECONDS	10	/* for all transfers of a device */
#define UMS_ASLEEP_MS		200	/* until it looks again whether the system sleeps */

enum {
	UMS_JOB_GONE,		/* unplugged */
	UMS_JOB_LOST,		/* the interface is somebody else's */
	UMS_JOB_CANCEL,
	UMS_JOB_WITHDRAWN,	/* by the user, who may bring it back */
	UMS_JOB_PAUSED,		/* suspended */
	UMS_JOB_RESTART,	/* was, and is to begin again */
};

#define UMS_JOB_OVER	(BIT(UMS_JOB_GONE) | BIT(UMS_JOB_LOST) | BIT(UMS_JOB_CANCEL))

struct ums_job {
	struct list_head node;
	struct kref ref;
	struct delayed_work work;
	struct usb_device *udev;
	struct ums_taken taken;
	struct usb_anchor urbs;
	struct completion gone;
	unsigned long flags;
	struct ums_port *port;
	struct ums_facts facts;
	struct ums_plan plan;
	bool ask;
	bool sent;
	ktime_t begin;
	unsigned long end;	/* jiffies: it should have gone by then */
	u8 *buf;
};

static LIST_HEAD(ums_jobs);
static DECLARE_WAIT_QUEUE_HEAD(ums_jobs_ended);
static struct workqueue_struct *ums_wq;

static void ums_job_free(struct kref *ref)
{
	struct ums_job *job = container_of(ref, struct ums_job, ref);

	usb_put_dev(job->udev);
	kfree(job->buf);
	kfree(job);
}

static bool ums_job_is_over(const struct ums_job *job)
{
	return READ_ONCE(job->flags) & UMS_JOB_OVER;
}

static void ums_job_queue(struct ums_job *job, unsigned int ms)
{
	kref_get(&job->ref);
	if (mod_delayed_work(ums_wq, &job->work, msecs_to_jiffies(ms)))
		kref_put(&job->ref, ums_job_free);
	/* Whoever ended it meanwhile queued it for now, not for then. */
	if (ms && ums_job_is_over(job))
		ums_job_queue(job, 0);
}

/* Ends what it does at once; the rest is done by its work. */
static void ums_job_end_soon(struct ums_job *job, unsigned int why)
{
	set_bit(why, &job->flags);
	smp_mb__after_atomic();	/* pairs with ums_job_resume() */
	complete_all(&job->gone);
	usb_poison_anchored_urbs(&job->urbs);
	ums_job_queue(job, 0);
}

static struct ums_job *ums_job_find(const struct usb_device *udev)
{
	struct ums_job *job;

	list_for_each_entry(job, &ums_jobs, node) {
		if (job->udev == udev)
			return job;
	}

	return NULL;
}

static struct ums_job *ums_job_get(const struct usb_device *udev)
{
	struct ums_job *job;

	mutex_lock(&ums_lock);
	job = ums_job_find(udev);
	if (job)
		kref_get(&job->ref);
	mutex_unlock(&ums_lock);

	return job;
}

static void ums_job_finish(struct ums_job *job, enum ums_result result, int error)
{
	bool again;

	usb_lock_device(job->udev);
	mutex_lock(&ums_lock);
	if (!(READ_ONCE(job->flags) & (BIT(UMS_JOB_GONE) | BIT(UMS_JOB_WITHDRAWN))) &&
	    job->udev->authorized)
		ums_port_leave(job->port, job->udev);
	/* Its result is decided; from here on it keeps nothing more. */
	set_bit(UMS_JOB_LOST, &job->flags);
	mutex_unlock(&ums_lock);
	ums_give_back(job->udev, &job->taken);
	usb_unlock_device(job->udev);

	/* A resume may have queued it for later; from here on none can. */
	if (cancel_delayed_work(&job->work))
		kref_put(&job->ref, ums_job_free);
	mutex_lock(&ums_lock);
	ums_port_end(job->port, job->udev, result, error);
	list_del_init(&job->node);
	again = test_bit(UMS_JOB_WITHDRAWN, &job->flags);
	mutex_unlock(&ums_lock);
	wake_up_all(&ums_jobs_ended);
	/* It may be back already: it was taken for the one that this job had. */
	if (again) {
		usb_lock_device(job->udev);
		ums_job_consider(job->udev, NULL);
		usb_unlock_device(job->udev);
	}
	kref_put(&job->ref, ums_job_free);
}

static int ums_job_work(struct ums_job *job)
{
	unsigned int wait = ums_scripts[job->plan.script].wait;
	unsigned int seconds = max_t(int, UMS_BUDGET_SECONDS, wait - UMS_BUDGET_SECONDS);
	struct ums_wire wire = {
		.udev = job->udev,
		.urbs = &job->urbs,
		.gone = &job->gone,
		.buf = job->buf,
	};
	int ret;

	usb_lock_device(job->udev);
	if (ums_job_is_over(job))
		ret = -ENODEV;
	else if (test_bit(UMS_JOB_RESTART, &job->flags))
		ret = -EAGAIN;	/* reset while this waited */
	else
		ret = ums_take_over(job->udev, job->facts.config, job->plan.script, &job->taken);
	usb_unlock_device(job->udev);
	if (ret)
		return ret;

	wire.intf = job->taken.intf[0];
	wire.acm = job->taken.intf[1];
	wire.end = jiffies + seconds * HZ;
	job->end = jiffies + wait * HZ;
	if (job->ask)
		ret = ums_script_ask(&wire, &job->facts, &job->plan);
	if (ret)
		return ret;
	job->ask = false;

	mutex_lock(&ums_lock);
	ums_port_sent(job->port, job->plan.script,
		      ktime_to_us(ktime_sub(ktime_get(), job->begin)));
	mutex_unlock(&ums_lock);
	job->sent = true;

	return ums_script_run(&wire, &job->plan);
}

/* What the end of the script, or of the wait after it, means. */
static void ums_job_conclude(struct ums_job *job, int ret)
{
	if (test_bit(UMS_JOB_GONE, &job->flags))
		ums_job_finish(job, job->sent ? UMS_RESULT_SENT : UMS_RESULT_NONE, 0);
	else if (!ret && ums_script_configures(job->plan.script))
		ums_job_finish(job, UMS_RESULT_SWITCHED, 0);
	else if (ums_job_is_over(job) || ret == -ENOMEDIUM)
		ums_job_finish(job, UMS_RESULT_CANCELLED, 0);
	else if (ret == -EBUSY)
		ums_job_finish(job, UMS_RESULT_BUSY, ret);
	else
		ums_job_finish(job, UMS_RESULT_FAILED, ret);
}

/* A device that is on its way out says so a little later. */
static bool ums_job_waits(const struct ums_job *job, int ret)
{
	return !ums_job_is_over(job) && job->sent &&
	       !ums_script_configures(job->plan.script) &&
	       (!ret || ums_wire_is_dead(ret));
}

/* The wait counts from the first transfer, but there is some after the last, too. */
static unsigned int ums_job_rest(const struct ums_job *job)
{
	unsigned int wait = ums_scripts[job->plan.script].wait;
	unsigned long least = min_t(unsigned int, wait, UMS_BUDGET_SECONDS) * HZ;
	unsigned long now = jiffies;

	if (time_after(job->end, now + least))
		least = job->end - now;

	return jiffies_to_msecs(least);
}

static void ums_job_run(struct work_struct *work)
{
	struct ums_job *job = container_of(to_delayed_work(work), struct ums_job, work);
	unsigned int early;
	int ret;

	if (list_empty(&job->node))
		goto put;
	if (test_bit(UMS_JOB_PAUSED, &job->flags) && !ums_job_is_over(job))
		goto put;
	if (!ums_job_is_over(job) && test_and_clear_bit(UMS_JOB_RESTART, &job->flags))
		job->sent = false;
	if (job->sent || ums_job_is_over(job)) {
		ums_job_conclude(job, -ETIMEDOUT);
		goto put;
	}

	early = ums_early(job->plan.delay);
	if (early) {
		ums_job_queue(job, early);
		goto put;
	}
	ret = ums_job_work(job);
	if (test_bit(UMS_JOB_RESTART, &job->flags) && !ums_job_is_over(job))
		goto put;
	if (ret == -EAGAIN && !ums_job_is_over(job)) {
		job->sent = false;
		ums_job_queue(job, UMS_ASLEEP_MS);
		goto put;
	}
	if (!ums_job_waits(job, ret)) {
		ums_job_conclude(job, ret);
		goto put;
	}
	ums_job_queue(job, ums_job_rest(job));
put:
	kref_put(&job->ref, ums_job_free);
}

static struct ums_job *ums_job_new(struct usb_device *udev, const struct ums_facts *facts,
				   const struct ums_plan *plan)
{
	struct ums_job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	if (!job)
		return NULL;
	job->buf = kmalloc(UMS_BUF_SIZE, GFP_KERNEL);
	if (!job->buf) {
		kfree(job);
		return NULL;
	}
	kref_init(&job->ref);
	INIT_DELAYED_WORK(&job->work, ums_job_run);
	init_usb_anchor(&job->urbs);
	init_completion(&job->gone);
	job->udev = usb_get_dev(udev);
	job->facts = *facts;
	job->plan = *plan;
	job->begin = ktime_get();

	return job;
}

/* Needs ums_lock; returns whether the device is ours from now on. */
static bool ums_job_begin(struct usb_device *udev, struct ums_port *port,
			  const struct ums_facts *facts, const struct ums_plan *plan,
			  bool ask)
{
	struct ums_job *job;

	if (!ums_port_try(port))
		return false;
	job = ums_job_new(udev, facts, plan);
	if (!job)
		return false;

	job->port = port;
	job->ask = ask;
	list_add_tail(&job->node, &ums_jobs);
	ums_port_begin(port, udev, plan->script);
	ums_job_queue(job, plan->delay * MSEC_PER_SEC);

	return true;
}

static bool ums_job_decide(struct usb_device *udev)
{
	struct ums_port *port = ums_port_find(udev);
	enum ums_verdict verdict;
	struct ums_facts facts;
	struct ums_plan plan;

	if (port && ums_port_is_left(port, udev))
		return false;

	verdict = ums_judge(udev, port, &facts, &plan);
	if (verdict != UMS_SWITCH && verdict != UMS_ASK)
		return false;
	if (!port)
		port = ums_port_new(udev);
	if (!port)
		return false;
	if (ums_job_begin(udev, port, &facts, &plan, verdict == UMS_ASK))
		return true;
	ums_port_leave(port, udev);

	return false;
}

/* Keeps the interface from other drivers until the job is done. */
static bool ums_job_keep(struct ums_job *job, struct usb_interface *intf)
{
	if (ums_job_is_over(job) || ums_scripts[job->plan.script].gate != UMS_GATE_STORAGE ||
	    intf != job->udev->actconfig->interface[0] || job->taken.intf[0])
		return false;
	ums_taken_add(&job->taken, intf);
	/* Asleep, it would not get to its script. */
	usb_autopm_get_interface_no_resume(intf);
	job->taken.awake = true;

	return true;
}

/**
 * ums_job_consider() - switch a device if that is wanted
 * @udev: the device, locked
 * @intf: one of its interfaces that looks for a driver, or NULL
 *
 * Return: true if @intf is used for that.
 */
bool ums_job_consider(struct usb_device *udev, struct usb_interface *intf)
{
	struct ums_job *job;
	bool kept;

	if (!ums_is_usable(udev))
		return false;

	mutex_lock(&ums_lock);
	job = ums_job_find(udev);
	if (!job && ums_state.enable && !ums_state.closing && ums_job_decide(udev))
		job = ums_job_find(udev);
	kept = job && intf && ums_job_keep(job, intf);
	mutex_unlock(&ums_lock);

	return kept;
}

/**
 * ums_job_gone() - end the job of a device that was unplugged
 * @udev: the device, locked
 * @withdrawn: it is there, but not authorized or without its driver
 */
void ums_job_gone(struct usb_device *udev, bool withdrawn)
{
	struct ums_job *job = ums_job_get(udev);

	if (!job)
		return;
	if (withdrawn)
		set_bit(UMS_JOB_WITHDRAWN, &job->flags);
	ums_job_end_soon(job, withdrawn ? UMS_JOB_LOST : UMS_JOB_GONE);
	kref_put(&job->ref, ums_job_free);
}

static struct ums_job *ums_job_of(struct usb_interface *intf)
{
	struct ums_taken *taken = usb_get_intfdata(intf);

	return taken ? container_of(taken, struct ums_job, taken) : NULL;
}

/**
 * ums_job_lost() - end the job whose interface is taken away
 * @intf: the interface; its device is locked
 */
void ums_job_lost(struct usb_interface *intf)
{
	struct usb_device *udev = interface_to_usbdev(intf);
	struct ums_job *job = ums_job_of(intf);

	if (!job)
		return;
	usb_set_intfdata(intf, NULL);
	if (job->taken.awake && intf == job->taken.intf[0]) {
		job->taken.awake = false;
		usb_autopm_put_interface_no_suspend(intf);
	}
	ums_job_end_soon(job, udev->state == USB_STATE_NOTATTACHED ? UMS_JOB_GONE :
			 UMS_JOB_LOST);
}

/**
 * ums_job_pause() - end transfers before a suspend or a reset
 * @intf: the interface
 */
void ums_job_pause(struct usb_interface *intf)
{
	struct ums_job *job = ums_job_of(intf);

	if (!job)
		return;
	set_bit(UMS_JOB_PAUSED, &job->flags);
	set_bit(UMS_JOB_RESTART, &job->flags);
	complete_all(&job->gone);
	usb_poison_anchored_urbs(&job->urbs);
}

/**
 * ums_job_resume() - begin again after a suspend or a reset
 * @intf: the interface
 */
void ums_job_resume(struct usb_interface *intf)
{
	struct ums_job *job = ums_job_of(intf);

	if (!job)
		return;
	clear_bit(UMS_JOB_PAUSED, &job->flags);
	reinit_completion(&job->gone);
	usb_unpoison_anchored_urbs(&job->urbs);
	ums_job_queue(job, job->plan.delay * MSEC_PER_SEC);
	smp_mb();	/* pairs with ums_job_end_soon() */
	/* Whoever has ended it, perhaps just now, must not have done so in vain. */
	if (ums_job_is_over(job)) {
		complete_all(&job->gone);
		usb_poison_anchored_urbs(&job->urbs);
	}
}

/**
 * ums_job_cancel_all() - let go of all devices, and wait until that is done
 */
void ums_job_cancel_all(void)
{
	struct ums_job *job;

	mutex_lock(&ums_lock);
	list_for_each_entry(job, &ums_jobs, node)
		ums_job_end_soon(job, UMS_JOB_CANCEL);
	mutex_unlock(&ums_lock);
	wait_event(ums_jobs_ended, list_empty_careful(&ums_jobs));
}

/**
 * ums_job_start() - get ready for jobs
 *
 * Return: 0 or a negative error code.
 */
int ums_job_start(void)
{
	/* Each device has its own thread: none waits for another. */
	ums_wq = alloc_workqueue(UMS_NAME, WQ_UNBOUND | WQ_HIGHPRI, 0);

	return ums_wq ? 0 : -ENOMEM;
}

/**
 * ums_job_stop() - free what ums_job_start() made; no job may be there
 */
void ums_job_stop(void)
{
	destroy_workqueue(ums_wq);
}
