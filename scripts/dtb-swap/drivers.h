/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices that overlays and carriers add, and what drives them, a row each, sorted by
 * compatible. A driver that is built in leaves no alias, so that only the option tells.
 */
#ifndef DRIVERS_H
#define DRIVERS_H

#include "kernel.h"

static const struct driver DRIVERS[] = {
	{ "abracon,abx80x",		"RTC_DRV_ABX80X",		"rtc-abx80x" },
	{ "balena,identify",		NULL,				"leds-identify" },
	{ "balena,rtc-seed",		NULL,				"rtc-seed" },
	{ "dallas,ds1307",		"RTC_DRV_DS1307",		"rtc-ds1307" },
	{ "dallas,ds1338",		"RTC_DRV_DS1307",		"rtc-ds1307" },
	{ "dallas,ds1339",		"RTC_DRV_DS1307",		"rtc-ds1307" },
	{ "dallas,ds1340",		"RTC_DRV_DS1307",		"rtc-ds1307" },
	{ "gpio-keys",			"KEYBOARD_GPIO",		"gpio_keys" },
	{ "gpio-leds",			"LEDS_GPIO",			"leds-gpio" },
	{ "isil,isl1208",		"RTC_DRV_ISL1208",		"rtc-isl1208" },
	{ "linux,wdt-gpio",		"GPIO_WATCHDOG",		"gpio_wdt" },
	{ "maxim,ds3231",		"RTC_DRV_DS1307",		"rtc-ds1307" },
	{ "microchip,mcp7941x",		"RTC_DRV_DS1307",		"rtc-ds1307" },
	{ "microcrystal,rv1805",	"RTC_DRV_ABX80X",		"rtc-abx80x" },
	{ "microcrystal,rv3028",	"RTC_DRV_RV3028",		"rtc-rv3028" },
	{ "microcrystal,rv8803",	"RTC_DRV_RV8803",		"rtc-rv8803" },
	{ "nxp,pcf85063a",		"RTC_DRV_PCF85063",		"rtc-pcf85063" },
	{ "nxp,pcf8523",		"RTC_DRV_PCF8523",		"rtc-pcf8523" },
	{ "nxp,pcf8563",		"RTC_DRV_PCF8563",		"rtc-pcf8563" },
	{ "regulator-fixed",		"REGULATOR_FIXED_VOLTAGE",	"fixed" },
	{ "rfkill-gpio",		"RFKILL_GPIO",			"rfkill-gpio" },
	{ "st,m41t00",			"RTC_DRV_DS1307",		"rtc-ds1307" },
	{ "st,m41t11",			"RTC_DRV_DS1307",		"rtc-ds1307" },
};

#endif
