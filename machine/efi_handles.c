// SPDX-License-Identifier: GPL-2.0
/*
 * Handles and the protocols that are installed on them, by the firmware and by the programs
 * that it started: a boot loader, such as the stub of a unified kernel image, brings files to
 * the kernel's stub in this way.  Nobody is told of changes, and nobody's use of a protocol
 * is tracked: one program runs at a time, and none is a driver.
 *
 * Section numbers are those of the UEFI specification 2.10.
 */
#include "core.h"
#include "efi_services.h"

#define MAX_INSTALLED	64

/* 7.3.6, EFI_LOCATE_SEARCH_TYPE */
enum { ALL_HANDLES, BY_REGISTER_NOTIFY, BY_PROTOCOL };

#define LONGEST_PATH	1024

static struct installed {
	u64 handle;			/* 0: free */
	struct efi_guid guid;
	u64 interface;
} installed[MAX_INSTALLED];

static u64 last_handle;

/* handle 0: any */
static struct installed *find(u64 handle, const struct efi_guid *guid)
{
	u32 i;

	for (i = 0; i < MAX_INSTALLED; i++) {
		struct installed *p = &installed[i];

		if (p->handle && (!handle || p->handle == handle) && efi_same_guid(&p->guid, guid))
			return p;
	}
	return NULL;
}

static bool is_handle(u64 handle)
{
	u32 i;

	for (i = 0; i < MAX_INSTALLED; i++)
		if (handle && installed[i].handle == handle)
			return true;
	return false;
}

u64 efi_install(u64 *handle, const struct efi_guid *guid, u64 interface)
{
	u32 i;

	if (*handle && (!is_handle(*handle) || find(*handle, guid)))
		return EFI_INVALID_PARAMETER;
	for (i = 0; i < MAX_INSTALLED; i++)
		if (!installed[i].handle)
			break;
	if (i == MAX_INSTALLED)
		return EFI_OUT_OF_RESOURCES;
	if (!*handle)
		*handle = ++last_handle;
	installed[i] = (struct installed) { *handle, *guid, interface };
	return EFI_SUCCESS;
}

u64 efi_uninstall(u64 handle, const struct efi_guid *guid, u64 interface)
{
	struct installed *p = find(handle, guid);

	if (!p || !handle || p->interface != interface)
		return EFI_NOT_FOUND;
	p->handle = 0;
	return EFI_SUCCESS;
}

/* ---- 7.3.2, 7.3.3, 7.3.17, 7.3.18 ---- */

u64 efi_install_protocol(struct vcpu *v)
{
	struct efi_guid guid = efi_guid_arg(v, 1);
	u64 handle = efi_pointed(v, 0);

	return efi_install(&handle, &guid, efi_arg(v, 3)) ?: efi_give(v, 0, handle);
}

u64 efi_uninstall_protocol(struct vcpu *v)
{
	struct efi_guid guid = efi_guid_arg(v, 1);

	return efi_uninstall(efi_arg(v, 0), &guid, efi_arg(v, 2));
}

/* Pairs of GUID and interface follow the handle, up to a null pointer: all of them or none */
u64 efi_install_protocols(struct vcpu *v)
{
	u64 handle = efi_pointed(v, 0), status = EFI_SUCCESS;
	u32 n, undo;

	for (n = 1; efi_arg(v, n) && !status; n += 2) {
		struct efi_guid guid = efi_guid_arg(v, n);

		status = efi_install(&handle, &guid, efi_arg(v, n + 1));
	}
	if (!status)
		return efi_give(v, 0, handle);
	for (undo = 1; undo + 2 < n; undo += 2) {
		struct efi_guid guid = efi_guid_arg(v, undo);

		efi_uninstall(handle, &guid, efi_arg(v, undo + 1));
	}
	return status;
}

u64 efi_uninstall_protocols(struct vcpu *v)
{
	struct efi_guid guid;
	u32 n;

	for (n = 1; efi_arg(v, n); n += 2) {
		const struct installed *p;

		guid = efi_guid_arg(v, n);
		p = find(efi_arg(v, 0), &guid);
		if (!p || p->interface != efi_arg(v, n + 1))
			return EFI_INVALID_PARAMETER;
	}
	for (n = 1; efi_arg(v, n); n += 2) {
		guid = efi_guid_arg(v, n);
		efi_uninstall(efi_arg(v, 0), &guid, efi_arg(v, n + 1));
	}
	return EFI_SUCCESS;
}

