// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: which time to take, and why
 *
 * Nothing here touches a device or the clock.
 */

#include "rtc-seed.h"

#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/time64.h>

#define SEED_YEAR		31556952LL	/* seconds, in the mean */
#define SEED_SLEW_NOISE		10000		/* ns */
#define SEED_SLEW_PER_NS	50000000	/* 0.02 ppm */
#define SEED_STEP_NOISE		(100 * NSEC_PER_MSEC)
#define SEED_RETRY_FIRST	100		/* ms */
#define SEED_RETRY_LAST		60000
/* do_settimeofday64() refuses what would overflow in 30 years. */
#define SEED_CLOCK_END		(KTIME_SEC_MAX - 30 * 365 * 24 * 3600LL - 1)

/**
 * seed_ceiling() - the end of the plausible times
 * @floor: their begin
 * @years: how long they last
 * @bits: in how many bits user space counts seconds
 *
 * Return: the last plausible second.
 */
time64_t seed_ceiling(time64_t floor, unsigned int years, unsigned int bits)
{
	time64_t ceiling = floor + (time64_t)years * SEED_YEAR;
	time64_t end = bits <= 32 ? S32_MAX : SEED_CLOCK_END;

	return min(ceiling, end);
}
EXPORT_SYMBOL_FOR_TEST(seed_ceiling);

/**
 * seed_judge() - say what the answer of an RTC is worth
 * @window: the plausible times
 * @err: what reading it returned
 * @time: what it says
 *
 * Return: the verdict.
 */
enum seed_verdict seed_judge(const struct seed_window *window, int err,
			     time64_t time)
{
	switch (err) {
	case 0:
		break;
	case -EINVAL:
	case -ENODATA:
	case -ERANGE:
		return SEED_INVALID;
	default:
		return SEED_ERROR;
	}

	if (time < window->floor)
		return SEED_PAST;
	if (time > window->ceiling)
		return SEED_FUTURE;

	return SEED_GOOD;
}
EXPORT_SYMBOL_FOR_TEST(seed_judge);

/**
 * seed_judge_final() - whether asking an RTC again can be left for later
 * @verdict: what its answer was worth
 *
 * Return: true if so.
 */
bool seed_judge_final(enum seed_verdict verdict)
{
	return verdict != SEED_PENDING && verdict != SEED_ERROR;
}
EXPORT_SYMBOL_FOR_TEST(seed_judge_final);

static bool seed_is_better(const struct seed_candidate *a,
			   const struct seed_candidate *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank;

	return a->time > b->time;
}

/**
 * seed_choose() - choose among RTCs
 * @candidates: what they say
 * @n: how many there are
 * @awaited: the best rank of an RTC that may still come or answer
 *
 * Return: the index of the best one, or -1 for none or not yet.
 */
int seed_choose(const struct seed_candidate *candidates, unsigned int n,
		unsigned int awaited)
{
	unsigned int i;
	int best = -1;

	for (i = 0; i < n; i++) {
		if (candidates[i].verdict != SEED_GOOD)
			continue;
		if (best < 0 || seed_is_better(&candidates[i], &candidates[best]))
			best = i;
	}
	if (best >= 0 && candidates[best].rank > awaited)
		return -1;

	return best;
}
EXPORT_SYMBOL_FOR_TEST(seed_choose);

static bool seed_is_ours(const struct seed_situation *situation)
{
	switch (situation->owner) {
	case SEED_BY_NOBODY:
	case SEED_BY_US:
		return true;
	case SEED_BY_OTHERS:
		/* A saved time or a build time, until an RTC has answered. */
		return !situation->seeded;
	default:
		return false;
	}
}

/**
 * seed_decide() - decide what becomes of the clock
 * @situation: how things are
 * @chosen: the RTC to believe, or NULL
 *
 * Return: what to do.
 */
enum seed_action seed_decide(const struct seed_situation *situation,
			     const struct seed_candidate *chosen)
{
	const struct seed_window *window = &situation->window;
	bool impossible;

	if (!seed_is_ours(situation))
		return SEED_KEEP;

	/* What others have set is theirs, also where it looks odd. */
	impossible = situation->now > window->ceiling &&
		     situation->owner != SEED_BY_OTHERS;

	if (chosen && (impossible || chosen->time >= situation->now + SEED_AGREE))
		return SEED_TAKE;
	if (impossible || situation->now < window->floor)
		return SEED_RAISE;

	return SEED_KEEP;
}
EXPORT_SYMBOL_FOR_TEST(seed_decide);

/**
 * seed_judge_step() - say what a step of the clock is
 * @window: the plausible times
 * @owner: who had set the clock before
 * @before: the time that it would be without the step, in ns
 * @now: the time that it is, in ns
 * @setter: who has set the clock now
 *
 * Return: the kind of step.
 */
enum seed_step seed_judge_step(const struct seed_window *window,
			       enum seed_owner owner, s64 before, s64 now,
			       enum seed_setter setter)
{
	s64 step = now - before;
	time64_t sec = div_s64(now, NSEC_PER_SEC);

	if (step > -SEED_STEP_NOISE && step < SEED_STEP_NOISE)
		return SEED_STEP_NONE;

	if (setter == SEED_SET_BY_OTHERS)
		return step < 0 ? SEED_STEP_BACK : SEED_STEP_FORWARD;

	/* The RTC tells whole seconds: this much is no rewind. */
	if (step < 0 && step >= -SEED_AGREE * NSEC_PER_SEC &&
	    sec >= window->floor && owner < SEED_BY_ROOT)
		return SEED_STEP_KERNEL;
	if (step < 0 || sec > window->ceiling || owner >= SEED_BY_ROOT ||
	    setter == SEED_SET_BY_KERNEL_AMISS)
		return SEED_STEP_UNDO;

	return SEED_STEP_KERNEL;
}
EXPORT_SYMBOL_FOR_TEST(seed_judge_step);

/**
 * seed_is_slewed() - whether somebody makes the clock faster or slower
 * @slew: how far the clock has moved against the hardware that drives it, in ns
 * @elapsed: in what time, in ns
 *
 * Return: true if so.
 */
bool seed_is_slewed(s64 slew, s64 elapsed)
{
	if (slew < 0)
		slew = -slew;

	return slew > SEED_SLEW_NOISE + div_s64(elapsed, SEED_SLEW_PER_NS);
}
EXPORT_SYMBOL_FOR_TEST(seed_is_slewed);

/**
 * seed_tick_is_slewed() - whether somebody has made the clock faster or slower
 * @tick: its rate, as the timekeeper's ntp_tick: in ns per tick, shifted by 32
 *
 * Return: true if it is more than 0.03 ppm off what it is without anybody: where
 * HZ does not divide a second that is cut off after a change of the clocksource.
 */
bool seed_tick_is_slewed(u64 tick)
{
	const u64 exact = ((u64)NSEC_PER_SEC << 32) / HZ;
	const u64 cut = (u64)(NSEC_PER_SEC / HZ) << 32;

	return tick < cut - (cut >> 25) || tick > exact + (exact >> 25);
}
EXPORT_SYMBOL_FOR_TEST(seed_tick_is_slewed);

/**
 * seed_backoff() - when to ask an RTC again that has answered with an error
 * @tries: how often it has done so
 *
 * Return: the time to wait, in ms.
 */
unsigned int seed_backoff(unsigned int tries)
{
	if (tries > 10)
		return SEED_RETRY_LAST;

	return min(SEED_RETRY_FIRST << (tries ? tries - 1 : 0), SEED_RETRY_LAST);
}
EXPORT_SYMBOL_FOR_TEST(seed_backoff);
