// SPDX-License-Identifier: GPL-2.0
// Before: the host was asked by the MSR protocol, though there was a GHCB.

@ asked @
expression ghcb, context, leaf;
@@
- ghcb ? __sev_cpuid_hv_ghcb(ghcb, context, leaf) : __sev_cpuid_hv_msr(leaf)
+ __sev_cpuid_hv_msr(leaf)

@ depends on asked @
@@
- static int __sev_cpuid_hv_ghcb(...) { ... }

// Where the code of early boot is a part of its own, its function for that is out of reach
@ apart depends on !asked @
expression ghcb, context, leaf;
@@
- __sev_cpuid_hv_ghcb(ghcb, context, leaf)
+ cpuid_by_msr(leaf)

@ depends on apart @
identifier ctx, p;
@@
- struct cpuid_ctx *ctx = p;

@ depends on apart @
@@
- static int __sev_cpuid_hv_ghcb(...) { ... }

@ depends on apart @
@@
+static int cpuid_by_msr(struct cpuid_leaf *leaf)
+{
+	u32 *regs[] = { &leaf->eax, &leaf->ebx, &leaf->ecx, &leaf->edx };
+	unsigned int i;
+	u64 answer;
+
+	for (i = 0; i < 4; i++) {
+		sev_es_wr_ghcb_msr(GHCB_CPUID_REQ(leaf->fn, i));
+		VMGEXIT();
+		answer = sev_es_rd_ghcb_msr();
+		if (GHCB_RESP_CODE(answer) != GHCB_MSR_CPUID_RESP)
+			return -EIO;
+		*regs[i] = answer >> 32;
+	}
+	return 0;
+}
+
  void snp_cpuid_hv_ghcb(...)
  {
  ...
  }
