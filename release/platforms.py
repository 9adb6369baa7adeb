"""The platforms of the image."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Platform:
    """A platform of Linux.

    Attributes:
        architecture: its name in OCI.
        wheels: its name in uv, with the minimum version of the base's C library.
        machine: `e_machine` in the ELF header of its compiled modules.
    """

    architecture: str
    wheels: str
    machine: int

    @property
    def oci(self) -> dict[str, str]:
        return {"architecture": self.architecture, "os": "linux"}

    def __str__(self) -> str:
        return f"linux/{self.architecture}"


PLATFORMS = (
    Platform("amd64", wheels="x86_64-manylinux_2_28", machine=62),
    Platform("arm64", wheels="aarch64-manylinux_2_28", machine=183),
)
