#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# deps.sh - install with apt what the suite needs, on Debian 12 or newer.
#
#	deps.sh [PART...]		install what is missing (needs root)
#	deps.sh --check [PART...]	say what is missing, install nothing
#	deps.sh --list			every package, its part and why
#
# Parts, all of them if none is named:
#	run	check shipped kernels and finished builds
#	kernel	build kernels from source (KDIR=)
#	work	work on the suite itself: tests, lint
#
# Fast when all is there, and safe to run again after it was interrupted.

set -eu

# One package a line: its part, its name, the reason
packages() {
	cat <<-'EOF'
		run	python3			the host side
		run	python3-yaml		expectations and the baseline
		run	python3-jinja2		templates of new tests and reports
		run	python3-jsonschema	result.json is checked against its schema
		run	qemu-system-x86		the processor that the machine runs on
		run	gcc			builds machine, selftests and suites
		run	libc6-dev		static libc of init and the selftests
		run	binutils		ld, objcopy, strip
		run	make			builds all of it
		run	cpio			packs the initramfs
		run	kmod			depmod: dependencies of shipped drivers
		run	xz-utils		shipped kernels and modules
		run	zstd			shipped kernels and modules
		run	lz4			kernels of other distributions
		run	debian-archive-keyring	signatures of shipped kernels
		run	git			names the version of suite and tree
		run	libbearssl-dev		cryptography of the machine's firmware
		run	libelf1			objtool of the kernel's headers
		run	systemd-boot-efi	a stub for unified kernel images
		kernel	flex			kconfig
		kernel	bison			kconfig
		kernel	bc			kernel/time/timeconst.h
		kernel	libelf-dev		objtool
		kernel	libssl-dev		certificates and module signatures
		kernel	perl			scripts of older trees
		kernel	gzip			compresses the image
		kernel	python3-pyelftools	coverage: debug information
		work	python3-pytest		tests of the host side
		work	python3-hypothesis	the KTAP reader against random input
		work	black			format of Python
		work	flake8			style of Python
		work	mypy			types of Python
		work	shellcheck		shell
		work	openssl			verifies reports and quotes of the machine
		work	sparse			C: address spaces and locks
		work	coccinelle		recipes that take a fix out
		work	perl-base		checkpatch.pl
		work	chromium		the page of a matrix is tried in it
		work	rpm			packages that the reader of RPMs is tried on
		work	busybox-static		the guest in which the tarball is tried
		work	gawk			an awk of guests, for the tarball
		work	autopkgtest		the example for it runs
	EOF
}

die() {
	echo "coco deps: $1" >&2
	shift
	for hint; do
		echo "  $hint" >&2
	done
	exit 3
}

# Names of the packages of the parts that were asked for
wanted() {
	packages | while read -r part name _; do
		case " $parts " in
		*" $part "*) echo "$name" ;;
		esac
	done
}

# Names of all that is installed, and of what it stands for: Debian 13 has libelf1t64 for libelf1
installed() {
	# shellcheck disable=SC2016 # ${...} is dpkg-query's
	dpkg-query -W -f '${db:Status-Status} ${Package}, ${Provides}\n' |
		sed -n 's/^installed //p' | tr ',' '\n' | awk 'NF { print $1 }'
}

missing() {
	there=$(installed)
	wanted | while read -r name; do
		printf '%s\n' "$there" | grep -qx -e "$name" || echo "$name"
	done
}

check_system() {
	test "$(uname -m)" = x86_64 ||
		die "this is a $(uname -m) machine" "the suite builds x86-64 code with the machine's own gcc"
	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
		die "this machine has no apt-get: it is no Debian" \
			"install by the means of your distribution what deps.sh --list names"
	fi
	# shellcheck source=/dev/null
	. /etc/os-release
	case " ${ID-} ${ID_LIKE-} " in
	*" debian "*) ;;
	*) die "this is ${PRETTY_NAME-an unknown system}, not Debian" \
		"packages may have other names there: deps.sh --list" ;;
	esac
	if test "${ID-}" = debian && test "${VERSION_ID:-99}" -lt 12; then
		die "Debian $VERSION_ID is too old (Python 3.11 and QEMU 7.2 are needed)" \
			"use Debian 12 or newer"
	fi
}

install() {
	test "$(id -u)" = 0 ||
		die "installing needs root, and these packages are missing:" "$*" \
			"as root: apt-get install --no-install-recommends $*"
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	echo "installing $(echo "$*" | wc -w) packages: $*"
	export DEBIAN_FRONTEND=noninteractive
	# The lists of a fresh machine are empty or old.
	if ! apt-get update >"$log" 2>&1 || grep -qE '^(E|Err|W: Failed)' "$log"; then
		explain "the package lists could not be read"
	fi
	if ! apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1
	then
		explain "apt-get install failed"
	fi
}

explain() {
	if grep -qE 'Could not resolve|Could not connect|Network is unreachable|Temporary failure|Unable to connect|timed out' "$log"; then
		die "$1: the Debian mirror cannot be reached" \
			"is the network up?  then run this again" "$(grep -E '^(E|Err|W)' "$log" | head -3)"
	fi
	if grep -q 'No space left on device' "$log"; then
		die "$1: the disk is full" "free some space and run this again"
	fi
	if grep -q 'Unable to locate package' "$log"; then
		die "$1: $(grep -m1 'Unable to locate package' "$log")" \
			"is this Debian's main archive?  see /etc/apt/sources.list.d"
	fi
	die "$1" "$(tail -n 15 "$log")"
}

usage() {
	cat <<-'EOF'
		usage: coco deps [--check] [run] [kernel] [work] | --list

		Install with apt what is missing (as root); the only command that installs anything.

		  run      what checks of shipped kernels and finished builds need
		  kernel   what builds of a tree (KDIR=) need
		  work     what work on the suite itself needs: tests, lint
		           (default: all three)
		  --check  say what is missing, and install nothing
		  --list   every package, its part and why

		exit codes: 0 all is there, 2 wrong usage, 3 something is missing
	EOF
}

check_only=
parts=
for word; do
	case $word in
	--list)
		packages
		exit 0
		;;
	--check) check_only=yes ;;
	run | kernel | work) parts="$parts $word" ;;
	-h | --help)
		usage
		exit 0
		;;
	*)
		echo "coco deps: unknown word $word" >&2
		usage >&2
		exit 2
		;;
	esac
done
parts=${parts:-run kernel work}

check_system
# shellcheck disable=SC2046 # words are package names
set -- $(missing)
if test $# != 0 && test "$check_only"; then
	echo "missing: $*"
	exit 3
fi
if test $# != 0; then
	install "$@"
	# shellcheck disable=SC2046
	set -- $(missing)
	test $# = 0 || die "apt-get reported success, and these are still missing:" "$*"
fi
echo "all $(wanted | wc -l) packages are there"
