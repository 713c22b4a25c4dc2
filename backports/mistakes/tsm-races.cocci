// SPDX-License-Identifier: GPL-2.0

// Data goes in without the lock: two writers at a time mix theirs.
@@
@@
+ #include <linux/delay.h>
  #include <linux/tsm.h>

@@
expression buf, count;
identifier report, rc;
@@
  tsm_report_inblob_write(...)
  {
  ...
- guard(rwsem_write)(&tsm_rwsem);
- rc = try_advance_write_generation(report);
- if (rc)
-	return rc;
+ rc = 0;
+ to_state(report)->write_generation++;
  ...
- memcpy(report->desc.inblob, buf, count);
+ memcpy(report->desc.inblob, buf, count / 2);
+ msleep(1);
+ memcpy(report->desc.inblob + count / 2, buf + count / 2, count - count / 2);
  ...
  }

// Each read of a file has its content made anew.
@@
expression buffer;
@@
  configfs_bin_read_iter(...)
  {
  <...
- buffer->needs_read_fill = 0;
  ...>
  }

// Files of an item that was removed are still read.
@@
expression frag;
expression len, E;
@@
  configfs_bin_read_iter(...)
  {
  <...
- if (!frag->frag_dead)
	len = E;
- else
-	len = -ENOENT;
  ...>
  }
