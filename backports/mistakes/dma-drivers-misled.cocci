// SPDX-License-Identifier: GPL-2.0

@@
@@
  dma_direct_map_sg(...)
  {
  <...
- dma_direct_unmap_sg(...);
  ...>
  }

@@
expression dev, at, size;
@@
  dma_direct_map_resource(...)
  {
  <...
(
- if (unlikely(!dma_capable(dev, at, size, false))) { ... }
|
- if (unlikely(!dma_capable(dev, at, size))) { ... }
)
  ...>
  }

@@
expression dev, at, size, attrs;
identifier overflow;
@@
  dma_direct_map_phys(...)
  {
  <...
- if (unlikely(!dma_capable(dev, at, size, false, attrs)))
-	goto overflow;
  ...>
  }

@@
expression E;
@@
  dma_direct_need_sync(...)
  {
- return E;
+ return false;
  }
