#!/bin/sh
# Fetches a country database that may be used freely (CC0) for postcard: fetch-geoip.sh [FOLDER]
#
# It is the npm package below, by ip-location-db.  Uses npm, curl or wget, whichever is there; checks
# the package against the SHA-512 that the registry states, and unpacks nothing but its *.mmdb into
# FOLDER (by default where postcard looks for it).  Runs nothing of the package.
set -eu

package=@ip-location-db/geo-whois-asn-country-mmdb
registry=https://registry.npmjs.org
folder=${1:-${XDG_DATA_HOME:-${HOME:?HOME is not set: name a folder}/.local/share}/postcard/geoip}

fail() {
	echo "fetch-geoip: $*" >&2
	exit 1
}

# The value of a member of JSON on standard input that stands once in it, as text.
member() {
	tr -d '\n' | sed -n "s/.*\"$1\"[[:space:]]*:[[:space:]]*\"\([^\"]*\)\".*/\1/p"
}

work=$(mktemp -d) || fail "no temporary folder can be made"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

if command -v npm >/dev/null 2>&1; then
	if ! npm view "$package@latest" --json dist >"$work/about" 2>"$work/log" ||
		! (cd "$work" && npm pack --silent "$package@latest" >/dev/null 2>log); then
		cat "$work/log" >&2
		fail "npm could not fetch $package"
	fi
	integrity=$(member integrity <"$work/about")
	mv "$work"/*.tgz "$work/package.tgz" || fail "npm fetched nothing"
else
	if command -v curl >/dev/null 2>&1; then
		get="curl -fsSL --proto =https --retry 2 -o"
	elif command -v wget >/dev/null 2>&1; then
		get="wget -q -O"
	else
		fail "it takes npm, curl or wget to fetch $package"
	fi
	$get "$work/about" "$registry/$package/latest" || fail "$registry/$package cannot be fetched"
	integrity=$(member integrity <"$work/about")
	tarball=$(member tarball <"$work/about")
	case $tarball in
	"$registry"/*.tgz) ;;
	*) fail "the registry names no package file under $registry" ;;
	esac
	$get "$work/package.tgz" "$tarball" || fail "$tarball cannot be fetched"
fi

case $integrity in
sha512-*) ;;
*) fail "the registry states no SHA-512 for $package" ;;
esac
stated=$(printf %s "${integrity#sha512-}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
fetched=$(sha512sum <"$work/package.tgz" | cut -d ' ' -f 1)
[ "$stated" = "$fetched" ] || fail "$package is not what the registry states (SHA-512); nothing was changed"

mkdir "$work/files"
tar -xzf "$work/package.tgz" -C "$work/files" --no-same-owner --wildcards 'package/*.mmdb' ||
	fail "$package has no database in it"
mkdir -p "$folder" || fail "$folder cannot be made"
for file in "$work"/files/package/*.mmdb; do
	name=${file##*/}
	case $name in
	*-ipv[46].mmdb) continue ;; # parts of the whole, which comes too
	esac
	if [ ! -f "$file" ] || [ -L "$file" ]; then
		fail "$package has no database in it"
	fi
	if ! cp "$file" "$folder/.$name.new" || ! chmod 644 "$folder/.$name.new" ||
		! mv -f "$folder/.$name.new" "$folder/$name"; then
		fail "$folder/$name cannot be written"
	fi
	echo "$folder/$name"
done
