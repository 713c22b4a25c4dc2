// SPDX-License-Identifier: GPL-2.0
// Before: who asked for a GHCB when both were in use got a null pointer.  The handler of
// exceptions looked, and ended with the message; the others did not.

@ asked @
expression active, backup;
@@
  __sev_get_ghcb(...)
  {
  <...
- active = false;
- backup = false;
- instrumentation_begin();
- panic("Unable to handle #VC exception! GHCB and Backup GHCB are already in use");
- instrumentation_end();
+ return NULL;
  ...>
  }

@@
identifier ghcb;
expression state;
@@
  vc_raw_handle_exception(...)
  {
  ...
  ghcb = __sev_get_ghcb(state);
+ if (!ghcb) {
+ 	struct sev_es_runtime_data *data = this_cpu_read(runtime_data);
+
+ 	data->ghcb_active = false;
+ 	data->backup_ghcb_active = false;
+ 	panic("Unable to handle #VC exception! GHCB and Backup GHCB are already in use");
+ }
  ...
  }
