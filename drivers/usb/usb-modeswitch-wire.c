// SPDX-License-Identifier: GPL-2.0-only
/*
 * USB mode switcher: transfers that can be cancelled
 *
 * Each has a time limit, and all of a device end at once when its anchor is
 * poisoned: when it is unplugged, suspended or let go.
 */

#include "usb-modeswitch.h"

#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/usb.h>

struct ums_transfer {
	struct completion done;
	int status;
};

static void ums_wire_done(struct urb *urb)
{
	struct ums_transfer *transfer = urb->context;

	transfer->status = urb->status;
	complete(&transfer->done);
}

static unsigned long ums_wire_limit(const struct ums_wire *wire, unsigned int ms)
{
	unsigned long now = jiffies;

	if (time_after_eq(now, wire->end))
		return 0;

	return min(msecs_to_jiffies(ms), wire->end - now);
}

/* Returns what was transferred or a negative error code. */
static int ums_wire_submit(struct ums_wire *wire, struct urb *urb, unsigned int ms)
{
	unsigned long limit = ums_wire_limit(wire, ms);
	struct ums_transfer transfer;
	bool late;
	int ret;

	if (!limit)
		return -ETIMEDOUT;

	init_completion(&transfer.done);
	urb->context = &transfer;
	usb_anchor_urb(urb, wire->urbs);
	ret = usb_submit_urb(urb, GFP_NOIO);
	if (ret) {
		usb_unanchor_urb(urb);
		return ret;
	}
	late = !wait_for_completion_timeout(&transfer.done, limit);
	/* Also what is complete is in the core's hands, and so is the anchor. */
	usb_kill_urb(urb);
	if (late && transfer.status == -ENOENT)
		transfer.status = -ETIMEDOUT;

	return transfer.status ? transfer.status : (int)urb->actual_length;
}

/**
 * ums_wire_is_dead() - tell whether an error is that of a device that is gone
 * @error: negative error code
 *
 * Return: true if no transfer can follow.
 */
bool ums_wire_is_dead(int error)
{
	switch (error) {
	case -ENODEV:
	case -ESHUTDOWN:
	case -ENOENT:		/* killed or poisoned */
	case -ECONNRESET:
	case -EPERM:
	case -EHOSTUNREACH:
		return true;
	default:
		return false;
	}
}

/**
 * ums_wire_control() - make a control request
 * @wire: the device; its buffer holds the data
 * @type: bmRequestType
 * @request: bRequest
 * @value: wValue
 * @index: wIndex
 * @length: wLength, up to UMS_BUF_SIZE
 * @ms: time limit
 *
 * Return: how many bytes were transferred, or a negative error code.
 */
int ums_wire_control(struct ums_wire *wire, u8 type, u8 request, u16 value,
		     u16 index, u16 length, unsigned int ms)
{
	unsigned int pipe = type & USB_DIR_IN && length ?
			    usb_rcvctrlpipe(wire->udev, 0) :
			    usb_sndctrlpipe(wire->udev, 0);
	struct usb_ctrlrequest *setup;
	struct urb *urb;
	int ret = -ENOMEM;

	setup = kmalloc(sizeof(*setup), GFP_NOIO);
	urb = usb_alloc_urb(0, GFP_NOIO);
	if (!setup || !urb)
		goto free;

	setup->bRequestType = type;
	setup->bRequest = request;
	setup->wValue = cpu_to_le16(value);
	setup->wIndex = cpu_to_le16(index);
	setup->wLength = cpu_to_le16(length);
	usb_fill_control_urb(urb, wire->udev, pipe, (u8 *)setup, wire->buf,
			     length, ums_wire_done, NULL);
	ret = ums_wire_submit(wire, urb, ms);
free:
	usb_free_urb(urb);
	kfree(setup);
	return ret;
}

/**
 * ums_wire_transfer() - make a bulk or interrupt transfer
 * @wire: the device; its buffer gets the data
 * @endpoint: address of the endpoint
 * @data: what to send, NULL to receive
 * @size: how much, up to UMS_BUF_SIZE
 * @ms: time limit
 *
 * Return: how many bytes were transferred, or a negative error code.
 */
int ums_wire_transfer(struct ums_wire *wire, u8 endpoint, const void *data,
		      size_t size, unsigned int ms)
{
	struct usb_device *udev = wire->udev;
	struct usb_host_endpoint *ep;
	unsigned int number = endpoint & USB_ENDPOINT_NUMBER_MASK;
	struct urb *urb;
	int ret;

	ep = endpoint & USB_DIR_IN ? udev->ep_in[number] : udev->ep_out[number];
	if (!ep)
		return -ENXIO;
	urb = usb_alloc_urb(0, GFP_NOIO);
	if (!urb)
		return -ENOMEM;

	if (data)
		memcpy(wire->buf, data, size);
	if (usb_endpoint_xfer_int(&ep->desc))
		usb_fill_int_urb(urb, udev, data ? usb_sndintpipe(udev, number) :
				 usb_rcvintpipe(udev, number), wire->buf, size,
				 ums_wire_done, NULL, ep->desc.bInterval);
	else
		usb_fill_bulk_urb(urb, udev, data ? usb_sndbulkpipe(udev, number) :
				  usb_rcvbulkpipe(udev, number), wire->buf, size,
				  ums_wire_done, NULL);
	ret = usb_endpoint_xfer_int(&ep->desc) || usb_endpoint_xfer_bulk(&ep->desc) ?
	      ums_wire_submit(wire, urb, ms) : -ENXIO;
	usb_free_urb(urb);

	return ret;
}

/**
 * ums_wire_clear_halt() - let an endpoint go on after a stall
 * @wire: the device
 * @endpoint: address of the endpoint
 *
 * usb_clear_halt() does the same, but cannot be cancelled.
 *
 * Return: 0 or a negative error code.
 */
int ums_wire_clear_halt(struct ums_wire *wire, u8 endpoint)
{
	int ret;

	ret = ums_wire_control(wire, USB_RECIP_ENDPOINT, USB_REQ_CLEAR_FEATURE,
			       USB_ENDPOINT_HALT, endpoint, 0, 1000);
	if (ret < 0)
		return ret;

	/* The host controller may have let go of it as soon as the lock is free. */
	usb_lock_device(wire->udev);
	if (completion_done(wire->gone) || wire->udev->state == USB_STATE_NOTATTACHED)
		ret = -ENODEV;
	else
		usb_reset_endpoint(wire->udev, endpoint);
	usb_unlock_device(wire->udev);

	return ret;
}

/**
 * ums_wire_endpoint() - find the first endpoint of a kind
 * @intf: interface
 * @direction: USB_DIR_IN or USB_DIR_OUT
 * @type: USB_ENDPOINT_XFER_*
 *
 * Return: its address, or 0 if there is none.
 */
u8 ums_wire_endpoint(struct usb_interface *intf, u8 direction, u8 type)
{
	struct usb_host_interface *alt = intf->cur_altsetting;
	unsigned int i;

	for (i = 0; i < alt->desc.bNumEndpoints; i++) {
		struct usb_endpoint_descriptor *ep = &alt->endpoint[i].desc;

		if (usb_endpoint_type(ep) == type &&
		    (ep->bEndpointAddress & USB_DIR_IN) == direction)
			return ep->bEndpointAddress;
	}

	return 0;
}
