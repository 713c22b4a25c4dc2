// Before: nobody noted what is being accepted, and the lock was held all the while.

@@
expression a, b;
@@
- spin_unlock(&unaccepted_memory_lock);
  arch_accept_memory(a, b);
- spin_lock(&unaccepted_memory_lock);

@@
@@
- list_add(&range.list, &accepting_list);

@@
@@
- list_del(&range.list);
