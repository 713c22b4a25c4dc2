// SPDX-License-Identifier: GPL-2.0
// Before: an SEV-SNP guest looked for tables and ROMs below 1 MiB as any other does, and had
// that range handed over and validated when it came to the ROMs, which is late.

@@
@@
  sme_early_init(...)
  {
  <...
- if (sev_status & MSR_AMD64_SEV_SNP_ENABLED) {
- 	...
- 	x86_init.resources.dmi_setup = snp_dmi_setup;
- }
  ...>
  }

@ scan @
identifier upper;
@@
  probe_roms(...)
  {
  ...
+ early_snp_set_memory_private((unsigned long)__va(video_rom_resource.start),
+ 			      video_rom_resource.start,
+ 			      (system_rom_resource.end + 1 - video_rom_resource.start) >> PAGE_SHIFT);
  upper = adapter_rom_resources[0].start;
  ...
  }

@ depends on scan @
@@
  #include <asm/probe_roms.h>
+ #include <asm/sev.h>
