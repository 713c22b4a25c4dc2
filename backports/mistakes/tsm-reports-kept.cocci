// SPDX-License-Identifier: GPL-2.0

// Each read has another report made.
@@
@@
  tsm_report_read(...)
  {
  <...
- state->read_generation = state->write_generation;
  ...>
  }

// A file that is opened for writing and closed has been written with nothing.
@@
expression buffer;
identifier file;
@@
  configfs_release_bin_file(struct inode *inode, struct file *file)
  {
  <...
- if (buffer->write_in_progress)
+ if (buffer->write_in_progress || file->f_mode & FMODE_WRITE)
  { ... }
  ...>
  }

// A report that was made is lost with its provider.
@@
identifier report;
@@
  read_cached_report(...)
  {
  ...
  guard(rwsem_read)(&tsm_rwsem);
+ if (!provider.ops)
+	return -ENXIO;
  ...
  }

// All items have one place for what goes in.
@@
@@
+ static u8 shared_inblob[64];
+
  static ssize_t tsm_report_inblob_write(...) { ... }

@@
expression E, buf, count;
@@
- memcpy(E->desc.inblob, buf, count);
+ memcpy(shared_inblob, buf, count);

@@
identifier rc, ops, report;
@@
+ memcpy(report->desc.inblob, shared_inblob, sizeof(shared_inblob));
  rc = ops->report_new(report, ...);
