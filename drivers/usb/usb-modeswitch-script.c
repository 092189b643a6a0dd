// SPDX-License-Identifier: GPL-2.0-only
/*
 * USB mode switcher: the steps of a script
 *
 * Times and order are those of usb_modeswitch 2.6, with two differences: the
 * data that a command asks for is read, and a device that does not answer one
 * message gets the next one.
 */

#include "usb-modeswitch.h"

#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/usb.h>
#include <linux/usb/cdc.h>

#define UMS_MS_OUT		1000
#define UMS_MS_IN		3000
#define UMS_MS_CONTROL		1000
#define UMS_MS_VANISH		500	/* from a bus error to the disconnect */
#define UMS_MS_AT		1000
#define UMS_MS_DRAIN		50
#define UMS_DTR			BIT(0)
#define UMS_RTS			BIT(1)
#define UMS_MAX_DATA_READS	8

static bool ums_script_sleep(struct ums_wire *wire, unsigned int ms)
{
	return wait_for_completion_timeout(wire->gone, msecs_to_jiffies(ms));
}

/* Bus errors come first when a device vanishes; 0 if it is worth going on. */
static int ums_script_error(struct ums_wire *wire, u8 endpoint, int error)
{
	switch (error) {
	case -EPIPE:
		error = ums_wire_clear_halt(wire, endpoint);
		return ums_wire_is_dead(error) ? error : 0;
	case -EPROTO:
	case -EILSEQ:
	case -ETIME:
		return ums_script_sleep(wire, UMS_MS_VANISH) ? -ENODEV : 0;
	default:
		return error == -ENXIO || ums_wire_is_dead(error) ? error : 0;
	}
}

static size_t ums_script_packets(struct ums_wire *wire, u8 endpoint, size_t size)
{
	struct usb_host_endpoint *ep = wire->udev->ep_in[endpoint & USB_ENDPOINT_NUMBER_MASK];
	size_t packet = ep ? usb_endpoint_maxp(&ep->desc) : 0;

	if (!packet || packet > UMS_BUF_SIZE)
		return UMS_BUF_SIZE;
	size = min_t(size_t, size, UMS_BUF_SIZE);

	return min_t(size_t, roundup(size, packet), rounddown(UMS_BUF_SIZE, packet));
}

/* Data first, where the command asks for it; what looks like a status is one. */
static int ums_script_status(struct ums_wire *wire, u8 in, const u8 *cbw)
{
	u32 data = ums_cbw_data_in(cbw);
	bool retried = false;
	int reads, ret;

	for (reads = 0; reads < UMS_MAX_DATA_READS; reads++) {
		ret = ums_wire_transfer(wire, in, NULL,
					ums_script_packets(wire, in, data ?: UMS_CSW_SIZE),
					UMS_MS_IN);
		if (ret == -EOVERFLOW)
			continue;
		if (ret < 0) {
			if (ums_script_error(wire, in, ret))
				return ret;
			if (ret == -ETIMEDOUT || retried)
				return 0;
			retried = true;
			data = 0;
			continue;
		}
		if (ret == UMS_CSW_SIZE && ums_csw_judge(wire->buf, ret, cbw) !=
		    UMS_CSW_SIGNATURE)
			return 0;
		data -= min_t(u32, data, ret);
	}

	return 0;
}

static int ums_script_cbw(struct ums_wire *wire, const u8 *cbw)
{
	u8 out = ums_wire_endpoint(wire->intf, USB_DIR_OUT, USB_ENDPOINT_XFER_BULK);
	u8 in = ums_wire_endpoint(wire->intf, USB_DIR_IN, USB_ENDPOINT_XFER_BULK);
	int ret;

	if (!out || !in)
		return -ENXIO;

	ret = ums_wire_transfer(wire, out, cbw, UMS_CBW_SIZE, UMS_MS_OUT);
	if (ret < 0) {
		ret = ums_script_error(wire, out, ret);
		if (ret)
			return ret;
	}

	return ums_script_status(wire, in, cbw);
}

