"""A base image as small as one can be: what the builder reads of the usual Python images, and nothing else."""

import sys
import tempfile
from pathlib import Path

from release import oci
from release.oci import Layout
from release.platforms import PLATFORMS

PYTHON = ".".join(map(str, sys.version_info[:3]))
_LIBRARY = f"usr/local/lib/python{sys.version_info[0]}.{sys.version_info[1]}"
PIP = f"{_LIBRARY}/site-packages/pip"
_FILES = {
    f"{PIP}/__init__.py": "",
    f"{_LIBRARY}/ensurepip/__init__.py": "",
    "usr/local/bin/pip3": "",
    "usr/local/bin/python3": "",
    "var/lib/dpkg/status": (
        "Package: libssl3\nStatus: install ok installed\nArchitecture: {architecture}\nVersion: 3.0.17-1\n"
        "Description: the library\n with a second line: of text\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n"
    ),
}


def base_layout(folder: Path) -> Layout:
    layout = Layout.new(folder)
    made = []
    for platform in PLATFORMS:
        with tempfile.TemporaryDirectory() as temporary:
            for name, text in _FILES.items():
                path = Path(temporary) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text.format(architecture=platform.architecture))
            content, uncompressed = oci.packed(Path(temporary), [], 0)
        config = {
            **platform.oci,
            "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin", f"PYTHON_VERSION={PYTHON}"], "Cmd": ["python3"]},
            "rootfs": {"type": "layers", "diff_ids": [uncompressed]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": oci.MANIFEST,
            "config": layout.add_document(config, oci.CONFIG).to_document(),
            "layers": [layout.add(content, oci.LAYER).to_document()],
        }
        made.append(layout.add_document(manifest, oci.MANIFEST).on(platform))
    index = {"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": [each.to_document() for each in made]}
    layout.finish(layout.add_document(index, oci.INDEX))
    return layout
