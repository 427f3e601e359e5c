#!/usr/bin/env python3
"""Looks into the NuGet package that dotnet pack has made: check_package.py FOLDER VERSION"""
import sys
import zipfile

folder, version = sys.argv[1:]
with zipfile.ZipFile(f"{folder}/Umem.{version}.nupkg") as package:
    names = set(package.namelist())
    manifest = package.read("Umem.nuspec").decode()
with zipfile.ZipFile(f"{folder}/Umem.{version}.snupkg") as symbols:
    names |= set(symbols.namelist())
wanted = {"README.md"} | {f"lib/{framework}/Umem.{kind}" for framework in ("netstandard2.0", "net8.0")
                          for kind in ("dll", "xml", "pdb")}
missing = sorted(wanted - names)
native = [name for name in names if name.endswith((".so", ".dylib")) or name.startswith("runtimes/")]
if missing or native:
    sys.exit(f"missing: {missing}; not managed code: {native}")
for text in ('<license type="expression">MIT</license>', f"<version>{version}</version>", "<readme>README.md</readme>"):
    if text not in manifest:
        sys.exit(f"the manifest has no {text}:\n{manifest}")
