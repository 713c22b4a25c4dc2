// SPDX-License-Identifier: GPL-2.0
/*
 * The services of EFI firmware.  The code that a guest calls is a machine call and a
 * return; the machine does the work, on the guest's memory through the guest's tables.
 * So it does not matter where services are mapped, nor whether memory is encrypted.
 *
 * While the firmware's interrupt table is in use, #VC and #VE are the firmware's to
 * handle: it has the exit done by the host, and goes on.  The machine does that at once,
 * without exception.  MMIO is left out: a kernel's stub does none.
 *
 * A runtime service runs with the kernel's interrupt table.  Where there is a GHCB it
 * does as OVMF's services for variables do there: they use it, at the physical address in
 * its MSR, without an instruction that raises #VC.  Other firmware leaves that to the
 * kernel's handler:
 *
 *	efi_runtime=port	option of the machine's command line: they read a port first
 *
 * Section numbers are those of the UEFI specification 2.10.
 */
#include "core.h"
#include "efi_services.h"
#include "sev.h"

/* What follows the magic number in RAX */
#define EFI_CALL_BOOT		0x10000u
#define EFI_CALL_RUNTIME	0x10100u
#define EFI_CALL_PROTOCOL	0x10200u

#define BOOT_SERVICES_SIGNATURE	0x56524553544f4f42ull	/* 4.4.1 */

/* Their order in the table: 4.4.1 */
enum boot_service {
	RAISE_TPL		= 0,
	RESTORE_TPL		= 1,
	ALLOCATE_PAGES		= 2,
	FREE_PAGES		= 3,
	GET_MEMORY_MAP		= 4,
	ALLOCATE_POOL		= 5,
	FREE_POOL		= 6,
	INSTALL_PROTOCOL	= 13,
	UNINSTALL_PROTOCOL	= 15,
	HANDLE_PROTOCOL		= 16,
	LOCATE_HANDLE		= 19,
	LOCATE_DEVICE_PATH	= 20,
	INSTALL_TABLE		= 21,
	LOAD_IMAGE		= 22,
	START_IMAGE		= 23,
	EXIT			= 24,
	UNLOAD_IMAGE		= 25,
	EXIT_BOOT_SERVICES	= 26,
	SET_WATCHDOG_TIMER	= 29,
	OPEN_PROTOCOL		= 32,
	CLOSE_PROTOCOL		= 33,
	LOCATE_HANDLE_BUFFER	= 36,
	LOCATE_PROTOCOL		= 37,
	INSTALL_PROTOCOLS	= 38,
	UNINSTALL_PROTOCOLS	= 39,
	COPY_MEM		= 41,
	SET_MEM			= 42,
	BOOT_SERVICES		= 44,
};

/* 4.5.1 */
enum runtime_service {
	SET_VIRTUAL_ADDRESS_MAP	= 4,
	GET_VARIABLE		= 6,
	GET_NEXT_VARIABLE_NAME	= 7,
};

/* 7.2.1: how AllocatePages() is told where */
enum { ANY_PAGES, MAX_ADDRESS, AT_ADDRESS };

#define PAGE_FAULT_WRITE	2
#define TPL_APPLICATION		4	/* 7.1 */
#define SERVICE_CODE		16	/* bytes of the code of one */

/* Page-wise, so that a pool is found by its address */
struct pool {
	u64 magic, pages;
} __packed;

#define POOL_MAGIC		0x6c6f6f7020696665ull

/* A page, EfiBootServicesData */
struct boot_page {
	struct efi_table_header header;
	u64 service[BOOT_SERVICES];
} __packed;

static struct {
	u64 idt;		/* 0: no boot services, ever */
	bool over;
} firmware;

/* ---- the code that guests call ---- */

/* Instructions that some code begins with */
enum prefix { NOTHING, READ_PORT, KEEP_RAX };

static u64 put_code(u64 gpa, u32 nr, enum prefix prefix)
{
	static const u8 prefixes[][2] = {
		[READ_PORT]	= { 0xe4, 0x80 },			/* in $0x80, %al */
		[KEEP_RAX]	= { 0x48, 0x91 },			/* xchg %rax, %rcx */
	};
	static const u8 call_return[] = { 0x0f, 0x01, 0xd9, 0xc3 };	/* vmmcall; ret */
	u64 rax = COCO_CALL(nr);
	u8 *p = ram_ptr(gpa, PRIVATE);

	if (prefix != NOTHING) {
		memcpy(p, prefixes[prefix], sizeof(prefixes[prefix]));
		p += sizeof(prefixes[prefix]);
	}
	*p++ = 0x48;							/* mov $rax, %rax */
	*p++ = 0xb8;
	memcpy(p, &rax, sizeof(rax));
	memcpy(p + sizeof(rax), call_return, sizeof(call_return));
	return gpa;
}

