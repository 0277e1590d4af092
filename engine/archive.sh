# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the commands that query the Debian archive that this machine uses. They do so
# with an apt configuration of their own: apt checks the signatures, and the machine's
# package lists stay unchanged.
# shellcheck shell=bash disable=SC2034,SC2154 # shared with common.sh

command -v apt-get >/dev/null ||
	die "the kernel's source comes from the Debian archive and there is no apt-get here: name a tree of your own with KDIR="
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || die "$keyring is missing: install debian-archive-keyring, or name a tree of your own with KDIR="
scratch

codename=$(. /etc/os-release; echo "${VERSION_CODENAME:-}")

# what a program asks besides
apt_options=()

private_apt() {
	"$@" -o Dir::Etc::SourceList="$scratch/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$scratch/lists" -o Dir::Cache="$scratch/cache" \
		-o Acquire::Languages=none -o APT::Update::Error-Mode=any -o APT::Sandbox::User="$(id -un)" "${apt_options[@]}"
}

# read_lists RELEASE PACKAGE: those that name this package of series/bases
read_lists() {
	local site type=deb
	# the address that the machine's own Debian release comes from
	site=$(apt-get update --print-uris | sed -n "s,^'\(.*\)/dists/$codename/InRelease'.*,\1,p" | head -n 1)
	[ -n "$site" ] || die "apt's configuration has no Debian archive: name a tree of your own with KDIR="
	[[ $2 != src:* ]] || type=deb-src
	mkdir -p "$scratch"/{lists,cache/archives}/partial
	echo "$type [signed-by=$keyring] $site $1 main" >"$scratch/sources.list"
	private_apt apt-get update >"$scratch/log" 2>&1 || die "cannot read the package list of Debian $1: $(last_line "$scratch/log")"
}

# offered PACKAGE: the versions that these lists have of it
offered() {
	local name=${1#src:}
	private_apt apt-cache madison "${name%%=*}" 2>/dev/null | awk -F ' *[|] *' '{ print $2 }'
}

# get PACKAGE APT...: run this apt command, which downloads it, in $scratch/files. Exit status 4:
# the archive has dropped it since the lists were made.
get() {
	mkdir "$scratch/files"
	(cd "$scratch/files" && private_apt "${@:2}") >"$scratch/log" 2>&1 || {
		! grep -qE '404 |File not found' "$scratch/log" || died=4
		die "cannot download $1: $(last_line "$scratch/log")"
	}
}

# source_of PACKAGE: unpack in $scratch/tree the source that it is ("src:"), or has in it
source_of() {
	local name=${1#src:}
	case $1 in
	src:*) get "$name" apt-get source --download-only --tar-only "$name" ;;
	*) get "$name" apt-get download "$name" ;;
	esac
	say "[$(elapsed)] unpacking it"
	mkdir "$scratch/tree"
	{
		[[ $1 == src:* ]] || dpkg-deb --fsys-tarfile "$scratch"/files/*.deb |
			tar -xO --wildcards '*/linux-source-*.tar.xz' >"$scratch/files/linux.orig.tar.xz"
		tar -x -f "$scratch"/files/*.orig.tar.* -C "$scratch/tree" --strip-components=1
	} 2>"$scratch/log" || die "cannot unpack the source of $name: $(last_line "$scratch/log")"
}