/* ---- finding them (7.3) ---- */

/* HandleProtocol(), and OpenProtocol(), whose other arguments say who uses it, and how */
u64 efi_handle_protocol(struct vcpu *v)
{
	struct efi_guid guid = efi_guid_arg(v, 1);
	u64 handle = efi_arg(v, 0);
	const struct installed *p;

	if (!is_handle(handle))
		return EFI_INVALID_PARAMETER;
	p = find(handle, &guid);
	return p ? efi_give(v, 2, p->interface) : EFI_UNSUPPORTED;
}

u64 efi_locate_protocol(struct vcpu *v)
{
	struct efi_guid guid = efi_guid_arg(v, 0);
	const struct installed *p = find(0, &guid);

	return efi_give(v, 2, p ? p->interface : 0) ?: p ? EFI_SUCCESS : EFI_NOT_FOUND;
}

/* Those that have a protocol; how many */
static u32 handles_with(const struct efi_guid *guid, u64 *handles)
{
	u32 i, n = 0;

	for (i = 0; i < MAX_INSTALLED; i++)
		if (installed[i].handle && efi_same_guid(&installed[i].guid, guid))
			handles[n++] = installed[i].handle;
	return n;
}

u64 efi_locate_handle(struct vcpu *v, bool allocate)
{
	struct efi_guid guid = efi_guid_arg(v, 1);
	u64 handles[MAX_INSTALLED], room = efi_pointed(v, 3), size, buffer;
	u32 n = handles_with(&guid, handles);

	if ((u32)efi_arg(v, 0) != BY_PROTOCOL)
		unmodelled(v, "EFI boot service: handles, but by protocol");
	if (!n)
		return EFI_NOT_FOUND;
	size = n * sizeof(handles[0]);
	if (efi_give(v, 3, allocate ? n : size))
		return EFI_INVALID_PARAMETER;
	if (allocate) {
		buffer = efi_pool(v, size, EFI_BOOT_SERVICES_DATA);
		if (!buffer)
			return EFI_OUT_OF_RESOURCES;
		guest_write(v, buffer, handles, size);
		return efi_give(v, 4, buffer);
	}
	if (room < size)
		return EFI_BUFFER_TOO_SMALL;
	return guest_write(v, efi_arg(v, 4), handles, size) ? EFI_INVALID_PARAMETER : EFI_SUCCESS;
}

/* Bytes before the end of the path at va; -1: it has none */
static int path_length(struct vcpu *v, u64 va)
{
	struct path_node node = { 0 };
	u32 length = 0;

	while (length < LONGEST_PATH && !guest_read(v, va + length, &node, sizeof(node))) {
		if (node.type == PATH_END)
			return length;
		if (node.length < sizeof(node))
			return -1;
		length += node.length;
	}
	return -1;
}

/* 7.3.8: the handle with the protocol whose device path is the longest begin of this one */
u64 efi_locate_device_path(struct vcpu *v)
{
	struct efi_guid guid = efi_guid_arg(v, 0);
	u64 path = efi_pointed(v, 1), handles[MAX_INSTALLED], best = 0;
	u8 given[LONGEST_PATH], own[LONGEST_PATH];
	int length = path_length(v, path), longest = -1;
	u32 n = handles_with(&guid, handles), i;

	if (length < 0 || guest_read(v, path, given, length))
		return EFI_INVALID_PARAMETER;
	for (i = 0; i < n; i++) {
		const struct installed *p = find(handles[i], &efi_guid_device_path);
		int own_length = p ? path_length(v, p->interface) : -1;

		if (own_length <= longest || own_length > length ||
		    guest_read(v, p->interface, own, own_length) || memcmp(given, own, own_length))
			continue;
		longest = own_length;
		best = handles[i];
	}
	if (!best)
		return EFI_NOT_FOUND;
	return efi_give(v, 1, path + longest) ?: efi_give(v, 2, best);
}