static enum prefix runtime_prefix(void)
{
	char what[8];

	if (!option("efi_runtime", what, sizeof(what)))
		return NOTHING;
	if (strcmp(what, "port"))
		internal_error("option efi_runtime: port");
	return READ_PORT;
}

void efi_services_runtime(u64 code_gpa, u64 *service, u32 count)
{
	static const u8 succeed[] = { 0x31, 0xc0, 0xc3 };		/* xor %eax, %eax; ret */
	static const u8 unsupported[] = {
		0x48, 0xb8, 0x03, 0, 0, 0, 0, 0, 0, 0x80, 0xc3,	/* mov $EFI_UNSUPPORTED, %rax; ret */
	};
	enum prefix prefix = runtime_prefix();
	u32 i;

	for (i = 0; i < count; i++) {
		service[i] = code_gpa + i * SERVICE_CODE;
		if (i == SET_VIRTUAL_ADDRESS_MAP)
			memcpy(ram_ptr(service[i], PRIVATE), succeed, sizeof(succeed));
		else if (i == GET_VARIABLE || i == GET_NEXT_VARIABLE_NAME)
			put_code(service[i], EFI_CALL_RUNTIME + i, prefix);
		else
			memcpy(ram_ptr(service[i], PRIVATE), unsupported, sizeof(unsupported));
	}
}

struct efi_boot_services efi_services_boot(u64 systab, const struct efi_program *program,
					   const char *cmdline)
{
	u64 code, page_gpa, call[PROTOCOL_CALLS];
	struct boot_page *page;
	u32 i;

	firmware.idt = efi_take(1);
	code = efi_take(1);
	page_gpa = efi_take(1);
	page = ram_ptr(page_gpa, PRIVATE);
	for (i = 0; i < BOOT_SERVICES; i++)
		page->service[i] = put_code(code + i * SERVICE_CODE, EFI_CALL_BOOT + i, NOTHING);
	for (i = 0; i < PROTOCOL_CALLS; i++)
		call[i] = put_code(code + (BOOT_SERVICES + i) * SERVICE_CODE, EFI_CALL_PROTOCOL + i,
				   i == IMAGE_RETURN ? KEEP_RAX : NOTHING);
	efi_seal(&page->header, BOOT_SERVICES_SIGNATURE, sizeof(*page));
	efi_protocols_init(call);
	return (struct efi_boot_services) {
		.services = page_gpa,
		.console = efi_console(),
		.image = efi_first_image(program, systab, call[IMAGE_RETURN], cmdline),
		.exit = call[IMAGE_RETURN],
		.idt = firmware.idt,
	};
}

bool efi_firmware_runs(const struct vcpu *v)
{
	return firmware.idt && v->vmcb.save.idtr.base == firmware.idt;
}

/* ---- memory (7.2) ---- */

/* 7.2.1, 7.2.4: not free memory, nor a type that firmware or a loader has not defined */
static bool may_be_given(u32 type)
{
	return (type < EFI_PERSISTENT && type != EFI_CONVENTIONAL) || type >= EFI_OEM_TYPES;
}

static u64 allocate_pages(struct vcpu *v)
{
	u64 how = efi_arg(v, 0), pages = efi_arg(v, 2), gpa = efi_pointed(v, 3);
	u32 type = efi_arg(v, 1);

	if (!efi_arg(v, 3) || !may_be_given(type))
		return EFI_INVALID_PARAMETER;
	switch ((u32)how) {
	case ANY_PAGES:
		gpa = efi_allocate(pages, type, config.ram);
		break;
	case MAX_ADDRESS:
		gpa = efi_allocate(pages, type, gpa < config.ram ? gpa + 1 : config.ram);
		break;
	case AT_ADDRESS:
		if (gpa & ~PAGE_MASK || !pages || pages > config.ram / PAGE_SIZE ||
		    efi_map_type(gpa, gpa + pages * PAGE_SIZE) != EFI_CONVENTIONAL)
			return EFI_NOT_FOUND;
		if (!efi_map_has_room(GIVE_AND_TAKE_BACK))
			return EFI_OUT_OF_RESOURCES;
		efi_set_type(gpa, gpa + pages * PAGE_SIZE, type);
		return EFI_SUCCESS;
	default:
		return EFI_INVALID_PARAMETER;
	}
	if (!gpa)
		return EFI_OUT_OF_RESOURCES;
	return efi_give(v, 3, gpa);
}