static int ums_script_raw(struct ums_wire *wire, u8 out, bool answered,
			  const struct ums_message *message)
{
	int ret;
	u8 in;

	if (!out)
		out = ums_wire_endpoint(wire->intf, USB_DIR_OUT, USB_ENDPOINT_XFER_BULK);
	ret = ums_wire_transfer(wire, out, message->data, message->size, UMS_MS_IN);
	if (ret < 0)
		return ums_script_error(wire, out, ret);
	in = ums_wire_endpoint(wire->intf, USB_DIR_IN, USB_ENDPOINT_XFER_BULK);
	if (!answered || !in)
		return 0;
	ret = ums_wire_transfer(wire, in, NULL,
				ums_script_packets(wire, in, message->size), UMS_MS_IN);

	return ums_wire_is_dead(ret) ? ret : 0;
}

static int ums_script_control(struct ums_wire *wire, const struct ums_control *c)
{
	u16 index = 0;
	int ret;

	if (c->interface)
		index = wire->intf->cur_altsetting->desc.bInterfaceNumber;
	if (c->data)
		memcpy(wire->buf, ums_messages[c->data - 1].data, c->length);
	ret = ums_wire_control(wire, c->type, c->request, c->value, index, c->length,
			       UMS_MS_CONTROL);

	/* Some switch and never say so; there is no halt of endpoint 0. */
	return ret >= 0 || ret == -EPIPE ? 0 : ums_script_error(wire, 0, ret);
}

static int ums_script_reports(struct ums_wire *wire, unsigned int n)
{
	u8 in = ums_wire_endpoint(wire->intf, USB_DIR_IN, USB_ENDPOINT_XFER_INT);
	int ret;

	while (n--) {
		ret = ums_wire_transfer(wire, in, NULL, 8, UMS_MS_CONTROL);
		if (ret < 0 && (ret == -ENXIO || ums_wire_is_dead(ret)))
			return ret;
	}

	return 0;
}

/* DTR and RTS, as cdc-acm sets them: some modems talk only to who is there. */
static int ums_script_line(struct ums_wire *wire, u16 state)
{
	int ret;

	ret = ums_wire_control(wire, USB_TYPE_CLASS | USB_RECIP_INTERFACE,
			       USB_CDC_REQ_SET_CONTROL_LINE_STATE, state,
			       wire->acm->cur_altsetting->desc.bInterfaceNumber, 0,
			       UMS_MS_CONTROL);

	return ret >= 0 || ret == -EPIPE ? 0 : ums_script_error(wire, 0, ret);
}

static int ums_script_at_read(struct ums_wire *wire, u8 in, unsigned int ms)
{
	int ret;

	ret = ums_wire_transfer(wire, in, NULL, ums_script_packets(wire, in, 64), ms);
	if (ret < 0 && ret != -ETIMEDOUT)
		ret = ums_script_error(wire, in, ret);
	if (ret)
		return ret;

	/* Nothing at once, again and again, must not keep the bus busy. */
	return ums_script_sleep(wire, UMS_MS_DRAIN) ? -ENODEV : 0;
}

/* What came late must not be taken for the answer to what comes next. */
static int ums_script_at_drain(struct ums_wire *wire, u8 in)
{
	int reads, ret = 1;

	for (reads = 0; ret > 0 && reads < UMS_MAX_DATA_READS; reads++)
		ret = ums_script_at_read(wire, in, UMS_MS_DRAIN);

	return ret < 0 && ret != -ETIMEDOUT ? ret : 0;
}

/* Keeps the end of both, which may be split anywhere; returns how much that is. */
static size_t ums_script_append(char *text, size_t have, size_t most, const u8 *more, size_t size)
{
	size_t keep;

	if (size > most) {
		more += size - most;
		size = most;
	}
	keep = min(have, most - size);
	memmove(text, text + have - keep, keep);
	memcpy(text + keep, more, size);

	return keep + size;
}

/* Returns 0 for OK, -EIO for ERROR, -ETIMEDOUT for neither. */
static int ums_script_at_answer(struct ums_wire *wire, u8 in, unsigned long end)
{
	char answer[65] = "";
	size_t have = 0;
	int ret;

	while (time_before(jiffies, end)) {
		ret = ums_script_at_read(wire, in, UMS_MS_AT);
		if (ret < 0 && ret != -ETIMEDOUT)
			return ret;
		if (ret <= 0)
			continue;
		have = ums_script_append(answer, have, sizeof(answer) - 1, wire->buf, ret);
		answer[have] = '\0';
		if (strstr(answer, "OK\r"))
			return 0;
		if (strstr(answer, "ERROR"))
			return -EIO;
	}

	return -ETIMEDOUT;
}

