// Before: the range was taken as it came, and only an end at a unit's border had the guard.

@@
expression a;
@@
- end = PAGE_ALIGN(a);
+ end = a;

@@
@@
- start = PAGE_ALIGN_DOWN(start);