static u64 free_range(u64 gpa, u64 pages)
{
	int type = efi_map_type(gpa, gpa + pages * PAGE_SIZE);

	if (type < 0 || type == EFI_CONVENTIONAL)
		return EFI_NOT_FOUND;
	if (!efi_map_has_room(1))
		return EFI_OUT_OF_RESOURCES;
	efi_set_type(gpa, gpa + pages * PAGE_SIZE, EFI_CONVENTIONAL);
	return EFI_SUCCESS;
}

/* 7.2.2.  Of these types is what the firmware found or keeps; no kernel gives back its own */
static u64 free_pages(struct vcpu *v)
{
	u64 gpa = efi_arg(v, 0), pages = efi_arg(v, 1);

	if (gpa & ~PAGE_MASK || !pages || pages > config.ram / PAGE_SIZE)
		return EFI_INVALID_PARAMETER;
	switch (efi_map_type(gpa, gpa + pages * PAGE_SIZE)) {
	case EFI_RESERVED:
	case EFI_RUNTIME_CODE:
	case EFI_ACPI_NVS:
	case EFI_UNACCEPTED:
		return EFI_NOT_FOUND;
	default:
		return free_range(gpa, pages);
	}
}

static u64 get_memory_map(struct vcpu *v)
{
	static struct efi_descriptor map[EFI_MAX_DESCRIPTORS];
	u64 room = efi_pointed(v, 0), size = efi_map_size() * sizeof(map[0]);
	u32 version = EFI_DESCRIPTOR_VERSION;

	if (efi_give(v, 0, size) || efi_give(v, 3, sizeof(map[0])) ||
	    guest_write(v, efi_arg(v, 4), &version, sizeof(version)))
		return EFI_INVALID_PARAMETER;
	if (room < size)
		return EFI_BUFFER_TOO_SMALL;
	efi_map_fill(map);
	if (guest_write(v, efi_arg(v, 1), map, size))
		return EFI_INVALID_PARAMETER;
	return efi_give(v, 2, efi_map_version());
}

u64 efi_pool(struct vcpu *v, u64 size, enum efi_memory_type type)
{
	struct pool pool = { POOL_MAGIC, efi_pages(size + sizeof(pool)) };
	u64 gpa = size > config.ram ? 0 : efi_allocate(pool.pages, type, config.ram);

	if (!gpa)
		return 0;
	guest_write(v, gpa, &pool, sizeof(pool));
	return gpa + sizeof(pool);
}

static u64 allocate_pool(struct vcpu *v)
{
	u32 type = efi_arg(v, 0);
	u64 gpa;

	if (!efi_arg(v, 2) || !may_be_given(type))
		return EFI_INVALID_PARAMETER;
	gpa = efi_pool(v, efi_arg(v, 1), type);
	return gpa ? efi_give(v, 2, gpa) : EFI_OUT_OF_RESOURCES;
}

static u64 free_pool(struct vcpu *v)
{
	u64 gpa = efi_arg(v, 0) - sizeof(struct pool);
	struct pool pool;

	if (gpa & ~PAGE_MASK || guest_read(v, gpa, &pool, sizeof(pool)) || pool.magic != POOL_MAGIC)
		return EFI_INVALID_PARAMETER;
	return free_range(gpa, pool.pages);
}

/* 7.5.3: the two may overlap, so what is at risk goes first */
static u64 copy_mem(struct vcpu *v)
{
	u64 to = efi_arg(v, 0), from = efi_arg(v, 1), size = efi_arg(v, 2), done, part;
	static u8 buffer[PAGE_SIZE];

	for (done = 0; done < size; done += part) {
		u64 at;

		part = min(size - done, sizeof(buffer));
		at = to > from ? size - done - part : done;
		if (guest_read(v, from + at, buffer, part) || guest_write(v, to + at, buffer, part))
			unmodelled(v, "EFI boot service CopyMem(0x%lx, 0x%lx, %lu) of no memory", to, from, size);
	}
	return EFI_SUCCESS;
}

/* 7.5.4 */
static u64 set_mem(struct vcpu *v)
{
	u64 va = efi_arg(v, 0), size = efi_arg(v, 1), done, part;
	static u8 buffer[PAGE_SIZE];

	memset(buffer, efi_arg(v, 2), sizeof(buffer));
	for (done = 0; done < size; done += part) {
		part = min(size - done, sizeof(buffer));
		if (guest_write(v, va + done, buffer, part))
			unmodelled(v, "EFI boot service SetMem(0x%lx, %lu) of no memory", va, size);
	}
	return EFI_SUCCESS;
}

/* ---- the calls ---- */

/* 7.4.6 */
static u64 exit_boot_services(struct vcpu *v)
{
	if (efi_arg(v, 1) != efi_map_version())
		return EFI_INVALID_PARAMETER;
	efi_end_boot_services();
	firmware.over = true;
	return EFI_SUCCESS;
}