static int ums_script_at_once(struct ums_wire *wire, const struct ums_message *command,
			      unsigned long end)
{
	u8 out = ums_wire_endpoint(wire->intf, USB_DIR_OUT, USB_ENDPOINT_XFER_BULK);
	u8 in = ums_wire_endpoint(wire->intf, USB_DIR_IN, USB_ENDPOINT_XFER_BULK);
	int ret;

	ret = ums_script_at_drain(wire, in);
	if (ret)
		return ret;
	ret = ums_wire_transfer(wire, out, command->data, command->size, UMS_MS_AT);
	if (ret < 0) {
		ret = ums_script_error(wire, out, ret);
		return ret ?: -ETIMEDOUT;
	}

	return ums_script_at_answer(wire, in, end);
}

/* A modem that has just been plugged in needs tens of seconds until it answers. */
static int ums_script_at_first(struct ums_wire *wire, const struct ums_message *command)
{
	int ret = ums_script_line(wire, UMS_DTR | UMS_RTS);
	unsigned long end;

	while (!ret && time_before(jiffies, wire->end)) {
		/* Nothing is transferred after the script's own: what waited longer would spin. */
		end = jiffies + msecs_to_jiffies(UMS_MS_AT);
		if (time_after(end, wire->end))
			end = wire->end;
		ret = ums_script_at_once(wire, command, end);
		if (ret != -ETIMEDOUT && ret != -EIO)
			return ret;
		ret = ums_script_sleep(wire, UMS_MS_AT) ? -ENODEV : 0;
	}

	return ret ?: -ETIMEDOUT;
}

/* What sets something is sent once, however long it takes. */
static int ums_script_at(struct ums_wire *wire, const struct ums_message *command, bool first)
{
	int ret;

	ret = first ? ums_script_at_first(wire, command) :
		      ums_script_at_once(wire, command, wire->end);
	if (!ret)
		return 0;
	if (!ums_wire_is_dead(ret)) {
		wire->end = jiffies + HZ;
		ums_script_line(wire, 0);
	}

	return ret;
}

static int ums_script_config(struct ums_wire *wire, u8 number)
{
	struct usb_device *udev = wire->udev;
	int ret;
	u8 old = 0;

	usb_lock_device(udev);
	ret = udev->state == USB_STATE_NOTATTACHED ? -ENODEV : -ENOMEDIUM;
	if (udev->actconfig)
		old = udev->actconfig->desc.bConfigurationValue;
	/* Choosing one takes all interfaces away. */
	if (ums_is_asleep(udev))
		ret = -EAGAIN;
	else if (ums_is_in_use(udev))
		ret = -EBUSY;
	else if (udev->state >= USB_STATE_ADDRESS && udev->authorized &&
		 !completion_done(wire->gone))
		ret = usb_set_configuration(udev, number);
	if (!ret && (!udev->actconfig ||
		     udev->actconfig->desc.bConfigurationValue != number))
		ret = -EIO;
	/* Without a configuration nobody could use it at all. */
	if (ret && ret != -ENODEV && old && udev->state == USB_STATE_ADDRESS &&
	    usb_set_configuration(udev, old))
		dev_warn(&udev->dev, "configuration %u is lost\n", old);
	usb_unlock_device(udev);

	return ret;
}

static int ums_script_step(struct ums_wire *wire, const struct ums_step *step,
			   const struct ums_plan *plan)
{
	struct ums_control pantech = { .type = USB_TYPE_VENDOR, .request = 0x70,
				       .value = plan->arg };

	switch (step->action) {
	case UMS_CBW:
		return ums_script_cbw(wire, ums_messages[step->arg].data);
	case UMS_RAW:
		return ums_script_raw(wire, 0, true, &ums_messages[step->arg]);
	case UMS_RAW_EP1:
		return ums_script_raw(wire, 1, false, &ums_messages[step->arg]);
	case UMS_RAW_EP2:
		return ums_script_raw(wire, 2, true, &ums_messages[step->arg]);
	case UMS_CONTROL:
		return ums_script_control(wire, &ums_controls[step->arg]);
	case UMS_PANTECH:
		return ums_script_control(wire, &pantech);
	case UMS_HID_OUT:
		return ums_script_raw(wire, 2, false, &ums_messages[step->arg]);
	case UMS_HID_IN:
		return ums_script_reports(wire, step->arg);
	case UMS_AT:
		return ums_script_at(wire, &ums_messages[step->arg],
				     step == &ums_steps[ums_scripts[plan->script].first]);
	case UMS_SLEEP:
		return ums_script_sleep(wire, step->arg * 1000) ? -ENODEV : 0;
	case UMS_CONFIG:
	case UMS_MBIM:
		return ums_script_config(wire, plan->arg);
	default:
		return -EINVAL;
	}
}

