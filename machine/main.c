// SPDX-License-Identifier: GPL-2.0
/* Start: the run's parameters, the machine's own CPU state, then the guest. */
#include "core.h"

#define MIB		20
#define DEFAULT_RAM	512	/* MiB */

struct config config;

static const struct technology * const technologies[] = {
	&technology_none, &technology_sev, &technology_sev_es, &technology_sev_snp, &technology_tdx,
};

/* ---- the command line: words "name=value" and "name" ---- */

static const char *find_option(const char *name, u32 nth)
{
	size_t len = strlen(name);
	const char *word = config.options;

	while (*word) {
		if (!strncmp(word, name, len) && (word[len] == '=' || word[len] == ' ' || !word[len]) &&
		    !nth--)
			return word + len;
		while (*word && *word != ' ')
			word++;
		while (*word == ' ')
			word++;
	}
	return NULL;
}

bool option_nth(const char *name, u32 nth, char *value, size_t size)
{
	const char *s = find_option(name, nth);
	size_t n = 0;

	if (!s || *s != '=')
		return false;
	for (s++; *s && *s != ' ' && n + 1 < size; s++)
		value[n++] = *s;
	value[n] = '\0';
	return true;
}

bool option(const char *name, char *value, size_t size)
{
	return option_nth(name, 0, value, size);
}

bool option_flag(const char *name)
{
	return find_option(name, 0);
}

u64 option_number(const char *name, u64 otherwise)
{
	char value[32];
	const char *end;
	u64 number;

	if (!option(name, value, sizeof(value)))
		return otherwise;
	number = strtou64(value, &end);
	if (end == value || *end)
		internal_error("option %s: '%s' is not a number", name, value);
	return number;
}

/*
 * A host that tells a guest of another C-bit, and has the same memory wherever that bit is
 * set.  SNP's position is in a table that firmware has checked (SNP firmware ABI 56860, 8.17).
 */
static void parse_told_cbit(void)
{
	u32 id = config.tech->id;

	config.told_cbit = option_number("told_cbit", config.cbit);
	if (config.told_cbit == config.cbit)
		return;
	if (config.told_cbit != 47 || (id != COCO_SEV && id != COCO_SEV_ES))
		internal_error("option told_cbit: 47, of sev and sev-es with cbit=51");
	config.told_mask = BIT_ULL(config.told_cbit);
}

static void parse_options(void)
{
	char name[16] = "none";
	size_t i;

	option("personality", name, sizeof(name));
	for (i = 0; i < ARRAY_SIZE(technologies); i++)
		if (!strcmp(technologies[i]->name, name))
			config.tech = technologies[i];
	if (!config.tech)
		internal_error("option personality: '%s' is none that this machine knows", name);
	config.ram = option_number("ram", DEFAULT_RAM) << MIB;
	if (config.ram < SIZE_2M || config.ram > MACHINE_BASE || config.ram % SIZE_2M)
		internal_error("option ram: 2 to 1024, even");
	config.high = option_number("high", 0) << MIB;
	if (config.high > HIGH_MAX || config.high % SIZE_2M)
		internal_error("option high: to 4096, even");
	config.vcpus = option_number("vcpus", 1);
	if (!config.vcpus || config.vcpus > MAX_VCPUS)
		internal_error("option vcpus: 1 to %u", MAX_VCPUS);
	if (config.tech->default_cbit) {
		config.cbit = option_number("cbit", config.tech->default_cbit);
		if (config.cbit != 47 && config.cbit != 51)
			internal_error("option cbit: 47 or 51");
		config.cmask = BIT_ULL(config.cbit);
		parse_told_cbit();
	}
	config.trace = option_flag("trace");
	config.entry32 = option_flag("entry32");
	config.snapshot = option_flag("snapshot");
	config.halt_ends = option_flag("halt_ends");
	config.flash = option_flag("flash");
	config.payload = option_flag("payload");
}

/* ---- the machine's own interrupt table ---- */

struct trap_frame {
	u64 vector, error, rip, cs, rflags, rsp, ss;
};

void machine_trap(const struct trap_frame *frame)
{
	u64 cr2;

	asm volatile("mov %%cr2, %0" : "=r"(cr2));
	internal_error("exception %lu in the machine, error 0x%lx rip 0x%lx rsp 0x%lx cr2 0x%lx",
		       frame->vector, frame->error, frame->rip, frame->rsp, cr2);
}

struct idt_entry {
	u16 offset_low, selector, type, offset_mid;
	u32 offset_high, reserved;
};

static struct idt_entry idt[256];

static void idt_build(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(idt); i++) {
		u64 entry = (u64)vector_stubs[i];

		idt[i] = (struct idt_entry) {
			.offset_low = entry,
			.selector = 8,
			.type = 0x8e00,		/* present, interrupt gate */
			.offset_mid = entry >> 16,
			.offset_high = entry >> 32,
		};
	}
}

/* GIF stays clear from here on, but for the places in entry.S that open it */
void cpu_setup(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed idtr = { sizeof(idt) - 1, (u64)idt };

	asm volatile("lidt %0" : : "m"(idtr));
	asm volatile("clgi");
}

/* ACPI tables and the like: SeaBIOS reserves them at the end of the RAM below the PCI hole */
static void find_firmware_tables(const u32 *multiboot, u32 *start, u32 *end)
{
	const struct multiboot_mmap *m;

	*start = *end = 0;
	multiboot_for_each_range(m, multiboot) {
		if (m->type != 1 && m->base >= PRIVATE_BASE && m->base < 0xe0000000 && !*start) {
			*start = m->base;
			*end = m->base + m->length;
		}
	}
	if (!*start)
		internal_error("the firmware reserved no memory for its tables");
	if (*end < PRIVATE_BASE + config.ram)
		internal_error("QEMU needs -m %llu for ram=%lu", (PRIVATE_BASE + config.ram) >> MIB,
			       config.ram >> MIB);
}

static void check_high_ram(const u32 *multiboot)
{
	const struct multiboot_mmap *m;

	if (!config.high)
		return;
	multiboot_for_each_range(m, multiboot) {
		if (m->type == 1 && m->base == HIGH_BASE && m->length >= mem_high_room())
			return;
	}
	internal_error("QEMU needs %lu MiB from 4 GiB on for high=%lu", mem_high_room() >> MIB,
		       config.high >> MIB);
}

void machine_main(u32 magic, const u32 *multiboot)
{
	u32 tables_start, tables_end;

	idt_build();
	cpu_setup();
	outb(STREAM_PORT, '\n');	/* SeaBIOS logs to this port, too */
	if (magic != MULTIBOOT_MAGIC)
		internal_error("no multiboot loader");
	config.options = (const char *)(u64)multiboot[MULTIBOOT_CMDLINE];
	parse_options();
	stream_line('m', "start personality=%s ram=%lu high=%lu vcpus=%u cbit=%d machine=%s", config.tech->name,
		    config.ram >> MIB, config.high >> MIB, config.vcpus, config.cbit, MACHINE_VERSION);

	mem_reserve_modules(multiboot);
	bootfile_init(multiboot);
	find_firmware_tables(multiboot, &tables_start, &tables_end);
	check_high_ram(multiboot);
	mem_init(tables_start, tables_end);
	permissions_init();
	io_setup();
	page_init(COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED);
	if (config.tech->setup)
		config.tech->setup();
	vcpu_init(&vcpus[0]);
	smp_start();
	rules_from_options();
	load_guest(&vcpus[0], multiboot);
	vcpus[0].running = true;
	vcpu_run_forever(&vcpus[0]);
}
