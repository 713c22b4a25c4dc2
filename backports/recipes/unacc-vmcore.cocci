// Before: nobody told /proc/vmcore which pages were never accepted.

@@
@@
- register_vmcore_cb(&vmcore_cb);
