"""The front end we did not write is kept in the tree, each file tied by its hash to the package it came from.

Users need no Node and no page asks a CDN. ``python -m mis.web.vendoring check`` compares the files with
``vendor.lock.json`` (offline); ``fetch`` downloads the locked tarballs and writes the files again. To move
to a newer version, edit version and integrity in the lock, run ``fetch --relock`` and read the diff.
"""

import argparse
import base64
import hashlib
import io
import json
import re
import sys
import tarfile
import urllib.request
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).parent / "static" / "vendor"
LOCK = VENDOR / "vendor.lock.json"

Package = dict[str, Any]  # one entry of the lock: name, version, integrity, licence, files


def check(vendor: Path = VENDOR) -> list[str]:
    """Every way in which the folder differs from its lock, one sentence each; none when all is well."""
    expected = {
        path: file["sha256"] for package in _packages(vendor) for path, file in package["files"].items()
    }
    present = {path.relative_to(vendor).as_posix() for path in vendor.rglob("*") if path.is_file()}
    present.discard(LOCK.name)
    problems = [f"{path} is in the folder but not in the lock." for path in sorted(present - expected.keys())]
    for path, sha256 in expected.items():
        if path not in present:
            problems.append(f"{path} is in the lock but not in the folder.")
        elif _sha256((vendor / path).read_bytes()) != sha256:
            problems.append(f"{path} differs from what was locked.")
    return problems


def fetch(registry: str, *, relock: bool, vendor: Path = VENDOR) -> None:
    """Write every locked file from its tarball, after the tarball's own integrity has been compared."""
    packages = _packages(vendor)
    for package in packages:
        tarball = _download(registry, package, relock=relock)
        for path, file in package["files"].items():
            content = _content(tarball, file)
            if relock:
                file["sha256"] = _sha256(content)
            elif file["sha256"] != _sha256(content):
                raise SystemExit(
                    f"{path}: {package['name']} {package['version']} differs from what was locked."
                )
            (vendor / path).parent.mkdir(parents=True, exist_ok=True)
            (vendor / path).write_bytes(content)
    if relock:
        lock = json.dumps({"packages": packages}, indent=2, ensure_ascii=False)
        (vendor / LOCK.name).write_text(lock + "\n", encoding="utf-8")


def _packages(vendor: Path) -> list[Package]:
    packages: list[Package] = json.loads((vendor / LOCK.name).read_text(encoding="utf-8"))["packages"]
    return packages


def _download(registry: str, package: Package, *, relock: bool) -> dict[str, bytes]:
    name, version = package["name"], package["version"]
    url = f"{registry.rstrip('/')}/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
    with urllib.request.urlopen(url, timeout=180) as response:
        data = response.read()
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    if relock and not package["integrity"]:
        package["integrity"] = integrity
    if integrity != package["integrity"]:
        raise SystemExit(f"{url} is not the tarball that was locked: its integrity is {integrity}.")
    # npm puts everything into one folder, most often "package/".
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        return {
            name.partition("/")[2]: opened.read()
            for name, opened in ((m.name, archive.extractfile(m)) for m in archive.getmembers())
            if opened is not None
        }


def _content(tarball: dict[str, bytes], file: Package) -> bytes:
    if "icons" in file:
        return _sprite(tarball, file["from"], file["icons"])
    if "text" in file:
        return str(file["text"]).encode()
    # Maps are not shipped, so the pointer to them would only be a 404 in every developer's console.
    return re.sub(rb"\s*(//|/\*)# sourceMappingURL=[^\n*]*(\*/)?\s*$", b"\n", tarball[file["from"]])


def _sprite(tarball: dict[str, bytes], folder: str, icons: list[str]) -> bytes:
    """One SVG with a symbol per icon: a page loads the set once, and needs no inline style to colour it."""
    symbols = []
    for icon in sorted(icons):
        source = tarball[f"{folder}/{icon}.svg"].decode()
        drawing = re.findall(r"<(?:path|circle|rect|line)[^>]*/>", source.replace("\n", " "))
        shapes = "".join(shape for shape in drawing if 'stroke="none" d="M0 0h24v24H0z"' not in shape)
        symbols.append(f'<symbol id="{icon}" viewBox="0 0 24 24">{shapes}</symbol>')
    return ('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n").encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Check the folder, or fetch it anew; the exit code says whether all is as locked."""
    parser = argparse.ArgumentParser(prog="python -m mis.web.vendoring", description=__doc__)
    parser.add_argument("command", choices=["check", "fetch"])
    parser.add_argument("--registry", default="https://registry.npmjs.org")
    parser.add_argument("--relock", action="store_true", help="write new file hashes into the lock")
    options = parser.parse_args(arguments)
    if options.command == "fetch":
        fetch(options.registry, relock=options.relock)
    problems = check()
    print("\n".join(problems) or "Every vendored file is as locked.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
