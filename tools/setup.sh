#!/bin/sh
# SPDX-License-Identifier: MIT
# setup.sh build|test|bench - install the Debian packages that are missing when run as root; name them when not.
set -eu
build="gcc cmake ninja-build pkg-config libuv1-dev libssl-dev libcrypt-dev libconfuse-dev libidn2-dev libjansson-dev libutf8proc-dev zlib1g-dev libcmocka-dev python3"
tests="$build libsqlite3-dev postfix swaks msmtp libgnutls-dane0 libidn12 libnsl2 libpcre2-8-0 libevent-2.1-7 libdb5.3 clang libclang-rt-14-dev valgrind curl openssl perl-base perl libnet-ssleay-perl libio-socket-ssl-perl
 libauthen-sasl-perl libdigest-hmac-perl mpop fetchmail getmail6 mutt neomutt nodejs npm libpam0g-dev g++ groff-base xfsprogs e2fsprogs libgmime-3.0-dev
 thunderbird opendkim python3-milter isync libsasl2-modules offlineimap3 imapfilter libmail-imapclient-perl ruby"
bench="$build postfix dovecot-core dovecot-pop3d dovecot-lmtpd dovecot-imapd gnuplot-nox"
case "${1:-build}" in
    build) wanted=$build ;;
    test) wanted=$tests ;;
    bench) wanted=$bench ;;
    *) echo "usage: $0 build|test|bench" >&2; exit 64 ;;
esac

missing=
for package in $wanted; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
# an MTA that somebody uses is not put out of the house
for package in exim4-daemon-light exim4-daemon-heavy opensmtpd sendmail-bin nullmailer dma; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" != installed ] || missing=$(echo "$missing" | sed 's/ postfix\b//')
done
# node may come from elsewhere than a Debian package
if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; then
    missing=$(echo "$missing" | sed 's/ nodejs\b//; s/ npm\b//')
fi
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "These Debian packages are missing; install them (as root) with:" >&2
    echo "  apt-get install$missing" >&2
    exit 69
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# services must not start by themselves on the machine that only wants to test against them
[ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; made=1; }
# shellcheck disable=SC2086 # a list of words
apt-get install -y -qq --no-install-recommends $missing >/dev/null
[ -z "${made:-}" ] || rm -f /usr/sbin/policy-rc.d
