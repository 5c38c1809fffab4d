"""Refresh what is vendored for the browser: Bootstrap (only the parts used), Inter, Lucide icons. Needs npm; nothing else ever does.

    python scripts/vendor.py

Writes `app/static/vendor/` with licence texts and VERSIONS.json (version and sha256 of every file), and axe-core for the tests.
The sprite holds the icons that templates, views and script name, so run it after naming a new one.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "app" / "static" / "vendor"
AXE = ROOT / "tests" / "vendor"
PACKAGES = {"bootstrap": "5.3", "@fontsource-variable/inter": "5", "lucide-static": "1", "axe-core": "4", "sass": "1"}
LICENCES = {"bootstrap": "LICENSE", "@fontsource-variable/inter": "LICENSE", "lucide-static": "LICENSE"}
SCSS = """
@import "functions"; @import "variables"; @import "variables-dark"; @import "maps"; @import "mixins"; @import "utilities";
$utilities: map-get-multiple($utilities, ("display", "flex", "justify-content", "align-items", "align-self", "order",
  "margin", "margin-x", "margin-y",
  "margin-top", "margin-bottom", "margin-start", "margin-end", "padding", "padding-x", "padding-y", "padding-top", "padding-bottom", "padding-start",
  "padding-end", "width", "max-width", "font-size", "font-weight", "text-align", "text-decoration", "white-space", "word-wrap", "position", "end", "overflow"));
@import "root"; @import "reboot"; @import "buttons"; @import "forms/labels"; @import "forms/form-text"; @import "forms/form-control";
@import "forms/form-select";
@import "forms/form-check"; @import "card"; @import "tables"; @import "placeholders"; @import "helpers/visually-hidden"; @import "helpers/text-truncation";
@import "utilities/api";
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        npm = Path(folder)
        (npm / "package.json").write_text('{"private": true}')
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", *(f"{name}@{v}" for name, v in PACKAGES.items())], cwd=npm, check=True)
        modules = npm / "node_modules"
        shutil.rmtree(VENDOR, ignore_errors=True)
        VENDOR.mkdir(parents=True)
        AXE.mkdir(parents=True, exist_ok=True)
        _bootstrap(modules)
        shutil.copy(modules / "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", VENDOR / "inter.woff2")
        shutil.copy(modules / "axe-core/axe.min.js", AXE / "axe.min.js")
        _sprite(modules / "lucide-static/icons")
        for name, file in LICENCES.items():
            shutil.copy(modules / name / file, VENDOR / f"LICENSE.{name.rpartition('/')[2].split('.')[0]}.txt")
        versions = {name: json.loads((modules / name / "package.json").read_text())["version"] for name in PACKAGES}
    files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(VENDOR.iterdir())}
    (VENDOR / "VERSIONS.json").write_text(json.dumps({"packages": versions, "sha256": files}, indent=2) + "\n")


def _bootstrap(modules: Path) -> None:
    source = modules / "vouch.scss"
    source.write_text(SCSS)
    sass = ["npx", "sass", "--quiet", "--silence-deprecation=import", "--no-source-map", "--style=compressed", f"--load-path={modules / 'bootstrap/scss'}"]
    css = subprocess.run([*sass, str(source)], cwd=modules.parent, check=True, capture_output=True, text=True).stdout
    (VENDOR / "bootstrap.css").write_text(css)


def _sprite(icons: Path) -> None:
    """One file with a symbol for each icon named anywhere in the templates, views and script."""
    words: set[str] = set()
    for pattern in ("templates/**/*.html", "app/web/*.py", "app/static/vouch.js"):
        for file in ROOT.glob(pattern):
            words |= set(re.findall(r"""["'#]([a-z0-9]+(?:-[a-z0-9]+)*)["']""", file.read_text()))
    symbols = []
    for name in sorted(words):
        file = icons / f"{name}.svg"
        if file.exists():
            inner = re.search(r"<svg[^>]*>(.*)</svg>", file.read_text(), re.DOTALL)
            if inner:
                drawing = " ".join(inner[1].split())
                symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{drawing}</symbol>')
    (VENDOR / "icons.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>\n")


if __name__ == "__main__":
    main()
