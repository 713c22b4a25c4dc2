# SPDX-License-Identifier: GPL-2.0
#
# Thin aliases for scripts/coco, which owns every verb and every variable:
#
#	make check KERNEL=debian:6.12 PERSONALITY=sev-snp
#
# Variables of the command line are handed on, and an unknown one is refused
# there; the environment's are not looked at, but for COCO_*.  make itself ends
# with 2 whatever went wrong: use scripts/coco where the exit code matters.
#
# `make -C <kernel> M=$PWD modules` does not come here: kbuild reads Kbuild.

VERBS := quickstart deps fetch check qualify matrix report compare bench soak coverage prove audit \
	catalogue selfcheck new-test test lint machine selftests tarball install man clean

given := $(sort $(foreach v,$(.VARIABLES),$(if $(findstring command line,$(origin $(v))),$(v))))
# COCO_* given here reach the program through the environment
words := $(foreach v,$(filter-out COCO_%,$(given)),'$(v)=$(subst ','\'',$(value $(v)))')

help:
	@$(CURDIR)/scripts/coco help

$(VERBS):
	@$(CURDIR)/scripts/coco $@ $(words)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help $(VERBS)
