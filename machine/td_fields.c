// SPDX-License-Identifier: GPL-2.0
/*
 * TD-scope metadata: the fields of TDG.VM.RD and TDG.VM.WR ([ABI] "metadata
 * abstraction", "TD-scope metadata").  The module is one with topology
 * enumeration, and with #VE reduction if it was asked for; fields of later
 * modules have incorrect identifiers, as they have there.
 */
#include "tdx.h"

/* A field identifier's parts; size, context, increment and write-mask bits do not select */
#define ID_CODE(id)		((id) & 0xffffff)
#define ID_CLASS(id)		((id) >> 56 & 0x3f)
#define ID_MUST_BE_ZERO		0x4083fffcff000000ull	/* reserved, last element, last field */

enum field_class {
	MANAGEMENT		= 0x10,
	EXECUTION		= 0x11,
	MEASUREMENT		= 0x13,
	MIGRATION		= 0x18,
	SERVICE			= 0x19,
};

enum field {
	FIELD_NUM_VCPUS		= 0x01,		/* MANAGEMENT */
	FIELD_ATTRIBUTES	= 0x00,		/* EXECUTION, from here on */
	FIELD_XFAM		= 0x01,
	FIELD_MAX_VCPUS		= 0x02,
	FIELD_GPAW		= 0x03,
	FIELD_TSC_FREQUENCY	= 0x0c,
	FIELD_NOTIFY_ENABLES	= 0x10,
	FIELD_CONFIG_FLAGS	= 0x16,
	FIELD_TD_CTLS		= 0x17,
	FIELD_TOPOLOGY_ENUM_CONFIGURED = 0x19,
};

#define LAST_FIELD		FIELD_TOPOLOGY_ENUM_CONFIGURED
#define NOTIFY_EPT_FAULTS	BIT_ULL(0)

/* What the module has for a guest and this machine has not: measurements, migration, service TDs */
static bool other_readable(u64 id)
{
	switch (ID_CLASS(id)) {
	case MANAGEMENT:
		return ID_CODE(id) == 0x05;		/* NUM_L2_VMS */
	case MEASUREMENT:
		return ID_CODE(id) < 0x58;
	case MIGRATION:
	case SERVICE:
		return true;
	default:
		return false;
	}
}

static u64 writable_controls(void)
{
	u64 mask = TD_CTLS_PENDING_VE_DISABLE | TD_CTLS_ENUM_TOPOLOGY;

	if (td.ve_reduction)
		mask |= TD_CTLS_VIRT_CPUID2 | TD_CTLS_REDUCE_VE | TD_CTLS_LOCK;
	return mask;
}

/* Status, value and the bits that the guest may write */
static u64 lookup(struct vcpu *v, u64 id, u64 *value, u64 *writable)
{
	*writable = 0;
	if (id & ID_MUST_BE_ZERO)
		return TDX_METADATA_FIELD_ID_INCORRECT;
	if (ID_CLASS(id) == MANAGEMENT && ID_CODE(id) == FIELD_NUM_VCPUS) {
		*value = config.vcpus;
		return TDX_SUCCESS;
	}
	if (other_readable(id))
		unmodelled(v, "TD-scope metadata field 0x%lx", id);
	if (ID_CLASS(id) != EXECUTION)
		return TDX_METADATA_FIELD_ID_INCORRECT;
	switch (ID_CODE(id)) {
	case FIELD_ATTRIBUTES:
		*value = td.attributes;
		break;
	case FIELD_XFAM:
		*value = td.xfam;
		break;
	case FIELD_MAX_VCPUS:
		*value = config.vcpus;
		break;
	case FIELD_GPAW:
		*value = !!(td.config_flags & TD_CONFIG_GPAW);
		break;
	case FIELD_TSC_FREQUENCY:
		*value = td_tsc_frequency();
		break;
	case FIELD_NOTIFY_ENABLES:
		*value = td.notify_enables;
		*writable = NOTIFY_EPT_FAULTS;
		break;
	case FIELD_CONFIG_FLAGS:
		*value = td.config_flags;
		break;
	case FIELD_TD_CTLS:
		*value = td.td_ctls;
		*writable = td.td_ctls & TD_CTLS_LOCK ? 0 : writable_controls();
		break;
	case FIELD_TOPOLOGY_ENUM_CONFIGURED:
		*value = td.topology_configured;
		break;
	default:
		return ID_CODE(id) <= LAST_FIELD ? TDX_METADATA_FIELD_NOT_READABLE :
						   TDX_METADATA_FIELD_ID_INCORRECT;
	}
	return TDX_SUCCESS;
}

u64 td_field_read(struct vcpu *v, u64 id, u64 *value)
{
	u64 writable;

	return lookup(v, id, value, &writable);
}

/* [ABI] TD_CTLS */
static bool write_controls(u64 value)
{
	if ((value ^ td.td_ctls) & TD_CTLS_PENDING_VE_DISABLE &&
	    !(td.config_flags & TD_CONFIG_FLEXIBLE_VE))
		return false;
	if (value & TD_CTLS_REDUCE_VE)
		value |= TD_CTLS_ENUM_TOPOLOGY | TD_CTLS_VIRT_CPUID2;
	if (value & TD_CTLS_ENUM_TOPOLOGY && !td.topology_configured)
		return false;
	td.td_ctls = value;
	return true;
}

u64 td_field_write(struct vcpu *v, u64 id, u64 value, u64 mask, u64 *old)
{
	u64 now, writable, status = lookup(v, id, &now, &writable);

	if (status == TDX_METADATA_FIELD_NOT_READABLE)
		return TDX_METADATA_FIELD_NOT_WRITABLE;
	if (status)
		return status;
	if (!(writable & mask))
		return TDX_METADATA_FIELD_NOT_WRITABLE;
	/* Bits that are asked to be written but cannot be must be what they are */
	if ((value ^ now) & mask & ~writable)
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	value = (now & ~(mask & writable)) | (value & mask & writable);
	if (ID_CODE(id) == FIELD_NOTIFY_ENABLES)
		td.notify_enables = value;
	else if (!write_controls(value))
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	*old = now;
	return TDX_SUCCESS;
}