/* As usb_modeswitch does after its last message. */
static void ums_script_clear_halts(struct ums_wire *wire, u8 action)
{
	u8 out = ums_wire_endpoint(wire->intf, USB_DIR_OUT, USB_ENDPOINT_XFER_BULK);
	u8 in = ums_wire_endpoint(wire->intf, USB_DIR_IN, USB_ENDPOINT_XFER_BULK);

	if (action == UMS_RAW_EP1)
		in = 1;
	if (in && out && !ums_wire_clear_halt(wire, in))
		ums_wire_clear_halt(wire, out);
}

static bool ums_script_is_bulk(u8 action)
{
	return action == UMS_CBW || action == UMS_RAW || action == UMS_RAW_EP1 ||
	       action == UMS_RAW_EP2;
}

/**
 * ums_script_run() - do what a plan says
 * @wire: the device, not locked
 * @plan: the plan
 *
 * Return: 0 or a negative error code.
 */
int ums_script_run(struct ums_wire *wire, const struct ums_plan *plan)
{
	const struct ums_script *script = &ums_scripts[plan->script];
	const struct ums_step *step = &ums_steps[script->first];
	unsigned int i;
	int ret = 0;

	for (i = 0; i < plan->nr_own && !ret; i++)
		ret = ums_script_cbw(wire, plan->own[i]);
	for (i = 0; i < script->count && !ret; i++)
		ret = ums_script_step(wire, &step[i], plan);
	if (!ret && plan->nr_own)
		ums_script_clear_halts(wire, UMS_CBW);
	else if (!ret && script->count && ums_script_is_bulk(step[0].action))
		ums_script_clear_halts(wire, step[0].action);

	return ret;
}

static int ums_script_inquire(struct ums_wire *wire, struct ums_facts *facts)
{
	static const u8 cbw[UMS_CBW_SIZE] = {
		'U', 'S', 'B', 'C', 1, 0, 0, 0, 36, 0, 0, 0, USB_DIR_IN, 0, 6,
		0x12, 0, 0, 0, 36,
	};
	u8 out = ums_wire_endpoint(wire->intf, USB_DIR_OUT, USB_ENDPOINT_XFER_BULK);
	u8 in = ums_wire_endpoint(wire->intf, USB_DIR_IN, USB_ENDPOINT_XFER_BULK);
	int ret;

	ret = ums_wire_transfer(wire, out, cbw, sizeof(cbw), UMS_MS_OUT);
	if (ret < 0)
		return ret;
	ret = ums_wire_transfer(wire, in, NULL, ums_script_packets(wire, in, 36),
				UMS_MS_IN);
	if (ret < 0)
		return ret;
	if (ret >= 32) {
		memcpy(facts->scsi_vendor, wire->buf + 8, UMS_SCSI_VENDOR_SIZE);
		memcpy(facts->scsi_model, wire->buf + 16, UMS_SCSI_MODEL_SIZE);
	}
	facts->scsi_known = true;
	ret = ums_wire_transfer(wire, in, NULL,
				ums_script_packets(wire, in, UMS_CSW_SIZE), UMS_MS_IN);

	return ums_wire_is_dead(ret) ? ret : 0;
}

/**
 * ums_script_ask() - have the strings of a storage device decide
 * @wire: the device, not locked
 * @facts: what is known of it; gets the strings
 * @plan: gets what is to be done with it
 *
 * Return: 0, -ENOMEDIUM if it is no modem, or another negative error code.
 */
int ums_script_ask(struct ums_wire *wire, struct ums_facts *facts, struct ums_plan *plan)
{
	enum ums_verdict verdict;
	int ret;

	ret = ums_script_inquire(wire, facts);
	if (ret)
		return ret;
	mutex_lock(&ums_lock);
	verdict = ums_decide(facts, &ums_settings, ums_state.mbim, plan);
	mutex_unlock(&ums_lock);

	/* An override that is new may want what was not taken over. */
	return verdict == UMS_SWITCH && ums_scripts[plan->script].gate != UMS_GATE_MODEM ?
	       0 : -ENOMEDIUM;
}
