// SPDX-License-Identifier: GPL-2.0

// Half of the nonce goes into the report.
@@
struct svsm_attest_call ac;
expression E;
@@
- ac.nonce.len = E;
+ ac.nonce.len = E / 2;

// A report that needs more room is given up.
@@
struct svsm_attest_call ac;
expression room;
@@
- if (ac.report_buf.len > room) { ... }

// All services are attested, whichever was asked for.
@@
@@
  sev_svsm_report_new(...)
  {
  <...
- guid_is_null(...)
+ true
  ...>
  }

// Whoever is asked for, the SVSM makes the report.
@@
expression E;
@@
- if (strcmp(E->service_provider, "svsm"))
- 	return -EINVAL;

// The certificates are not handed on.
@@
expression E;
@@
  sev_svsm_report_new(...)
  {
  <...
- report->auxblob_len = E;
+ report->auxblob_len = E / 512;
  ...>
  }

// Levels that the guest's key does not speak for are offered.
@@
expression E;
@@
- sev_tsm_ops.privlevel_floor = E;
+ sev_tsm_ops.privlevel_floor = 0;