static u64 boot_service(struct vcpu *v, u32 nr)
{
	struct efi_guid guid;

	switch (nr) {
	case RAISE_TPL:		/* 7.1.8: gives the level before; nothing interrupts a program */
		return TPL_APPLICATION;
	case RESTORE_TPL:
	case SET_WATCHDOG_TIMER:
	case CLOSE_PROTOCOL:
		return EFI_SUCCESS;
	case ALLOCATE_PAGES:
		return allocate_pages(v);
	case FREE_PAGES:
		return free_pages(v);
	case GET_MEMORY_MAP:
		return get_memory_map(v);
	case ALLOCATE_POOL:
		return allocate_pool(v);
	case FREE_POOL:
		return free_pool(v);
	case INSTALL_PROTOCOL:
		return efi_install_protocol(v);
	case UNINSTALL_PROTOCOL:
		return efi_uninstall_protocol(v);
	case INSTALL_PROTOCOLS:
		return efi_install_protocols(v);
	case UNINSTALL_PROTOCOLS:
		return efi_uninstall_protocols(v);
	case HANDLE_PROTOCOL:
	case OPEN_PROTOCOL:
		return efi_handle_protocol(v);
	case LOCATE_HANDLE:
		return efi_locate_handle(v, false);
	case LOCATE_HANDLE_BUFFER:
		return efi_locate_handle(v, true);
	case LOCATE_DEVICE_PATH:
		return efi_locate_device_path(v);
	case LOCATE_PROTOCOL:
		return efi_locate_protocol(v);
	case COPY_MEM:
		return copy_mem(v);
	case SET_MEM:
		return set_mem(v);
	case INSTALL_TABLE:
		guid = efi_guid_arg(v, 0);
		return efi_install_table(&guid, efi_arg(v, 1));
	case LOAD_IMAGE:
		return efi_load_program(v);
	case START_IMAGE:	/* that did not start: changes_program() */
		return EFI_INVALID_PARAMETER;
	case UNLOAD_IMAGE:
		return efi_unload_program(v);
	case EXIT_BOOT_SERVICES:
		return exit_boot_services(v);
	default:
		unmodelled(v, "EFI boot service %u (UEFI specification, 4.4.1)", nr);
	}
}

/* False: the kernel has not mapped the GHCB for its firmware, and the firmware faults */
static bool touch_ghcb(struct vcpu *v)
{
	u64 gpa = is_es() ? es_vcpu(v)->ghcb_msr : 0;
	struct mapping m;

	if (!gpa || gpa & ~PAGE_MASK)
		return true;
	if (!guest_translate(v, gpa, &m) && m.write && m.gpa == gpa && m.view == SHARED)
		return true;
	raise_pf(v, gpa, PAGE_FAULT_WRITE);
	return false;
}

/* 7.4.6: they and their protocols are gone, whoever kept an address; a loader's kernel never has any */
static void need_boot_services(struct vcpu *v, u32 nr)
{
	if (firmware.idt && !firmware.over)
		return;
	if (nr >= EFI_CALL_PROTOCOL)
		unmodelled(v, "EFI protocol call %u, after ExitBootServices()", nr - EFI_CALL_PROTOCOL);
	unmodelled(v, "EFI boot service %u, after ExitBootServices()", nr - EFI_CALL_BOOT);
}

/* Calls behind which another program goes on: true if there was one */
static bool changes_program(struct vcpu *v, u32 nr)
{
	if (nr == EFI_CALL_PROTOCOL + IMAGE_RETURN)
		efi_end_program(v, reg(v, RCX), "the EFI program returned");
	else if (nr == EFI_CALL_BOOT + EXIT)
		efi_end_program(v, efi_arg(v, 1), "the EFI program ended itself");
	else
		return nr == EFI_CALL_BOOT + START_IMAGE && efi_start_program(v);
	return true;
}

bool efi_call(struct vcpu *v, u32 nr)
{
	u64 status;

	if (nr < EFI_CALL_BOOT || !efi_wanted() || guest_cpl(v))
		return false;
	if (nr < EFI_CALL_RUNTIME || nr >= EFI_CALL_PROTOCOL) {
		need_boot_services(v, nr);
		if (changes_program(v, nr))
			return true;
	}
	if (nr >= EFI_CALL_PROTOCOL) {
		status = efi_protocol_call(v, nr - EFI_CALL_PROTOCOL);
	} else if (nr >= EFI_CALL_RUNTIME) {
		if (!touch_ghcb(v))
			return true;
		status = EFI_NOT_FOUND;		/* there is no variable */
	} else {
		status = boot_service(v, nr - EFI_CALL_BOOT);
	}
	set_reg(v, RAX, status);
	insn_skip(v, INSN_VMMCALL);
	return true;
}
