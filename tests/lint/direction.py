#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""direction - every #include in src/ follows an arrow of the design, nothing else (design 1)."""
import os
import pathlib
import re
import sys

source = pathlib.Path(os.environ.get("SOURCE", "."))
ARROWS = {
    "base": "",
    "codec": "base",
    "mime": "codec base",
    "sasl": "codec base",
    "proto/wire": "base",
    "proto/pop3": "proto/wire mime sasl codec base",
    "proto/imap": "proto/wire mime sasl codec base",
    "proto/smtp": "proto/wire sasl codec base",
    "proto/http": "proto/wire base",
    "proto/milter": "base",
    "provider": "proto/pop3 proto/imap store base",
    "store": "mime codec base",
    "accounts": "sasl codec base",
    "net": "base",
    "serve": "proto/pop3 proto/imap proto/smtp proto/http proto/milter store accounts sasl mime base",
    "daemon": "serve net store accounts provider base",
    "cli": "daemon serve store accounts net codec base",
}
PUBLIC = {  # what a layer may take of include/postern
    "store": {"base", "message", "mime", "store"},
    "net": {"base", "engine"},
    "base": {"base"},
    "codec": {"base"},
    "mime": {"base", "message", "mime"},
    "sasl": {"base", "sasl"},
    "accounts": {"base", "engine", "sasl"},
}


def layer_of(path):
    """The longest known folder that path lies in."""
    found = [layer for layer in ARROWS if path == layer or path.startswith(layer + "/")]
    return max(found, key=len, default=None)


passed, bad = 0, []
for file in sorted((source / "src").rglob("*.[ch]")):
    name = file.relative_to(source / "src").as_posix()
    layer = layer_of(os.path.dirname(name))
    if layer is None:
        bad.append(f"{name}: lies in no layer")
        continue
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if match := re.match(r'\s*#\s*include\s+"([^"]+)"', line):
            target = layer_of(os.path.dirname(match[1]))
            if target is None:
                bad.append(f"{name}:{number}: {match[1]}: write the path from src/ on")
            elif target != layer and target not in ARROWS[layer].split():
                bad.append(f"{name}:{number}: {layer} may not include {target}")
            else:
                passed += 1
        elif match := re.match(r"\s*#\s*include\s+<postern/(\w+)\.h>", line):
            if layer in PUBLIC and match[1] not in PUBLIC[layer]:
                bad.append(f"{name}:{number}: {layer} may not include <postern/{match[1]}.h>")
            else:
                passed += 1
print(*bad, sep="\n")
print(f"direction: {passed} passed, {len(bad)} failed")
sys.exit(bool(bad) or not passed)
