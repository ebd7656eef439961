#!/bin/sh
# SPDX-License-Identifier: MIT
# man - postern.conf(5) is what the binary prints, and groff finds no fault with any page.
passed=0 failed=0
check() {
    if [ "$2" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "man: $1"; fi
}
"$BUILD/postern" config man | cmp - "$SOURCE/docs/man/postern.conf.5"
check "docs/man/postern.conf.5 is old: postern config man > docs/man/postern.conf.5" $?
for page in "$SOURCE"/docs/man/*; do
    complaints=$(groff -man -Tutf8 -ww -z "$page" 2>&1)
    [ -z "$complaints" ]
    check "$page: $complaints" $?
done
# every verb of the binary is in its page
for verb in $("$BUILD/postern" help | sed -n 's/^  postern \([a-z]*\) .*/\1/p'); do
    grep -q "^\.BR.*\b$verb\b" "$SOURCE/docs/man/postern.1"
    check "postern.1 does not tell of $verb" $?
done
echo "man: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 10 ]
